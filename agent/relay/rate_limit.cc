#include "relay/rate_limit.h"

#include <algorithm>

namespace tribecast::relay {

bool RateLimit::admit(Instant now, unsigned per_second) {
  const double full = per_second;
  const bool first = filled_ == Instant::min();
  tokens_ = first ? full : std::min(full, tokens_ + to_seconds(now - filled_) * full);
  filled_ = now;
  if (tokens_ < 1) return false;
  tokens_ -= 1;
  return true;
}

}  // namespace tribecast::relay
