// The daemon's log: one line an event on standard error, with a stable id, a level and, where
// something is to be done, advice. Never a packet, never a key. Bursts of one id are cut to a few
// lines and counted.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "base/time.h"

namespace tribecast::daemon {

enum class Severity : std::uint8_t { error, warning, notice, info };

std::string_view name_of(Severity severity);

class Log {
 public:
  // Is told of each line, those that are cut from the log as well.
  using Watcher = std::function<void(Severity, std::string_view id, std::string_view text)>;
  void watch(Watcher watcher) { watcher_ = std::move(watcher); }

  // `<level> <id> <text>`; under a service manager with its level prefix, else with the time.
  void write(Severity severity, std::string_view id, std::string_view text);

 private:
  struct Budget {
    double tokens = 0;
    Instant filled;
    std::uint64_t suppressed = 0;
  };
  // False when this id has had its lines for now.
  bool admit(std::string_view id, std::uint64_t& suppressed_before);

  std::map<std::string, Budget, std::less<>> budgets_;
  Watcher watcher_;
  bool under_journal_ = false;
  bool asked_journal_ = false;
};

}  // namespace tribecast::daemon
