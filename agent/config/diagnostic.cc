#include "config/diagnostic.h"

#include <algorithm>
#include <utility>

#include "base/utf8.h"

namespace tribecast::config {
namespace {

constexpr std::size_t kMaxShownBytes = 200;

std::string counted(std::size_t n, const char* what) {
  return std::to_string(n) + " " + what + (n == 1 ? "" : "s");
}

// The source line, and below it the caret with its hint.
std::string source_lines(const Diagnostic& d) {
  const std::string number = std::to_string(d.line);
  const std::string margin(number.size() < 5 ? 5 - number.size() : 0, ' ');
  const bool cut = d.source.size() > kMaxShownBytes;
  std::string out = margin + number + " | " + printable(d.source.substr(0, kMaxShownBytes)) +
                    (cut ? " ..." : "") + "\n";
  if (d.column >= std::min(d.source.size(), kMaxShownBytes)) return out;
  const std::size_t indent = count_characters(printable(d.source.substr(0, d.column)));
  const std::size_t room = std::min(d.width, kMaxShownBytes - d.column);
  const std::size_t carets = count_characters(printable(d.source.substr(d.column, room)));
  out += std::string(margin.size() + number.size(), ' ') + " | " + std::string(indent, ' ') +
         std::string(std::max<std::size_t>(carets, 1), '^');
  return out + (d.hint.empty() ? "" : " " + d.hint) + "\n";
}

}  // namespace

Diagnostic finding(const std::string& file, std::string what, std::string fix) {
  Diagnostic d;
  d.file = file;
  d.what = std::move(what);
  d.fix = std::move(fix);
  return d;
}

bool has_errors(const Diagnostics& diagnostics) {
  return std::ranges::any_of(diagnostics,
                             [](const Diagnostic& d) { return d.severity == Severity::error; });
}

std::string to_text(const Diagnostic& d) {
  std::string out = printable(d.file);
  if (d.line != 0) out += ":" + std::to_string(d.line);
  out += d.severity == Severity::error ? ": error: " : ": warning: ";
  out += printable(d.what) + "\n";
  if (!d.source.empty()) out += source_lines(d);
  if (d.source.empty() && !d.hint.empty()) out += "    " + printable(d.hint) + "\n";
  if (!d.why.empty()) out += "    why: " + printable(d.why) + "\n";
  if (!d.fix.empty()) out += "    fix: " + printable(d.fix) + "\n";
  return out;
}

std::string to_text(const Diagnostics& diagnostics) {
  if (diagnostics.empty()) return {};
  std::string out;
  std::size_t errors = 0;
  for (const Diagnostic& d : diagnostics) {
    out += to_text(d);
    if (d.severity == Severity::error) ++errors;
  }
  const std::size_t warnings = diagnostics.size() - errors;
  if (errors != 0) out += counted(errors, "error");
  if (errors != 0 && warnings != 0) out += ", ";
  if (warnings != 0) out += counted(warnings, "warning");
  return out + "\n";
}

}  // namespace tribecast::config
