#include "daemon/bench.h"

#include <algorithm>
#include <utility>

namespace tribecast::daemon {

void Bench::start(Instant now, Duration cpu, control::BenchRequest request, Reply reply) {
  request_ = std::move(request);
  reply_ = std::move(reply);
  begun_ = now;
  cpu_ = cpu;
  waiting_.clear();
  result_ = {};
}

std::size_t Bench::due(Instant now) const {
  if (!running()) return 0;
  const Duration since = std::min<Duration>(now - begun_, kLasts);
  const auto by_now =
      static_cast<std::uint64_t>(to_seconds(since) * static_cast<double>(request_.rate));
  return by_now > result_.sent ? by_now - result_.sent : 0;
}

void Bench::sent(relay::Stamp stamp) {
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
  if (!waiting_.empty() && now < begun_ + kLasts + kGrace) return;
  result_.seconds = to_seconds(kLasts);
  result_.cpu_seconds = to_seconds(cpu - cpu_);
  std::exchange(reply_, nullptr)(control::bench_reply(result_));
  waiting_.clear();
}

Instant Bench::deadline(Instant now) const { return running() ? now + kTick : kNever; }

}  // namespace tribecast::daemon
