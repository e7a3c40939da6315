#include "seal/node_key.h"

#include <sodium.h>

#include <algorithm>

namespace tribecast::seal {
namespace {

constexpr std::string_view kMacPurpose = "tribecast mac v1";
constexpr int kBase64 = sodium_base64_VARIANT_ORIGINAL;

// Writes the text and a zero behind it.
void to_base64(Bytes raw, std::array<char, kKeyTextSize + 1>& text) {
  sodium_bin2base64(text.data(), text.size(), raw.data(), raw.size(), kBase64);
}

bool from_base64(std::string_view text, MutableBytes raw) {
  std::size_t size = 0;
  return text.size() == kKeyTextSize &&
         sodium_base642bin(raw.data(), raw.size(), text.data(), text.size(), nullptr, &size,
                           nullptr, kBase64) == 0 &&
         size == raw.size();
}

// The high bit is not part of a public key, and points of low order lead to no secret.
bool is_point(const PublicKey& key) {
  constexpr std::array<std::uint8_t, Key::kSize> kAnyScalar = {8};
  std::array<std::uint8_t, Key::kSize> shared{};
  return (key.back() & 0x80U) == 0 &&
         crypto_scalarmult(shared.data(), kAnyScalar.data(), key.data()) == 0;
}

std::string_view without_comment(std::string_view line) {
  constexpr std::string_view kBlank = " \t\r";
  line = line.substr(0, line.find('#'));
  const std::size_t begin = std::min(line.find_first_not_of(kBlank), line.size());
  line.remove_prefix(begin);
  return line.substr(0, line.find_last_not_of(kBlank) + 1);
}

}  // namespace

std::string to_text(const PublicKey& key) {
  std::array<char, kKeyTextSize + 1> text{};
  to_base64(key, text);
  return text.data();
}

Result<PublicKey, std::string> parse_public_key(std::string_view text) {
  PublicKey key{};
  if (!from_base64(text, key)) return Unexpected<std::string>{"is not 44 characters of base64"};
  if (!is_point(key)) return Unexpected<std::string>{"is no public key of anybody"};
  return key;
}

KeyPair generate_key_pair(const RandomSource& random) {
  Key secret;
  random(secret.bytes());
  return KeyPair::of(secret);
}

SecretText private_key_text(const KeyPair& pair) {
  std::array<char, kKeyTextSize + 1> raw{};
  to_base64(pair.secret.bytes(), raw);
  SecretText text(kKeyTextSize);
  text.append(raw.data());
  sodium_memzero(raw.data(), raw.size());
  return text;
}

Result<KeyPair, KeyringError> parse_private_key(std::string_view text) {
  const auto wrong = [](int line, std::string what) -> Unexpected<KeyringError> {
    return {{line, std::move(what), "take the line that `tribecast keygen --private-key` prints"}};
  };
  std::optional<KeyPair> pair;
  for (int number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = without_comment(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty()) continue;
    if (pair) return wrong(number, "a second key; a node has one");
    Key secret;
    if (!from_base64(line, secret.bytes())) {
      return wrong(number, "the private key is not 44 characters of base64");
    }
    pair = KeyPair::of(secret);
  }
  if (!pair) return wrong(0, "the file holds no key");
  return *pair;
}

HandshakeMac handshake_mac(const PublicKey& receiver, const Key& psk, Bytes header, Bytes message) {
  const Bytes purpose = bytes_of(kMacPurpose);
  crypto_generichash_state state;
  Key key;
  crypto_generichash_init(&state, psk.bytes().data(), Key::kSize, Key::kSize);
  crypto_generichash_update(&state, purpose.data(), purpose.size());
  crypto_generichash_update(&state, receiver.data(), receiver.size());
  crypto_generichash_final(&state, key.bytes().data(), Key::kSize);
  HandshakeMac mac{};
  crypto_generichash_init(&state, key.bytes().data(), Key::kSize, mac.size());
  crypto_generichash_update(&state, header.data(), header.size());
  crypto_generichash_update(&state, message.data(), message.size());
  crypto_generichash_final(&state, mac.data(), mac.size());
  return mac;
}

bool same_mac(const HandshakeMac& mac, Bytes other) {
  return other.size() == mac.size() && sodium_memcmp(mac.data(), other.data(), mac.size()) == 0;
}

}  // namespace tribecast::seal
