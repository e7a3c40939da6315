// How large a UDP payload gets through to one peer: found by sending padding and waiting for the
// peer to say that it came (RFC 8899, DPLPMTUD, in its simplest form), since cloud networks drop
// what is too large without a word. Without a clock; called at each probe of the peer.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/time.h"

namespace tribecast::relay {

class PathSize {
 public:
  // Payloads for which paths are made: IPv6's least MTU, tunnels of several kinds, Ethernet, jumbo
  // frames; all less 28 bytes of IPv4 and UDP, or smaller.
  static constexpr std::array<std::uint16_t, 12> kSizes = {576,  776,  972,  1132, 1232, 1342,
                                                           1372, 1412, 1452, 1472, 8872, 8972};
  // A size that is not answered so often in a row does not get through.
  static constexpr unsigned kTries = 3;
  // What got through is tested again after this time, larger ones after the other.
  static constexpr Duration kConfirm = seconds(30);
  static constexpr Duration kRaise = seconds(600);

  // The payload size to test now, if any.
  std::optional<std::size_t> next_test(Instant now);
  // A test of this size came through.
  void on_answer(Instant now, std::size_t size);

  // What may be sent: the largest size that got through lately; 1232 before any answer.
  [[nodiscard]] std::size_t usable() const { return kSizes[usable_]; }
  // The same once something got through.
  [[nodiscard]] std::optional<std::size_t> proven() const;

 private:
  static constexpr std::size_t kStart = 4;  // 1232

  void test_next(std::size_t index, Instant at);
  void failed(Instant now);

  std::size_t usable_ = kStart;
  bool proven_ = false;
  std::size_t testing_ = kStart;
  std::size_t ceiling_ = kSizes.size();  // the smallest that did not get through
  unsigned tries_ = 0;
  Instant next_;
  Instant raise_at_ = kNever;
};

}  // namespace tribecast::relay
