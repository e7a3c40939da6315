// Monotonic time. An Instant never comes from the wall clock; the core gets it as an argument.
#pragma once

#include <chrono>
#include <cstdint>

namespace tribecast {

using Duration = std::chrono::nanoseconds;

// Tag clock: an Instant is whatever the edge passes in (CLOCK_MONOTONIC, or the simulator's clock).
struct MonotonicClock {
  using rep = std::int64_t;
  using period = std::nano;
  using duration = Duration;
  using time_point = std::chrono::time_point<MonotonicClock, Duration>;
  static constexpr bool is_steady = true;
};

using Instant = MonotonicClock::time_point;

// "No deadline": later than anything that is ever armed.
inline constexpr Instant kNever = Instant::max();

using std::chrono::duration_cast;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr double to_seconds(Duration d) { return std::chrono::duration<double>(d).count(); }

}  // namespace tribecast
