// What all sources were believed to have, as text: kept over restarts of the agent.
//
//   tribecast discovered 1 GENERATION
//   from NAME KIND SOURCE
//   peer NAME SITE ADDRESS...
//   end COUNT
//
// The peers of a section follow its `from`; SITE in hexadecimal, none as `-`; COUNT is how many
// lines stand between the first and the last. Behind the last nothing is looked at: it is left over
// from a longer list. Of two lists the one with the higher generation that is whole counts.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/found.h"

namespace tribecast::config {

inline constexpr std::size_t kMaxFoundListBytes = 8U << 20U;

struct FoundRecord {
  std::string name;  // the section's
  SourceKind kind = SourceKind::file;
  std::string source;
  FoundPeers peers;

  bool operator==(const FoundRecord&) const = default;
};

struct FoundList {
  std::uint64_t generation = 0;
  std::vector<FoundRecord> records;

  bool operator==(const FoundList&) const = default;
};

std::string to_text(const FoundList& list);
// The error says what is wrong, with the line. A list that was not written to its end is one.
Result<FoundList, std::string> parse_found_list(std::string_view text);

}  // namespace tribecast::config
