// What the tests of seal share: libsodium ready before the first test, keys of known bytes.
#pragma once

#include <boost/test/unit_test.hpp>

#include "seal/keyring.h"

namespace tribecast::test {

struct SodiumReady {
  SodiumReady() { BOOST_TEST_REQUIRE(seal::initialise()); }
};

inline seal::Key filled_key(std::uint8_t value) { return seal::Key(Buffer(32, value)); }

// The bytes 0 to 31.
inline seal::Key counting_key() {
  Buffer raw(32);
  for (std::size_t i = 0; i < raw.size(); ++i) raw[i] = static_cast<std::uint8_t>(i);
  return seal::Key(raw);
}

}  // namespace tribecast::test
