// Our own view for those who hold a roll call: the remote members' ports are tried, then what the
// agent knows is written down. Bounded, and done at most once in relay::kViewFresh however many
// ask.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/time.h"
#include "control/view.h"
#include "io/loop.h"
#include "io/port_probe.h"

namespace tribecast::daemon {

class ViewMaker {
 public:
  // Ports that are tried for one view; of more members others have their turn next time.
  static constexpr std::size_t kMaxPorts = 64;
  static constexpr Duration kPortTime = milliseconds(500);
  using Ports = std::vector<control::PortTry>;

  explicit ViewMaker(io::Loop& loop) : ports_(loop) {}

  // Tries these ports; `done` is called from the loop, and at once when there are none. While one
  // is being made: nothing.
  void begin(const std::vector<Endpoint>& members, std::function<void(Ports)> done);
  void keep(Instant now, Buffer view);
  [[nodiscard]] bool is_fresh(Instant now) const;
  [[nodiscard]] bool is_busy() const { return done_ != nullptr; }
  // Empty before the first one.
  [[nodiscard]] const Buffer& view() const { return view_; }
  [[nodiscard]] Duration age(Instant now) const { return now - made_; }

 private:
  void on_outcome(const Endpoint& member, io::ProbeOutcome outcome);

  io::PortProbe ports_;
  std::function<void(Ports)> done_;
  Ports tried_;
  std::size_t waiting_ = 0;
  std::size_t turn_ = 0;  // where the next view begins among the members
  Buffer view_;
  Instant made_;
};

// The part of a status that goes into a view.
control::View to_view(control::Status status, const std::vector<control::ViewGroup>& groups,
                      ViewMaker::Ports ports);

}  // namespace tribecast::daemon
