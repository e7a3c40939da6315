// Carries packets between the TUN devices of the hosts as the Model decides, and answers commands.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "io/deadline_timer.h"
#include "io/loop.h"
#include "io/readable.h"
#include "vpcsim/model.h"
#include "vpcsim/queue.h"
#include "vpcsim/tap.h"
#include "vpcsim/tun.h"

namespace tribecast::vpcsim {

class Router {
 public:
  // One device a host of the model, in its order. `tap` may be null.
  Router(io::Loop& loop, Model model, std::vector<Tun> tuns, std::unique_ptr<Tap> tap);
  Router(const Router&) = delete;
  Router& operator=(const Router&) = delete;
  ~Router() = default;

  // The answer to a line of the control socket: `ok`, `error: ...` or JSON, with a line end.
  std::string answer(std::string_view line);

 private:
  static constexpr int kBatch = 64;
  // Between the answer to `quit` and the end.
  static constexpr Duration kFarewell = milliseconds(20);
  static constexpr std::size_t kLargestPacket = 65535;

  void on_readable(HostId from);
  void on_packet(Instant now, HostId from, MutableBytes packet);
  void deliver(HostId from, HostId to, Bytes packet);
  void deliver_due(Instant now);
  void end_batch();
  std::string carry_out(const Command& command);

  Model model_;
  std::vector<std::string> names_;
  std::vector<Tun> tuns_;
  std::unique_ptr<Tap> tap_;
  Duration stamp_{};  // of this batch, for the tap
  Queue queue_;
  std::array<std::uint8_t, kLargestPacket> buffer_{};
  io::DeadlineTimer timer_;
  io::DeadlineTimer end_;
  std::vector<std::unique_ptr<io::Readable>> readables_;
};

}  // namespace tribecast::vpcsim
