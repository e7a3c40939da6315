#include "control/json.h"

#include <algorithm>
#include <ctime>

#include "control/json_value.h"

namespace tribecast::control {

using namespace json_value;

namespace {

using json_value::get;  // beside those below

// --- writing a status

// Of the counters, sixteen for each peer and group, most are 0: the socket's reply leaves those
// out.
enum class Zeros : std::uint8_t { told, left_out };

Json json_of(const ReasonCounters& counters, Zeros zeros) {
  Json json = Json::object();
  for (const ReasonEntry& entry : kReasons) {
    const std::uint64_t count = counters[entry.reason];
    if (count > 0 || zeros == Zeros::told) json.emplace(entry.name, count);
  }
  return json;
}

Json json_of(const Node& node) {
  return {{"name", node.name},
          {"site", node.site},
          {"instance", node.instance},
          {"version", node.version},
          {"uptime_seconds", node.uptime_seconds},
          {"death_watch", node.death_watch}};
}

Json json_of(const Verdict& verdict) {
  Json reasons = Json::array();
  for (const VerdictReason& r : verdict.reasons) {
    Json reason = {{"id", r.id}, {"text", r.text}};
    if (r.peer) reason["peer"] = *r.peer;
    reasons.push_back(std::move(reason));
  }
  return {{"level", name_of(verdict.level)}, {"reasons", std::move(reasons)}};
}

Json json_of(const PeerKey& key) {
  return {{"id", key.id}, {"fingerprint", key.fingerprint}, {"primary", key.primary}};
}

Json json_of(const std::optional<std::vector<PeerKey>>& keys) {
  if (!keys) return {};
  Json json = Json::array();
  for (const PeerKey& key : *keys) json.push_back(json_of(key));
  return json;
}

Json json_of(const Peer& peer, Zeros zeros) {
  return {{"name", peer.name},
          {"site", peer.site},
          {"version", text_or_null(peer.version)},
          {"state", name_of(peer.state)},
          {"instance", known(peer.instance)},
          {"agentless", peer.agentless},
          {"endpoint", known(peer.endpoint)},
          {"rtt_seconds", known(peer.rtt_seconds)},
          {"jitter_seconds", known(peer.jitter_seconds)},
          {"loss_ratio", known(peer.loss_ratio)},
          {"loss_in_ratio", known(peer.loss_in_ratio)},
          {"loss_out_ratio", known(peer.loss_out_ratio)},
          {"clock_offset_seconds", known(peer.clock_offset_seconds)},
          {"mtu_bytes", known(peer.mtu_bytes)},
          {"last_heard_seconds", known(peer.last_heard_seconds)},
          {"key_id", known(peer.key_id)},
          {"heard_key_id", known(peer.heard_key_id)},
          {"keys", json_of(peer.keys)},
          {"datagrams",
           {{"sent", peer.datagrams.sent},
            {"received", peer.datagrams.received},
            {"rejected", json_of(peer.datagrams.rejected, zeros)}}},
          {"from", known(peer.from)}};
}

Json json_of(const Group& group, Zeros zeros) {
  return {{"name", group.name},
          {"address", group.address},
          {"interfaces", group.interfaces},
          {"captured", group.captured},
          {"relayed", group.relayed},
          {"received", group.received},
          {"injected", group.injected},
          {"dropped", json_of(group.dropped, zeros)}};
}

Json json_of(const Member& member) {
  return {{"group", member.group},
          {"host", member.host},
          {"port", member.port},
          {"unique_id", member.unique_id},
          {"domain", member.domain},
          {"origin", name_of(member.origin)},
          {"via", member.via},
          {"state", name_of(member.state)},
          {"alive_seconds", known(member.alive_seconds)},
          {"last_heartbeat_seconds", known(member.last_heartbeat_seconds)},
          {"interval_seconds", known(member.interval_seconds)},
          {"gaps", member.gaps}};
}

Json json_of(const Warning& warning) { return {{"id", warning.id}, {"text", warning.text}}; }

Json json_of(const Discovery& discovery) {
  return {{"name", discovery.name},
          {"kind", discovery.kind},
          {"source", discovery.source},
          {"peers", discovery.peers},
          {"missing", discovery.missing},
          {"last_answer_seconds", known(discovery.last_answer_seconds)},
          {"error", known(discovery.error)}};
}

Json json_of(const Summary& summary) {
  return {{"peers_up", summary.peers_up},
          {"peers", summary.peers},
          {"members_local", summary.members_local},
          {"members_remote", summary.members_remote}};
}

Json json_of(const Ping& ping) {
  return {{"endpoint", known(ping.endpoint)}, {"rtt_seconds", known(ping.rtt_seconds)}};
}

template <class T>
Json json_of(const std::vector<T>& values) {
  Json json = Json::array();
  for (const T& value : values) json.push_back(json_of(value));
  return json;
}

template <class T>
Json json_of(const std::vector<T>& values, Zeros zeros) {
  Json json = Json::array();
  for (const T& value : values) json.push_back(json_of(value, zeros));
  return json;
}

Json json_of(const Rates& rates) {
  return {{"captured_per_second", rates.captured_per_second},
          {"relayed_per_second", rates.relayed_per_second},
          {"injected_per_second", rates.injected_per_second}};
}

void put(const Status& status, Json& json, Zeros zeros) {
  json["node"] = json_of(status.node);
  json["verdict"] = json_of(status.verdict);
  json["peers"] = json_of(status.peers, zeros);
  json["groups"] = json_of(status.groups, zeros);
  json["members"] = json_of(status.members);
  json["latency_seconds"] = {{"p50", known(status.latency.p50)},
                             {"p99", known(status.latency.p99)},
                             {"max", known(status.latency.max)}};
  json["drops"] = json_of(status.drops, zeros);
  json["rates"] = json_of(status.rates);
  json["warnings"] = json_of(status.warnings);
  json["discovery"] = json_of(status.discoveries);
}

// --- reading a status

template <class Enum, std::size_t N>
void get(const Json& json, const char* key, const std::array<std::string_view, N>& names,
         Enum& out) {
  std::string name;
  get(json, key, name);
  const auto it = std::ranges::find(names, name);
  if (it != names.end()) out = static_cast<Enum>(it - names.begin());
}

void get(const Json& json, const char* key, ReasonCounters& out) {
  const Json& counts = child(json, key);
  if (counts.empty()) return;
  for (const ReasonEntry& entry : kReasons) {
    std::uint64_t count = 0;
    get(counts, std::string(entry.name).c_str(), count);
    out.add(entry.reason, count);
  }
}

template <class T>
void get(const Json& json, const char* key, std::vector<T>& out);

void fill(const Json& json, std::string& out) {
  if (json.is_string()) out = json.get<std::string>();
}

void fill(const Json& json, VerdictReason& out) {
  get(json, "id", out.id);
  get(json, "text", out.text);
  get(json, "peer", out.peer);
}

void fill(const Json& json, Warning& out) {
  get(json, "id", out.id);
  get(json, "text", out.text);
}

void fill(const Json& json, PeerKey& out) {
  get(json, "id", out.id);
  get(json, "fingerprint", out.fingerprint);
  get(json, "primary", out.primary);
}

void fill(const Json& json, Discovery& out) {
  get(json, "name", out.name);
  get(json, "kind", out.kind);
  get(json, "source", out.source);
  get(json, "peers", out.peers);
  get(json, "missing", out.missing);
  get(json, "last_answer_seconds", out.last_answer_seconds);
  get(json, "error", out.error);
}

void fill(const Json& json, Peer& out) {
  get(json, "name", out.name);
  get(json, "from", out.from);
  get(json, "site", out.site);
  get(json, "version", out.version);
  get(json, "state", kPeerStates, out.state);
  get(json, "instance", out.instance);
  get(json, "agentless", out.agentless);
  get(json, "endpoint", out.endpoint);
  get(json, "rtt_seconds", out.rtt_seconds);
  get(json, "jitter_seconds", out.jitter_seconds);
  get(json, "loss_ratio", out.loss_ratio);
  get(json, "loss_in_ratio", out.loss_in_ratio);
  get(json, "loss_out_ratio", out.loss_out_ratio);
  get(json, "clock_offset_seconds", out.clock_offset_seconds);
  get(json, "mtu_bytes", out.mtu_bytes);
  get(json, "last_heard_seconds", out.last_heard_seconds);
  get(json, "key_id", out.key_id);
  get(json, "heard_key_id", out.heard_key_id);
  if (child(json, "keys").is_array()) get(json, "keys", out.keys.emplace());
  const Json& datagrams = child(json, "datagrams");
  get(datagrams, "sent", out.datagrams.sent);
  get(datagrams, "received", out.datagrams.received);
  get(datagrams, "rejected", out.datagrams.rejected);
}

void fill(const Json& json, Group& out) {
  get(json, "name", out.name);
  get(json, "address", out.address);
  get(json, "interfaces", out.interfaces);
  get(json, "captured", out.captured);
  get(json, "relayed", out.relayed);
  get(json, "received", out.received);
  get(json, "injected", out.injected);
  get(json, "dropped", out.dropped);
}

void fill(const Json& json, Member& out) {
  get(json, "group", out.group);
  get(json, "host", out.host);
  get(json, "port", out.port);
  get(json, "unique_id", out.unique_id);
  get(json, "domain", out.domain);
  get(json, "origin", kOrigins, out.origin);
  get(json, "via", out.via);
  get(json, "state", kMemberStates, out.state);
  get(json, "alive_seconds", out.alive_seconds);
  get(json, "last_heartbeat_seconds", out.last_heartbeat_seconds);
  get(json, "interval_seconds", out.interval_seconds);
  get(json, "gaps", out.gaps);
}

template <class T>
void get(const Json& json, const char* key, std::vector<T>& out) {
  const Json& values = child(json, key);
  if (!values.is_array()) return;
  for (const Json& value : values) fill(value, out.emplace_back());
}

Status status_of(const Json& json) {
  Status s;
  const Json& node = child(json, "node");
  get(node, "name", s.node.name);
  get(node, "site", s.node.site);
  get(node, "instance", s.node.instance);
  get(node, "version", s.node.version);
  get(node, "uptime_seconds", s.node.uptime_seconds);
  get(node, "death_watch", s.node.death_watch);
  const Json& verdict = child(json, "verdict");
  get(verdict, "level", kLevels, s.verdict.level);
  get(verdict, "reasons", s.verdict.reasons);
  get(json, "peers", s.peers);
  get(json, "groups", s.groups);
  get(json, "members", s.members);
  const Json& latency = child(json, "latency_seconds");
  get(latency, "p50", s.latency.p50);
  get(latency, "p99", s.latency.p99);
  get(latency, "max", s.latency.max);
  get(json, "drops", s.drops);
  const Json& rates = child(json, "rates");
  get(rates, "captured_per_second", s.rates.captured_per_second);
  get(rates, "relayed_per_second", s.rates.relayed_per_second);
  get(rates, "injected_per_second", s.rates.injected_per_second);
  get(json, "warnings", s.warnings);
  get(json, "discovery", s.discoveries);
  return s;
}

}  // namespace

std::string rfc3339(std::chrono::system_clock::time_point when) {
  using std::chrono::milliseconds;
  const auto whole = std::chrono::floor<std::chrono::seconds>(when);
  const auto ms = std::chrono::duration_cast<milliseconds>(when - whole).count();
  const std::time_t time = std::chrono::system_clock::to_time_t(whole);
  std::tm utc{};
  gmtime_r(&time, &utc);
  std::array<char, 32> text{};
  const std::size_t size = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &utc);
  const std::string digits = std::to_string(1000 + ms);
  return std::string(text.data(), size) + "." + digits.substr(1) + "Z";
}

