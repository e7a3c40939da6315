#include <algorithm>
#include <map>

#include "base/suggest.h"
#include "config/config.h"
#include "config/gather.h"
#include "config/reader.h"

namespace tribecast::config {
namespace {

bool overlap(const std::vector<Prefix>& one, const std::vector<Prefix>& other) {
  return std::ranges::any_of(one, [&](const Prefix& a) {
    return std::ranges::any_of(other, [&](const Prefix& b) { return a.overlaps(b); });
  });
}

constexpr std::size_t kMaxSocketPath = 107;  // sun_path and its zero

Converted<std::optional<std::uint64_t>> to_max_datagram(std::string_view text) {
  if (text == "auto") return std::optional<std::uint64_t>();
  const auto size = to_size(text);
  if (!size) return Unexpected<std::string>{size.error() + ", or 'auto'"};
  return std::optional<std::uint64_t>(*size);
}

Converted<std::string> to_socket_path(std::string_view text) {
  if (text.size() <= kMaxSocketPath) return to_path(text);
  return Unexpected<std::string>{"longer than " + std::to_string(kMaxSocketPath) + " bytes"};
}

// Builds the Config section by section, and remembers where things stand for what must differ or
// must exist.
class Builder {
 public:
  explicit Builder(Diagnostics& findings) : findings_(findings) {}

  void add(const SectionEntry& type, const Section& section) {
    Reader reader(agent_table(), type, section, findings_);
    if (type.type == "node") return node(reader);
    if (type.type == "relay") return relay(reader);
    if (type.type == "control") return control(reader);
    if (type.type == "security") return security(reader);
    if (type.type == "group") return group(reader, section);
    if (type.type == "peer") return peer(reader, section);
    discovery(reader, section);
  }

  // What can be said only when everything was read.
  void finish() {
    if (config_.relay.listen.empty()) config_.relay.listen.push_back({Address(), kDefaultPort});
    check_peer_groups();
    config_.security.auth == Auth::keyring ? check_keyring() : check_public_keys();
    if (has_peers() && config_.groups.empty()) {
      Diagnostic d = error_at(first_peer_, "there are peers, but no [group]: nothing is relayed");
      d.severity = Severity::warning;
      d.fix = "[group \"tomcat\"] with address = 228.0.0.4:45564";
      findings_.push_back(std::move(d));
    }
  }

  Config take() { return std::move(config_); }

 private:
  struct GroupPlace {
    std::string name;
    GroupAddress address;
    const Place* at;
  };
  struct PeerPlace {
    std::string label;
    Place at;
  };
  struct Roamer {
    PeerPlace peer;
    std::vector<Prefix> to;
  };
  struct GroupUse {
    std::string label;
    std::string group;
    const Place* at;
  };

  // At the first one too many.
  void check_count(std::size_t count, std::size_t most, const Place& at, const std::string& what) {
    if (count != most + 1) return;
    findings_.push_back(error_at(at, "more than " + std::to_string(most) + " " + what));
  }

  void node(Reader& in) {
    in.read("name", to_name, config_.node.name);
    in.read("site", to_text_value, config_.node.site);
  }

  void relay(Reader& in) {
    for (const auto& found : in.all("listen", to_listen)) {
      if (std::ranges::find(config_.relay.listen, found.value) != config_.relay.listen.end()) {
        in.error(*found.place, "listen", found.value.to_string() + " is there twice");
      }
      config_.relay.listen.push_back(found.value);
    }
    in.read("max-datagram", to_max_datagram, config_.relay.max_datagram_bytes);
  }

  void control(Reader& in) {
    in.read("socket", to_socket_path, config_.control.socket);
    in.read("group", to_name, config_.control.group);
  }

  void security(Reader& in) {
    in.read("keyring", to_path, config_.security.keyring);
    in.read("auth", to_auth, config_.security.auth);
    in.read("private-key", to_path, config_.security.private_key);
    keyring_given_ = in.is_given("keyring");
    private_key_given_ = in.is_given("private-key");
  }

  void group(Reader& in, const Section& section) {
    Group group;
    group.name = section.name.value_or("");
    in.require("address", "address = 228.0.0.4:45564 is Tomcat's default");
    GroupAddress address;
    const Place* at = in.read("address", to_group_address, address);
    group.address = address.address;
    group.port = address.port;
    group.format = address.port == kTomcatPort ? Format::tribes : Format::raw;
    in.read("format", to_format, group.format);
    in.read("interface", to_interfaces, group.interfaces);
    in.read("broadcasts", to_yes_no, group.broadcasts);
    in.read("max-age", to_duration, group.max_age);
    in.read("drop-time", to_duration, group.drop_time);
    if (group.name == "all") in.error(section.at, "name", "'all' means every group");
    if (at != nullptr) check_group_address(in, {group.name, address, at});
    warn_about_ages(in, section, group);
    config_.groups.push_back(std::move(group));
    check_count(config_.groups.size(), kMaxGroups, section.at, "groups");
  }

