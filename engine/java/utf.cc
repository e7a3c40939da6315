#include "engine/java/utf.h"

#include <algorithm>
#include <optional>

namespace tribecast::java {
namespace {

constexpr char32_t kReplacement = 0xfffd;

bool continues(std::uint8_t byte) { return (byte & 0xc0U) == 0x80; }

void put_utf8(std::string& out, char32_t c) {
  const auto tail = [c](unsigned shift) { return static_cast<char>(0x80U | (c >> shift & 0x3fU)); };
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += static_cast<char>(0xc0U | c >> 6U);
    out += tail(0);
  } else if (c < 0x10000) {
    out += static_cast<char>(0xe0U | c >> 12U);
    out += tail(6);
    out += tail(0);
  } else {
    out += static_cast<char>(0xf0U | c >> 18U);
    out += tail(12);
    out += tail(6);
    out += tail(0);
  }
}

// Bytes of the sequence that a lead byte begins; 0 for none. `longest` is 3 for Java, 4 for UTF-8.
std::size_t sequence_size(std::uint8_t lead, std::size_t longest) {
  if (lead < 0x80) return 1;
  if (lead >> 5U == 6) return 2;
  if (lead >> 4U == 14) return 3;
  if (lead >> 3U == 30 && longest == 4) return 4;
  return 0;
}

// Takes the next character's bits off the front; nullopt, and one byte less, where there is none.
std::optional<char32_t> take_unit(Bytes& text, std::size_t longest) {
  constexpr std::array<std::uint8_t, 5> kLeadBits = {0, 0x7f, 0x1f, 0x0f, 0x07};
  const std::size_t size = sequence_size(text.front(), longest);
  bool good = size > 0 && size <= text.size();
  char32_t c = text.front() & kLeadBits[size];
  for (std::size_t i = 1; good && i < size; ++i) {
    good = continues(text[i]);
    c = c << 6U | (text[i] & 0x3fU);
  }
  text = text.subspan(good ? size : 1);
  if (!good) return std::nullopt;
  return c;
}

// How many bytes at the front are ASCII, as most text is.
std::size_t leading_ascii(Bytes text) {
  return static_cast<std::size_t>(
      std::ranges::find_if(text, [](std::uint8_t byte) { return byte >= 0x80; }) - text.begin());
}

bool is_high(char32_t c) { return c >= 0xd800 && c < 0xdc00; }
bool is_low(char32_t c) { return c >= 0xdc00 && c < 0xe000; }

// The second half of a pair of which `high` was the first, taken off the front if it is there.
char32_t join_surrogates(char32_t high, Bytes& rest) {
  Bytes behind = rest;
  const auto low = behind.empty() ? std::nullopt : take_unit(behind, 3);
  if (!low || !is_low(*low)) return kReplacement;
  rest = behind;
  return 0x10000 + ((high - 0xd800) << 10U) + (*low - 0xdc00);
}

void put_modified(std::string& out, char32_t c) {
  if (c == 0) {
    out += "\xc0\x80";
  } else if (c < 0x10000) {
    put_utf8(out, c);
  } else {
    put_utf8(out, 0xd800 + ((c - 0x10000) >> 10U));
    put_utf8(out, 0xdc00 + ((c - 0x10000) & 0x3ffU));
  }
}

bool is_scalar(char32_t c, std::size_t bytes) {
  constexpr std::array<char32_t, 5> kFirst = {0, 0, 0x80, 0x800, 0x10000};  // else it is overlong
  return c >= kFirst[bytes] && c < 0x110000 && !is_high(c) && !is_low(c);
}

}  // namespace

bool is_utf(Bytes text) {
  while (true) {
    text = text.subspan(leading_ascii(text));
    if (text.empty()) return true;
    if (!take_unit(text, 3)) return false;
  }
}

std::string to_utf8(Bytes text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    char32_t c = take_unit(text, 3).value_or(kReplacement);
    if (is_high(c)) {
      c = join_surrogates(c, text);
    } else if (is_low(c)) {
      c = kReplacement;
    }
    put_utf8(out, c);
  }
  return out;
}

std::string from_utf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  Bytes rest = bytes_of(text);
  while (!rest.empty()) {
    const std::size_t before = rest.size();
    const auto c = take_unit(rest, 4);
    put_modified(out, c && is_scalar(*c, before - rest.size()) ? *c : kReplacement);
  }
  return out;
}

}  // namespace tribecast::java
