#include "engine/daemon/config.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>
#include <utility>

#include "base/hex.h"
#include "base/suggest.h"
#include "config/gather.h"
#include "config/reader.h"

namespace tribecast::engine {
namespace {

using config::Converted;
using config::Diagnostic;
using config::Place;
using config::Reader;
using config::Section;
using config::SectionEntry;
using config::Setting;

constexpr bool kEngineOnce = false;

constexpr std::array kEngineSections = {
    SectionEntry{"engine", false, "This member of the cluster."},
    SectionEntry{"membership", false, "How members are found; as `<Membership>` of server.xml."},
    SectionEntry{"channel", false, "What messages look like on the way; as `<Interceptor>`."},
    SectionEntry{"sessions", false, "What is kept, and how well."},
    SectionEntry{"limits", false, "What is held at most, and how long is waited."},
    SectionEntry{
        "member", true,
        "A static member, as `<Member>` of a StaticMembershipInterceptor. At most 64. This "
        "one may be among them, so one list serves all."},
};

constexpr std::array kEngineSettings = {
    Setting{"engine", "name", "name", "", "", "", kEngineOnce,
            "What the log calls this engine, where there are several."},
    Setting{"engine", "listen", "endpoint", "0.0.0.0:4000", "", "", kEngineOnce,
            "Where members connect to. The port must not be a Tomcat's on this host."},
    Setting{
        "engine", "announce", "address", "", "", "", kEngineOnce,
        "The address that members connect to. When it is not set: that of `listen`, or, when that "
        "is a wildcard, the one that leads to the group or to the first static member."},
    Setting{
        "engine", "state-directory", "path", "/var/lib/tribecast-engine", "", "", kEngineOnce,
        "Where the unique id, the time of the first start and the sessions are kept. The service "
        "manager's `STATE_DIRECTORY` comes before it."},
    Setting{
        "engine", "unique-id", "unique id", "", "", "", kEngineOnce,
        "As members that have a list know this one: `{0,1,...,15}` or 32 hexadecimal digits. When "
        "it is not set: the one in the state directory, which is made once."},
    Setting{"engine", "domain", "text", "", "", "", kEngineOnce,
            "The cluster's `domain`. Only a `domain-filter` looks at it."},
    Setting{"engine", "allow", "prefixes", "any", "", "", kEngineOnce,
            "Who may connect, and which members are let in. The protocol proves nobody: name the "
            "Tomcats' networks."},
    Setting{"engine", "heal", "heal", "yes", "", "", kEngineOnce,
            "Whether running Tomcats are given what they missed while they were cut off, hung, or "
            "deaf at their start: `yes`, `report` (it is only logged what they lack) or `no`."},
    Setting{"engine", "state-master", "state-master", "first", "", "", kEngineOnce,
            "Whom starting Tomcats ask for the sessions: `first`: this engine, unless a member is "
            "older than its first start; `last`: this engine only when there is nobody else."},
    Setting{"engine", "control-socket", "path", "/run/tribecast-engine/control.sock", "", "",
            kEngineOnce, "Where `tribecast engine` asks. Another one for each engine of a host."},
    Setting{"engine", "control-group", "name", "tribecast", "", "", kEngineOnce,
            "Whose members may ask, beside root: the socket's group, when started as root."},

    Setting{"membership", "group", "group", "228.0.0.4:45564", "", "", kEngineOnce,
            "Where heartbeats are sent and heard. `none`: static members alone."},
    Setting{"membership", "frequency", "duration", "500ms", "100ms", "10s", kEngineOnce,
            "How often a heartbeat is sent."},
    Setting{"membership", "drop-time", "duration", "3s", "500ms", "1h", kEngineOnce,
            "A member without a heartbeat for so long, whose port does not answer, is gone."},
    Setting{"membership", "ttl", "number", "1", "0", "255", kEngineOnce,
            "How many routers a heartbeat may pass."},

    Setting{"channel", "interceptors", "interceptors", "none", "", "", kEngineOnce,
            "Those of server.xml that change messages, in its order. All members need the same."},
    Setting{"channel", "fragment-size", "size", "102400", "1k", "64m", kEngineOnce,
            "The `maxSize` of the FragmentationInterceptor."},
    Setting{"channel", "encryption", "encryption", "gcm-replay", "", "", kEngineOnce,
            "What the Tomcats' release of EncryptInterceptor does."},
    Setting{
        "channel", "encryption-key", "path", "", "", "", kEngineOnce,
        "A file with the `encryptionKey` in hexadecimal digits, readable by the engine alone. Must "
        "be set for `encrypt`."},

    Setting{"sessions", "memory-limit", "size", "1g", "1m", "1024g", kEngineOnce,
            "For all sessions. None is thrown away: from 90 % on there is an alarm, at 100 % new "
            "sessions and larger ones are refused."},
    Setting{"sessions", "fetch-limit", "number", "10000", "0", "100000000", kEngineOnce,
            "No Tomcat is asked for the state of a context of which so many sessions are known: it "
            "may not have the heap for the answer. 0: none is asked at all."},
    Setting{"sessions", "store", "store", "disk", "", "", kEngineOnce,
            "`disk`: in the state directory too. `memory`: a stop of the engine forgets them."},
    Setting{"sessions", "key-file", "path", "", "", "", kEngineOnce,
            "A key ring as `tribecast keygen` makes it: what is on the disk is sealed with its "
            "primary key. Others may not read it."},
    Setting{
        "sessions", "fsync", "fsync", "interval", "", "", kEngineOnce,
        "When what is written is safe from a loss of power: with each commit, which follows what "
        "comes at once (`always`), with each commit (`interval`), when the kernel writes it "
        "(`off`). A kill of the engine loses nothing that is written, with any of them."},
    Setting{"sessions", "commit-interval", "duration", "100ms", "1ms", "1m", kEngineOnce,
            "How often changes are written; at once with `fsync = always`, and when a sender "
            "waits for it."},
    Setting{"sessions", "ack", "ack", "memory", "", "", kEngineOnce,
            "Where a message is when its sender is told that it arrived, if that waits for it: "
            "`memory`, `disk`, or `peer`, another engine."},
    Setting{"sessions", "restart-grace", "duration", "5m", "0s", "168h", kEngineOnce,
            "Sessions that would end sooner live so long after a start of the engine."},

    Setting{"limits", "max-connections", "number", "1024", "1", "65536", kEngineOnce,
            "More at once are closed as they come."},
    Setting{"limits", "max-message", "size", "256m", "64k", "2047m", kEngineOnce,
            "A larger message closes its connection."},
    Setting{"limits", "receive-memory", "size", "512m", "1m", "64g", kEngineOnce,
            "For all messages that are not whole yet; beyond it the connection that wants more is "
            "closed."},
    Setting{"limits", "send-memory", "size", "64m", "1m", "64g", kEngineOnce,
            "What may wait to be sent to one member."},
    Setting{
        "limits", "send-timeout", "duration", "3s", "100ms", "1m", kEngineOnce,
        "For a connection, and for a message and its acknowledgement; then it is tried once more."},

    Setting{"member", "address", "endpoint", "", "", "", kEngineOnce,
            "Where it listens. Must be set. Port 4000 when there is none."},
    Setting{
        "member", "unique-id", "unique id", "", "", "", kEngineOnce,
        "Its `uniqueId`, as `{0,1,...,15}` or 32 hexadecimal digits. When it is not set: what it "
        "says of itself."},
    Setting{"member", "domain", "text", "", "", "", kEngineOnce, "Its `domain`."},
};

Converted<Endpoint> to_tribes_endpoint(std::string_view text) {
  const auto endpoint = Endpoint::parse(text, kTribesPort);
  if (!endpoint || endpoint->port == 0) {
    return Unexpected<std::string>{"'" + std::string(text) +
                                   "' is no address with a port, such as 10.0.0.1:4000"};
  }
  if (endpoint->address.is_multicast()) {
    return Unexpected<std::string>{"'" + std::string(text) + "' is a multicast address"};
  }
  return *endpoint;
}

Converted<Endpoint> to_member_endpoint(std::string_view text) {
  auto endpoint = to_tribes_endpoint(text);
  if (endpoint && endpoint->address.is_unspecified()) {
    return Unexpected<std::string>{"'" + std::string(text) + "' is a wildcard; nobody is there"};
  }
  return endpoint;
}

Converted<std::optional<Address>> to_announced(std::string_view text) {
  const auto address = Address::parse(text);
  if (!address || address->is_unspecified() || address->is_multicast()) {
    return Unexpected<std::string>{"'" + std::string(text) +
                                   "' is no address that members could connect to"};
  }
  return std::optional(*address);
}

Converted<std::optional<Endpoint>> to_group(std::string_view text) {
  if (text == "none") return std::optional<Endpoint>();
  const auto group = Endpoint::parse(text, config::kTomcatPort);
  if (!group || group->port == 0 || !group->address.is_v4() || !group->address.is_multicast()) {
    return Unexpected<std::string>{"'" + std::string(text) +
                                   "' is no IPv4 multicast address with a port, and not 'none'"};
  }
  return std::optional(*group);
}

template <class Kind>
struct Word {
  std::string_view word;
  Kind kind;
};

constexpr std::array kInterceptors = {
    Word<InterceptorKind>{"gzip", InterceptorKind::gzip},
    Word<InterceptorKind>{"gzip-always", InterceptorKind::gzip_always},
    Word<InterceptorKind>{"fragmentation", InterceptorKind::fragmentation},
    Word<InterceptorKind>{"order", InterceptorKind::order},
    Word<InterceptorKind>{"domain-filter", InterceptorKind::domain_filter},
    Word<InterceptorKind>{"encrypt", InterceptorKind::encrypt},
};
constexpr std::array kEncryptions = {
    Word<EncryptKind>{"cbc", EncryptKind::cbc},
    Word<EncryptKind>{"cbc-replay", EncryptKind::cbc_replay},
    Word<EncryptKind>{"gcm", EncryptKind::gcm},
    Word<EncryptKind>{"gcm-replay", EncryptKind::gcm_replay},
};

template <class Kind, std::size_t N>
Converted<Kind> to_kind(std::string_view text, const std::array<Word<Kind>, N>& words) {
  std::string known;
  std::vector<std::string_view> all;
  for (const auto& [word, kind] : words) {
    if (text == word) return kind;
    known += (known.empty() ? "" : ", ") + std::string(word);
    all.push_back(word);
  }
  const std::string close = did_you_mean(text, all);
  return Unexpected<std::string>{"'" + std::string(text) + "' is none of: " + known +
                                 (close.empty() ? "" : "; " + close)};
}

using keeper::AckLevel;

constexpr std::array kStores = {Word<bool>{"disk", true}, Word<bool>{"memory", false}};
constexpr std::array kFsyncs = {
    Word<Fsync>{"always", Fsync::always},
    Word<Fsync>{"interval", Fsync::interval},
    Word<Fsync>{"off", Fsync::off},
};
constexpr std::array kAckLevels = {
    Word<AckLevel>{"memory", AckLevel::memory},
    Word<AckLevel>{"disk", AckLevel::disk},
    Word<AckLevel>{"peer", AckLevel::peer},
};

constexpr std::array kHeals = {
    Word<keeper::Heal>{"yes", keeper::Heal::yes},
    Word<keeper::Heal>{"report", keeper::Heal::report},
    Word<keeper::Heal>{"no", keeper::Heal::no},
};
constexpr std::array kStateMasters = {Word<bool>{"first", true}, Word<bool>{"last", false}};

Converted<keeper::Heal> to_heal(std::string_view text) { return to_kind(text, kHeals); }
Converted<bool> to_state_master(std::string_view text) { return to_kind(text, kStateMasters); }
Converted<bool> to_store(std::string_view text) { return to_kind(text, kStores); }
Converted<Fsync> to_fsync(std::string_view text) { return to_kind(text, kFsyncs); }
Converted<AckLevel> to_ack_level(std::string_view text) { return to_kind(text, kAckLevels); }

Converted<EncryptKind> to_encryption(std::string_view text) { return to_kind(text, kEncryptions); }

Converted<std::vector<InterceptorKind>> to_interceptor_list(std::string_view text) {
  std::vector<InterceptorKind> list;
  if (text == "none") return list;
  const auto words = config::to_names(text);
  if (!words) return Unexpected<std::string>{words.error()};
  for (const std::string& word : *words) {
    const auto kind = to_kind(word, kInterceptors);
    if (!kind) return Unexpected<std::string>{kind.error()};
    list.push_back(*kind);
  }
  return list;
}

// A byte as Java prints it: -128 to 255.
std::optional<std::uint8_t> to_java_byte(std::string_view word) {
  int value = 0;
  const auto [end, error] = std::from_chars(word.begin(), word.end(), value);
  if (error != std::errc() || end != word.end() || value < -128 || value > 255) return std::nullopt;
  return static_cast<std::uint8_t>(value);
}

Converted<std::optional<tribes::UniqueId>> to_unique_id(std::string_view text) {
  const Unexpected<std::string> wrong{
      "'" + std::string(text) + "' is neither {16 bytes, in decimal} nor 32 hexadecimal digits"};
  tribes::UniqueId id{};
  if (!text.starts_with('{')) {
    const auto raw = from_hex(text);
    if (!raw || raw->size() != id.size()) return wrong;
    std::ranges::copy(*raw, id.begin());
    return std::optional(id);
  }
  if (!text.ends_with('}')) return wrong;
  std::string inside(text.substr(1, text.size() - 2));
  std::ranges::replace(inside, ',', ' ');
  const auto words = config::to_words(inside);
  if (words.size() != id.size()) return wrong;
  for (std::size_t i = 0; i < id.size(); ++i) {
    const auto byte = to_java_byte(words[i]);
    if (!byte) return wrong;
    id[i] = *byte;
  }
  return std::optional(id);
}

class EngineBuilder {
 public:
  explicit EngineBuilder(config::Diagnostics& findings) : findings_(findings) {}

