#include "relay/meters.h"

#include <algorithm>
#include <bit>

namespace tribecast::relay {
namespace {

std::int64_t whole_seconds(Instant now) {
  return duration_cast<seconds>(now.time_since_epoch()).count();
}

// In whole numbers, since the mathematical library would be half a megabyte of the process.
constexpr Duration kUnit{64};
constexpr std::size_t kSteps = 16;  // to the octave

// Each octave has kSteps buckets, twice as wide as those of the one before; below the first they
// are units.
std::size_t bucket_of(Duration latency, std::size_t buckets) {
  const auto units = static_cast<std::uint64_t>(std::max(latency, Duration::zero()) / kUnit);
  if (units < kSteps) return units;
  const auto octave = static_cast<std::size_t>(std::bit_width(units / kSteps)) - 1;
  return std::min(buckets - 1, octave * kSteps + (units >> octave));
}

// The upper edge of a bucket.
Duration edge_of(std::size_t bucket) {
  const std::size_t octave = std::max(bucket / kSteps, std::size_t{1}) - 1;
  return kUnit * static_cast<std::int64_t>((bucket - octave * kSteps + 1) << octave);
}

}  // namespace

void RateMeter::add(Instant now, std::uint64_t n) {
  const std::int64_t second = whole_seconds(now);
  if (!first_second_) first_second_ = second;
  Slot& slot = slots_[static_cast<std::size_t>(second) % kSlots];
  if (slot.second != second) slot = {second, 0};
  slot.count += n;
}

double RateMeter::per_second(Instant now) const {
  if (!first_second_) return 0;
  const std::int64_t current = whole_seconds(now);
  const std::int64_t span = std::clamp<std::int64_t>(current - *first_second_, 1, kSeconds);
  std::uint64_t sum = 0;
  for (const Slot& slot : slots_) {
    if (slot.second >= current - span && slot.second < current) sum += slot.count;
  }
  return static_cast<double>(sum) / static_cast<double>(span);
}

void LatencyMeter::add(Instant now, Duration latency) {
  const std::int64_t period = whole_seconds(now) / kSlotSeconds;
  Slot& slot = slots_[static_cast<std::size_t>(period) % kSlots];
  if (slot.period != period) slot = {period, {}, {}};
  ++slot.counts[bucket_of(latency, kBuckets)];
  slot.max = std::max(slot.max, latency);
}

std::optional<Quantiles> LatencyMeter::quantiles(Instant now) const {
  const std::int64_t period = whole_seconds(now) / kSlotSeconds;
  std::array<std::uint64_t, kBuckets> sums{};
  std::uint64_t total = 0;
  Quantiles result;
  for (const Slot& slot : slots_) {
    if (slot.period < 0 || slot.period + static_cast<std::int64_t>(kSlots) <= period) continue;
    for (std::size_t i = 0; i < kBuckets; ++i) {
      sums[i] += slot.counts[i];
      total += slot.counts[i];
    }
    result.max = std::max(result.max, slot.max);
  }
  if (total == 0) return std::nullopt;

  const auto quantile = [&](std::uint64_t percent) {
    const std::uint64_t rank = (total * percent + 99) / 100;
    std::uint64_t seen = 0;
    std::size_t bucket = 0;
    while (bucket + 1 < kBuckets && seen + sums[bucket] < rank) seen += sums[bucket++];
    return std::min(edge_of(bucket), result.max);
  };
  result.p50 = quantile(50);
  result.p99 = quantile(99);
  return result;
}

}  // namespace tribecast::relay
