#include "control/json.h"
#include "control/json_value.h"

namespace tribecast::control {

using namespace json_value;

namespace {

Json json_of(const Finding& f) {
  return {{"severity", f.severity},
          {"file", f.file},
          {"line", f.line == 0 ? Json() : Json(f.line)},
          {"column", f.column == 0 ? Json() : Json(f.column)},
          {"text", f.text},
          {"hint", text_or_null(f.hint)},
          {"why", text_or_null(f.why)},
          {"fix", text_or_null(f.fix)}};
}

Json json_of(const ConfigSection& section) {
  Json values = Json::object();
  for (const auto& [key, value] : section.values) {
    Json& slot = values[key];
    if (slot.is_null()) {
      slot = value;
    } else if (slot.is_array()) {
      slot.push_back(value);
    } else {
      slot = Json::array({slot, value});
    }
  }
  return {{"type", section.type}, {"name", known(section.name)}, {"values", std::move(values)}};
}

Json json_of(const ConfigKeyChange& change) {
  return {{"change", change.change},
          {"key", change.key},
          {"running", change.running},
          {"files", change.files}};
}

Json json_of(const ConfigSectionChange& change);

template <class T>
Json array_of(const std::vector<T>& values) {
  Json json = Json::array();
  for (const T& value : values) json.push_back(json_of(value));
  return json;
}

Json json_of(const ConfigSectionChange& change) {
  return {{"change", change.change},
          {"type", change.type},
          {"name", known(change.name)},
          {"keys", array_of(change.keys)}};
}

}  // namespace

std::string config_check_json(const ConfigCheck& check, std::string_view generated_at) {
  Json json = document("config-check", generated_at);
  json["file"] = check.file;
  json["ok"] = check.ok;
  json["groups"] = check.groups;
  json["peers"] = check.peers;
  json["findings"] = array_of(check.findings);
  return page(json);
}

std::string config_show_json(const ConfigShow& show, std::string_view generated_at) {
  Json json = document("config-show", generated_at);
  json["file"] = text_or_null(show.file);
  json["text"] = show.text;
  json["sections"] = array_of(show.sections);
  return page(json);
}

std::string config_diff_json(const ConfigDiff& diff, std::string_view generated_at) {
  Json json = document("config-diff", generated_at);
  json["file"] = diff.file;
  json["same"] = diff.changes.empty();
  json["changes"] = array_of(diff.changes);
  return page(json);
}

std::string text_json(std::string_view verb, std::string_view text, std::string_view generated_at) {
  Json json = document(verb, generated_at);
  json["text"] = text;
  return page(json);
}

std::string live_change_json(const LiveChange& change, std::string_view generated_at) {
  Json json = document(change.verb, generated_at);
  json["file"] = change.file;
  json["reloaded"] = change.reloaded;
  json["text"] = change.text;
  if (change.key_id) json["key_id"] = *change.key_id;
  return page(json);
}

std::string bundle_json(const BundleDone& done, std::string_view generated_at) {
  Json json = document("bundle", generated_at);
  json["file"] = done.file;
  json["files"] = done.files;
  return page(json);
}

std::string config_init_json(const InitDone& done, std::string_view generated_at) {
  Json json = document("config-init", generated_at);
  json["file"] = done.file;
  json["keyring"] = done.keyring;
  json["key_made"] = done.key_made;
  json["peers"] = done.peers;
  return page(json);
}

// --- the socket's reply

std::string config_reply(const RunningConfig& config) {
  return line({{"ok", true}, {"text", config.text}, {"file", config.file}});
}

Result<RunningConfig, Failure> read_config_reply(std::string_view text) {
  const auto json = opened(text);
  if (!json) return Unexpected<Failure>{json.error()};
  RunningConfig config;
  get(*json, "text", config.text);
  get(*json, "file", config.file);
  return config;
}

}  // namespace tribecast::control