  void check_group_address(Reader& in, GroupPlace place) {
    for (const GroupPlace& other : group_places_) {
      const bool any = other.address.port == 0 || place.address.port == 0;
      if (other.address.address != place.address.address) continue;
      if (!any && other.address.port != place.address.port) continue;
      return in.error(
          *place.at, "address",
          "group \"" + other.name + "\" has it already (" + first_at(*other.at, *place.at) + ")");
    }
    group_places_.push_back(std::move(place));
  }

  void warn_about_ages(const Reader& in, const Section& section, const Group& group) {
    if (group.max_age < group.drop_time) return;
    Diagnostic d = error_at(section.at, in.label() + ": max-age is not below drop-time");
    d.severity = Severity::warning;
    d.why = "a heartbeat as old as that brings back a member that was dropped";
    findings_.push_back(std::move(d));
  }

  void peer(Reader& in, const Section& section) {
    Peer peer;
    peer.name = section.name.value_or("");
    note_peers(section.at);
    for (const auto& found : in.all("address", to_peer_address)) {
      check_peer_address(in, found.value, found.place);
      peer.addresses.push_back(found.value);
    }
    in.read("members", to_prefixes, peer.members);
    const Place* at = in.read("groups", to_names, peer.groups);
    for (const std::string& name : peer.groups) group_uses_.push_back({in.label(), name, at});
    in.read("rewrite", to_rewrites, peer.rewrites);
    in.read("max-members", to_number, peer.max_members);
    in.read("max-rate", to_number, peer.max_rate);
    in.read("copies", to_number, peer.copies);
    in.read("peer-dead-time", to_time_limit, peer.peer_dead_time);
    in.read("agentless", to_yes_no, peer.agentless);
    if (peer.agentless) {
      in.require("address", "address = 10.0.0.1, or a name: where its Tomcat is");
    } else {
      note_agent(section.at);
      if (!in.is_given("address")) peers_without_address_.push_back({in.label(), section.at});
      public_key(in, section, peer);
    }
    in.read("roaming", to_prefixes, peer.roaming);
    if (!peer.roaming.empty()) roamers_.push_back({{in.label(), section.at}, peer.roaming});
    config_.peers.push_back(std::move(peer));
    check_count(config_.peers.size(), kMaxPeers, section.at, "peers");
  }

  void public_key(Reader& in, const Section& section, Peer& peer) {
    if (!in.is_given("public-key")) {
      peers_without_key_.push_back({in.label(), section.at});
      return;
    }
    const Place* at = in.read("public-key", to_public_key, peer.public_key);
    if (at == nullptr) return;
    const auto [first, is_new] =
        key_places_.emplace(peer.public_key, std::make_pair(in.label(), at));
    if (is_new) return;
    const auto& [owner, place] = first->second;
    in.error(*at, "public-key",
             "it is there already: " + owner + " (" + first_at(*place, *at) + ")");
  }

  void check_peer_address(Reader& in, const PeerAddress& address, const Place* at) {
    const auto [first, is_new] =
        peer_places_.emplace(address.to_string(), std::make_pair(in.label(), at));
    if (is_new) return;
    const auto& [owner, place] = first->second;
    in.error(
        *at, "address",
        address.to_string() + " is there already: " + owner + " (" + first_at(*place, *at) + ")");
  }

  void discovery(Reader& in, const Section& section) {
    Discovery discovery;
    discovery.name = section.name.value_or("");
    note_peers(section.at);
    note_agent(section.at);
    discoveries_.push_back({in.label(), section.at});
    if (check_source(in, section)) {
      if (in.read("dns", to_dns_name, discovery.source)) discovery.kind = SourceKind::dns;
      if (in.read("file", to_absolute_path, discovery.source)) discovery.kind = SourceKind::file;
      if (in.read("exec", to_command, discovery.source)) discovery.kind = SourceKind::exec;
    }
    in.read("every", to_duration, discovery.every);
    in.read("timeout", to_duration, discovery.timeout);
    std::string failure;
    in.read("on-failure", to_failure, failure);
    in.read("shrink-limit", to_percentage, discovery.shrink_limit_percent);
    config_.discoveries.push_back(std::move(discovery));
    check_count(config_.discoveries.size(), kMaxDiscoveries, section.at, "[discovery] sections");
  }

  // Exactly one.
  bool check_source(const Reader& in, const Section& section) {
    std::string given;
    for (const char* key : {"dns", "file", "exec"}) {
      if (in.is_given(key)) given += (given.empty() ? "" : " and ") + std::string(key);
    }
    if (given.find(' ') == given.npos && !given.empty()) return true;
    Diagnostic d = error_at(section.at, in.label() + (given.empty() ? ": where are the peers found?"
                                                                    : ": " + given + " are set"));
    d.fix = given.empty() ? "dns = NAME, file = PATH, or exec = COMMAND"
                          : "keep one of them, and put the other into a section of its own";
    findings_.push_back(std::move(d));
    return false;
  }

