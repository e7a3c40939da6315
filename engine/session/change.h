// The payload of a change of id: a stream with one text, the new id.
#pragma once

#include <string>
#include <string_view>

#include "engine/session/value.h"

namespace tribecast::session {

Result<std::string, Malformed> parse_new_id(Bytes payload);
// At most 65535 bytes.
Buffer compose_new_id(std::string_view id);

}  // namespace tribecast::session
