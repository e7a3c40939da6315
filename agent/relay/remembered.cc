#include "relay/remembered.h"

#include <algorithm>
#include <charconv>

#include "base/hex.h"

namespace tribecast::relay {
namespace {

constexpr std::string_view kTitle = "tribecast members 1";
constexpr std::string_view kWatched = "watched";
constexpr std::string_view kUnwatched = "unwatched";
constexpr std::size_t kMaxHost = 127;

std::string hex_or_dash(Bytes bytes) { return bytes.empty() ? "-" : to_hex(bytes); }

std::optional<Buffer> from_hex_or_dash(std::string_view word) {
  return word == "-" ? Buffer() : from_hex(word);
}

template <class Number>
std::optional<Number> to_number(std::string_view word) {
  Number number = 0;
  const auto [stop, error] = std::from_chars(word.data(), word.data() + word.size(), number);
  const bool whole = error == std::errc() && stop == word.data() + word.size();
  return whole ? std::optional(number) : std::nullopt;
}

// The text up to `separator`, which is taken off with it.
std::string_view take_until(std::string_view& text, char separator) {
  const std::size_t end = std::min(text.find(separator), text.size());
  const std::string_view word = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return word;
}

std::string line_of(const Remembered& remembered) {
  const MemberRecord& m = remembered.member;
  const auto alive = duration_cast<milliseconds>(m.alive).count();
  std::string line = m.group;
  for (const std::string& word :
       {hex_or_dash(m.identity.host), std::to_string(m.identity.port), to_hex(m.identity.unique_id),
        hex_or_dash(bytes_of(m.domain)), std::to_string(alive), m.source.to_string(),
        m.destination.to_string()}) {
    line += ' ' + word;
  }
  return line + ' ' + std::string(remembered.watched ? kWatched : kUnwatched) + '\n';
}

std::optional<Remembered> parse_line(std::string_view line) {
  Remembered out;
  MemberRecord& m = out.member;
  m.group = take_until(line, ' ');
  const auto host = from_hex_or_dash(take_until(line, ' '));
  const auto port = to_number<std::uint32_t>(take_until(line, ' '));
  const auto unique_id = from_hex(take_until(line, ' '));
  const auto domain = from_hex_or_dash(take_until(line, ' '));
  const auto alive = to_number<std::uint32_t>(take_until(line, ' '));
  const auto source = Endpoint::parse(take_until(line, ' '));
  const auto destination = Endpoint::parse(take_until(line, ' '));
  const std::string_view watched = take_until(line, ' ');
  const bool good = !m.group.empty() && host && host->size() <= kMaxHost && port && unique_id &&
                    unique_id->size() == m.identity.unique_id.size() && domain && alive && source &&
                    destination && destination->address.is_multicast() &&
                    (watched == kWatched || watched == kUnwatched) && line.empty();
  if (!good) return std::nullopt;
  m.identity.host = *host;
  m.identity.port = *port;
  std::ranges::copy(*unique_id, m.identity.unique_id.begin());
  m.domain = text_of(*domain);
  m.alive = milliseconds(*alive);
  m.source = *source;
  m.destination = *destination;
  out.watched = watched == kWatched;
  return out;
}

}  // namespace

std::string to_text(const std::vector<Remembered>& members) {
  std::string text = std::string(kTitle) + '\n';
  for (const Remembered& member : members) text += line_of(member);
  return text + "end " + std::to_string(members.size()) + '\n';
}

Result<std::vector<Remembered>, std::string> parse_remembered(std::string_view text) {
  using Error = Unexpected<std::string>;
  if (take_until(text, '\n') != kTitle) return Error{"line 1: it is no list of members"};
  std::vector<Remembered> members;
  while (!text.empty()) {
    std::string_view line = take_until(text, '\n');
    const std::string where = "line " + std::to_string(members.size() + 2);
    if (line == "end " + std::to_string(members.size())) return members;
    if (members.size() >= kMaxMembers) return Error{where + ": too many members"};
    const auto member = parse_line(line);
    if (!member) return Error{where + ": it is no member"};
    members.push_back(*member);
  }
  return Error{"the list has no end: it was not written completely"};
}

}  // namespace tribecast::relay
