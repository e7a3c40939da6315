// Maps a peer's monotonic clock to ours, from the probe with the lowest round trip. A good sample
// is kept until drift has made it worse than a newer one: on a path that has become slow in one
// direction every new sample is wrong by half of what was added, and stale datagrams would pass.
#pragma once

#include <cstdint>
#include <optional>

#include "base/time.h"

namespace tribecast::relay {

// Microseconds of a monotonic clock, as they stand in probes and parcels.
using Stamp = std::uint64_t;

inline Stamp stamp_of(Instant t) {
  return static_cast<Stamp>(duration_cast<microseconds>(t.time_since_epoch()).count());
}

class ClockMap {
 public:
  // The peer's clock showed `peer_stamp` when it sent what we got at `now`; the round trip,
  // without the time the peer held it, was `round_trip`. A negative round trip (one of the two
  // clocks stood still in between) is ignored.
  void add(Instant now, Stamp peer_stamp, Duration round_trip);
  void clear() { best_.reset(); }

  [[nodiscard]] bool known() const { return best_.has_value(); }
  // How long ago the peer's clock showed `peer_stamp`; negative by up to uncertainty() in good
  // order, by more when a clock stood still. Only when known().
  [[nodiscard]] Duration age(Instant now, Stamp peer_stamp) const;
  // Half the best round trip and what the clocks may have drifted since: by so much the map may be
  // wrong.
  [[nodiscard]] Duration uncertainty(Instant now) const;

 private:
  struct Sample {
    Instant taken;
    Duration offset{};  // our clock less the peer's
    Duration round_trip{};
  };

  std::optional<Sample> best_;
};

}  // namespace tribecast::relay
