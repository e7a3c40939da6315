// EncryptInterceptor: AES over message bodies, with a key that all members share.
//
//   IV  ciphertext of: [u64 milliseconds, with replay protection]  body
//
// Only bodies are protected: who sent a message, and all heartbeats, stay in the clear. The three
// generations of the interceptor do not understand each other.
#pragma once

#include <cstddef>
#include <deque>
#include <set>

#include "engine/channel/interceptor.h"

namespace tribecast::channel {

enum class CipherMode : std::uint8_t {
  cbc,  // AES/CBC/PKCS5Padding, IV of 16 bytes; a changed message may pass
  gcm,  // AES/GCM/NoPadding, IV of 12 bytes, tag of 16 behind the ciphertext
};

struct EncryptSettings {
  Buffer key;  // 16, 24 or 32 bytes
  CipherMode mode = CipherMode::gcm;
  // Of 9.0.119, 10.1.56, 11.0.23 and later.
  bool replay_protection = true;
  Duration replay_window = seconds(10);  // how far clocks may be apart
  std::size_t remembered = 8192;         // IVs
};

class Encrypt : public Interceptor {
 public:
  // The key's size must be one of AES's.
  explicit Encrypt(EncryptSettings settings);

  void send(const Context& context, const tribes::Identity& to, Message message,
            Messages& out) override;
  void receive(const Context& context, Message message, Messages& out) override;

 private:
  bool is_fresh(const Context& context, std::uint64_t milliseconds, const Buffer& iv);

  EncryptSettings settings_;
  std::set<Buffer> seen_;
  std::deque<std::set<Buffer>::iterator> seen_in_order_;
};

bool is_aes_key(Bytes key);
[[nodiscard]] std::size_t iv_size(CipherMode mode);
// IV and ciphertext.
Buffer encrypt_body(CipherMode mode, Bytes key, Bytes iv, Bytes plain);
// nullopt when it was not made so with this key.
std::optional<Buffer> decrypt_body(CipherMode mode, Bytes key, Bytes body);

}  // namespace tribecast::channel
