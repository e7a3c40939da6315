#include "relay/token_bucket.h"

#include <algorithm>

namespace tribecast::relay {

bool TokenBucket::take(Instant now, const Flow& flow, double price) {
  const bool first = filled_ == Instant::min();
  const double more = first ? flow.burst : to_seconds(now - filled_) * flow.per_second;
  tokens_ = std::min(flow.burst, tokens_ + more);
  filled_ = now;
  if (tokens_ < price) return false;
  tokens_ -= price;
  return true;
}

Instant TokenBucket::when(const Flow& flow, double price) const {
  const double missing = price - tokens_;
  if (missing <= 0) return filled_;
  return filled_ + Duration(static_cast<std::int64_t>(missing / flow.per_second * 1e9) + 1);
}

}  // namespace tribecast::relay
