#include "config/manual.h"

namespace tribecast::config {
namespace {

std::string setting_entry(const Setting& setting) {
  std::string text(setting.description);
  text += " Value: " + std::string(setting.kind);
  if (!setting.low.empty()) {
    text += ", " + std::string(setting.low) + " to " + std::string(setting.high);
  }
  if (!setting.fallback.empty()) text += "; default `" + std::string(setting.fallback) + "`";
  text += setting.repeatable ? ". Repeatable." : ".";
  return roff_entry(setting.key, text);
}

}  // namespace

std::string roff(std::string_view text) {
  std::string out;
  bool line_begins = true;
  bool bold = false;
  for (const char c : text) {
    if (line_begins && (c == '.' || c == '\'')) out += "\\&";
    line_begins = c == '\n';
    if (c == '`') {
      bold = !bold;
      out += bold ? "\\fB" : "\\fR";
    } else if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else {
      out += c;
    }
  }
  return out;
}

std::string roff_heading(std::string_view name, std::string_view section, std::string_view summary,
                         std::string_view version) {
  return ".\\\" Generated from the tables of the program.\n.TH \"" + roff(name) + "\" " +
         std::string(section) + " \"\" \"tribecast " + std::string(version) + "\"\n.SH NAME\n" +
         roff(name) + " \\- " + roff(summary) + "\n";
}

std::string roff_entry(std::string_view word, std::string_view meaning) {
  return ".TP\n.B " + roff(word) + "\n" + roff(meaning) + "\n";
}

std::string roff_settings(const Table& table, std::span<const Kind> kinds) {
  std::string out;
  for (const SectionEntry& section : table.sections) {
    out += ".SH \"[" + roff(section.type) + (section.named ? " \\(dqNAME\\(dq" : "") + "]\"\n";
    out += roff(section.description) + "\n";
    for (const Setting& setting : table.settings) {
      if (setting.section == section.type) out += setting_entry(setting);
    }
  }
  out += ".SH VALUES\n";
  for (const Kind& kind : kinds) out += roff_entry(kind.name, kind.description);
  return out;
}

}  // namespace tribecast::config