std::string to_json(const Status& status) {
  Json json;
  put(status, json, Zeros::told);
  return line(json);
}

Status from_json(std::string_view text) { return status_of(parsed(text)); }

std::string status_json(const Status& status, std::string_view generated_at) {
  Json json = document("status", generated_at);
  put(status, json, Zeros::told);
  return page(json);
}

std::string peers_json(const Status& status, std::string_view generated_at) {
  Json json = document("peers", generated_at);
  json["peers"] = json_of(status.peers, Zeros::told);
  return page(json);
}

std::string members_json(const Status& status, std::string_view generated_at) {
  Json json = document("members", generated_at);
  json["members"] = json_of(status.members);
  return page(json);
}

std::string groups_json(const Status& status, std::string_view generated_at) {
  Json json = document("groups", generated_at);
  json["groups"] = json_of(status.groups, Zeros::told);
  return page(json);
}

std::string ping_json(const PingRun& run, std::string_view generated_at) {
  Json json = document("ping", generated_at);
  const auto answered =
      std::ranges::count_if(run.probes, [](const Ping& p) { return p.rtt_seconds.has_value(); });
  json["peer"] = run.peer;
  json["sent"] = run.probes.size();
  json["received"] = answered;
  json["probes"] = json_of(run.probes);
  return page(json);
}

