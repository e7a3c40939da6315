// A status as a plugin of Nagios, Icinga and their like prints it (Monitoring Plugins Development
// Guidelines): one line, performance data behind `|`, then the details.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "control/exit_code.h"
#include "control/status.h"

namespace tribecast::control {

// How many peers: a number, or a share of them.
struct PeerLimit {
  std::uint64_t number = 1;  // 1-1000000, or percent 1-100
  bool percent = false;

  // Of `peers`, rounded up.
  [[nodiscard]] std::uint64_t of(std::uint64_t peers) const;
};

// `3` or `50%`; the error is text for people.
Result<PeerLimit, std::string> parse_peer_limit(std::string_view text);

// As they stand the answer is the verdict's.
struct CheckLimits {
  PeerLimit warning{1, false};    // so many peers that are not `up`
  PeerLimit critical{100, true};  // so many that are not reachable
};

struct Check {
  Exit exit = Exit::unreachable;     // 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN
  std::string text;                  // in one clause
  std::vector<std::string> details;  // one line each
  // `peers_up=3;4:;1:;0;4`, each
  std::vector<std::string> performance;
};

Check check(const Status& status, const CheckLimits& limits);
// The agent was not reached.
Check unknown_check(std::string_view why);

std::string check_text(const Check& check);
std::string check_json(const Check& check, std::string_view generated_at);

}  // namespace tribecast::control
