#include "config/scan.h"

#include <algorithm>
#include <utility>

#include "base/utf8.h"

namespace tribecast::config {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t'; }

// A part of a line, by its bounds: what is left of it shrinks as it is read.
struct Part {
  std::string_view line;
  std::size_t begin = 0;
  std::size_t end = 0;

  [[nodiscard]] std::string_view text() const { return line.substr(begin, end - begin); }
  [[nodiscard]] bool empty() const { return begin == end; }
  void trim() {
    while (begin < end && is_blank(line[begin])) ++begin;
    while (end > begin && is_blank(line[end - 1])) --end;
  }
};

// Where the comment begins, else the line's size. A quoted text may hold any character.
std::size_t comment_start(std::string_view line) {
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '"') quoted = !quoted;
    if (quoted || (line[i] != '#' && line[i] != ';')) continue;
    if (i == 0 || is_blank(line[i - 1])) return i;
  }
  return line.size();
}

class Scanner {
 public:
  explicit Scanner(const std::string& file) { place_.file = file; }

  void line(std::string_view text) {
    ++place_.line;
    if (text.ends_with('\r')) text.remove_suffix(1);
    place_.source = text;
    if (text.size() > kMaxLineBytes) {
      place_.source.clear();
      return error(whole(text),
                   "the line is longer than " + std::to_string(kMaxLineBytes) + " bytes");
    }
    if (const std::size_t bad = first_unprintable(text); bad != std::string_view::npos) {
      return error(Part{text, bad, bad + 1}, "here is no printable UTF-8 text");
    }
    Part rest{text, 0, comment_start(text)};
    rest.trim();
    if (rest.empty()) return;
    if (rest.text().front() == '[') return header(rest);
    entry(rest);
  }

  Scan take() { return std::move(scan_); }

 private:
  static Part whole(std::string_view text) { return {text, 0, text.size()}; }

  [[nodiscard]] Place at(const Part& part) const {
    Place place = place_;
    place.column = part.begin;
    place.width = part.end - part.begin;
    return place;
  }

  void error(const Part& part, std::string what, std::string fix = {}) {
    Diagnostic d = error_at(at(part), std::move(what));
    d.fix = std::move(fix);
    scan_.diagnostics.push_back(std::move(d));
  }

  void header(const Part& part) {
    static constexpr const char* kFix = "write [type], or [type \"name\"]";
    skipping_ = true;
    Part inner{part.line, part.begin + 1, part.end};
    if (!part.text().ends_with(']')) return error(part, "']' is missing at the end", kFix);
    --inner.end;
    inner.trim();
    const std::size_t stop = std::min(inner.text().find_first_of(" \t\""), inner.text().size());
    const Part type{part.line, inner.begin, inner.begin + stop};
    Part name{part.line, type.end, inner.end};
    name.trim();
    Section section{std::string(type.text()), std::nullopt, at(part), {}};
    if (!name.empty()) {
      if (!unquote(name)) return error(name, "the name is not in double quotes", kFix);
      section.name = name.text();
    }
    if (type.empty()) return error(part, "the section has no type", kFix);
    scan_.sections.push_back(std::move(section));
    skipping_ = false;
  }

  void entry(const Part& part) {
    const std::size_t equals = part.line.find('=', part.begin);
    if (equals >= part.end) {
      return error(part, "neither 'key = value' nor a [section]", "comments begin with # or ;");
    }
    Part key{part.line, part.begin, equals};
    Part value{part.line, equals + 1, part.end};
    key.trim();
    value.trim();
    if (key.empty()) return error(part, "the key before '=' is missing");
    if (scan_.sections.empty() && !skipping_) {
      return error(key, "a key before the first [section]");
    }
    if (skipping_) return;
    const bool quoted = value.text().starts_with('"');
    if ((quoted && !unquote(value)) || (!quoted && value.text().find('"') != value.text().npos)) {
      return error(value, "a quoted value begins and ends with '\"', and has none in it");
    }
    scan_.sections.back().entries.push_back(
        {std::string(key.text()), std::string(value.text()), at(key), at(value)});
  }

  // Takes the double quotes off; false when the text is not one quoted text.
  static bool unquote(Part& part) {
    const std::string_view text = part.text();
    if (text.size() < 2 || text.front() != '"' || text.find('"', 1) != text.size() - 1) {
      return false;
    }
    ++part.begin;
    --part.end;
    return true;
  }

  Place place_;
  Scan scan_;
  bool skipping_ = false;  // behind a broken section header
};

}  // namespace

Scan scan(const Source& source) {
  static constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  std::string_view rest = source.text;
  if (rest.starts_with(kByteOrderMark)) rest.remove_prefix(kByteOrderMark.size());
  Scanner scanner(source.file);
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    scanner.line(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return scanner.take();
}

Diagnostic error_at(const Place& place, std::string what) {
  Diagnostic d;
  d.file = place.file;
  d.line = place.line;
  d.what = std::move(what);
  d.source = place.source;
  d.column = place.column;
  d.width = place.width;
  return d;
}

}  // namespace tribecast::config
