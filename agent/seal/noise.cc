#include "seal/noise.h"

#include <sodium.h>

#include "base/check.h"
#include "seal/aead.h"

namespace tribecast::seal {
namespace {

constexpr std::string_view kProtocolName = "Noise_NNpsk0_25519_ChaChaPoly_SHA256";

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

Handshake::Handshake(Role role, Bytes prologue, const Key& psk)
    : role_(role), state_(kProtocolName), psk_(psk) {
  state_.mix_hash(prologue);
}

std::optional<Buffer> Handshake::write(const KeyPair& ephemeral, Bytes payload) {
  TC_CHECK(messages_ == (role_ == Role::initiator ? 0 : 1));
  ephemeral_ = ephemeral;
  if (messages_ == 0) state_.mix_key_and_hash(psk_.bytes());
  state_.mix_hash(ephemeral.open);
  state_.mix_key(ephemeral.open);  // a psk handshake mixes every e into the key (section 9.2)
  if (messages_ == 1 && !mix_shared()) return std::nullopt;
  ++messages_;
  ByteWriter out;
  out.put(ephemeral.open);
  out.put(state_.encrypt_and_hash(payload));
  return out.release();
}

std::optional<Buffer> Handshake::read(Bytes message) {
  TC_CHECK(messages_ == (role_ == Role::responder ? 0 : 1));
  if (message.size() < kMessageOverhead) return std::nullopt;
  std::ranges::copy(message.first(kPublicKeySize), remote_.begin());
  if (messages_ == 0) state_.mix_key_and_hash(psk_.bytes());
  state_.mix_hash(remote_);
  state_.mix_key(remote_);
  if (messages_ == 1 && !mix_shared()) return std::nullopt;
  ++messages_;
  return state_.decrypt_and_hash(message.subspan(kPublicKeySize));
}

// The token ee; false for a low-order public key, whose shared secret would be zero.
bool Handshake::mix_shared() {
  Key shared;
  if (crypto_scalarmult(shared.bytes().data(), ephemeral_.secret.bytes().data(), remote_.data()) !=
      0) {
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
