#include "config/compare.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "base/utf8.h"
#include "config/scan.h"
#include "config/settings.h"

namespace tribecast::config {
namespace {

using Values = std::map<std::string, std::vector<std::string>, std::less<>>;
using Label = std::pair<std::string, std::optional<std::string>>;

constexpr std::array<std::string_view, 3> kChanges = {"added", "removed", "changed"};
constexpr const char* kIndent = "           ";

struct Part {
  std::vector<std::string> order;  // of the keys
  Values values;
};

struct Parts {
  std::vector<Label> order;
  std::map<Label, Part> all;
};

Parts parts_of(std::string_view text) {
  Parts parts;
  for (Section& section : scan({"", std::string(text)}).sections) {
    Label label{section.type, section.name};
    const auto [it, is_new] = parts.all.try_emplace(label);
    if (is_new) parts.order.push_back(std::move(label));
    for (Entry& entry : section.entries) {
      auto& values = it->second.values[entry.key];
      if (values.empty()) it->second.order.push_back(entry.key);
      values.push_back(std::move(entry.value));
    }
  }
  return parts;
}

std::vector<std::string> values_of(const Part& part, const std::string& key) {
  const auto it = part.values.find(key);
  return it == part.values.end() ? std::vector<std::string>{} : it->second;
}

std::vector<KeyChange> compare(const Part& running, const Part& files) {
  std::vector<KeyChange> changes;
  for (const std::string& key : running.order) {
    auto before = values_of(running, key);
    auto after = values_of(files, key);
    if (before == after) continue;
    const Change change = after.empty() ? Change::removed : Change::changed;
    changes.push_back({change, key, std::move(before), std::move(after)});
  }
  for (const std::string& key : files.order) {
    if (running.values.contains(key)) continue;
    changes.push_back({Change::added, key, {}, values_of(files, key)});
  }
  return changes;
}

std::string joined(const std::vector<std::string>& values) {
  std::string out;
  for (const std::string& value : values) out += (out.empty() ? "" : ", ") + value;
  return out.empty() ? "(empty)" : printable(out);
}

bool is_default(const std::string& type, const KeyChange& change) {
  const Setting* setting = find_setting(type, change.key);
  if (setting == nullptr) return false;
  return change.files == std::vector<std::string>{std::string(setting->fallback)};
}

std::string line(const SectionChange& section, const KeyChange& key) {
  const std::string begin = kIndent + printable(key.key);
  if (section.change == Change::added) return begin + " = " + joined(key.files) + "\n";
  const std::string running = key.running.empty() ? "(not set)" : joined(key.running);
  const std::string files = key.files.empty() ? "(not set)" : joined(key.files);
  return begin + " = " + running + " -> " + files + "\n";
}

}  // namespace

std::string_view name_of(Change change) { return kChanges[static_cast<std::size_t>(change)]; }

std::vector<SectionChange> compare(std::string_view running, std::string_view files) {
  const Parts before = parts_of(running);
  const Parts after = parts_of(files);
  std::vector<SectionChange> changes;
  for (const Label& label : before.order) {
    const auto there = after.all.find(label);
    if (there == after.all.end()) {
      changes.push_back({Change::removed, label.first, label.second, {}});
      continue;
    }
    auto keys = compare(before.all.at(label), there->second);
    if (keys.empty()) continue;
    changes.push_back({Change::changed, label.first, label.second, std::move(keys)});
  }
  for (const Label& label : after.order) {
    if (before.all.contains(label)) continue;
    changes.push_back(
        {Change::added, label.first, label.second, compare(Part{}, after.all.at(label))});
  }
  return changes;
}

std::vector<std::string> consequences(const std::vector<SectionChange>& changes) {
  const auto is_auth = [](const KeyChange& change) { return change.key == "auth"; };
  const auto changes_auth = [&](const SectionChange& section) {
    return section.type == "security" && section.change == Change::changed &&
           std::ranges::any_of(section.keys, is_auth);
  };
  if (std::ranges::none_of(changes, changes_auth)) return {};
  return {std::string(kAuthChanges)};
}

std::string to_text(const std::vector<SectionChange>& changes) {
  std::string out;
  for (const SectionChange& section : changes) {
    std::string word(name_of(section.change));
    word.resize(9, ' ');
    out += word + "[" + printable(section.type);
    if (section.name) out += " \"" + printable(*section.name) + "\"";
    out += "]\n";
    for (const KeyChange& key : section.keys) {
      if (section.change == Change::added && is_default(section.type, key)) continue;
      out += line(section, key);
    }
  }
  return out;
}

}  // namespace tribecast::config
