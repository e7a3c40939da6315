// The language of vpcsim's control socket: one line of text to one command. Pure.
//
//   set PAIRS KEY=VALUE...          loss duplicate reorder corrupt tamper: a percentage
//                                   delay: 20ms   jitter: 400ms or 100ms-400ms, added to the delay
//                                   mtu: bytes or off   rate: 10mbit or off
//   clear PAIRS                     no impairment
//   deny PAIRS [PROTOCOL [PORT[-PORT]]]    and allow; the last rule that matches decides
//   partition a,b | c               hosts of different groups do not reach each other
//   heal                            ends the partition
//   counters                        JSON
//   quit
//
// PAIRS: a->b, a<->b, with * for every host, or * alone. PROTOCOL: udp tcp icmp any.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/address.h"
#include "base/result.h"
#include "base/time.h"
#include "vpcsim/chance.h"

namespace tribecast::vpcsim {

using HostId = std::size_t;

// Directed pairs of hosts; unset = every host that is no observer.
struct Pairs {
  std::optional<HostId> from;
  std::optional<HostId> to;
  bool both_ways = false;
  auto operator<=>(const Pairs&) const = default;
};

struct Range {
  Duration least{};
  Duration most{};
  auto operator<=>(const Range&) const = default;
};

// What happens to the packets of one directed pair.
struct Impairment {
  Share loss;
  Share duplicate;
  Share reorder;  // these skip delay and jitter, and so overtake
  Share corrupt;  // one bit behind the IP header flipped
  Share tamper;   // one bit of a UDP payload flipped, the UDP checksum made right
  Duration delay{};
  Range jitter;
  std::size_t mtu_bytes = 0;    // larger packets vanish; 0 = none
  std::uint64_t rate_bits = 0;  // a second; 0 = none
  auto operator<=>(const Impairment&) const = default;
};

// The keys that a `set` names.
struct Change {
  std::optional<Share> loss;
  std::optional<Share> duplicate;
  std::optional<Share> reorder;
  std::optional<Share> corrupt;
  std::optional<Share> tamper;
  std::optional<Duration> delay;
  std::optional<Range> jitter;
  std::optional<std::size_t> mtu_bytes;
  std::optional<std::uint64_t> rate_bits;
};

enum class Protocol : std::uint8_t { any = 0, icmp = 1, tcp = 6, udp = 17 };

struct Set {
  Pairs pairs;
  Change change;
};
struct Clear {
  Pairs pairs;
};
struct Rule {
  bool allow = false;
  Pairs pairs;
  Protocol protocol = Protocol::any;
  std::uint16_t first_port = 0;
  std::uint16_t last_port = 65535;
  [[nodiscard]] bool any_port() const { return first_port == 0 && last_port == 65535; }
};
struct Partition {
  std::vector<std::vector<HostId>> groups;  // at least two
};
struct Heal {};
struct Counters {};
struct Quit {};

using Command = std::variant<Set, Clear, Rule, Partition, Heal, Counters, Quit>;

inline constexpr std::size_t kMaxHosts = 64;

// The error says what was expected, what came, and what would be right.
Result<Command, std::string> parse_command(std::string_view line,
                                           std::span<const std::string> hosts);

// A host of the command line: NAME=NETNS:INTERFACE:ADDRESS[/BITS][,ADDRESS[/BITS]...].
struct HostArgument {
  std::string name;
  std::string netns;  // a name of `ip netns`, or a path
  std::string interface;
  std::vector<Prefix> addresses;  // IPv4, at least one
};

Result<HostArgument, std::string> parse_host(std::string_view text);

}  // namespace tribecast::vpcsim
