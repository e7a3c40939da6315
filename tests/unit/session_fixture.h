// Messages as Tomcats send them, and a clock.
#pragma once

#include <string>
#include <vector>

#include "engine/java/read.h"
#include "engine/session/boxes.h"
#include "engine/session/change.h"
#include "engine/session/store.h"
#include "engine/session/transfer.h"
#include "vectors.h"

namespace tribecast::test {

inline const std::string kContext = "localhost#/app";
inline constexpr std::int64_t kStart = 1'700'000'000'000;

inline session::Clock at_second(std::int64_t second) {
  return {Instant{} + std::chrono::hours(1000) + seconds(second), kStart + second * 1000};
}

inline session::Value text_value(const std::string& text) {
  java::Writer out;
  out.string(bytes_of(text));
  return out.release();
}

inline session::Value integer_value(std::int32_t value) {
  java::Writer out;
  session::put_integer(out, value);
  return out.release();
}

inline session::Value boolean_value(bool value) {
  java::Writer out;
  session::put_boolean(out, value);
  return out.release();
}

inline session::Message event(session::Event event, const std::string& id, std::int64_t time_ms) {
  session::Message message;
  message.event = static_cast<std::int32_t>(event);
  message.time_ms = time_ms;
  message.context = kContext;
  message.session_id = id;
  return message;
}

inline session::Action set(session::ActionType type, const std::string& name,
                           session::Value value) {
  session::Action action;
  action.type = static_cast<std::int32_t>(type);
  action.name = name;
  action.value = std::move(value);
  return action;
}

inline session::Action set(const std::string& name, const std::string& text) {
  return set(session::ActionType::attribute, name, text_value(text));
}

inline session::Action removed(const std::string& name) {
  session::Action action;
  action.action = 1;
  action.name = name;
  return action;
}

inline session::Message delta(const std::string& id, std::int64_t time_ms,
                              std::vector<session::Action> actions) {
  session::Message message = event(session::Event::delta, id, time_ms);
  message.payload = session::compose_delta({id, false, std::move(actions)});
  return message;
}

inline session::Message change(const std::string& from, const std::string& to,
                               std::int64_t time_ms) {
  session::Message message = event(session::Event::change_id, from, time_ms);
  message.payload = session::compose_new_id(to);
  return message;
}

inline session::Message state(const std::vector<session::Record>& records) {
  session::Message message = event(session::Event::all_data, "SESSION-STATE", kStart);
  message.payload = session::compose_list(records, session::Dialect::tomcat8);
  return message;
}

}  // namespace tribecast::test
