// Puts the fragments of captured datagrams together again (RFC 791; RFC 5722's rule for overlaps:
// a datagram whose fragments overlap is dropped whole).
#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include "base/time.h"
#include "packet/datagram.h"

namespace tribecast::packet {

// Single threaded; owns the bytes of unfinished datagrams, at most kMaxBytes of them with what it
// costs to keep each fragment. A datagram that finds no room is given up.
class Reassembler {
 public:
  static constexpr std::size_t kMaxDatagrams = 32;
  static constexpr std::size_t kMaxBytes = std::size_t{512} * 1024;
  // Counted for each fragment beside its bytes, so that tiny ones cannot outgrow the limit.
  static constexpr std::size_t kFragmentCost = 96;
  static constexpr Duration kTimeout = seconds(1);

  // Bytes held now, costs included.
  [[nodiscard]] std::size_t held_bytes() const { return held_; }

  // The whole IPv4 body once the last missing fragment came; nullopt while some are missing, a
  // reason when this fragment makes the datagram impossible or there is no room. `packet` must be a
  // fragment.
  Result<std::optional<Buffer>, Reason> add(Instant now, const Ipv4Packet& packet);

 private:
  struct Key {
    Address source;
    Address destination;
    std::uint16_t id = 0;
    std::uint8_t protocol = 0;
    auto operator<=>(const Key&) const = default;
  };
  struct Partial {
    Instant first_seen;
    std::map<std::size_t, Buffer> pieces;  // by offset
    std::size_t bytes = 0;
    std::optional<std::size_t> total;

    [[nodiscard]] std::size_t held() const { return bytes + pieces.size() * kFragmentCost; }
  };

  void expire(Instant now);
  void forget(const Key& key);
  static bool overlaps(const Partial& partial, std::size_t begin, std::size_t end);
  static bool ends_beyond(const Partial& partial, std::size_t end);

  std::map<Key, Partial> partials_;
  std::size_t held_ = 0;
};

}  // namespace tribecast::packet
