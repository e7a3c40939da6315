// SessionMessageImpl: what DeltaManagers send each other (org.apache.catalina.ha.session). A
// message is the body of one channel message, of which bit 0x01 of the options is clear.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "engine/session/value.h"

namespace tribecast::session {

// SessionMessage.EVT_*.
enum class Event : std::int32_t {
  created = 1,
  expired = 2,
  accessed = 3,
  get_all = 4,    // a starting Tomcat asks for every session of a context
  all_data = 12,  // payload: a session list (record.h)
  delta = 13,     // payload: a DeltaRequest (delta.h)
  transfer_complete = 14,
  change_id = 15,  // payload: the new id (change.h)
  no_context_manager = 16,
};

// Names of contexts and ids, which are remembered long after their sessions, are no longer: an id
// fits in a cookie, a context's name is that of a file.
inline constexpr std::size_t kMaxNameBytes = 4096;

struct Message {
  Dialect dialect = Dialect::tomcat8;
  std::int32_t event = 0;    // of unknown meaning where Event has no such number
  std::int64_t time_ms = 0;  // since 1970, by the sender's clock: when it was made
  bool time_set = true;
  std::string context;  // the manager's name, an opaque key: `localhost#/app`, `/app`
  std::string session_id;
  std::string unique_id = {};  // free text; receivers do not look at it
  std::optional<Buffer> payload = std::nullopt;

  [[nodiscard]] bool is(Event e) const { return event == static_cast<std::int32_t>(e); }
  // The payload, borrowed; empty where there is none.
  [[nodiscard]] Bytes content() const { return payload ? Bytes(*payload) : Bytes(); }
};

// Asks a member for every session of a context, as DeltaManager.getAllClusterSessions does.
Message get_all_message(Dialect dialect, const std::string& context, std::int64_t time_ms);

Result<Message, Malformed> parse_message(Bytes bytes);
// As Tomcat writes it: what was parsed comes back byte for byte.
Buffer compose_message(const Message& message);

}  // namespace tribecast::session
