// Takes the place of libsodium's X25519 in a fuzz program: a group in which multiplication is XOR,
// so that both sides still agree and an exchange costs hashes alone. Four times as many inputs a
// second; the curve itself is fuzz_handshake's and the Noise vectors' subject.
#include <sodium.h>

#include <algorithm>
#include <cstdint>

extern "C" int crypto_scalarmult_base(unsigned char* point, const unsigned char* scalar) {
  std::copy_n(scalar, crypto_scalarmult_BYTES, point);
  return 0;
}

// As the real one, fails when the result is all zero.
extern "C" int crypto_scalarmult(unsigned char* shared, const unsigned char* scalar,
                                 const unsigned char* point) {
  unsigned any = 0;
  for (std::size_t i = 0; i < crypto_scalarmult_BYTES; ++i) {
    shared[i] = static_cast<unsigned char>(scalar[i] ^ point[i]);
    any |= shared[i];
  }
  return any == 0 ? -1 : 0;
}
