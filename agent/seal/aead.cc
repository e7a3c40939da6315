#include "seal/aead.h"

#include <sodium.h>

#include "base/check.h"

namespace tribecast::seal {
namespace {

using Nonce = std::array<std::uint8_t, crypto_aead_chacha20poly1305_IETF_NPUBBYTES>;

Nonce nonce_of(std::uint64_t counter) {
  Nonce nonce{};
  for (std::size_t i = 0; i < 8; ++i) nonce[4 + i] = static_cast<std::uint8_t>(counter >> (8 * i));
  return nonce;
}

}  // namespace

void aead_seal(const Key& key, std::uint64_t counter, Bytes associated, Bytes plain,
               MutableBytes out) {
  TC_CHECK(out.size() == plain.size() + kTagSize);
  crypto_aead_chacha20poly1305_ietf_encrypt(out.data(), nullptr, plain.data(), plain.size(),
                                            associated.data(), associated.size(), nullptr,
                                            nonce_of(counter).data(), key.bytes().data());
}

std::optional<Buffer> aead_open(const Key& key, std::uint64_t counter, Bytes associated,
                                Bytes sealed) {
  if (sealed.size() < kTagSize) return std::nullopt;
  Buffer plain(sealed.size() - kTagSize);
  const int failed = crypto_aead_chacha20poly1305_ietf_decrypt(
      plain.data(), nullptr, nullptr, sealed.data(), sealed.size(), associated.data(),
      associated.size(), nonce_of(counter).data(), key.bytes().data());
  if (failed != 0) return std::nullopt;
  return plain;
}

}  // namespace tribecast::seal