  // The first section that is, or brings, peers.
  void note_peers(const Place& at) {
    if (config_.peers.empty() && config_.discoveries.empty()) first_peer_ = at;
  }

  void note_agent(const Place& at) {
    if (!first_agent_) first_agent_ = at;
  }

  [[nodiscard]] bool has_peers() const {
    return !config_.peers.empty() || !config_.discoveries.empty();
  }

  void check_peer_groups() {
    std::vector<std::string_view> known;
    for (const Group& group : config_.groups) known.push_back(group.name);
    for (const GroupUse& use : group_uses_) {
      if (std::ranges::find(known, use.group) != known.end()) continue;
      Diagnostic d =
          error_at(*use.at, use.label + ": groups: there is no group \"" + use.group + "\"");
      d.hint = did_you_mean(use.group, known);
      findings_.push_back(std::move(d));
    }
  }

  void require_of_peers(const std::vector<PeerPlace>& peers, const std::string& what,
                        const std::string& why, const std::string& fix) {
    for (const PeerPlace& peer : peers) {
      Diagnostic d = error_at(peer.at, peer.label + ": " + what);
      d.why = why;
      d.fix = fix;
      findings_.push_back(std::move(d));
    }
  }

  void check_public_keys() {
    if (first_agent_ && !private_key_given_) {
      Diagnostic d = error_at(*first_agent_, "there are peers, but no private-key in [security]");
      d.why = "with auth = public-key each node proves itself by a key of its own";
      d.fix =
          "run `(umask 077; tribecast keygen --private-key > /etc/tribecast/private.key)` on this "
          "node, and name the file: private-key = /etc/tribecast/private.key";
      findings_.push_back(std::move(d));
    }
    require_of_peers(discoveries_, "needs auth = keyring",
                     "it finds addresses, and with auth = public-key a peer is who has its key",
                     "name the peers with their keys: [peer \"web-2\"] with public-key");
    require_of_peers(peers_without_key_, "public-key is missing", "auth = public-key",
                     "public-key = what `tribecast keygen --public-key < PRIVATE-KEY-FILE` prints "
                     "on that node");
  }

  void check_keyring() {
    require_of_peers(peers_without_address_, "address is missing", "",
                     "address = 10.0.0.1, or a name, each with :PORT or without");
    for (auto roamer = roamers_.begin(); roamer != roamers_.end(); ++roamer) {
      const auto before = std::find_if(roamers_.begin(), roamer, [&](const Roamer& other) {
        return overlap(other.to, roamer->to);
      });
      if (before == roamer) continue;
      require_of_peers({roamer->peer}, "roaming overlaps that of " + before->peer.label,
                       "a keyring proves no identity: a peer is known by where it is",
                       "prefixes that do not overlap, or auth = public-key");
    }
    if (!key_places_.empty()) {
      const auto& [label, at] = key_places_.begin()->second;
      Diagnostic d = error_at(*at, label + ": public-key is not used: auth = keyring");
      d.severity = Severity::warning;
      d.fix = "[security] auth = public-key, on every node";
      findings_.push_back(std::move(d));
    }
    if (!first_agent_ || keyring_given_) return;
    Diagnostic d = error_at(*first_agent_, "there are peers, but no keyring in [security]");
    d.why = "who can inject a heartbeat becomes a member: the agents talk sealed only";
    d.fix =
        "run `tribecast keygen` once, put its line into a file of mode 0600 on every node, "
        "and name it: keyring = /etc/tribecast/cluster.keys";
    findings_.push_back(std::move(d));
  }

  Diagnostics& findings_;
  Config config_;
  std::vector<GroupPlace> group_places_;
  std::map<std::string, std::pair<std::string, const Place*>> peer_places_;
  std::vector<GroupUse> group_uses_;
  std::map<std::string, std::pair<std::string, const Place*>> key_places_;
  std::vector<PeerPlace> peers_without_address_;
  std::vector<PeerPlace> peers_without_key_;
  std::vector<Roamer> roamers_;
  std::vector<PeerPlace> discoveries_;
  Place first_peer_;
  std::optional<Place> first_agent_;  // the first section that is, or brings, peers with an agent
  bool keyring_given_ = false;
  bool private_key_given_ = false;
};

}  // namespace

Outcome parse(const std::vector<Source>& sources) {
  Outcome outcome;
  const std::vector<Section> all = gather(agent_table(), sources, outcome.diagnostics);
  Builder builder(outcome.diagnostics);
  for (const Section& section : all) builder.add(*find_section(section.type), section);
  builder.finish();
  put_in_order(outcome.diagnostics, sources);
  if (!has_errors(outcome.diagnostics)) outcome.config = builder.take();
  return outcome;
}

}  // namespace tribecast::config
