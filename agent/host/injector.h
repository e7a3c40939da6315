// Gives datagrams of remote members to the local listeners of a group: IPv4 packets with the
// origin's source address and TTL 0, sent through a raw socket and looped back by the kernel.
// Needs CAP_NET_RAW to open. Nothing is ever sent on an interface where the agent's own membership
// does not stand, because it would leave the host.
#pragma once

#include <cstdint>

#include "base/address.h"
#include "host/membership.h"
#include "io/error.h"
#include "io/fd.h"
#include "packet/datagram.h"

namespace tribecast::host {

enum class InjectStatus : std::uint8_t {
  injected,
  not_member,   // the agent's own membership does not stand
  unreachable,  // the interface is down or gone
  no_buffers,   // ENOBUFS, ENOMEM, EAGAIN
  too_large,    // above 65507 bytes
  failed,
};
inline constexpr std::size_t kInjectStatusCount = 6;

class Injector {
 public:
  // `membership` is borrowed for the life of the injector.
  static io::OsResult<Injector> open(Membership& membership);

  // To every local socket that listens to datagram.group on this interface; as fragments when it
  // exceeds `mtu_bytes`, the interface's. Source and group must be IPv4.
  InjectStatus inject(Instant now, const packet::Datagram& datagram, int interface,
                      std::uint32_t mtu_bytes);

 private:
  Injector(io::Fd fd, Membership& membership) : fd_(std::move(fd)), membership_(&membership) {}
  InjectStatus send(Bytes packet, const Address& group, int interface);

  io::Fd fd_;
  Membership* membership_;
  std::uint16_t next_id_ = 1;
};

}  // namespace tribecast::host
