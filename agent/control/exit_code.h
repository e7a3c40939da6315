// Exit codes of the command line tool; the daemon's replies carry them too.
#pragma once

#include "control/status.h"

namespace tribecast::control {

enum class Exit : int {
  good = 0,
  degraded = 1,
  critical = 2,  // also: the verb failed or timed out
  unreachable = 3,
  usage = 64,
  bad_config = 65,
  no_permission = 77,
};

constexpr Exit exit_code(Level level) {
  switch (level) {
    case Level::ok:
    case Level::idle:
      return Exit::good;
    case Level::degraded:
      return Exit::degraded;
    case Level::critical:
      break;
  }
  return Exit::critical;
}

}  // namespace tribecast::control
