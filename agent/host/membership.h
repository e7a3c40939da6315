// Group memberships: the agent's own, and those of the applications on this host.
//
// The own ones exist because a packet with TTL 0 stays on the host only while some socket has
// joined its group on the interface that it is sent by; without one it leaves. They are held by
// sockets that are bound to nothing and receive nothing.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/address.h"
#include "base/time.h"
#include "host/igmp.h"
#include "io/error.h"
#include "io/fd.h"

namespace tribecast::host {

class Membership {
 public:
  // An older snapshot of the kernel's list is read again when it is used.
  static constexpr Duration kSnapshotAge = milliseconds(100);

  static io::OsResult<Membership> open();
  Membership(Membership&&) = default;
  Membership& operator=(Membership&&) = default;

  // Joins, on the interface of that index; nothing to do when joined already.
  io::OsResult<Done> join(const Address& group, int interface);
  void leave(const Address& group, int interface);

  // Joins everything of this interface again: after any link or address event on it, the kernel may
  // have forgotten. What fails (the interface is away) is not held until the next rejoin().
  void rejoin(int interface);

  // Whether the own membership stands, by the kernel's list: the condition for an injection.
  [[nodiscard]] bool holds(Instant now, const Address& group, int interface);

  // Sockets of others that have joined the group on this interface.
  [[nodiscard]] std::uint32_t listeners(Instant now, const Address& group, int interface);

  // The next use reads the kernel's list.
  void forget_snapshot() { snapshot_at_ = Instant::min(); }

 private:
  struct Socket {
    io::Fd fd;
    std::size_t joins = 0;
    bool full = false;  // the kernel refused one more (igmp_max_memberships)
  };
  struct Own {
    std::size_t socket = 0;
    bool held = false;
  };
  using Key = std::pair<int, Address>;  // interface, group

  explicit Membership(io::Fd list) : list_(std::move(list)) {}
  io::OsResult<std::size_t> join_somewhere(const Address& group, int interface);
  void drop(const Key& key, Own& own);
  void refresh(Instant now);
  [[nodiscard]] std::uint32_t users(const Address& group, int interface) const;

  io::Fd list_;  // /proc/net/igmp
  std::vector<Socket> sockets_;
  std::map<Key, Own> own_;
  std::vector<IgmpEntry> snapshot_;  // sorted
  Instant snapshot_at_ = Instant::min();
  std::string text_;  // kept for its capacity
};

}  // namespace tribecast::host
