// What a reload would change: the configuration that runs against the one of the files, section by
// section and key by key. Both as to_text(Config) writes them, so that defaults are compared too.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tribecast::config {

enum class Change : std::uint8_t { added, removed, changed };
std::string_view name_of(Change change);

struct KeyChange {
  Change change = Change::changed;
  std::string key;
  std::vector<std::string> running;  // a repeatable key: its values in order
  std::vector<std::string> files;

  bool operator==(const KeyChange&) const = default;
};

struct SectionChange {
  Change change = Change::changed;
  std::string type;
  std::optional<std::string> name;
  std::vector<KeyChange> keys;  // of a removed section: none

  bool operator==(const SectionChange&) const = default;
};

// Empty when there is no difference. In the order of the running text; what is added comes last, in
// the order of the files.
std::vector<SectionChange> compare(std::string_view running, std::string_view files);

// What changes beyond the keys themselves: sentences for people.
std::vector<std::string> consequences(const std::vector<SectionChange>& changes);
inline constexpr std::string_view kAuthChanges =
    "[security] auth changes: all sessions end at once, and nothing passes between this node and "
    "those "
    "that run with the other auth (key_rejected); Tomcat drops a member after 3 s, so reload all "
    "nodes "
    "within that time; to be safe: tribecast config reload --confirm 60s";

// For people:
//
//   added    [peer "web-3"]
//              address = 10.0.0.13:45565
//   changed  [group "tomcat"]
//              max-age = 1s -> 2s
//
// Of an added section only what is not the default.
std::string to_text(const std::vector<SectionChange>& changes);

}  // namespace tribecast::config
