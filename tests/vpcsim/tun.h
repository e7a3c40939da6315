// A TUN device: the only interface of a host, whose other end is this program. It lives in the
// host's network namespace and vanishes with this object.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "io/error.h"
#include "io/fd.h"

namespace tribecast::vpcsim {

class Tun {
 public:
  // Packets that wait for us in the kernel; what finds no room is counted as the interface's tx
  // drops.
  static constexpr int kQueuePackets = 20000;

  // `netns`: a name of `ip netns`, or a path. The interface is made there; addresses, routes and
  // "up" are the caller's. The calling thread is back in its own namespace at the return.
  static io::OsResult<Tun> open(const std::string& netns, const std::string& interface);

  [[nodiscard]] int fd() const { return fd_.get(); }
  // The next packet, read into `buffer`; nullopt when none waits (or the interface is down).
  std::optional<MutableBytes> read(MutableBytes buffer);
  // False when the interface did not take it.
  bool write(Bytes packet);

 private:
  explicit Tun(io::Fd fd) : fd_(std::move(fd)) {}

  io::Fd fd_;
};

}  // namespace tribecast::vpcsim
