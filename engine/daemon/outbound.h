// Connections to members: one each, which is what keeps messages in order. A message that asks for
// an acknowledgement has it before the next one is written. What fails is tried once more, on a new
// connection. Before anything is written on a connection that was idle, its end is looked for:
// bytes that go to a process that is gone are lost without an error.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

#include "base/address.h"
#include "base/time.h"
#include "engine/channel/channel.h"
#include "io/loop.h"

namespace tribecast::engine {

struct OutboundLimits {
  std::size_t memory_bytes = 0;   // that wait for one member
  Duration timeout = seconds(3);  // to connect, to write a message, for its acknowledgement
  Duration idle = seconds(60);    // then the connection is closed
  std::size_t members = 4096;     // lanes at once
};

struct OutboundCounters {
  std::uint64_t connects = 0;
  std::uint64_t stale = 0;  // idle connections that had ended
  std::uint64_t repeats = 0;
  std::uint64_t no_room = 0;
};

class Outbound {
 public:
  struct Handler {
    std::function<void(channel::TransmitId, channel::SendOutcome)> on_transmitted;
    std::function<void(const tribes::Identity&, channel::ProbeResult)> on_probed;
  };

  // TcpFailureDetector's connectTimeout.
  static constexpr Duration kProbeTimeout = seconds(1);

  Outbound(io::Loop& loop, OutboundLimits limits, Handler handler);
  Outbound(const Outbound&) = delete;
  Outbound& operator=(const Outbound&) = delete;
  // What is on its way has no outcome any more.
  ~Outbound();

  // The outcome comes from the loop, never from inside this call.
  void transmit(channel::Transmit transmit);
  // Opens a new connection, writes the frame and closes it.
  void probe(channel::Probe probe);
  // That member is gone: closes the connection to it, and what waits for it has failed. What is for
  // another one at its endpoint goes on, on a new connection.
  void disconnect(const tribes::Identity& member, const Endpoint& endpoint);

  // Nothing waits to be sent.
  [[nodiscard]] bool idle() const;
  [[nodiscard]] const OutboundCounters& counters() const;

 private:
  struct State;
  // Owned by this object and by the coroutines in the loop.
  std::shared_ptr<State> state_;
};

}  // namespace tribecast::engine
