// What is derived from a status: the counts of its first line, the goals of `wait`, the difference
// between two samples of `watch`.
#pragma once

#include <optional>
#include <string>

#include "control/status.h"

namespace tribecast::control {

struct Summary {
  std::size_t peers_up = 0;  // lossy ones too
  std::size_t peers = 0;     // without self
  std::size_t members_local = 0;
  std::size_t members_remote = 0;  // both: alive or late
};

Summary summarize(const Status& status);

struct Goal {
  std::optional<std::size_t> peers;  // how many up; nullopt = all but self
  std::size_t members = 0;           // at least, local and remote
};

// Empty when the goal is reached; else what is missing, in words.
std::string missing(const Status& status, const Goal& goal);

// How `wait` ended.
struct WaitEnd {
  std::optional<Summary> last;  // nullopt: the daemon was never reached
  std::string missing;          // empty = reached
  double waited_seconds = 0;
};

// One line of `watch`.
struct Sample {
  Summary summary;
  Rates rates;
  double drops_per_second = 0;
  std::optional<double> p99_seconds;
  std::string worst;  // the first reason of the verdict, or the slowest peer
  Level level = Level::idle;
};

// `before` is the status one sample earlier, if there is one.
Sample sample(const Status& now, const Status* before, double seconds_between);

}  // namespace tribecast::control
