// UTF-8, as far as messages and terminals need it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace tribecast {

// Offset of the first byte that is neither well-formed UTF-8 nor a printable character nor a tab;
// npos when there is none.
std::size_t first_unprintable(std::string_view text);

// The text with each such byte, and each tab, as one '?' or blank: safe for a terminal.
std::string printable(std::string_view text);

// How many characters the text has.
std::size_t count_characters(std::string_view text);

}  // namespace tribecast