  // Sections that are not there have their defaults.
  void add_all(const std::vector<Section>& given) {
    for (const SectionEntry& type : kEngineSections) {
      const auto of_type = [&](const Section& s) { return s.type == type.type; };
      if (!type.named && std::ranges::none_of(given, of_type)) {
        add(type, Section{std::string(type.type), std::nullopt, {}, {}});
      }
    }
    for (const Section& section : given) add(*table().find_section(section.type), section);
  }

  void finish(const std::string& file) {
    if (!config_.group && config_.members.empty()) {
      findings_.push_back(
          config::finding(file, "there is no group and no [member]: nobody is found",
                          "[membership] group = 228.0.0.4:45564, or [member \"web-1\"]"));
    }
  }

  Config take() { return std::move(config_); }

 private:
  void add(const SectionEntry& type, const Section& section) {
    Reader in(table(), type, section, findings_);
    if (type.type == "engine") return engine(in);
    if (type.type == "membership") return membership(in);
    if (type.type == "channel") return channel(in, section);
    if (type.type == "sessions") return sessions(in);
    if (type.type == "limits") return limits(in);
    member(in, section);
  }

  void engine(Reader& in) {
    in.read("name", config::to_name, config_.name);
    in.read("listen", to_tribes_endpoint, config_.listen);
    const Place* at = in.read("announce", to_announced, config_.announce);
    const bool loopback = config_.announce && config_.announce->is_loopback();
    if (at != nullptr && loopback) {
      Diagnostic d = config::error_at(*at, "engine: announce is a loopback address");
      d.severity = config::Severity::warning;
      d.why = "members on other hosts would connect to themselves";
      findings_.push_back(std::move(d));
    }
    in.read("state-directory", config::to_path, config_.state_directory);
    in.read("unique-id", to_unique_id, config_.unique_id);
    in.read("domain", config::to_text_value, config_.domain);
    in.read("allow", config::to_prefixes, config_.allow);
    in.read("heal", to_heal, config_.heal);
    in.read("state-master", to_state_master, config_.answers_first);
    in.read("control-socket", config::to_path, config_.control_socket);
    in.read("control-group", config::to_name, config_.control_group);
  }

