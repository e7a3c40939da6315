// What happened lately, as the agent keeps it: state changes, never packets.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "control/human.h"
#include "control/reply.h"

namespace tribecast::control {

struct Event {
  std::uint64_t sequence = 0;  // from 1, one more each
  std::string time;            // RFC 3339, UTC
  std::string level;           // error, warning, notice, info
  std::string id;              // as in the log: `peer_up`
  std::string subject;         // the peer or member; empty = the agent
  std::string text;

  bool operator==(const Event&) const = default;
};

struct EventList {
  std::string instance;    // of the agent: sequences of another have nothing to do with these
  std::uint64_t last = 0;  // sequence of the newest, also when it is not in the list
  std::vector<Event> events;
};

std::string events_reply(const EventList& list);
Result<EventList, Failure> read_events_reply(std::string_view line);

// One line each, however long: it is searched in, as a log is.
std::string event_text(const Event& event, const Style& style);
std::string event_json(const Event& event, std::string_view instance,
                       std::string_view generated_at);

}  // namespace tribecast::control
