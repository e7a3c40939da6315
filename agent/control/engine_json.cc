// The engine's answers as JSON. Each struct lists its fields once, for writing and for reading.
#include <type_traits>

#include "base/utf8.h"
#include "control/engine_request.h"
#include "control/json_value.h"

namespace tribecast::control {

using namespace json_value;

namespace {

template <class S, class F>
void each_field(S& s, F&& f) requires std::is_same_v<std::remove_const_t<S>, EngineNode> {
  f("name", s.name);
  f("member", s.member);
  f("unique_id", s.unique_id);
  f("version", s.version);
  f("uptime_seconds", s.uptime_seconds);
}

template <class S, class F>
void each_field(S& s, F&& f) requires std::is_same_v<std::remove_const_t<S>, VerdictReason> {
  f("id", s.id);
  f("text", s.text);
}

template <class S, class F>
void each_field(S& s, F&& f) requires std::is_same_v<std::remove_const_t<S>, Verdict> {
  f("level", s.level);
  f("reasons", s.reasons);
}

template <class S, class F>
void each_field(S& s, F&& f) requires std::is_same_v<std::remove_const_t<S>, EngineContext> {
  f("context", s.context);
  f("sessions", s.sessions);
}

template <class S, class F>
void each_field(S& s, F&& f) requires std::is_same_v<std::remove_const_t<S>, EngineCounter> {
  f("name", s.name);
  f("count", s.count);
}

template <class S, class F>
void each_field(S& s, F&& f) requires std::is_same_v<std::remove_const_t<S>, EngineAlarm> {
  f("severity", s.severity);
  f("id", s.id);
  f("text", s.text);
  f("seconds_ago", s.seconds_ago);
}

template <class S, class F>
void each_field(S& s, F&& f) requires std::is_same_v<std::remove_const_t<S>, EngineMember> {
  f("name", s.name);
  f("kind", s.kind);
  f("unique_id", s.unique_id);
  f("state", s.state);
  f("alive_seconds", s.alive_seconds);
  f("last_heard_seconds", s.last_heard_seconds);
  f("sent", s.sent);
  f("failed", s.failed);
  f("pending", s.pending);
  f("last_asked_seconds", s.last_asked_seconds);
  f("agrees", s.agrees);
}

template <class S, class F>
void each_field(S& s, F&& f) requires std::is_same_v<std::remove_const_t<S>, EngineStatus> {
  f("node", s.node);
  f("verdict", s.verdict);
  f("in_sync", s.in_sync);
  f("age_seconds", s.age_seconds);
  f("age_told_seconds", s.age_told_seconds);
  f("sessions", s.sessions);
  f("map_entries", s.map_entries);
  f("memory_bytes", s.memory_bytes);
  f("memory_limit_bytes", s.memory_limit_bytes);
  f("disk", s.disk);
  f("ack", s.ack);
  f("copies", s.copies);
  f("messages_per_second", s.messages_per_second);
  f("contexts", s.contexts);
  f("members", s.members);
  f("alarms", s.alarms);
  f("counters", s.counters);
}

template <class S, class F>
void each_field(S& s, F&& f) requires std::is_same_v<std::remove_const_t<S>, SessionRow> {
  f("id", s.id);
  f("route", s.route);
  f("context", s.context);
  f("bytes", s.bytes);
  f("attributes", s.attributes);
  f("last_access_seconds", s.last_access_seconds);
  f("expires_seconds", s.expires_seconds);
  f("version_time_ms", s.version_time_ms);
  f("version", s.version);
}

template <class S, class F>
void each_field(S& s, F&& f) requires std::is_same_v<std::remove_const_t<S>, SessionList> {
  f("total", s.total);
  f("sessions", s.sessions);
}

template <class S, class F>
void each_field(S& s, F&& f) requires std::is_same_v<std::remove_const_t<S>, SessionPart> {
  f("kind", s.kind);
  f("name", s.name);
  f("class", s.class_name);
  f("bytes", s.bytes);
  f("time_ms", s.time_ms);
  f("order", s.order);
}

template <class S, class F>
void each_field(S& s, F&& f) requires std::is_same_v<std::remove_const_t<S>, SessionDetail> {
  f("session", s.session);
  f("parts", s.parts);
}

template <class S, class F>
void each_field(S& s, F&& f) requires std::is_same_v<std::remove_const_t<S>, VerifyExample> {
  f("id", s.id);
  f("what", s.what);
  f("names", s.names);
}

template <class S, class F>
void each_field(S& s, F&& f) requires std::is_same_v<std::remove_const_t<S>, VerifyContext> {
  f("context", s.context);
  f("outcome", s.outcome);
  f("here", s.here);
  f("there", s.there);
  f("lacks", s.lacks);
  f("older", s.older);
  f("newer", s.newer);
  f("differs", s.differs);
  f("only_there", s.only_there);
  f("moving", s.moving);
  f("examples", s.examples);
}

template <class S, class F>
void each_field(S& s, F&& f) requires std::is_same_v<std::remove_const_t<S>, VerifyMember> {
  f("name", s.name);
  f("kind", s.kind);
  f("outcome", s.outcome);
  f("contexts", s.contexts);
}

template <class S, class F>
void each_field(S& s, F&& f) requires std::is_same_v<std::remove_const_t<S>, VerifyReport> {
  f("seconds", s.seconds);
  f("members", s.members);
}

// --- writing

template <class T>
void put_fields(Json& json, const T& value);

inline Json json_of(Level level) { return name_of(level); }
inline Json json_of(const std::string& text) { return printable(text); }
template <class T>
requires std::is_arithmetic_v<T> Json json_of(T number) { return number; }
template <class T>
requires std::is_class_v<T> Json json_of(const T& value) {
  Json json = Json::object();
  put_fields(json, value);
  return json;
}
template <class T>
Json json_of(const std::optional<T>& value) {
  return value ? json_of(*value) : Json();
}
template <class T>
Json json_of(const std::vector<T>& values) {
  Json json = Json::array();
  for (const T& value : values) json.push_back(json_of(value));
  return json;
}

template <class T>
void put_fields(Json& json, const T& value) {
  each_field(value, [&](const char* key, const auto& field) { json[key] = json_of(field); });
}

template <class T>
std::string reply_of(const T& value) {
  Json json = {{"ok", true}};
  put_fields(json, value);
  return line(json);
}

template <class T>
std::string page_of(std::string_view verb, const T& value, std::string_view generated_at) {
  Json json = document(verb, generated_at);
  put_fields(json, value);
  return page(json);
}

// --- reading: what is missing or of another type keeps its default

template <class T>
void take_fields(const Json& json, T& value);

void take(const Json& json, Level& level) {
  for (std::size_t i = 0; i < kLevels.size(); ++i) {
    if (json.is_string() && json.get<std::string>() == kLevels.at(i)) level = static_cast<Level>(i);
  }
}
void take(const Json& json, std::string& text) {
  if (json.is_string()) text = json.get<std::string>();
}
void take(const Json& json, bool& flag) {
  if (json.is_boolean()) flag = json.get<bool>();
}
void take(const Json& json, double& number) {
  if (json.is_number()) number = json.get<double>();
}
void take(const Json& json, std::uint64_t& number) {
  if (json.is_number_unsigned()) number = json.get<std::uint64_t>();
}
template <class T>
requires std::is_class_v<T>
void take(const Json& json, T& value) { take_fields(json, value); }
template <class T>
void take(const Json& json, std::optional<T>& value) {
  if (json.is_null()) return;
  take(json, value.emplace());
}
template <class T>
void take(const Json& json, std::vector<T>& values) {
  if (!json.is_array()) return;
  for (const Json& one : json) take(one, values.emplace_back());
}

template <class T>
void take_fields(const Json& json, T& value) {
  each_field(value, [&](const char* key, auto& field) { take(child(json, key), field); });
}

template <class T>
Result<T, Failure> read(std::string_view text) {
  const auto json = opened(text);
  if (!json) return Unexpected<Failure>{json.error()};
  T value;
  take_fields(*json, value);
  return value;
}

}  // namespace

std::string engine_reply(const EngineStatus& status) { return reply_of(status); }
std::string engine_reply(const SessionList& list) { return reply_of(list); }
std::string engine_reply(const SessionDetail& session) { return reply_of(session); }
std::string engine_reply(const VerifyReport& report) { return reply_of(report); }

Result<EngineStatus, Failure> read_engine_status(std::string_view line) {
  return read<EngineStatus>(line);
}
Result<SessionList, Failure> read_session_list(std::string_view line) {
  return read<SessionList>(line);
}
Result<SessionDetail, Failure> read_session_detail(std::string_view line) {
  return read<SessionDetail>(line);
}
Result<VerifyReport, Failure> read_verify_report(std::string_view line) {
  return read<VerifyReport>(line);
}

std::string engine_status_json(const EngineStatus& status, std::string_view generated_at) {
  return page_of("engine-status", status, generated_at);
}
std::string engine_members_json(const EngineStatus& status, std::string_view generated_at) {
  Json json = document("engine-members", generated_at);
  json["members"] = json_of(status.members);
  return page(json);
}
std::string session_list_json(const SessionList& list, std::string_view generated_at) {
  return page_of("engine-sessions", list, generated_at);
}
std::string session_detail_json(const SessionDetail& session, std::string_view generated_at) {
  return page_of("engine-session", session, generated_at);
}
std::string verify_json(const VerifyReport& report, std::string_view generated_at) {
  return page_of("engine-verify", report, generated_at);
}

}  // namespace tribecast::control
