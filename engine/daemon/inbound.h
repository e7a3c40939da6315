// The TCP listener that members send to: many connections, one frame of each at a time. A frame is
// given out whole; the next one of its connection is read when that one is done, so a member that
// is not answered waits, and nothing piles up here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "base/address.h"
#include "base/bytes.h"
#include "base/time.h"
#include "engine/channel/channel.h"
#include "io/error.h"
#include "io/loop.h"

namespace tribecast::engine {

struct InboundLimits {
  std::size_t connections = 1024;
  std::size_t message_bytes = 0;      // of one frame's data
  std::size_t memory_bytes = 0;       // of all frames that are not whole yet
  Duration frame_time = seconds(30);  // between two reads of a frame that has begun
};

struct InboundCounters {
  std::uint64_t accepted = 0;
  std::uint64_t not_allowed = 0;  // closed as they came: not in the list
  std::uint64_t too_many = 0;     // closed as they came
  std::uint64_t bad_frames = 0;   // the three below, and what the handler refused
  std::uint64_t too_large = 0;
  std::uint64_t no_memory = 0;
  std::uint64_t too_slow = 0;
};

class Inbound {
 public:
  struct Handler {
    // One frame's data, borrowed. False: the connection is of no more use.
    std::function<bool(channel::ConnectionId, Bytes)> on_frame;
    std::function<void(channel::ConnectionId)> on_closed;
    // What is worth a line in the log: `10.0.0.1: a message of more than 268435456 bytes`.
    std::function<void(const std::string&)> on_trouble;
  };

  // Port 0 lets the kernel choose.
  static io::OsResult<std::unique_ptr<Inbound>> open(io::Loop& loop, const Endpoint& listen,
                                                     InboundLimits limits,
                                                     std::vector<Prefix> allow);
  Inbound(const Inbound&) = delete;
  Inbound& operator=(const Inbound&) = delete;
  ~Inbound();

  void start(Handler handler);
  // The frame of that connection is done with, and this is written first.
  void done(const channel::FrameDone& frame);

  [[nodiscard]] const Endpoint& local() const;
  [[nodiscard]] std::size_t connections() const;
  [[nodiscard]] const InboundCounters& counters() const;

 private:
  struct State;
  explicit Inbound(std::shared_ptr<State> state);
  // Owned by this object and by the coroutines in the loop.
  std::shared_ptr<State> state_;
};

}  // namespace tribecast::engine
