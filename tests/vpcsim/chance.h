// What chance says about one packet: a pure function of the run's seed, the directed pair and the
// packet's number in it. So a run is repeated by its seed, other pairs' packets change nothing, and
// a changed setting does not shift the fate that another setting gives.
#pragma once

#include <cstdint>

namespace tribecast::vpcsim {

// Parts of a million.
struct Share {
  std::uint32_t ppm = 0;
  auto operator<=>(const Share&) const = default;
};

inline constexpr std::uint32_t kMillion = 1'000'000;

enum class Question : std::uint8_t {
  lost,
  twice,
  overtakes,
  corrupted,
  tampered,
  which_bit,
  jitter,
  second_jitter,
};

class Chance {
 public:
  Chance(std::uint64_t seed, std::uint64_t pair, std::uint64_t number)
      : state_(mixed(mixed(mixed(seed) ^ pair) ^ number)) {}

  // 0 to bound - 1; `bound` is not 0.
  [[nodiscard]] std::uint64_t below(Question question, std::uint64_t bound) const {
    return mixed(state_ ^ static_cast<std::uint64_t>(question)) % bound;
  }
  [[nodiscard]] bool hits(Question question, Share share) const {
    return share.ppm != 0 && below(question, kMillion) < share.ppm;
  }

 private:
  // SplitMix64 (Steele, Lea, Flood 2014).
  static std::uint64_t mixed(std::uint64_t value) {
    value += 0x9e3779b97f4a7c15U;
    value = (value ^ value >> 30U) * 0xbf58476d1ce4e5b9U;
    value = (value ^ value >> 27U) * 0x94d049bb133111ebU;
    return value ^ value >> 31U;
  }

  std::uint64_t state_;
};

}  // namespace tribecast::vpcsim
