// A status in the Prometheus text format (version 0.0.4): base units, counters end in _total,
// unknown values are left out. The names are listed in docs/monitoring.md.
//
// Label values are names of the configuration, words of our tables and, when asked for, the
// addresses of members: how many series there are is bounded by the agent's limits. No text of a
// peer is a label, and no key.
#pragma once

#include <string>

#include "control/status.h"

namespace tribecast::control {

struct MetricsOptions {
  double now_seconds = 0;   // the wall clock, since 1970
  bool per_member = false;  // a series a member, too
};

// nullptr: the agent was not reached, which is `tribecast_up 0` and nothing else.
std::string metrics_text(const Status* status, const MetricsOptions& options);

}  // namespace tribecast::control
