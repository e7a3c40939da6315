// The header of every datagram between agents; drawn in docs/wire-format.md.
//
//   0       1       2       3       4               8                              16
//   +-------+-------+-------+-------+---------------+-------------------------------+
//   | magic | v | t | zero  |ring id|     index     |            counter            |
//   +-------+-------+-------+-------+---------------+-------------------------------+
//
// It is the associated data of what follows, so none of its bits can be changed.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "seal/aead.h"

namespace tribecast::seal {

inline constexpr std::uint8_t kMagic = 0xb7;
inline constexpr std::uint8_t kVersion = 1;
inline constexpr std::size_t kHeaderSize = 16;
// What sealing adds to a plain text.
inline constexpr std::size_t kOverhead = kHeaderSize + kTagSize;

enum class Type : std::uint8_t {
  init = 1,      // Noise message 1; index: the initiator's session
  response = 2,  // Noise message 2; index: the initiator's session
  pair = 3,      // frames for one peer; index: the receiver's session
  data = 4,      // one captured datagram, or a piece of it; index: the sender's data key
  // The handshake of `auth = public-key`; a mac stands behind either message.
  key_init = 5,      // index: the initiator's session
  key_response = 6,  // index: the initiator's session
};

struct Header {
  Type type = Type::data;
  std::uint8_t ring_id = 0;  // handshake: which key of the ring, by key 0 = none; else 0
  std::uint32_t index = 0;
  std::uint64_t counter = 0;

  bool operator==(const Header&) const = default;
};

using HeaderBytes = std::array<std::uint8_t, kHeaderSize>;

HeaderBytes encode(const Header& header);

struct Envelope {
  Header header;
  Bytes associated;  // the header's bytes
  Bytes body;
};

// nullopt for anything that is not version 1 of this protocol. Views borrow from the datagram.
std::optional<Envelope> decode(Bytes datagram);

// Header and sealed plain text as one datagram.
Buffer seal_datagram(const Key& key, const Header& header, Bytes plain);

// The plain text, or nullopt when the tag does not verify.
std::optional<Buffer> open_datagram(const Key& key, const Envelope& envelope);

}  // namespace tribecast::seal
