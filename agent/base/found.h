// A peer as a source of peers names it, before anybody has judged what it says.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace tribecast {

// Of one answer; a longer one is refused as a whole.
inline constexpr std::size_t kMaxFoundBytes = 1U << 20U;
inline constexpr std::size_t kMaxFoundLines = 4096;

struct FoundLine {
  unsigned line = 0;                   // where it stands in the answer, from 1
  std::string name;                    // empty = named after its first address
  std::vector<std::string> addresses;  // as text
  std::string site;

  bool operator==(const FoundLine&) const = default;
};

}  // namespace tribecast