  void membership(Reader& in) {
    in.read("group", to_group, config_.group);
    in.read("frequency", config::to_duration, config_.frequency);
    const Place* at = in.read("drop-time", config::to_duration, config_.drop_time);
    in.read("ttl", config::to_number, config_.ttl_hops);
    if (at == nullptr || config_.drop_time >= 2 * config_.frequency) return;
    Diagnostic d = config::error_at(*at, "membership: drop-time is below twice the frequency");
    d.why = "one lost heartbeat would make a member a suspect";
    findings_.push_back(std::move(d));
  }

  void channel(Reader& in, const Section& section) {
    in.read("interceptors", to_interceptor_list, config_.interceptors);
    in.read("fragment-size", config::to_size, config_.fragment_bytes);
    in.read("encryption", to_encryption, config_.encrypt);
    in.read("encryption-key", config::to_path, config_.encrypt_key_file);
    const bool encrypts = std::ranges::find(config_.interceptors, InterceptorKind::encrypt) !=
                          config_.interceptors.end();
    if (!encrypts || in.is_given("encryption-key")) return;
    Diagnostic d = config::error_at(section.at, "channel: encrypt needs an encryption-key");
    d.fix =
        "put the encryptionKey of server.xml into a file of mode 0600, and name it: encryption-key "
        "= "
        "/etc/tribecast/channel.key";
    findings_.push_back(std::move(d));
  }

