// The key pair of one node, for `auth = public-key`: its text forms, and the cheap check that a
// handshake message is meant for the holder of a public key.
//
// Text of either key is base64, 44 characters, as WireGuard's. A private key stands in a file of
// its own: one line, `#` comments.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "base/random.h"
#include "base/result.h"
#include "seal/keyring.h"
#include "seal/noise.h"

namespace tribecast::seal {

inline constexpr std::size_t kKeyTextSize = 44;

std::string to_text(const PublicKey& key);
// What is wrong, as one clause: `is not 44 characters of base64`.
Result<PublicKey, std::string> parse_public_key(std::string_view text);

KeyPair generate_key_pair(const RandomSource& random);
// Without a line end.
SecretText private_key_text(const KeyPair& pair);
// The errors never contain a part of the key.
Result<KeyPair, KeyringError> parse_private_key(std::string_view text);

// What this node proves itself with to its peers.
struct Credentials {
  // A ring is what they are made of where peers have no keys of their own.
  Credentials(Keyring keyring = {}, std::optional<KeyPair> pair = std::nullopt)
      : ring(std::move(keyring)), own(std::move(pair)) {}

  Keyring ring;                // may be empty when `own` is set
  std::optional<KeyPair> own;  // set: every peer is known by its public key
};

// The last 16 bytes of a handshake datagram by key, over all before it. Who does not know the
// receiver's public key, and the ring key where there is one, cannot make it, and costs the
// receiver hashes alone.
using HandshakeMac = std::array<std::uint8_t, 16>;
HandshakeMac handshake_mac(const PublicKey& receiver, const Key& psk, Bytes header, Bytes message);
// In constant time.
bool same_mac(const HandshakeMac& mac, Bytes other);

}  // namespace tribecast::seal
