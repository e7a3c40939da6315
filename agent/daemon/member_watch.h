// How the host sees whether members live: the listeners of local ones, the ports of remote ones,
// and the list of local ones that is kept over restarts of the agent.
//
// Of local listeners the kernel tells (sock_diag). Where it does not (no tcp_diag, a sandbox that
// forbids it, more members than are watched so), a connection is held to each one's port.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "daemon/log.h"
#include "host/listener_watch.h"
#include "io/held_ports.h"
#include "io/loop.h"
#include "io/port_probe.h"
#include "relay/actions.h"
#include "relay/remembered.h"

namespace tribecast::daemon {

class MemberWatch {
 public:
  struct Handlers {
    std::function<void(const Endpoint& listener)> on_gone;
    std::function<void(std::uint64_t token, relay::KnockResult result)> on_knock;
    std::function<void()> on_watched;  // one more than at the last remember()
  };

  // `path`: the file of the list. Opens it, which may need rights; without it the rest works and
  // the log says what is missing.
  MemberWatch(io::Loop& loop, Log& log, Handlers handlers, const std::string& path);
  MemberWatch(const MemberWatch&) = delete;
  MemberWatch& operator=(const MemberWatch&) = delete;
  ~MemberWatch();

  // The members of the agent's last process, once.
  std::vector<relay::MemberRecord> recall();
  void remember(const std::vector<relay::MemberRecord>& members);

  // Watches it; looks at once when it is watched already.
  void watch(const Endpoint& listener);
  void knock(const relay::Knock& knock);

  // How a local member's end is noticed: `sock_diag`, or `held_connections`, also when only some
  // are.
  [[nodiscard]] std::string_view means() const;

 private:
  void hold(const Endpoint& listener, bool was_there);
  void tell_not_watched(const Endpoint& listener);

  io::Loop& loop_;
  Log& log_;
  Handlers handlers_;
  std::string path_;
  int file_ = -1;
  bool write_failed_ = false;
  std::set<Endpoint> watched_before_;  // by the agent's last process; not looked for yet
  std::set<Endpoint> not_watched_;     // that were told about
  std::unique_ptr<host::ListenerWatch> listeners_;  // null: the kernel does not tell
  io::HeldPorts held_;
  io::PortProbe ports_;
};

}  // namespace tribecast::daemon
