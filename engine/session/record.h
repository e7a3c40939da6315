// Whole sessions on the wire: the list of a state transfer (payload of Event::all_data), and the
// DeltaSession object of a BackupManager.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "engine/java/shape.h"
#include "engine/session/value.h"

namespace tribecast::session {

// DeltaSession.doReadObject. Times in milliseconds since 1970 by the clock of the Tomcat that wrote
// it.
struct Record {
  std::int64_t created_ms = 0;
  std::int64_t last_accessed_ms = 0;
  std::int32_t max_inactive_s = 0;  // 0 and less: never
  bool is_new = false;
  bool is_valid = true;
  std::int64_t this_accessed_ms = 0;
  std::int64_t version = 0;
  std::optional<Value> principal = std::nullopt;  // a SerializablePrincipal object
  std::string id;
  // The notes "session id" and "saved request" of authenticators; nullopt where the record has
  // none.
  std::optional<Value> id_note = std::nullopt;
  std::optional<Value> request_note = std::nullopt;
  std::vector<std::pair<std::string, Value>> attributes = {};
  std::vector<Value> listeners = {};
  std::size_t lost_values = 0;  // attributes and listeners that the sender could not write
};

Result<std::vector<Record>, Malformed> parse_list(Bytes payload, Dialect dialect);
// Tomcat 8.5 and later get the notes, as null where there are none; 7.0 must not have them.
Buffer compose_list(std::span<const Record> records, Dialect dialect);

// A DeltaSession: its record, and the shape of its class, whose serialVersionUID is computed and
// differs between releases. Write with the shape that the receiving Tomcat itself uses.
struct SessionObject {
  java::Shape shape;
  Record record;
};

Result<SessionObject, Malformed> parse_session(Bytes stream, Dialect dialect);
Buffer compose_session(const Record& record, const java::Shape& shape, Dialect dialect);

}  // namespace tribecast::session
