// Whether something answers at a TCP port of another host: connects, tells how that went, closes at
// once; sends nothing.
//
// A fault of this host must never look like the other's death, so what this host's own kernel
// refuses is not_tried. That cannot be seen for all: a packet filter of this host that silently
// drops, or answers with a TCP reset, looks like the other side.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>

#include "base/address.h"
#include "base/time.h"
#include "io/deadline_timer.h"
#include "io/loop.h"

namespace tribecast::io {

enum class ProbeOutcome : std::uint8_t {
  accepted,   // connected, if only for a moment: the port is served, perhaps by a stopped process
  refused,    // TCP reset: the host is there, nobody listens
  no_answer,  // nothing in time (also: the backlog is full), or the network says unreachable
  not_tried,  // for want of a route, an interface, a carrier, descriptors, ports or permission here
};

// An error message of ICMP for a connection (linux/errqueue.h).
struct IcmpError {
  bool from_self = false;         // this host made it: its neighbour lookup, or its packet filter
  bool host_unreachable = false;  // which is what a neighbour lookup says
};

// Pure. How a connection ended that was on its way: `error` as SO_ERROR has it, 0 only
// beside an ICMP message. A refusal by ICMP is a packet filter's: no proof about the process.
ProbeOutcome probe_outcome(int error, const std::optional<IcmpError>& icmp);

class PortProbe {
 public:
  using Answer = std::function<void(ProbeOutcome)>;

  // Probes at once; one more is not_tried.
  static constexpr std::size_t kMaxProbes = 256;
  // Connections begun for one probe, evenly spaced in its time: the kernel repeats a lost SYN after
  // a second only. The later ones are left out while kMaxProbes sockets are open, so there are
  // never twice as many.
  static constexpr std::size_t kAttempts = 3;

  explicit PortProbe(Loop& loop);
  PortProbe(const PortProbe&) = delete;
  PortProbe& operator=(const PortProbe&) = delete;
  // Outstanding probes are dropped: their answers are not called.
  ~PortProbe();

  // `answer` is called once, from the loop, when the outcome is known and after `limit` at the
  // latest. It may probe again.
  void probe(const Endpoint& remote, Duration limit, Answer answer);

  [[nodiscard]] std::size_t outstanding() const { return probes_.size(); }

 private:
  struct Attempt;
  struct Probe;
  using Id = std::uint64_t;

  std::optional<ProbeOutcome> begin_attempt(Id id, Probe& probe);
  void on_ready(Id id, const Attempt& attempt);
  static ProbeOutcome last_look(const Probe& probe);
  void on_timer();
  void on_time(Id id, Instant now);
  void arm();
  void finish(Id id, ProbeOutcome outcome);
  void answer_later(Answer answer, ProbeOutcome outcome);

  Loop& loop_;
  std::map<Id, std::unique_ptr<Probe>> probes_;
  Id next_id_ = 0;
  std::size_t sockets_ = 0;
  DeadlineTimer timer_;
  // Owned here alone; answers on their way through the loop hold a weak_ptr.
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace tribecast::io
