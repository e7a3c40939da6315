// Noise_NNpsk0_25519_ChaChaPoly_SHA256 and Noise_IKpsk2_25519_ChaChaPoly_SHA256 (Noise
// specification, revision 34) on libsodium.
//
//   NNpsk0:             IKpsk2:
//     -> psk, e           <- s
//     <- e, ee            ...
//                         -> e, es, s, ss
//                         <- e, ee, se, psk
//
// A Handshake is used for one exchange: write and read alternate, beginning with the initiator's
// write; after the second message split() gives the transport keys. A message that does not verify
// leaves the handshake unusable, as the specification asks.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/bytes.h"
#include "seal/secret.h"

namespace tribecast::seal {

inline constexpr std::size_t kPublicKeySize = 32;
using PublicKey = std::array<std::uint8_t, kPublicKeySize>;

struct KeyPair {
  Key secret;
  PublicKey open{};

  // The X25519 pair of a secret scalar (RFC 7748).
  static KeyPair of(const Key& secret);
  bool operator==(const KeyPair&) const = default;
};

using Hash = std::array<std::uint8_t, 32>;

// Noise's SymmetricState (section 5.2) with its CipherState (section 5.1).
class SymmetricState {
 public:
  explicit SymmetricState(std::string_view protocol_name);

  void mix_hash(Bytes data);
  void mix_key(Bytes input);
  void mix_key_and_hash(Bytes input);
  Buffer encrypt_and_hash(Bytes plain);
  std::optional<Buffer> decrypt_and_hash(Bytes sealed);
  // The two transport keys: initiator to responder, responder to initiator.
  [[nodiscard]] std::array<Key, 2> split() const;
  [[nodiscard]] const Hash& hash() const { return hash_; }

 private:
  Hash hash_{};
  Key chaining_;
  std::optional<Key> key_;
  std::uint64_t counter_ = 0;
};

enum class Role : std::uint8_t { initiator, responder };

class Handshake {
 public:
  static constexpr std::size_t kMessageOverhead = kPublicKeySize + 16;
  // Of the first message of IKpsk2, which carries the initiator's static key too.
  static constexpr std::size_t kKeyMessageOverhead = kMessageOverhead + kPublicKeySize + 16;

  // NNpsk0.
  Handshake(Role role, Bytes prologue, const Key& psk);
  // IKpsk2. `own` is this side's static pair; the initiator knows the responder's public key.
  static Handshake initiator_by_key(Bytes prologue, const Key& psk, const KeyPair& own,
                                    const PublicKey& responder);
  static Handshake responder_by_key(Bytes prologue, const Key& psk, const KeyPair& own);

  // The next message; it must be this side's turn. The ephemeral pair must be fresh; a responder
  // makes it only after the first message verified. nullopt: a public key of the other side is of
  // low order.
  std::optional<Buffer> write(const KeyPair& ephemeral, Bytes payload);
  // The payload of the other side's message, or nullopt when it does not verify.
  std::optional<Buffer> read(Bytes message);

  struct Transport {
    Key send;
    Key receive;
  };
  // After both messages.
  [[nodiscard]] Transport split() const;
  [[nodiscard]] const Hash& hash() const { return state_.hash(); }
  // IKpsk2, once the first message verified: the other side's static key, which it has proved to
  // hold.
  [[nodiscard]] const PublicKey& remote_static() const { return remote_static_; }

 private:
  enum class Pattern : std::uint8_t { nn_psk0, ik_psk2 };
  enum class Token : std::uint8_t { e, s, ee, es, se, ss, psk };

  Handshake(Pattern pattern, Role role, Bytes prologue, const Key& psk);
  [[nodiscard]] std::span<const Token> tokens() const;
  [[nodiscard]] bool mix_shared(Token token);

  Pattern pattern_;
  Role role_;
  int messages_ = 0;
  SymmetricState state_;
  Key psk_;
  KeyPair ephemeral_;
  KeyPair static_;
  PublicKey remote_ephemeral_{};
  PublicKey remote_static_{};
};

}  // namespace tribecast::seal
