#include "control/human.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/check.h"
#include "base/utf8.h"

namespace tribecast::control {
namespace {

constexpr double kMinute = 60;
constexpr double kHour = 3600;
constexpr double kDay = 86400;

std::string magnitude(double ms) {
  if (ms < 10) return fmt::format("{:.2f} ms", ms);
  if (ms < 1000) return fmt::format("{:.1f} ms", ms);
  return fmt::format("{:.2f} s", ms / 1000);
}

// `3 d 4 h`: whole units and the next smaller ones.
std::string two_units(double seconds, double big, const char* big_name, double small,
                      const char* small_name) {
  const double whole = std::floor(seconds / big);
  const double rest = std::floor((seconds - whole * big) / small);
  return fmt::format("{:.0f} {} {:.0f} {}", whole, big_name, rest, small_name);
}

std::string_view escape_of(Tone tone) {
  static constexpr std::array<std::string_view, 5> kEscapes = {"", "\033[32m", "\033[33m",
                                                               "\033[31m", "\033[2m"};
  return kEscapes[static_cast<std::size_t>(tone)];
}

std::string first_characters(std::string_view text, std::size_t n) {
  std::size_t end = 0;
  for (std::size_t seen = 0; end < text.size(); ++end) {
    const bool begins = (static_cast<unsigned char>(text[end]) & 0xc0U) != 0x80U;
    if (begins && seen++ == n) break;
  }
  return std::string(text.substr(0, end));
}

// The next line of a paragraph, taken off it.
std::string take_line(std::string_view& text, std::size_t room) {
  std::string_view line = text;
  if (count_characters(text) > room) {
    std::size_t end = 0;
    for (std::size_t at = 0; at < text.size() && count_characters(text.substr(0, at)) <= room;
         ++at) {
      if (text[at] == ' ') end = at;
    }
    if (end == 0) end = std::min(text.find(' '), text.size());  // one word that is too long
    line = text.substr(0, end);
  }
  text.remove_prefix(std::min(line.size() + 1, text.size()));
  return std::string(line);
}

std::string cut(const std::string& text, std::size_t most, const Style& style) {
  if (count_characters(text) <= most) return text;
  return first_characters(text, most - 1) + (style.unicode ? "\u2026" : "~");
}

}  // namespace

std::string age_text(std::optional<double> seconds) {
  if (!seconds) return "-";
  const double s = std::max(*seconds, 0.0);
  if (s < 9.995) return fmt::format("{:.2f} s", s);
  if (s < 2 * kMinute) return fmt::format("{:.0f} s", s);
  if (s < kHour) return fmt::format("{:.0f} min", std::floor(s / kMinute));
  if (s < kDay) return two_units(s, kHour, "h", kMinute, "min");
  return two_units(s, kDay, "d", kHour, "h");
}

std::string time_text(std::optional<double> seconds) {
  return seconds ? magnitude(*seconds * 1000) : "-";
}

std::string offset_text(std::optional<double> seconds) {
  if (!seconds) return "-";
  return (*seconds < 0 ? "-" : "+") + magnitude(std::abs(*seconds) * 1000);
}

std::string percent_text(std::optional<double> ratio) {
  return ratio ? fmt::format("{:.1f} %", *ratio * 100) : "-";
}

std::string rate_text(double per_second) { return fmt::format("{:.1f}", per_second); }

std::string count_text(std::uint64_t count) {
  std::string digits = std::to_string(count);
  for (std::size_t at = digits.size(); at > 3;) {
    at -= 3;
    digits.insert(at, 1, ' ');
  }
  return digits;
}

std::string counted(std::uint64_t count, std::string_view noun) {
  return count_text(count) + " " + std::string(noun) + (count == 1 ? "" : "s");
}

std::string continued(std::string_view text, std::size_t begun, std::size_t margin) {
  constexpr std::size_t kLeast = 20;
  const std::string paragraph = printable(text);
  std::string_view rest = paragraph;
  std::size_t taken = begun;
  std::string out;
  do {
    if (!out.empty()) out += std::string(margin, ' ');
    out += take_line(rest, kColumns - std::min(taken, kColumns - kLeast)) + "\n";
    taken = margin;
  } while (!rest.empty());
  return out;
}

std::string wrapped(std::string_view text, std::size_t margin) {
  std::string out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    out += std::string(margin, ' ') + continued(text.substr(0, end), margin, margin);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

std::string toned(std::string_view text, Tone tone, const Style& style) {
  const std::string_view escape = escape_of(tone);
  if (!style.color || escape.empty()) return printable(text);
  return std::string(escape) + printable(text) + "\033[0m";
}

std::string Table::text(const Style& style) const {
  std::vector<std::vector<Cell>> rows;
  rows.emplace_back();
  for (const Column& column : columns_) rows.front().emplace_back(column.title, Tone::faint);
  rows.insert(rows.end(), rows_.begin(), rows_.end());
  std::vector<std::size_t> widths(columns_.size(), 0);
  for (std::vector<Cell>& row : rows) {
    TC_CHECK(row.size() == columns_.size());
    for (std::size_t i = 0; i < row.size(); ++i) {
      row[i].text = cut(printable(row[i].text), columns_[i].most, style);
      widths[i] = std::max(widths[i], count_characters(row[i].text));
    }
  }
  std::string out;
  for (const std::vector<Cell>& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string pad(widths[i] - count_characters(row[i].text), ' ');
      const bool last = i + 1 == row.size();
      if (columns_[i].right) out += pad;
      out += toned(row[i].text, row[i].tone, style);
      if (!columns_[i].right && !last) out += pad;
      out += last ? "\n" : "  ";
    }
  }
  return out;
}

}  // namespace tribecast::control
