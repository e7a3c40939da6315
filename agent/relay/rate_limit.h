// A token bucket that holds one second's worth.
#pragma once

#include "base/time.h"

namespace tribecast::relay {

class RateLimit {
 public:
  // True when one more is within the limit; it then counts.
  bool admit(Instant now, unsigned per_second);

 private:
  double tokens_ = 0;
  Instant filled_ = Instant::min();  // never
};

}  // namespace tribecast::relay
