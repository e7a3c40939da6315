// The cluster's shared keys: text, one key a line, `ID HEX64 [primary]`.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "base/result.h"
#include "seal/secret.h"

namespace tribecast::seal {

struct RingKey {
  std::uint8_t id = 0;  // 1 to 255
  Key key;

  // What the handshake mixes in: the key, hashed for this one purpose.
  [[nodiscard]] Key psk() const;
  // To tell keys apart without showing them: the first four bytes of a hash of the key, made for
  // this one purpose. People see it as eight hexadecimal digits.
  [[nodiscard]] std::uint32_t fingerprint() const;
  bool operator==(const RingKey&) const = default;
};

// At least one key; exactly one is primary: the one that this node begins handshakes with.
struct Keyring {
  std::vector<RingKey> keys;
  std::uint8_t primary_id = 0;

  [[nodiscard]] const RingKey* find(std::uint8_t id) const;
  [[nodiscard]] const RingKey& primary() const;
  bool operator==(const Keyring&) const = default;
};

struct KeyringError {
  int line = 0;      // from 1; 0 = the text as a whole
  std::string what;  // never contains a part of a key
  std::string fix;
};

// Every error in the text, or the ring.
Result<Keyring, std::vector<KeyringError>> parse_keyring(std::string_view text);

// Changes of a text that parses, each of which leaves a text that parses: all lines but those of
// the keys that are changed stay as they are, comments, order and line ends too. A new line at the
// end; the id must be free.
SecretText with_key(std::string_view text, const RingKey& key);
// The id must be there.
SecretText with_primary(std::string_view text, std::uint8_t id);
// The key's whole line goes; the id must be there and not be the primary one.
SecretText without_key(std::string_view text, std::uint8_t id);

// The line, from 1, that holds the key; 0 when it is not there.
int line_of_key(std::string_view text, std::uint8_t id);

// One line that holds one key, `ID HEX64`, which is not primary.
Result<RingKey, KeyringError> parse_keyring_line(std::string_view line);

RingKey generate_key(std::uint8_t id, const RandomSource& random);
// `1 <64 hex digits> primary`, without a line end.
SecretText keyring_line(const RingKey& key, bool primary);

// The operating system's random source (libsodium's).
RandomSource system_random();

// Must be called once before anything else of this module; false when the library is unusable.
[[nodiscard]] bool initialise();

}  // namespace tribecast::seal
