#include "daemon/bench.h"

#include <algorithm>
#include <utility>

namespace tribecast::daemon {

void Bench::start(Instant now, Duration cpu, control::BenchRequest request, Reply reply) {
  request_ = std::move(request);
  reply_ = std::move(reply);
  begun_ = now;
  last_sent_ = now;
  cpu_ = cpu;
  waiting_.clear();
  result_ = {};
}

std::size_t Bench::due(Instant now) const {
  if (!running()) return 0;
  const Duration since = std::min<Duration>(now - begun_, kLasts);
  const auto by_now =
      static_cast<std::uint64_t>(to_seconds(since) * static_cast<double>(request_.rate));
  const std::uint64_t behind = by_now > result_.sent ? by_now - result_.sent : 0;
  return std::min<std::size_t>(behind, kAtOnce);
}

void Bench::sent(Instant now, relay::Stamp stamp) {
  last_sent_ = now;
  ++result_.sent;
  waiting_.insert(stamp);
}

bool Bench::answered(const std::string& peer, relay::Stamp stamp, Duration round_trip) {
  if (!running() || peer != request_.peer || waiting_.erase(stamp) == 0) return false;
  const auto us = duration_cast<microseconds>(round_trip).count();
  result_.round_trips_us.push_back(us > 0 ? static_cast<std::uint64_t>(us) : 0);
  return true;
}

void Bench::on_timer(Instant now, Duration cpu) {
  if (!running() || now < begun_ + kLasts) return;
  const bool whole = waiting_.empty() && due(now) == 0;
  if (!whole && now < begun_ + kLasts + kGrace) return;
  result_.seconds = to_seconds(std::max(kLasts, last_sent_ - begun_));
  result_.cpu_seconds = to_seconds(cpu - cpu_);
  std::exchange(reply_, nullptr)(control::bench_reply(result_));
  waiting_.clear();
}

Instant Bench::deadline(Instant now) const { return running() ? now + kTick : kNever; }

}  // namespace tribecast::daemon
