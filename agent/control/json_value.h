// JSON values, written and read: what the files of this module that print and read JSON share. Each
// get() leaves what is missing or of another type.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "control/reply.h"

namespace tribecast::control::json_value {

using Json = nlohmann::ordered_json;

inline std::string written(const Json& json, int indent) {
  return json.dump(indent, ' ', false, Json::error_handler_t::replace) + "\n";
}

inline std::string line(const Json& json) { return written(json, -1); }
inline std::string page(const Json& json) { return written(json, 2); }

inline Json document(std::string_view verb, std::string_view generated_at) {
  Json json;
  json["schema"] = "tribecast." + std::string(verb) + "/1";
  json["generated_at"] = generated_at;
  return json;
}

template <class T>
Json known(const std::optional<T>& value) {
  return value ? Json(*value) : Json();
}

inline Json text_or_null(const std::string& text) { return text.empty() ? Json() : Json(text); }

inline const Json& child(const Json& json, const char* key) {
  static const Json kNull;
  if (!json.is_object()) return kNull;
  const auto it = json.find(key);
  return it == json.end() ? kNull : *it;
}

inline void get(const Json& json, const char* key, std::string& out) {
  const Json& value = child(json, key);
  if (value.is_string()) out = value.get<std::string>();
}

inline void get(const Json& json, const char* key, double& out) {
  const Json& value = child(json, key);
  if (value.is_number()) out = value.get<double>();
}

inline void get(const Json& json, const char* key, std::uint64_t& out) {
  const Json& value = child(json, key);
  if (value.is_number_unsigned()) out = value.get<std::uint64_t>();
}

inline void get(const Json& json, const char* key, std::uint16_t& out) {
  std::uint64_t wide = out;
  get(json, key, wide);
  if (wide <= 65535) out = static_cast<std::uint16_t>(wide);
}

inline void get(const Json& json, const char* key, bool& out) {
  const Json& value = child(json, key);
  if (value.is_boolean()) out = value.get<bool>();
}

template <class T>
void get(const Json& json, const char* key, std::optional<T>& out) {
  if (child(json, key).is_null()) return;
  T value{};
  get(json, key, value);
  out = std::move(value);
}

inline Json parsed(std::string_view text) { return Json::parse(text, nullptr, false); }

// The reply's object when it says ok; else why not.
inline Result<Json, Failure> opened(std::string_view text) {
  Json json = parsed(text);
  bool ok = false;
  get(json, "ok", ok);
  if (ok) return json;
  Failure failure;
  failure.error = "the agent's answer is no JSON of this tool";
  get(json, "error", failure.error);
  std::uint64_t code = static_cast<std::uint64_t>(Exit::critical);
  get(json, "exit", code);
  if (code > 0 && code < 256) failure.code = static_cast<Exit>(code);
  return Unexpected<Failure>{failure};
}

}  // namespace tribecast::control::json_value
