// ChaCha20-Poly1305 (RFC 8439) with Noise's nonce: four zero bytes and the counter, little endian
// (Noise specification, section 12.3).
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "seal/secret.h"

namespace tribecast::seal {

inline constexpr std::size_t kTagSize = 16;

// `out` must have plain.size() + kTagSize bytes; it may begin where `plain` does.
void aead_seal(const Key& key, std::uint64_t counter, Bytes associated, Bytes plain,
               MutableBytes out);

// The plain text, or nullopt when the tag does not verify.
std::optional<Buffer> aead_open(const Key& key, std::uint64_t counter, Bytes associated,
                                Bytes sealed);

}  // namespace tribecast::seal
