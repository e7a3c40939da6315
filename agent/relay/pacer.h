// Spreads a burst of injections so that a listener's default receive buffer (212992 bytes, which
// holds 256 heartbeats) is not overrun: half a buffer at once, then 64 heartbeats a millisecond.
#pragma once

#include <deque>
#include <optional>

#include "base/time.h"
#include "relay/actions.h"
#include "relay/token_bucket.h"

namespace tribecast::relay {

// What waits for its turn; `captured` is on our clock.
struct PacedInjection {
  Inject inject;
  Instant captured;
};

// The injections of one group, in order. Never reorders: once one waits, all later ones wait.
class Pacer {
 public:
  static constexpr std::size_t kMaxWaiting = 2048;

  // True when `payload_size` bytes may be injected now; the tokens are then taken.
  bool admit(Instant now, std::size_t payload_size);
  // False when too many wait already.
  bool wait(PacedInjection injection);
  // The next one whose turn has come, if any.
  std::optional<PacedInjection> next(Instant now);
  // When next() has something again; kNever when nothing waits.
  [[nodiscard]] Instant deadline() const;

 private:
  TokenBucket buffer_;  // bytes of a listener's receive buffer
  std::deque<PacedInjection> waiting_;
};

}  // namespace tribecast::relay
