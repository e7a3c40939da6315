// The clocks of the edge.
#pragma once

#include "base/time.h"

namespace tribecast::io {

// CLOCK_MONOTONIC; the only source of Instants in the daemon.
[[nodiscard]] Instant now();

// CLOCK_REALTIME since 1970. For stamps that people read, never for a decision.
[[nodiscard]] Duration wall_clock();

}  // namespace tribecast::io
