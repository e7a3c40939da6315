#include "config/live.h"

#include <algorithm>
#include <array>
#include <functional>

namespace tribecast::config {
namespace {

constexpr std::string_view kMark = "# Written by `tribecast ";

struct Words {
  std::string_view type;
  std::string_view begin;  // of the file's name
  std::string_view add;
  std::string_view remove;
};
constexpr std::array kWords = {
    Words{"peer", "peers.d/", "peer add", "peer remove"},
    Words{"group", "conf.d/group-", "group join", "group leave"},
};

const Words& words_of(LiveKind kind) { return kWords[static_cast<std::size_t>(kind)]; }

bool is_safe(char c, bool first) {
  const auto byte = static_cast<unsigned char>(c);
  const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  return letter || byte >= 0x80 || c == '-' || c == '_' || (c == '.' && !first);
}

// True when `seen` says so.
bool any_section(const std::vector<Source>& sources, std::string_view type,
                 const std::function<bool(const Section&)>& seen) {
  for (const Source& source : sources) {
    for (const Section& section : scan(source).sections) {
      if (section.type == type && section.name && seen(section)) return true;
    }
  }
  return false;
}

}  // namespace

std::string_view name_of(LiveKind kind) { return words_of(kind).type; }

std::string live_file(LiveKind kind, std::string_view name) {
  static constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string file(words_of(kind).begin);
  for (std::size_t i = 0; i < name.size(); ++i) {
    const auto byte = static_cast<unsigned char>(name[i]);
    if (is_safe(name[i], i == 0)) {
      file += name[i];
    } else {
      file += {'%', kHex[byte >> 4U], kHex[byte & 15U]};
    }
  }
  return file + ".conf";
}

std::string live_text(const LiveSection& section) {
  const Words& words = words_of(section.kind);
  std::string text(kMark);
  text.append(words.add).append("`; `tribecast ").append(words.remove).append(" ");
  text.append(section.name).append("` removes this file.\n[").append(words.type).append(" \"");
  text.append(section.name).append("\"]\n");
  for (const std::string& address : section.addresses) text += "address = " + address + "\n";
  if (!section.public_key.empty()) text += "public-key = " + section.public_key + "\n";
  return text;
}

bool is_live_text(std::string_view text) {
  if (!text.starts_with(kMark)) return false;
  const Scan found = scan({"", std::string(text)});
  return found.diagnostics.empty() && found.sections.size() == 1;
}

std::optional<Place> find_section(const std::vector<Source>& sources, std::string_view type,
                                  std::string_view name) {
  std::optional<Place> place;
  any_section(sources, type, [&](const Section& section) {
    if (*section.name == name) place = section.at;
    return place.has_value();
  });
  return place;
}

std::vector<std::string> section_names(const std::vector<Source>& sources, std::string_view type) {
  std::vector<std::string> names;
  any_section(sources, type, [&](const Section& section) {
    names.push_back(*section.name);
    return false;
  });
  return names;
}

}  // namespace tribecast::config
