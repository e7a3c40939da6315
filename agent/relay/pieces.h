// Datagrams that do not fit into one sealed datagram: cut here, put together again there.
//
// The pieces of one datagram have consecutive counters, so that piece i of the datagram that began
// with counter c has counter c + i; no other number is needed.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "base/reason.h"
#include "base/result.h"
#include "base/time.h"
#include "relay/frames.h"

namespace tribecast::relay {

// Cuts `payload` into at most 255 parts of at most `room` bytes (all but the last of exactly
// `room`); one empty part for an empty payload. `room` must be large enough. Borrowed.
std::vector<Bytes> cut(Bytes payload, std::size_t room);

// The unfinished datagrams of one peer. Owns at most kMaxBytes.
class Pieces {
 public:
  static constexpr std::size_t kMaxBytes = std::size_t{256} * 1024;
  static constexpr std::size_t kMaxDatagrams = 64;
  static constexpr std::size_t kMaxPayload = 65507;  // of UDP over IPv4
  static constexpr Duration kTimeout = seconds(1);

  // The whole payload when this was the last missing piece; nullopt while some are missing.
  Result<std::optional<Buffer>, Reason> add(Instant now, std::uint64_t counter,
                                            const Parcel& parcel);
  void clear();

 private:
  struct Partial {
    Instant first_seen;
    std::vector<std::optional<Buffer>> parts;
    std::size_t missing = 0;
    std::size_t bytes = 0;
  };

  void expire(Instant now);
  void forget(std::uint64_t first_counter);

  std::map<std::uint64_t, Partial> partials_;  // by the first piece's counter
  std::size_t bytes_ = 0;
};

}  // namespace tribecast::relay
