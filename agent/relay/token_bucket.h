// How much at once, and how much in the long run.
#pragma once

#include "base/time.h"

namespace tribecast::relay {

// In tokens; what one is worth is the user's: a datagram, a byte.
struct Flow {
  double per_second = 0;
  double burst = 0;

  // As many a second, and at once.
  static Flow of(unsigned per_second) {
    return {static_cast<double>(per_second), static_cast<double>(per_second)};
  }
};

// Full at first. The flow may be another one each time, as settings are reloaded.
class TokenBucket {
 public:
  // True when so many are there; they are then gone.
  bool take(Instant now, const Flow& flow, double price = 1);
  // When so many will be there, when nobody takes any meanwhile.
  [[nodiscard]] Instant when(const Flow& flow, double price) const;

 private:
  double tokens_ = 0;
  Instant filled_ = Instant::min();  // never
};

}  // namespace tribecast::relay
