#include "config/gather.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <tuple>
#include <utility>

#include "base/suggest.h"
#include "config/reader.h"
#include "config/values.h"

namespace tribecast::config {
namespace {

constexpr std::size_t kMaxFindings = 100;

using Names = std::map<std::string, std::map<std::string, Place>>;  // by section type

void check_name(const SectionEntry& type, const Section& section, Names& names,
                Diagnostics& findings) {
  const std::string word(type.type);
  if (!type.named) {
    if (section.name) findings.push_back(error_at(section.at, "[" + word + "] takes no name"));
    return;
  }
  if (!section.name) {
    Diagnostic d = error_at(section.at, "[" + word + "] has no name");
    d.fix = "[" + word + " \"NAME\"]";
    findings.push_back(std::move(d));
    return;
  }
  const auto name = to_name(*section.name);
  if (!name) findings.push_back(error_at(section.at, "[" + word + "]: " + name.error()));
  const auto [first, is_new] = names[word].emplace(*section.name, section.at);
  if (is_new) return;
  findings.push_back(error_at(section.at, word + " \"" + *section.name + "\" is defined twice (" +
                                              first_at(first->second, section.at) + ")"));
}

void report_unknown(const Table& table, const Section& section, Diagnostics& findings) {
  std::vector<std::string_view> types;
  for (const SectionEntry& s : table.sections) types.push_back(s.type);
  Diagnostic d = error_at(section.at, "unknown section [" + section.type + "]");
  d.hint = did_you_mean(section.type, types);
  if (d.hint.empty()) {
    d.fix = "known sections:";
    for (const std::string_view type : types) d.fix += " " + std::string(type);
  }
  findings.push_back(std::move(d));
}

}  // namespace

std::vector<Section> gather(const Table& table, const std::vector<Source>& sources,
                            Diagnostics& findings) {
  std::vector<Section> all;
  for (const Source& source : sources) {
    Scan scanned = scan(source);
    std::ranges::move(scanned.diagnostics, std::back_inserter(findings));
    for (Section& section : scanned.sections) {
      const SectionEntry* type = table.find_section(section.type);
      const auto same = std::ranges::find_if(all, [&](const Section& s) {
        return s.type == section.type && !s.name && !section.name;
      });
      if (type == nullptr) {
        report_unknown(table, section, findings);
      } else if (type->named || same == all.end()) {
        all.push_back(std::move(section));
      } else {
        std::ranges::move(section.entries, std::back_inserter(same->entries));
      }
    }
  }
  Names names;
  for (const Section& section : all) {
    check_name(*table.find_section(section.type), section, names, findings);
  }
  return all;
}

void put_in_order(Diagnostics& findings, const std::vector<Source>& sources) {
  std::map<std::string_view, std::size_t> nth;
  for (const Source& source : sources) nth.emplace(source.file, nth.size());
  const auto key = [&](const Diagnostic& d) {
    return std::make_tuple(d.severity, nth[d.file], d.line);
  };
  std::ranges::stable_sort(findings, {}, key);
  if (findings.size() <= kMaxFindings) return;
  const std::size_t more = findings.size() - kMaxFindings;
  findings.resize(kMaxFindings);
  Diagnostic d;
  d.severity = findings.back().severity;
  d.file = findings.back().file;
  d.what = std::to_string(more) + " more findings are not shown";
  findings.push_back(std::move(d));
}

}  // namespace tribecast::config