  void sessions(Reader& in) {
    in.read("memory-limit", config::to_size, config_.memory_limit_bytes);
    in.read("fetch-limit", config::to_number, config_.fetch_limit_sessions);
    in.read("store", to_store, config_.on_disk);
    const Place* key = in.read("key-file", config::to_path, config_.key_file);
    in.read("fsync", to_fsync, config_.fsync);
    in.read("commit-interval", config::to_duration, config_.commit_interval);
    const Place* at = in.read("ack", to_ack_level, config_.ack);
    in.read("restart-grace", config::to_duration, config_.restart_grace);
    if (config_.on_disk) return;
    const auto without_disk = [&](const Place& place, std::string what, std::string why) {
      Diagnostic d = config::error_at(place, "sessions: " + std::move(what) + " without a disk");
      d.why = "store = memory writes nothing that could be " + std::move(why);
      findings_.push_back(std::move(d));
    };
    if (key != nullptr) without_disk(*key, "key-file", "sealed");
    if (at != nullptr && config_.ack == AckLevel::disk) {
      without_disk(*at, "ack = disk", "waited for");
    }
  }

  void limits(Reader& in) {
    in.read("max-connections", config::to_number, config_.max_connections);
    in.read("max-message", config::to_size, config_.max_message_bytes);
    in.read("receive-memory", config::to_size, config_.receive_memory_bytes);
    in.read("send-memory", config::to_size, config_.send_memory_bytes);
    in.read("send-timeout", config::to_duration, config_.send_timeout);
  }

