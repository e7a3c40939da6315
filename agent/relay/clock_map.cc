#include "relay/clock_map.h"

#include <algorithm>

#include "base/check.h"

namespace tribecast::relay {
namespace {

// Two ordinary monotonic clocks drift apart by less than 50 ppm: one second in so many.
constexpr int kDrift = 20000;
// What is allowed beside that before two samples contradict each other.
constexpr Duration kSlack = milliseconds(2);

Duration since_epoch(Stamp stamp) {
  return microseconds(static_cast<std::int64_t>(stamp & 0x000fffffffffffffU));
}

}  // namespace

void ClockMap::add(Instant now, Stamp peer_stamp, Duration round_trip) {
  if (round_trip < Duration::zero()) return;
  const Sample sample{now, now.time_since_epoch() - round_trip / 2 - since_epoch(peer_stamp),
                      round_trip};
  const Duration error = round_trip / 2;
  if (known()) {
    const Duration apart = sample.offset - best_->offset;
    const Duration possible = error + uncertainty(now) + kSlack;
    // The two cannot both be true: a clock stood still (a frozen VM), only the new one counts.
    const bool contradiction = apart > possible || apart < -possible;
    if (!contradiction && error > uncertainty(now)) return;
  }
  best_ = sample;
}

Duration ClockMap::uncertainty(Instant now) const {
  TC_CHECK(known());
  return best_->round_trip / 2 + (now - best_->taken) / kDrift;
}

Duration ClockMap::age(Instant now, Stamp peer_stamp) const {
  TC_CHECK(known());
  return now.time_since_epoch() - best_->offset - since_epoch(peer_stamp);
}

}  // namespace tribecast::relay
