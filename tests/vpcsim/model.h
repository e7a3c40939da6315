// A cloud's network between hosts, as a value: takes a packet, says when it arrives where, or why
// not. No descriptor, no clock, no thread; everything random comes from the seed.
//
// Like a VPC it carries unicast only, from a host's own addresses only, to hosts that it knows;
// then come the partition, the rules, and the impairment of the directed pair. Nothing is ever
// answered.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/address.h"
#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"
#include "packet/datagram.h"
#include "vpcsim/chance.h"
#include "vpcsim/command.h"

namespace tribecast::vpcsim {

// Why a packet is not delivered. Up to `unknown_destination` it belongs to no pair.
enum class Drop : std::uint8_t {
  not_ipv4,
  malformed,
  multicast,
  broadcast,
  spoofed,
  unknown_destination,
  partition,
  rule,
  mtu,
  rate,
  loss,
  queue_full,  // too many are delayed
  refused,     // the receiver's interface did not take it
};
inline constexpr std::array<std::string_view, 13> kDropNames = {
    "not_ipv4",  "malformed", "multicast", "broadcast", "spoofed", "unknown_destination",
    "partition", "rule",      "mtu",       "rate",      "loss",    "queue_full",
    "refused"};

class DropCounters {
 public:
  void add(Drop reason) { ++counts_[static_cast<std::size_t>(reason)]; }
  [[nodiscard]] std::uint64_t operator[](Drop reason) const {
    return counts_[static_cast<std::size_t>(reason)];
  }

 private:
  std::array<std::uint64_t, kDropNames.size()> counts_{};
};

struct PairCounters {
  std::uint64_t received = 0;   // from the sender
  std::uint64_t delivered = 0;  // to the receiver, second copies included
  std::uint64_t duplicated = 0;
  std::uint64_t reordered = 0;
  std::uint64_t corrupted = 0;
  std::uint64_t tampered = 0;
  DropCounters dropped;
};

struct Host {
  std::string name;
  std::vector<Prefix> addresses;  // its own, with the size of their subnets
  bool observer = false;          // '*' does not mean it: a test looks at the others from there
};

struct Verdict {
  HostId to = 0;
  std::optional<Drop> drop;     // then there are no copies
  std::array<Instant, 2> at{};  // when each copy arrives
  std::size_t copies = 0;
};

class Model {
 public:
  // What waits longer than this for its pair's rate is dropped.
  static constexpr Duration kLongestRateQueue = milliseconds(200);
  static constexpr std::size_t kMaxRules = 256;

  // At most kMaxHosts hosts; no two have an address in common.
  Model(std::vector<Host> hosts, std::uint64_t seed);

  // A packet of host `from`; corruption changes its bytes. Counts all but what happens later.
  Verdict on_packet(Instant now, HostId from, MutableBytes packet);
  void count_delivered(HostId from, HostId to) { ++pair(from, to).counters.delivered; }
  void count_dropped(HostId from, HostId to, Drop reason) {
    pair(from, to).counters.dropped.add(reason);
  }

  // The error is a sentence; nothing has changed then.
  Result<Done, std::string> apply(const Set& set);
  void apply(const Clear& clear);
  Result<Done, std::string> apply(const Rule& rule);
  void apply(const Partition& partition);
  void apply(const Heal& heal);

  [[nodiscard]] std::uint64_t seed() const { return seed_; }
  [[nodiscard]] const std::vector<Host>& hosts() const { return hosts_; }
  [[nodiscard]] const PairCounters& counters(HostId from, HostId to) const {
    return pairs_[from * hosts_.size() + to].counters;
  }
  // Of what belongs to no pair.
  [[nodiscard]] const DropCounters& dropped(HostId from) const { return dropped_[from]; }
  [[nodiscard]] const Impairment& impairment(HostId from, HostId to) const {
    return pairs_[from * hosts_.size() + to].impairment;
  }

 private:
  struct Pair {
    Impairment impairment;
    PairCounters counters;
    Instant busy_until{};  // with a rate: when the last packet has left
  };

  Pair& pair(HostId from, HostId to) { return pairs_[from * hosts_.size() + to]; }
  [[nodiscard]] std::optional<Drop> unroutable(HostId from, const packet::Ipv4Packet& ip) const;
  [[nodiscard]] bool is_broadcast(const Address& destination) const;
  [[nodiscard]] bool parted(HostId from, HostId to) const;
  [[nodiscard]] bool denied(HostId from, HostId to, const packet::Ipv4Packet& ip) const;
  [[nodiscard]] bool covers(const Pairs& pairs, HostId from, HostId to) const;
  [[nodiscard]] bool covers(const Rule& wide, const Rule& narrow) const;
  void schedule(Instant now, std::size_t bytes, const Chance& chance, Pair& pair, Verdict& out);

  std::vector<Host> hosts_;
  std::uint64_t seed_;
  std::unordered_map<Address, HostId, AddressHash> by_address_;
  std::vector<Pair> pairs_;
  std::vector<DropCounters> dropped_;
  std::vector<Rule> rules_;                       // the last that matches decides
  std::vector<std::optional<std::size_t>> side_;  // a host's group of the partition
};

}  // namespace tribecast::vpcsim
