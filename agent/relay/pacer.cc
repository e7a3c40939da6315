#include "relay/pacer.h"

namespace tribecast::relay {
namespace {

// Bytes of receive buffer.
constexpr Flow kFlow{64000 * 832.0, 212992.0 / 2};

// A small datagram takes 832 bytes whatever its size (sk_buff included).
double price_of(std::size_t payload_size) { return 768 + static_cast<double>(payload_size); }

}  // namespace

bool Pacer::admit(Instant now, std::size_t payload_size) {
  return waiting_.empty() && buffer_.take(now, kFlow, price_of(payload_size));
}

bool Pacer::wait(PacedInjection injection) {
  if (waiting_.size() >= kMaxWaiting) return false;
  waiting_.push_back(std::move(injection));
  return true;
}

std::optional<PacedInjection> Pacer::next(Instant now) {
  if (waiting_.empty()) return std::nullopt;
  const double price = price_of(waiting_.front().inject.payload.size());
  if (!buffer_.take(now, kFlow, price)) return std::nullopt;
  PacedInjection first = std::move(waiting_.front());
  waiting_.pop_front();
  return first;
}

Instant Pacer::deadline() const {
  if (waiting_.empty()) return kNever;
  return buffer_.when(kFlow, price_of(waiting_.front().inject.payload.size()));
}

}  // namespace tribecast::relay
