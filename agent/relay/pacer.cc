#include "relay/pacer.h"

#include <algorithm>

namespace tribecast::relay {
namespace {

// Bytes of receive buffer. A small datagram takes 832 of it whatever its size (sk_buff included).
constexpr double kOverhead = 768;
constexpr double kBurst = 212992.0 / 2;
constexpr double kPerSecond = 64000 * 832.0;

}  // namespace

double Pacer::cost(std::size_t payload_size) {
  return kOverhead + static_cast<double>(payload_size);
}

void Pacer::refill(Instant now) {
  if (filled_ == Instant::min()) {
    tokens_ = kBurst;
  } else {
    tokens_ = std::min(kBurst, tokens_ + to_seconds(now - filled_) * kPerSecond);
  }
  filled_ = now;
}

bool Pacer::admit(Instant now, std::size_t payload_size) {
  refill(now);
  if (!waiting_.empty() || tokens_ < cost(payload_size)) return false;
  tokens_ -= cost(payload_size);
  return true;
}

bool Pacer::wait(PacedInjection injection) {
  if (waiting_.size() >= kMaxWaiting) return false;
  waiting_.push_back(std::move(injection));
  return true;
}

std::optional<PacedInjection> Pacer::next(Instant now) {
  if (waiting_.empty()) return std::nullopt;
  refill(now);
  const double price = cost(waiting_.front().inject.payload.size());
  if (tokens_ < price) return std::nullopt;
  tokens_ -= price;
  PacedInjection first = std::move(waiting_.front());
  waiting_.pop_front();
  return first;
}

Instant Pacer::deadline() const {
  if (waiting_.empty()) return kNever;
  const double missing = cost(waiting_.front().inject.payload.size()) - tokens_;
  if (missing <= 0) return filled_;
  return filled_ + Duration(static_cast<std::int64_t>(missing / kPerSecond * 1e9) + 1);
}

}  // namespace tribecast::relay
