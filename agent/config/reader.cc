#include "config/reader.h"

#include <algorithm>

#include "base/check.h"
#include "base/suggest.h"

namespace tribecast::config {

std::string first_at(const Place& first, const Place& second) {
  const std::string line = std::to_string(first.line);
  return "first at " + (first.file == second.file ? "line " + line : first.file + ":" + line);
}

Reader::Reader(const Table& table, const SectionEntry& type, const Section& section,
               Diagnostics& findings)
    : table_(table), type_(type.type), section_(section), findings_(findings), label_(type.type) {
  if (section.name) label_ += " \"" + *section.name + "\"";
  KeyValues good;
  check_keys(type.type, good);
  texts_ = with_defaults(table, type.type, good);
}

void Reader::check_keys(std::string_view type, KeyValues& good) {
  std::map<std::string_view, const Place*> seen;
  for (const Entry& entry : section_.entries) {
    const Setting* setting = table_.find_setting(type, entry.key);
    if (setting == nullptr) {
      report_unknown(entry, type);
      continue;
    }
    const auto [first, is_new] = seen.emplace(entry.key, &entry.key_at);
    if (!is_new && !setting->repeatable) {
      findings_.push_back(error_at(entry.key_at, "'" + entry.key + "' is set twice in [" + label_ +
                                                     "] (" +
                                                     first_at(*first->second, entry.key_at) + ")"));
      continue;
    }
    good.emplace_back(entry.key, entry.value);
  }
}

void Reader::report_unknown(const Entry& entry, std::string_view type) {
  std::vector<std::string_view> keys;
  std::string elsewhere;
  for (const Setting& s : table_.settings) {
    if (s.section == type) keys.push_back(s.key);
    if (s.key == entry.key) elsewhere = s.section;
  }
  Diagnostic d = error_at(entry.key_at, "unknown key '" + entry.key + "' in [" + label_ + "]");
  d.hint = did_you_mean(entry.key, keys);
  if (d.hint.empty() && !elsewhere.empty()) d.hint = "it belongs in [" + elsewhere + "]";
  if (d.hint.empty()) {
    d.fix = "known keys:";
    for (const std::string_view key : keys) d.fix += " " + std::string(key);
  }
  findings_.push_back(std::move(d));
}

void Reader::require(std::string_view key, const std::string& fix) {
  if (is_given(key)) return;
  Diagnostic d = error_at(section_.at, label_ + ": " + std::string(key) + " is missing");
  d.fix = fix;
  findings_.push_back(std::move(d));
}

bool Reader::is_given(std::string_view key) const {
  return std::ranges::find(section_.entries, key, &Entry::key) != section_.entries.end();
}

void Reader::error(const Place& place, std::string_view key, const std::string& wrong) {
  // What is wrong with an address speaks for itself.
  const bool plain = key == "address" || key == "listen";
  const std::string subject = plain ? label_ : label_ + ": " + std::string(key);
  findings_.push_back(error_at(place, subject + ": " + wrong));
}

const Setting& Reader::setting_of(std::string_view key) const {
  const Setting* setting = table_.find_setting(type_, key);
  TC_CHECK(setting != nullptr);
  return *setting;
}

const std::vector<std::string>& Reader::texts_of(std::string_view key) const {
  static const std::vector<std::string> kNone;
  const auto it = texts_.find(key);
  return it == texts_.end() ? kNone : it->second;
}

const Place& Reader::place_of(std::string_view key, std::size_t nth) const {
  for (const Entry& entry : section_.entries) {
    if (entry.key == key && nth-- == 0) return entry.value_at;
  }
  return section_.at;
}

}  // namespace tribecast::config
