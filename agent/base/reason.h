// Why a datagram was dropped: one table of names for counters, status, JSON and documentation.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace tribecast {

enum class Reason : std::uint8_t {
  forged,
  replayed,
  stale,
  duplicate,
  echo,
  malformed,
  not_heartbeat,
  loopback_member,
  foreign_member,
  held_after_shutdown,
  rate_limited,
  unconfigured_peer,
  too_large,
  no_listener,
  table_full,
  kernel_drop,
};

struct ReasonEntry {
  Reason reason;
  std::string_view name;
  std::string_view meaning;
};

inline constexpr std::array kReasons = {
    ReasonEntry{Reason::forged, "forged", "the seal did not verify: not from a holder of our keys"},
    ReasonEntry{Reason::replayed, "replayed",
                "a sealed datagram that was accepted before, sent again"},
    ReasonEntry{Reason::stale, "stale", "older than max-age"},
    ReasonEntry{Reason::duplicate, "duplicate", "a second copy of a datagram just accepted"},
    ReasonEntry{Reason::echo, "echo", "our own injection, captured again"},
    ReasonEntry{Reason::malformed, "malformed", "lengths or markers contradict each other"},
    ReasonEntry{Reason::not_heartbeat, "not_heartbeat",
                "no Tribes heartbeat, in a group with format = tribes and broadcasts = no"},
    ReasonEntry{Reason::loopback_member, "loopback_member",
                "the heartbeat announces a loopback, wildcard or multicast address"},
    ReasonEntry{Reason::foreign_member, "foreign_member",
                "the heartbeat announces an address that is not its host's"},
    ReasonEntry{Reason::held_after_shutdown, "held_after_shutdown",
                "a heartbeat from before the member's shutdown that came after it"},
    ReasonEntry{Reason::rate_limited, "rate_limited", "more than may pass in this time"},
    ReasonEntry{Reason::unconfigured_peer, "unconfigured_peer",
                "the sender has a key of the ring, but is no configured peer"},
    ReasonEntry{Reason::too_large, "too_large", "larger than a datagram can be, or a GSO batch"},
    ReasonEntry{Reason::no_listener, "no_listener", "no local process has joined the group"},
    ReasonEntry{Reason::table_full, "table_full", "a table has reached its limit"},
    ReasonEntry{Reason::kernel_drop, "kernel_drop",
                "the kernel dropped it before we could read it"},
};

inline constexpr std::size_t kReasonCount = kReasons.size();

constexpr std::string_view name_of(Reason reason) {
  return kReasons[static_cast<std::size_t>(reason)].name;
}

// One counter a reason; counters only grow.
class ReasonCounters {
 public:
  void add(Reason reason, std::uint64_t n = 1) { counts_[static_cast<std::size_t>(reason)] += n; }
  void add(const ReasonCounters& other) {
    for (std::size_t i = 0; i < kReasonCount; ++i) counts_[i] += other.counts_[i];
  }
  [[nodiscard]] std::uint64_t operator[](Reason reason) const {
    return counts_[static_cast<std::size_t>(reason)];
  }
  [[nodiscard]] std::uint64_t total() const {
    std::uint64_t sum = 0;
    for (const std::uint64_t n : counts_) sum += n;
    return sum;
  }

 private:
  std::array<std::uint64_t, kReasonCount> counts_{};
};

}  // namespace tribecast
