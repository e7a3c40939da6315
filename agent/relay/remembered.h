// The local members as text, kept by the daemon over its own restarts: who died meanwhile is told
// of when the agent is back. Also the form in which other tools may read them.
//
//   tribecast members 1
//   GROUP HOST PORT UNIQUE-ID DOMAIN ALIVE-MS SOURCE DESTINATION watched|unwatched
//   end COUNT
//
// Host, unique id and domain in hexadecimal, an empty domain as `-`. What follows the last line is
// not looked at: it is left over from a longer list that was written before.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "relay/members.h"

namespace tribecast::relay {

struct Remembered {
  MemberRecord member;
  bool watched = false;  // its listener could be seen: that it cannot be found any more is proof

  bool operator==(const Remembered&) const = default;
};

std::string to_text(const std::vector<Remembered>& members);

// The error says what is wrong, with the line. A list that was not written to its end is one.
Result<std::vector<Remembered>, std::string> parse_remembered(std::string_view text);

}  // namespace tribecast::relay
