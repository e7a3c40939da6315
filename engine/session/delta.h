// DeltaRequest: what one request changed in a session. The payload of Event::delta, and the diff of
// a BackupManager.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/session/value.h"

namespace tribecast::session {

// DeltaRequest.TYPE_*.
enum class ActionType : std::uint8_t {
  attribute = 0,
  principal = 1,
  is_new = 2,
  max_interval = 3,
  auth_type = 4,
  listener = 5,
  note = 6,  // from Tomcat 8.5 on
};

struct Action {
  std::int32_t type = 0;
  std::int32_t action = 0;  // 0 sets, 1 removes
  std::string name;
  std::optional<Value> value = std::nullopt;  // a Java null is a value, too
  bool lost = false;  // its sender could not write the value: nothing can be said of it

  [[nodiscard]] bool is(ActionType t) const { return type == static_cast<std::int32_t>(t); }
  [[nodiscard]] bool sets() const { return action == 0; }
};

struct Delta {
  std::string session_id;
  bool record_all = false;
  std::vector<Action> actions;
};

Result<Delta, Malformed> parse_delta(Bytes payload);
Buffer compose_delta(const Delta& delta);

}  // namespace tribecast::session
