// Where random bytes come from: an argument, so that a simulation can be replayed from its seed.
#pragma once

#include <functional>

#include "base/bytes.h"

namespace tribecast {

// Fills the span. The daemon passes the system's source, the simulator a seeded one.
using RandomSource = std::function<void(MutableBytes)>;

inline std::uint32_t random_u32(const RandomSource& random) {
  std::array<std::uint8_t, 4> raw{};
  random(raw);
  return ByteReader(raw).u32be();
}

inline std::uint64_t random_u64(const RandomSource& random) {
  std::array<std::uint8_t, 8> raw{};
  random(raw);
  return ByteReader(raw).u64be();
}

}  // namespace tribecast
