// One second of probes at an even rate, and their answers. One at a time.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>

#include "base/time.h"
#include "control/bench.h"
#include "relay/clock_map.h"

namespace tribecast::daemon {

class Bench {
 public:
  static constexpr Duration kLasts = seconds(1);
  static constexpr Duration kGrace = seconds(1);  // for the last answers
  static constexpr Duration kTick = milliseconds(1);
  static constexpr std::size_t kAtOnce = 64;
  using Reply = std::function<void(std::string)>;

  [[nodiscard]] bool running() const { return reply_ != nullptr; }
  [[nodiscard]] const std::string& peer() const { return request_.peer; }
  // `cpu` is what the process has used so far.
  void start(Instant now, Duration cpu, control::BenchRequest request, Reply reply);
  // How many probes are to be sent now, at most kAtOnce; each of them is told by sent().
  [[nodiscard]] std::size_t due(Instant now) const;
  void sent(Instant now, relay::Stamp stamp);
  // True when the answer belongs to it.
  bool answered(const std::string& peer, relay::Stamp stamp, Duration round_trip);
  // Ends it when all is sent and answered, or the time is up.
  void on_timer(Instant now, Duration cpu);
  [[nodiscard]] Instant deadline(Instant now) const;

 private:
  control::BenchRequest request_;
  Reply reply_;
  Instant begun_;
  Instant last_sent_;
  Duration cpu_{};
  std::set<relay::Stamp> waiting_;
  control::BenchResult result_;
};

}  // namespace tribecast::daemon
