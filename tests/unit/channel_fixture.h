// What the tests of the engine's channel share: the golden files, members, moments.
#pragma once

#include <array>
#include <string>

#include "engine/channel/interceptor.h"
#include "vectors.h"

namespace tribecast::channel::test {

// The Tomcats whose own classes wrote the files under vectors/channel.
inline constexpr std::array kVersions = {"7.0.x-tip", "8.5.x-tip", "9.0.70", "10.1.60",
                                         "11.0.x-tip"};

inline Buffer golden(const std::string& version, const std::string& name) {
  return tribecast::test::vector_bytes("channel/" + version + "/" + name + ".bin");
}

inline tribes::OwnedMember member(std::uint8_t last, std::uint64_t alive = 1000,
                                  std::uint8_t id = 0) {
  tribes::OwnedMember made;
  made.alive_milliseconds = alive;
  made.identity = {{10, 81, 0, last}, 4000, {}};
  made.identity.unique_id.fill(id != 0 ? id : last);
  return made;
}

inline Instant at(Duration since_start) { return Instant(seconds(1000) + since_start); }

inline Moment moment(Duration since_start = {}) {
  const auto passed = static_cast<std::uint64_t>(duration_cast<milliseconds>(since_start).count());
  return {at(since_start), 1700000000123 + passed};
}

// Always the same, so that messages can be compared.
inline RandomSource counting_random() {
  return [next = std::uint8_t{0}](MutableBytes out) mutable {
    for (std::uint8_t& byte : out) byte = next++;
  };
}

}  // namespace tribecast::channel::test
