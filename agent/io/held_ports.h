// Holds an idle TCP connection to each of some ports of this host: its end tells at once, without
// any right, that who served the port may be gone. For where the kernel does not tell of listeners
// (host/listener_watch.h).
//
// The end of a connection proves nothing: a server may close idle ones, or shut one that it is too
// busy for. So the port is then asked (PortProbe): only when it refuses, and nothing else knows of
// a listener there, it is told as gone. One that still accepts gets a new connection: the first at
// once, later ones after 1 s, doubled up to a minute while they do not last a minute each. One that
// does not answer (its process stopped, its backlog full) is asked again in the same way.
//
// The server sees one more connection, on which nothing is ever sent. Idle costs nothing: no
// keep-alive, no timer.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>

#include "base/address.h"
#include "base/time.h"
#include "io/deadline_timer.h"
#include "io/fd.h"
#include "io/loop.h"
#include "io/port_probe.h"
#include "io/readable.h"

namespace tribecast::io {

class HeldPorts {
 public:
  struct Handlers {
    // It answered before, and refuses now. The port is no longer held. May call hold().
    std::function<void(const Endpoint& port)> on_gone;
    // It refuses and never answered, which proves no death. The port is no longer held.
    std::function<void(const Endpoint& port)> on_nobody;
    // It has answered for the first time: from now on watches() says so.
    std::function<void(const Endpoint& port)> on_answered;
    // Whether somebody is known to listen there although it refuses: a packet filter does.
    std::function<bool(const Endpoint& port)> is_listed;
  };

  // Ports held at once.
  static constexpr std::size_t kMaxHeld = 256;
  static constexpr Duration kShortestPause = seconds(1);
  static constexpr Duration kLongestPause = seconds(60);

  HeldPorts(Loop& loop, Handlers handlers);
  HeldPorts(const HeldPorts&) = delete;
  HeldPorts& operator=(const HeldPorts&) = delete;
  ~HeldPorts() = default;

  // Connects, and goes on until the port is gone. `answered_before`: it is known that somebody has
  // listened there, so a refusal is an end. Costs nothing when it is held already. False: there is
  // no room.
  bool hold(const Endpoint& port, bool answered_before);

  // Whether its end would be told: it has answered, and is held or asked again and again.
  [[nodiscard]] bool watches(const Endpoint& port) const;
  [[nodiscard]] std::size_t size() const { return held_.size(); }

 private:
  struct Held {
    Fd fd;  // none while a pause lasts, or the port is asked
    std::unique_ptr<Readable> ready;
    bool answered = false;
    Instant connected = kNever;  // kNever: it is not
    Duration pause{};            // before the next connection
    Instant next = kNever;       // when that is; kNever while nothing is waited for
  };

  void open(const Endpoint& port, Held& held);
  void on_connected(const Endpoint& port);
  void on_readable(const Endpoint& port);
  void ask(const Endpoint& port);
  void on_answer(const Endpoint& port, ProbeOutcome outcome);
  void open_later(Held& held);
  void on_timer();
  void arm();

  Loop& loop_;
  Handlers handlers_;
  std::map<Endpoint, Held> held_;
  PortProbe probe_;
  DeadlineTimer timer_;
};

}  // namespace tribecast::io
