#include "base/utf8.h"

#include <algorithm>
#include <cstdint>

#include "base/bytes.h"

namespace tribecast {
namespace {

bool is_continuation(std::uint8_t byte) { return (byte & 0xc0U) == 0x80U; }

// Size of a character beyond ASCII by its first byte; 0 for a byte that begins none (RFC 3629).
std::size_t size_by_first(std::uint8_t first) {
  if (first >= 0xc2 && first < 0xe0) return 2;
  if (first >= 0xe0 && first < 0xf0) return 3;
  if (first >= 0xf0 && first < 0xf5) return 4;
  return 0;
}

// What the second byte must be for the shortest form, no surrogates, and at most U+10FFFF.
bool second_fits(std::uint8_t first, std::uint8_t second) {
  if (first == 0xe0) return second >= 0xa0;
  if (first == 0xed) return second < 0xa0;
  if (first == 0xf0) return second >= 0x90;
  if (first == 0xf4) return second < 0x90;
  if (first == 0xc2) return second >= 0xa0;  // U+0080 to U+009F control terminals
  return true;
}

// Size of the printable character (or tab) that the bytes begin with; 0 if there is none.
std::size_t printable_size(Bytes bytes) {
  const std::uint8_t first = bytes[0];
  if (first < 0x80) return (first >= 0x20 && first != 0x7f) || first == '\t' ? 1 : 0;
  const std::size_t size = size_by_first(first);
  if (size == 0 || size > bytes.size()) return 0;
  if (!std::ranges::all_of(bytes.subspan(1, size - 1), is_continuation)) return 0;
  return second_fits(first, bytes[1]) ? size : 0;
}

}  // namespace

std::size_t first_unprintable(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t size = printable_size(bytes_of(text.substr(at)));
    if (size == 0) return at;
    at += size;
  }
  return std::string_view::npos;
}

std::string printable(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t size = printable_size(bytes_of(text));
    if (size == 0) {
      out += '?';
    } else if (text.front() == '\t') {
      out += ' ';
    } else {
      out += text.substr(0, size);
    }
    text.remove_prefix(std::max<std::size_t>(size, 1));
  }
  return out;
}

std::size_t count_characters(std::string_view text) {
  const Bytes bytes = bytes_of(text);
  return static_cast<std::size_t>(
      std::ranges::count_if(bytes, [](std::uint8_t b) { return !is_continuation(b); }));
}

}  // namespace tribecast
