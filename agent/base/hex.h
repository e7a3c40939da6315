// Hexadecimal text.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace tribecast {

// Lower case, two digits a byte.
std::string to_hex(Bytes bytes);
// Either case; nullopt for an odd number of digits or anything that is not a digit.
std::optional<Buffer> from_hex(std::string_view text);

}  // namespace tribecast
