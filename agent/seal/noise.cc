#include "seal/noise.h"

#include <sodium.h>

#include "base/check.h"
#include "seal/aead.h"

namespace tribecast::seal {
namespace {

constexpr std::string_view kSharedKeyName = "Noise_NNpsk0_25519_ChaChaPoly_SHA256";
constexpr std::string_view kPublicKeyName = "Noise_IKpsk2_25519_ChaChaPoly_SHA256";

Hash hmac(Bytes key, Bytes a, Bytes b = {}) {
  crypto_auth_hmacsha256_state state;
  crypto_auth_hmacsha256_init(&state, key.data(), key.size());
  crypto_auth_hmacsha256_update(&state, a.data(), a.size());
  crypto_auth_hmacsha256_update(&state, b.data(), b.size());
  Hash out{};
  crypto_auth_hmacsha256_final(&state, out.data());
  return out;
}

// HKDF of section 4.3: N outputs of one hash length.
template <std::size_t N>
std::array<Key, N> derive(const Key& chaining, Bytes input) {
  Hash temporary = hmac(chaining.bytes(), input);
  std::array<Key, N> keys;
  Hash previous{};
  Bytes chained;
  for (std::size_t i = 0; i < N; ++i) {
    const std::array<std::uint8_t, 1> number = {static_cast<std::uint8_t>(i + 1)};
    previous = hmac(temporary, chained, number);
    keys[i] = Key(previous);
    chained = previous;
  }
  wipe(temporary);
  wipe(previous);
  return keys;
}

}  // namespace

KeyPair KeyPair::of(const Key& secret) {
  KeyPair pair{secret, {}};
  crypto_scalarmult_base(pair.open.data(), secret.bytes().data());
  return pair;
}

SymmetricState::SymmetricState(std::string_view protocol_name) {
  if (protocol_name.size() <= hash_.size()) {
    std::ranges::copy(bytes_of(protocol_name), hash_.begin());
  } else {
    const Bytes name = bytes_of(protocol_name);
    crypto_hash_sha256(hash_.data(), name.data(), name.size());
  }
  chaining_ = Key(hash_);
}

void SymmetricState::mix_hash(Bytes data) {
  crypto_hash_sha256_state state;
  crypto_hash_sha256_init(&state);
  crypto_hash_sha256_update(&state, hash_.data(), hash_.size());
  crypto_hash_sha256_update(&state, data.data(), data.size());
  crypto_hash_sha256_final(&state, hash_.data());
}

void SymmetricState::mix_key(Bytes input) {
  const auto keys = derive<2>(chaining_, input);
  chaining_ = keys[0];
  key_ = keys[1];
  counter_ = 0;
}

void SymmetricState::mix_key_and_hash(Bytes input) {
  const auto keys = derive<3>(chaining_, input);
  chaining_ = keys[0];
  mix_hash(keys[1].bytes());
  key_ = keys[2];
  counter_ = 0;
}

Buffer SymmetricState::encrypt_and_hash(Bytes plain) {
  TC_CHECK(key_.has_value());
  Buffer sealed(plain.size() + kTagSize);
  aead_seal(*key_, counter_++, hash_, plain, sealed);
  mix_hash(sealed);
  return sealed;
}

std::optional<Buffer> SymmetricState::decrypt_and_hash(Bytes sealed) {
  TC_CHECK(key_.has_value());
  auto plain = aead_open(*key_, counter_++, hash_, sealed);
  if (plain) mix_hash(sealed);
  return plain;
}

std::array<Key, 2> SymmetricState::split() const { return derive<2>(chaining_, {}); }

Handshake::Handshake(Pattern pattern, Role role, Bytes prologue, const Key& psk)
    : pattern_(pattern),
      role_(role),
      state_(pattern == Pattern::nn_psk0 ? kSharedKeyName : kPublicKeyName),
      psk_(psk) {
  state_.mix_hash(prologue);
}

Handshake::Handshake(Role role, Bytes prologue, const Key& psk)
    : Handshake(Pattern::nn_psk0, role, prologue, psk) {}

Handshake Handshake::initiator_by_key(Bytes prologue, const Key& psk, const KeyPair& own,
                                      const PublicKey& responder) {
  Handshake handshake(Pattern::ik_psk2, Role::initiator, prologue, psk);
  handshake.static_ = own;
  handshake.remote_static_ = responder;
  handshake.state_.mix_hash(responder);  // the pre-message
  return handshake;
}

Handshake Handshake::responder_by_key(Bytes prologue, const Key& psk, const KeyPair& own) {
  Handshake handshake(Pattern::ik_psk2, Role::responder, prologue, psk);
  handshake.static_ = own;
  handshake.state_.mix_hash(own.open);
  return handshake;
}

// Of the message whose turn it is.
std::span<const Handshake::Token> Handshake::tokens() const {
  using enum Token;
  static constexpr std::array kNnFirst = {psk, e};
  static constexpr std::array kNnSecond = {e, ee};
  static constexpr std::array kIkFirst = {e, es, s, ss};
  static constexpr std::array kIkSecond = {e, ee, se, psk};
  if (pattern_ == Pattern::nn_psk0) {
    return messages_ == 0 ? std::span<const Token>(kNnFirst) : kNnSecond;
  }
  return messages_ == 0 ? std::span<const Token>(kIkFirst) : kIkSecond;
}

std::optional<Buffer> Handshake::write(const KeyPair& ephemeral, Bytes payload) {
  TC_CHECK(messages_ == (role_ == Role::initiator ? 0 : 1));
  ephemeral_ = ephemeral;
  ByteWriter out;
  for (const Token token : tokens()) {
    if (token == Token::psk) {
      state_.mix_key_and_hash(psk_.bytes());
    } else if (token == Token::e) {
      state_.mix_hash(ephemeral.open);
      state_.mix_key(ephemeral.open);  // a psk handshake mixes every e into the key (section 9.2)
      out.put(ephemeral.open);
    } else if (token == Token::s) {
      out.put(state_.encrypt_and_hash(static_.open));
    } else if (!mix_shared(token)) {
      return std::nullopt;
    }
  }
  ++messages_;
  out.put(state_.encrypt_and_hash(payload));
  return out.release();
}

std::optional<Buffer> Handshake::read(Bytes message) {
  TC_CHECK(messages_ == (role_ == Role::responder ? 0 : 1));
  ByteReader in(message);
  for (const Token token : tokens()) {
    if (token == Token::psk) {
      state_.mix_key_and_hash(psk_.bytes());
    } else if (token == Token::e) {
      remote_ephemeral_ = in.array<kPublicKeySize>();
      if (in.left() < kTagSize) return std::nullopt;
      state_.mix_hash(remote_ephemeral_);
      state_.mix_key(remote_ephemeral_);
    } else if (token == Token::s) {
      const Bytes sealed = in.take(kPublicKeySize + kTagSize);
      const auto opened = in.ok() ? state_.decrypt_and_hash(sealed) : std::nullopt;
      if (!opened) return std::nullopt;
      std::ranges::copy(*opened, remote_static_.begin());
    } else if (!mix_shared(token)) {
      return std::nullopt;
    }
  }
  ++messages_;
  return state_.decrypt_and_hash(in.take_rest());
}

// The first letter is the initiator's key, the second the responder's. False for a low-order public
// key, whose shared secret would be zero.
bool Handshake::mix_shared(Token token) {
  const bool initiators_static = token == Token::se || token == Token::ss;
  const bool responders_static = token == Token::es || token == Token::ss;
  const bool initiator = role_ == Role::initiator;
  const KeyPair& own = (initiator ? initiators_static : responders_static) ? static_ : ephemeral_;
  const PublicKey& remote =
      (initiator ? responders_static : initiators_static) ? remote_static_ : remote_ephemeral_;
  Key shared;
  if (crypto_scalarmult(shared.bytes().data(), own.secret.bytes().data(), remote.data()) != 0) {
    return false;
  }
  state_.mix_key(shared.bytes());
  return true;
}

Handshake::Transport Handshake::split() const {
  TC_CHECK(messages_ == 2);
  const auto keys = state_.split();
  return role_ == Role::initiator ? Transport{keys[0], keys[1]} : Transport{keys[1], keys[0]};
}

}  // namespace tribecast::seal
