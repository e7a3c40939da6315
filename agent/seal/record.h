// Records that lie in a store which sees neither their keys nor their values: what is on a disk.
//
//   key    u8 kSealed  u8 id of the ring's key  the record's key, as a keyed hash (BLAKE2b, 32
//   bytes) value  nonce, 24 bytes at random   XChaCha20-Poly1305 of: u32 size  key   value
//          associated data: the whole key
//
// One key of a record always gives one hash, so a later value replaces the earlier one. Whoever has
// the files sees how many records there are, how large they are, and which of them change.
#pragma once

#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "seal/keyring.h"

namespace tribecast::seal {

struct Record {
  Buffer key;
  Buffer value;

  bool operator==(const Record&) const = default;
};

enum class RecordError : std::uint8_t {
  malformed,
  no_key,  // sealed with one that the ring does not have
  forged,  // not sealed with the ring's key of that id, or not what was sealed
};

class RecordSeal {
 public:
  // No plain key of a record begins with it.
  static constexpr std::uint8_t kSealed = 1;
  static constexpr std::size_t kOverhead = 24 + 4 + 16;  // of a value, beside the record's key

  // Seals with the ring's primary key, and opens with any.
  explicit RecordSeal(const Keyring& ring);

  // The record's key in the store.
  [[nodiscard]] Buffer key_of(Bytes key) const;
  [[nodiscard]] Record seal(Bytes key, Bytes value, const RandomSource& random) const;
  [[nodiscard]] Result<Record, RecordError> open(Bytes sealed_key, Bytes sealed_value) const;

  [[nodiscard]] static bool is_sealed(Bytes key) { return !key.empty() && key[0] == kSealed; }
  // With the primary key.
  [[nodiscard]] bool is_current(Bytes sealed_key) const;

 private:
  struct Keys {
    std::uint8_t id = 0;
    Key name;
    Key content;
  };

  std::vector<Keys> keys_;  // the primary one first
};

}  // namespace tribecast::seal
