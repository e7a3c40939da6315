// The pure parts of capture: which frames are wanted, and when a frame was captured.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "base/address.h"
#include "base/time.h"

namespace tribecast::host {

// What is captured: UDP that this host sends to `group`, IPv4.
struct CaptureTarget {
  Address group;
  std::uint16_t port = 0;  // 0 = any

  auto operator<=>(const CaptureTarget&) const = default;
};

// The filter in pcap's language: UDP to any of the targets, TTL 0 (our own injections) refused,
// later fragments of any port included because they carry no ports. Without a target it matches
// nothing. The direction is not part of it.
std::string capture_filter(std::span<const CaptureTarget> targets);

// Both clocks, read together.
struct ClockPair {
  Instant monotonic;
  Duration wall{};  // since 1970
};

// The kernel stamps a frame with the wall clock, which may be stepped at any time. Its age is
// therefore believed only between 0 and the time since the queue was last seen empty.
Instant captured_at(const ClockPair& now, Duration wall_stamp, Instant last_seen_empty);

}  // namespace tribecast::host
