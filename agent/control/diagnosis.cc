#include "control/diagnosis.h"

#include <algorithm>

#include "base/utf8.h"

namespace tribecast::control {
namespace {

constexpr std::size_t kTextMargin = 13;   // ` 12  WARN  TC0`
constexpr std::size_t kAfterMargin = 20;  // behind `means` and `fix`

struct Mark {
  std::string_view word;
  Tone tone;
};

Mark mark_of(Health health) {
  static constexpr std::array<Mark, 4> kMarks = {
      Mark{"ok  ", Tone::good}, {"WARN", Tone::warn}, {"FAIL", Tone::bad}, {"?   ", Tone::faint}};
  return kMarks[static_cast<std::size_t>(health)];
}

std::string labelled(std::string_view label, const std::string& text) {
  if (text.empty()) return "";
  std::string out = wrapped(text, kAfterMargin);
  return out.replace(kTextMargin, label.size(), label);
}

std::string finding_text(const DoctorFinding& finding, const Style& style) {
  const Mark mark = mark_of(finding.health);
  std::string body = wrapped(finding.text, kTextMargin).substr(kTextMargin);
  std::string out = toned(mark.word, mark.tone, style) + "  " + finding.id + "  " + body;
  out += labelled("means", printable(finding.means));
  // Commands stand on lines of their own.
  return out + labelled("fix", finding.fix);
}

// How many findings from here on are of one check and good; 1 for one that is not good.
std::size_t good_ones_like(const std::vector<DoctorFinding>& findings, std::size_t at) {
  std::size_t end = at + 1;
  if (findings[at].health != Health::good) return 1;
  while (end < findings.size() && findings[end].health == Health::good &&
         findings[end].id == findings[at].id) {
    ++end;
  }
  return end - at;
}

std::string counted_or_none(std::size_t count, std::string_view noun) {
  return count == 0 ? "no " + std::string(noun) : counted(count, noun);
}

}  // namespace

std::size_t Diagnosis::count(Health health) const {
  return static_cast<std::size_t>(std::ranges::count(findings, health, &DoctorFinding::health));
}

Exit exit_code(const Diagnosis& diagnosis) {
  if (diagnosis.count(Health::failure) > 0) return Exit::critical;
  return diagnosis.count(Health::warning) > 0 ? Exit::degraded : Exit::good;
}

std::string diagnosis_text(const Diagnosis& diagnosis, const Style& style) {
  std::string out;
  for (std::size_t at = 0; at < diagnosis.findings.size();) {
    DoctorFinding finding = diagnosis.findings[at];
    const std::size_t more = good_ones_like(diagnosis.findings, at) - 1;
    if (more > 0) finding.text += ", and " + std::to_string(more) + " more like it";
    out += finding_text(finding, style);
    at += more + 1;
  }
  const std::size_t failures = diagnosis.count(Health::failure);
  const std::size_t warnings = diagnosis.count(Health::warning);
  const Tone tone = failures > 0 ? Tone::bad : warnings > 0 ? Tone::warn : Tone::good;
  std::string sum = counted_or_none(failures, "failure") + ", " +
                    counted_or_none(warnings, "warning") + ", " +
                    std::to_string(diagnosis.count(Health::good)) + " ok";
  if (const std::size_t unknown = diagnosis.count(Health::unknown); unknown > 0) {
    sum += ", " + std::to_string(unknown) + " not checked";
  }
  out += "\n" + toned(sum, tone, style) + "\n";
  for (const Health health : {Health::failure, Health::warning}) {
    const auto worst = std::ranges::find(diagnosis.findings, health, &DoctorFinding::health);
    if (worst == diagnosis.findings.end()) continue;
    return out + "more: tribecast doctor --explain " + worst->id + "\n";
  }
  return out;
}

}  // namespace tribecast::control
