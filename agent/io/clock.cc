#include "io/clock.h"

#include <ctime>

namespace tribecast::io {
namespace {

Duration read(clockid_t clock) {
  timespec t{};
  clock_gettime(clock, &t);
  return seconds(t.tv_sec) + std::chrono::nanoseconds(t.tv_nsec);
}

}  // namespace

Instant now() { return Instant(read(CLOCK_MONOTONIC)); }

Duration wall_clock() { return read(CLOCK_REALTIME); }

}  // namespace tribecast::io
