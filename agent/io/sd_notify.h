// Tells the service manager how we are (sd_notify(3), NOTIFY_SOCKET; path or abstract).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "io/fd.h"

namespace tribecast::io {

// Without a service manager every call does nothing. Never waits; failures are ignored.
class ServiceNotifier {
 public:
  // Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID from the environment, and removes them.
  ServiceNotifier();

  // Whether anybody listens to what is told here.
  [[nodiscard]] bool active() const { return static_cast<bool>(fd_); }

  void ready() { send("READY=1"); }
  // Ends with ready().
  void reloading();
  void stopping() { send("STOPPING=1"); }
  void status(std::string_view text);
  void watchdog() { send("WATCHDOG=1"); }

  // How often watchdog() must be called, at most; half of what the manager allows.
  [[nodiscard]] std::optional<Duration> watchdog_interval() const { return watchdog_interval_; }

 private:
  void send(std::string_view message);

  Fd fd_;
  std::string address_;  // as in NOTIFY_SOCKET
  std::optional<Duration> watchdog_interval_;
};

}  // namespace tribecast::io