std::string watch_json(const Sample& sample, std::string_view generated_at) {
  Json json = document("watch", generated_at);
  json["level"] = name_of(sample.level);
  json.update(json_of(sample.summary));
  json.update(json_of(sample.rates));
  json["dropped_per_second"] = sample.drops_per_second;
  json["latency_p99_seconds"] = known(sample.p99_seconds);
  json["note"] = text_or_null(sample.worst);
  return line(json);
}

std::string wait_json(const WaitEnd& end, std::string_view generated_at) {
  Json json = document("wait", generated_at);
  json["reached"] = end.missing.empty();
  json["missing"] = text_or_null(end.missing);
  json["waited_seconds"] = end.waited_seconds;
  json["peers_up"] = end.last ? Json(end.last->peers_up) : Json();
  json["peers"] = end.last ? Json(end.last->peers) : Json();
  json["members"] = end.last ? Json(end.last->members_local + end.last->members_remote) : Json();
  return page(json);
}

std::string keygen_json(std::string_view id, std::string_view key, bool primary,
                        std::string_view generated_at) {
  Json json = document("keygen", generated_at);
  json["id"] = id;
  json["key"] = key;
  json["primary"] = primary;
  return page(json);
}

std::string version_json(std::string_view version, std::string_view generated_at) {
  Json json = document("version", generated_at);
  json["version"] = version;
  return page(json);
}

