// Figures over a sliding time: events per second and latency quantiles. They advance when they are
// touched, so an idle relay needs no wake-up for them.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "base/time.h"

namespace tribecast::relay {

// Events per second over the last ten whole seconds.
class RateMeter {
 public:
  void add(Instant now, std::uint64_t n = 1);
  [[nodiscard]] double per_second(Instant now) const;

 private:
  static constexpr std::int64_t kSeconds = 10;
  static constexpr std::size_t kSlots = 16;
  struct Slot {
    std::int64_t second = -1;
    std::uint64_t count = 0;
  };
  std::array<Slot, kSlots> slots_{};
  std::optional<std::int64_t> first_second_;
};

struct Quantiles {
  Duration p50{};
  Duration p99{};
  Duration max{};
};

// Durations of the last 60 s up to 34 s, each octave in 16 buckets (error at most 6.3 %, or 64 ns).
class LatencyMeter {
 public:
  void add(Instant now, Duration latency);
  // nullopt when nothing was added in the last 60 s.
  [[nodiscard]] std::optional<Quantiles> quantiles(Instant now) const;

 private:
  static constexpr std::int64_t kSlotSeconds = 10;
  static constexpr std::size_t kSlots = 6;
  static constexpr std::size_t kBuckets = std::size_t{16} * 26;
  struct Slot {
    std::int64_t period = -1;
    Duration max{};
    std::array<std::uint32_t, kBuckets> counts{};
  };
  std::array<Slot, kSlots> slots_{};
};

}  // namespace tribecast::relay
