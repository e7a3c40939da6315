// The host's interfaces, addresses and routes, followed through netlink (libnl).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "io/error.h"
#include "io/loop.h"

namespace tribecast::host {

struct Interface {
  int index = 0;
  std::string name;
  bool up = false;       // IFF_UP: can send
  bool carrier = false;  // IFF_RUNNING: a link is there
  bool loopback = false;
  bool multicast = false;
  std::uint32_t mtu_bytes = 0;
  std::vector<Address> addresses;  // sorted

  bool operator==(const Interface&) const = default;
};

// A value: compare two of them to know whether anything changed.
struct HostView {
  std::vector<Interface> interfaces;  // by index

  [[nodiscard]] const Interface* find(int index) const;
  [[nodiscard]] const Interface* find(std::string_view name) const;
  // An address of one of the interfaces, or in 127.0.0.0/8.
  [[nodiscard]] bool is_local(const Address& address) const;

  bool operator==(const HostView&) const = default;
};

// What happened since the last callback.
struct HostChange {
  bool links = false;   // links or addresses; also set when the kernel lost notifications
  bool routes = false;  // ask route_interface() again
  // Interfaces of which a link or address notification came, though the view may look as before
  // (down and up again, or removed and made again under the same index): memberships there must be
  // joined again. All interfaces, when notifications were lost.
  std::vector<int> touched;
};

struct RouteInterface {
  int index = 0;
  bool loopback = false;  // the route leads to lo: nothing of it leaves this host
};

class LinkMonitor {
 public:
  using Changed = std::function<void(const HostChange&)>;

  // Subscribes, then reads the view, so that no change is missed. `changed` is called from the loop
  // and from drain(): at once for links and addresses, at most every 100 ms for routes alone.
  static io::OsResult<std::unique_ptr<LinkMonitor>> open(io::Loop& loop, Changed changed);
  LinkMonitor(const LinkMonitor&) = delete;
  LinkMonitor& operator=(const LinkMonitor&) = delete;
  ~LinkMonitor();

  [[nodiscard]] const HostView& view() const;

  // The interface by which the kernel would send to `group` (IPv4); nullopt: no route.
  [[nodiscard]] std::optional<RouteInterface> route_interface(const Address& group);

  // Handles the link and address notifications that wait, now, `changed` included. One system call
  // when there is none. To be called before injections.
  void drain();

 private:
  struct Impl;

  explicit LinkMonitor(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace tribecast::host
