// Java's modified UTF-8 (java.io.DataInput): U+0000 is two bytes, what lies above U+FFFF is two
// surrogates of three bytes each. Streams keep it; people read and write UTF-8.
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"

namespace tribecast::java {

// Does Java's readUTF take these bytes? It minds neither overlong forms nor lone surrogates.
bool is_utf(Bytes text);

// Valid UTF-8 for valid modified UTF-8; a lone surrogate and what is_utf refuses become U+FFFD.
std::string to_utf8(Bytes text);

// Modified UTF-8 of UTF-8; what is none becomes U+FFFD.
std::string from_utf8(std::string_view text);

}  // namespace tribecast::java
