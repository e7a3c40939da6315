#include "control/screen.h"

#include <algorithm>
#include <numeric>
#include <string_view>

namespace tribecast::control {
namespace {

using Lines = std::vector<std::string_view>;

Lines lines_of(std::string_view text) {
  Lines lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

// The first characters of a line; colours take no room, and end with it.
std::string first_columns(std::string_view line, std::size_t columns) {
  std::string out;
  bool colored = false;
  std::size_t used = 0;
  for (std::size_t at = 0; at < line.size();) {
    std::size_t size = 1;
    if (line[at] == '\033') {
      size = std::min(line.find('m', at), line.size() - 1) - at + 1;
      colored = true;
    } else {
      if (used == columns) break;
      ++used;
      while (at + size < line.size() &&
             (static_cast<unsigned char>(line[at + size]) & 0xc0U) == 0x80U) {
        ++size;
      }
    }
    out += line.substr(at, size);
    at += size;
  }
  return out + (colored ? "\033[0m" : "");
}

// The smallest needs are met first; the others share what is left.
std::vector<std::size_t> rows_for(const std::vector<Lines>& sections, std::size_t rows) {
  std::vector<std::size_t> order(sections.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, {}, [&](std::size_t i) { return sections[i].size(); });
  std::vector<std::size_t> out(sections.size(), 0);
  for (std::size_t done = 0; done < order.size(); ++done) {
    const std::size_t share = rows / (order.size() - done);
    out[order[done]] = std::min(sections[order[done]].size(), share);
    rows -= out[order[done]];
  }
  return out;
}

constexpr std::size_t kLeastRows = 3;

// The last ones go until each of the others can have some lines.
void leave_out(std::vector<Lines>& sections, std::size_t rows) {
  while (sections.size() > 1) {
    std::size_t least = sections.size() - 1;
    for (const Lines& lines : sections) least += std::min(lines.size(), kLeastRows);
    if (least <= rows) return;
    sections.pop_back();
  }
}

}  // namespace

std::string screen_text(const std::vector<std::string>& texts, const ScreenSize& size) {
  std::vector<Lines> sections;
  for (const std::string& text : texts) {
    if (!text.empty()) sections.push_back(lines_of(text));
  }
  leave_out(sections, size.rows);
  // A blank line between two.
  const std::size_t blanks = sections.empty() ? 0 : sections.size() - 1;
  const auto rows = rows_for(sections, size.rows > blanks ? size.rows - blanks : 0);
  std::vector<std::string> screen;
  for (std::size_t i = 0; i < sections.size(); ++i) {
    if (i > 0) screen.emplace_back();
    const bool cut = rows[i] < sections[i].size();
    const std::size_t shown = rows[i] - (cut && rows[i] > 0 ? 1 : 0);
    for (std::size_t n = 0; n < shown; ++n) screen.emplace_back(sections[i][n]);
    if (cut && rows[i] > 0) {
      screen.push_back("... " + counted(sections[i].size() - shown, "more line"));
    }
  }
  if (screen.size() > size.rows) screen.resize(size.rows);
  std::string out = "\033[H";
  for (std::size_t i = 0; i < screen.size(); ++i) {
    out += (i == 0 ? "" : "\r\n") + first_columns(screen[i], size.columns) + "\033[K";
  }
  return out + "\033[J";
}

}  // namespace tribecast::control
