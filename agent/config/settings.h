// The table of all settings: the one place that knows names, defaults, ranges and descriptions. The
// parser, `config show` and docs/configuration.md are driven by it. The engine has one of its own.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tribecast::config {

struct SectionEntry {
  std::string_view type;
  bool named;  // [type "name"], once for each name; else [type], and all such are one
  std::string_view description;
};

struct Setting {
  std::string_view section;
  std::string_view key;
  std::string_view kind;      // the kind of its value: one of kKinds
  std::string_view fallback;  // the default as text; empty = none
  std::string_view low;       // for durations and numbers, both in the kind's notation
  std::string_view high;
  bool repeatable;
  std::string_view description;
};

struct Kind {
  std::string_view name;
  std::string_view description;
};

// One program's settings; borrows static arrays.
struct Table {
  std::span<const SectionEntry> sections;
  std::span<const Setting> settings;

  // nullptr when there is none.
  [[nodiscard]] const SectionEntry* find_section(std::string_view type) const;
  [[nodiscard]] const Setting* find_setting(std::string_view section, std::string_view key) const;
};

// The agent's.
const Table& agent_table();
std::span<const SectionEntry> sections();
std::span<const Setting> settings();
std::span<const Kind> kinds();
const SectionEntry* find_section(std::string_view type);
const Setting* find_setting(std::string_view section, std::string_view key);

using KeyValues = std::vector<std::pair<std::string, std::string>>;
using Texts = std::map<std::string, std::vector<std::string>, std::less<>>;

// Every key of the section with its values in order: those given, else the default, else none. The
// given keys must be known, and only repeatable ones may occur twice.
Texts with_defaults(const Table& table, std::string_view section, const KeyValues& given);

// docs/configuration.md.
std::string reference_markdown();

}  // namespace tribecast::config