  void member(Reader& in, const Section& section) {
    channel::StaticMember member;
    std::string domain;
    in.require("address", "address = 10.0.0.1:4000");
    const Place* at = in.read("address", to_member_endpoint, member.endpoint);
    in.read("unique-id", to_unique_id, member.unique_id);
    in.read("domain", config::to_text_value, domain);
    member.domain = copy_of(bytes_of(domain));
    const bool known = std::ranges::any_of(config_.members, [&](const channel::StaticMember& m) {
      return m.endpoint == member.endpoint;
    });
    if (at != nullptr && known) in.error(*at, "address", "another member has it already");
    if (at != nullptr) config_.members.push_back(std::move(member));
    if (config_.members.size() == kMaxStaticMembers + 1) {
      findings_.push_back(config::error_at(section.at, "more than 64 members"));
    }
  }

  config::Diagnostics& findings_;
  Config config_;
};

}  // namespace

const config::Table& table() {
  static constexpr config::Table kTable = {kEngineSections, kEngineSettings};
  return kTable;
}

Outcome parse_config(const std::vector<config::Source>& sources) {
  Outcome outcome;
  const std::vector<Section> all = config::gather(table(), sources, outcome.findings);
  EngineBuilder builder(outcome.findings);
  builder.add_all(all);
  builder.finish(sources.empty() ? "" : sources.front().file);
  config::put_in_order(outcome.findings, sources);
  if (!has_errors(outcome.findings)) outcome.config = builder.take();
  return outcome;
}

Outcome load(const std::string& path) {
  config::Files files = config::read_one_file(path);
  Outcome outcome;
  if (!files.sources.empty()) outcome = parse_config(files.sources);
  std::ranges::move(files.unreadable, std::back_inserter(outcome.findings));
  if (has_errors(outcome.findings)) outcome.config.reset();
  return outcome;
}

}  // namespace tribecast::engine