// --- the socket's replies

std::string status_reply(const Status& status) {
  Json json = {{"ok", true}};
  put(status, json["status"], Zeros::left_out);
  return line(json);
}

std::string ping_reply(const Ping& ping) {
  Json json = {{"ok", true}, {"peer", ping.peer}};
  json.update(json_of(ping));
  return line(json);
}

std::string text_reply(std::string_view text) { return line({{"ok", true}, {"text", text}}); }

std::string error_reply(Exit code, std::string_view error) {
  return line({{"ok", false}, {"exit", static_cast<int>(code)}, {"error", error}});
}

Result<Status, Failure> read_status_reply(std::string_view text) {
  const auto json = opened(text);
  if (!json) return Unexpected<Failure>{json.error()};
  return status_of(child(*json, "status"));
}

Result<Ping, Failure> read_ping_reply(std::string_view text) {
  const auto json = opened(text);
  if (!json) return Unexpected<Failure>{json.error()};
  Ping ping;
  get(*json, "peer", ping.peer);
  get(*json, "endpoint", ping.endpoint);
  get(*json, "rtt_seconds", ping.rtt_seconds);
  return ping;
}

Result<std::string, Failure> read_text_reply(std::string_view text) {
  const auto json = opened(text);
  if (!json) return Unexpected<Failure>{json.error()};
  std::string out;
  get(*json, "text", out);
  return out;
}

}  // namespace tribecast::control
