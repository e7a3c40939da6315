// java.lang.Integer, Long and Boolean, written and read.
#pragma once

#include <cstdint>
#include <optional>

#include "engine/java/write.h"
#include "engine/session/value.h"

namespace tribecast::session {

void put_integer(java::Writer& out, std::int32_t value);
void put_long(java::Writer& out, std::int64_t value);
void put_boolean(java::Writer& out, bool value);

// Puts a value into a stream of many; classes are described once. False, and nothing is written,
// when it is no stream of one value.
bool put_value(java::Writer& out, Bytes value);

// Nullopt for any other value.
std::optional<std::int32_t> integer_in(Bytes value);
std::optional<bool> boolean_in(Bytes value);

}  // namespace tribecast::session
