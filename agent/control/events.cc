#include "control/events.h"

#include "control/json_value.h"

namespace tribecast::control {

using namespace json_value;

namespace {

Json json_of(const Event& event) {
  return {{"sequence", event.sequence},
          {"time", event.time},
          {"level", event.level},
          {"id", event.id},
          {"subject", text_or_null(event.subject)},
          {"text", event.text}};
}

Tone tone_of(const std::string& level) {
  if (level == "error") return Tone::bad;
  return level == "warning" ? Tone::warn : Tone::plain;
}

}  // namespace

std::string events_reply(const EventList& list) {
  Json json = {{"ok", true}, {"instance", list.instance}, {"last", list.last}};
  Json& events = json["events"] = Json::array();
  for (const Event& event : list.events) events.push_back(json_of(event));
  return line(json);
}

Result<EventList, Failure> read_events_reply(std::string_view text) {
  const auto json = opened(text);
  if (!json) return Unexpected<Failure>{json.error()};
  EventList list;
  get(*json, "instance", list.instance);
  get(*json, "last", list.last);
  const Json& events = child(*json, "events");
  if (!events.is_array()) return list;
  for (const Json& from : events) {
    Event& event = list.events.emplace_back();
    get(from, "sequence", event.sequence);
    get(from, "time", event.time);
    get(from, "level", event.level);
    get(from, "id", event.id);
    get(from, "subject", event.subject);
    get(from, "text", event.text);
  }
  return list;
}

std::string event_text(const Event& event, const Style& style) {
  const std::string subject = event.subject.empty() ? "" : event.subject + " ";
  return toned(event.time, Tone::faint, style) + " " +
         toned(event.level, tone_of(event.level), style) + " " +
         toned(event.id + ": " + subject + event.text, Tone::plain, style) + "\n";
}

std::string event_json(const Event& event, std::string_view instance,
                       std::string_view generated_at) {
  Json json = document("events", generated_at);
  json["instance"] = instance;
  json.update(json_of(event));
  return line(json);
}

}  // namespace tribecast::control
