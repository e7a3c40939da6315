// Numbers and tables for people: fixed widths, units always, "-" for unknown. The only place that
// uses fmt.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tribecast::control {

// `0.31 s`, `14 s`, `5 min`, `4 h 12 min`, `3 d 4 h`.
std::string age_text(std::optional<double> seconds);
// `0.42 ms`, `12.1 ms`, `1.50 s`.
std::string time_text(std::optional<double> seconds);
// With its sign: `+0.10 ms`.
std::string offset_text(std::optional<double> seconds);
// `0.2 %` of a ratio.
std::string percent_text(std::optional<double> ratio);
// `6.0`
std::string rate_text(double per_second);
// `12 034`
std::string count_text(std::uint64_t count);
// `1 peer`, `2 peers`.
std::string counted(std::uint64_t count, std::string_view noun);

inline constexpr std::size_t kColumns = 100;

// What a text says, for colour.
enum class Tone : std::uint8_t { plain, good, warn, bad, faint };

struct Style {
  bool color = false;
  bool unicode = false;
};

// The text in its tone's colour, or as it is; control characters in it are made harmless.
std::string toned(std::string_view text, Tone tone, const Style& style);

// The text in lines of at most kColumns, each begun by `margin` blanks; line ends in it are kept. A
// word that is longer stays whole.
std::string wrapped(std::string_view text, std::size_t margin);
// The same of one paragraph whose first line stands behind `begun` columns that are there already.
std::string continued(std::string_view text, std::size_t begun, std::size_t margin);

struct Cell {
  Cell(std::string cell_text, Tone cell_tone = Tone::plain)  // NOLINT: a cell is mostly a text
      : text(std::move(cell_text)), tone(cell_tone) {}
  std::string text;
  Tone tone;
};

struct Column {
  std::string title;
  bool right = false;           // aligned right
  std::size_t most = kColumns;  // longer texts are cut
};

// Columns as wide as their widest cell, two blanks between them.
class Table {
 public:
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}
  // As many cells as columns.
  void add(std::vector<Cell> row) { rows_.push_back(std::move(row)); }
  [[nodiscard]] std::string text(const Style& style) const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<Cell>> rows_;
};

}  // namespace tribecast::control
