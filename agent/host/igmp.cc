#include "host/igmp.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/bytes.h"

namespace tribecast::host {
namespace {

// The next word; taken off the line.
std::string_view take_word(std::string_view& line) {
  constexpr std::string_view kBlanks = " \t";
  line.remove_prefix(std::min(line.find_first_not_of(kBlanks), line.size()));
  const std::string_view word = line.substr(0, line.find_first_of(kBlanks));
  line.remove_prefix(word.size());
  return word;
}

std::string_view take_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return line;
}

template <class T>
std::optional<T> number(std::string_view word, int base) {
  T value = 0;
  const char* end = word.data() + word.size();
  const auto [stop, error] = std::from_chars(word.data(), end, value, base);
  if (error != std::errc{} || stop != end) return std::nullopt;
  return value;
}

std::optional<Address> group_of(std::string_view word, std::endian byte_order) {
  if (word.size() != 8) return std::nullopt;
  const auto value = number<std::uint32_t>(word, 16);
  if (!value) return std::nullopt;
  if (byte_order == std::endian::big) return Address::v4(*value);
  return Address::v4(*value << 24U | (*value & 0xff00U) << 8U | (*value >> 8U & 0xff00U) |
                     *value >> 24U);
}

}  // namespace

// Idx  Device    : Count Querier  Group    Users Timer  Reporter
// 2    eth0      :     2      V3
//                          040000E4     1 0:00000000    0
std::vector<IgmpEntry> parse_igmp(std::string_view text, std::endian byte_order) {
  std::vector<IgmpEntry> entries;
  int interface = 0;  // none
  while (!text.empty()) {
    std::string_view line = take_line(text);
    const bool is_group = line.starts_with('\t') || line.starts_with(' ');
    if (!is_group) {
      interface = std::max(number<int>(take_word(line), 10).value_or(0), 0);
      continue;
    }
    const auto group = group_of(take_word(line), byte_order);
    const auto users = number<std::uint32_t>(take_word(line), 10);
    if (interface != 0 && group && users) entries.push_back({interface, *group, *users});
  }
  return entries;
}

}  // namespace tribecast::host
