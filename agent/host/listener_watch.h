// Tells when a TCP listener of this host is gone: its process died, or closed it.
//
// The kernel's own notice of every TCP socket that ends (NETLINK_SOCK_DIAG, destroy groups; see
// host/sock_diag.h) is the trigger, a dump of the listeners is the proof. Needs no right at all and
// polls nothing. With nothing watched it is in no group; with something watched a filter in the
// kernel lets through the ends of listeners of the watched ports alone, so connections cost no
// wake-up. It sees its own network namespace: a listener in a container with one of its own is
// never found, though it answers on an address of this host.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "base/address.h"
#include "io/error.h"
#include "io/loop.h"

namespace tribecast::host {

class ListenerWatch {
 public:
  // The listener that was watched is gone. The endpoint is no longer watched.
  using Gone = std::function<void(const Endpoint& listener)>;

  // Endpoints watched at once.
  static constexpr std::size_t kMaxWatched = 256;

  struct Counters {
    std::uint64_t wakeups = 0;
    std::uint64_t messages = 0;  // that the filter let through
    std::uint64_t lost = 0;  // times that some were lost (ENOBUFS) and all was looked at instead
    std::uint64_t dumps = 0;
    std::uint64_t failed_dumps = 0;  // repeated after 100 ms
  };

  // An error where sock_diag is missing for TCP or its groups cannot be joined. `on_gone` is called
  // from the loop; it may call watch() and forget().
  static io::OsResult<std::unique_ptr<ListenerWatch>> open(io::Loop& loop, Gone on_gone);
  ListenerWatch(const ListenerWatch&) = delete;
  ListenerWatch& operator=(const ListenerWatch&) = delete;
  ~ListenerWatch();

  // Begins to watch what listens on this address of this host: a socket bound to it or to the
  // wildcard, of IPv4, or of IPv6 that serves IPv4 too (as Java's). False: nobody listens there,
  // which proves no death, see above. Costs nothing when it is watched already.
  //
  // Several sockets of one endpoint (SO_REUSEPORT) are watched together: gone is when none is left
  // of those that were there, or have been seen beside one of them. A socket that took the place of
  // the last is another listener: the old one is told as gone, the new one is not watched.
  io::OsResult<bool> watch(const Endpoint& listener);

  // Looks, from the loop, whether it is still there, as upon a notice. For a watched listener whose
  // end is to be expected: the kernel's notice comes after some seconds when a connection to it was
  // half open (SYN received, not answered) as it was closed.
  void look(const Endpoint& listener);

  // No call for it comes after this.
  void forget(const Endpoint& listener);

  [[nodiscard]] bool watches(const Endpoint& listener) const;
  [[nodiscard]] const Counters& counters() const;

 private:
  struct Impl;

  explicit ListenerWatch(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace tribecast::host
