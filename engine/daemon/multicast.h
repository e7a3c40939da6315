// The membership's multicast socket: heartbeats out, those of all members in. Bound to the group's
// own address, so it takes no unicast datagram away from a Tomcat on this host.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "base/address.h"
#include "base/bytes.h"
#include "io/error.h"
#include "io/fd.h"
#include "io/loop.h"
#include "io/readable.h"

namespace tribecast::engine {

class Multicast {
 public:
  // Joins on the interface that has the address `local`. IPv4.
  static io::OsResult<std::unique_ptr<Multicast>> open(io::Loop& loop, const Endpoint& group,
                                                       const Address& local, unsigned ttl_hops);
  Multicast(const Multicast&) = delete;
  Multicast& operator=(const Multicast&) = delete;

  // Each datagram, own ones too; borrowed until the callback returns. At most 64 in a turn of the
  // loop.
  void start(std::function<void(Bytes)> on_datagram);

  // Never waits. The errno when it could not be sent.
  io::OsResult<Done> send(Bytes datagram);

 private:
  Multicast(io::Loop& loop, io::Fd fd, const Endpoint& group);
  void on_readable();

  io::Loop& loop_;
  io::Fd fd_;
  Endpoint group_;
  std::unique_ptr<std::uint8_t[]> buffer_;
  std::function<void(Bytes)> on_datagram_;
  std::unique_ptr<io::Readable> readable_;
};

// The address of this host from which `remote` is reached.
io::OsResult<Address> local_address_towards(const Endpoint& remote);

}  // namespace tribecast::engine
