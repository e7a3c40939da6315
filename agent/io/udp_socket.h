// The transport's socket: one for each `listen` endpoint, IPv4 or IPv6.
//
// Don't-fragment is set on all that is sent and the kernel's path MTU cache is not consulted, so
// that the caller does its own path MTU discovery: what exceeds the interface's MTU is reported as
// too_large, what exceeds the path's is lost. ICMP errors never show.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "base/address.h"
#include "base/bytes.h"
#include "base/time.h"
#include "io/error.h"
#include "io/fd.h"
#include "io/loop.h"
#include "io/readable.h"

namespace tribecast::io {

enum class SendStatus : std::uint8_t {
  sent,
  would_block,  // EAGAIN: the send buffer is full
  no_buffers,   // ENOBUFS, ENOMEM: the interface's queue is full
  too_large,    // EMSGSIZE: above the interface's MTU, with don't-fragment
  unreachable,  // no route, interface down or gone, the local address is not ours (any more)
  denied,       // EPERM, EACCES: a local firewall
  failed,       // anything else
};
inline constexpr std::size_t kSendStatusCount = 7;

// How many of a number of sends ended in each way.
struct SendCounts {
  std::array<std::uint64_t, kSendStatusCount> by_status{};

  std::uint64_t& operator[](SendStatus s) { return by_status[static_cast<std::size_t>(s)]; }
  std::uint64_t operator[](SendStatus s) const { return by_status[static_cast<std::size_t>(s)]; }
};

struct UdpCounters {
  SendCounts sends;
  std::uint64_t received = 0;
  std::uint64_t receive_errors = 0;
  std::uint64_t kernel_drops = 0;  // receive buffer full (SO_RXQ_OVFL), known at the next receipt
};

class UdpSocket {
 public:
  struct Received {
    Instant now;  // when this wake-up began
    Endpoint remote;
    Address local;      // the destination address of the datagram
    int interface = 0;  // index
    Bytes datagram;     // borrowed until the callback returns
  };

  // Bytes of receive buffer that are asked for; with CAP_NET_ADMIN granted in full, otherwise up to
  // net.core.rmem_max.
  static constexpr int kReceiveBuffer = 4 << 20;
  // Datagrams handled in one wake-up, and sent by one system call.
  static constexpr std::size_t kBatch = 64;

  static OsResult<std::unique_ptr<UdpSocket>> open(Loop& loop, const Endpoint& listen);
  UdpSocket(const UdpSocket&) = delete;
  UdpSocket& operator=(const UdpSocket&) = delete;
  ~UdpSocket();

  // From now on each datagram is given to `on_datagram`, at most kBatch in a turn of the loop, then
  // `on_drained` (may be empty) is called once.
  void start(std::function<void(const Received&)> on_datagram, std::function<void()> on_drained);

  // Never waits. An unspecified `local` leaves the source address to the kernel. `remote` must be
  // of the family of the socket, else `unreachable`.
  SendStatus send(Bytes datagram, const Endpoint& remote, const Address& local);

  // One send() for each path: anything with the members `remote` (Endpoint) and `local` (Address).
  // Each status is also given to `on_status(path, status)` unless it is `sent`.
  template <class Path, class OnStatus>
  void send_to_all(Bytes datagram, std::span<const Path> paths, OnStatus&& on_status) {
    while (!paths.empty()) {
      const auto batch = paths.first(std::min(paths.size(), kBatch));
      for (const Path& path : batch) queue(datagram, path.remote, path.local);
      const std::span<const SendStatus> statuses = flush();
      for (std::size_t i = 0; i < batch.size(); ++i) {
        if (statuses[i] != SendStatus::sent) on_status(batch[i], statuses[i]);
      }
      paths = paths.subspan(batch.size());
    }
  }

  // The bound endpoint, with the port the kernel chose if 0 was asked for.
  [[nodiscard]] const Endpoint& local() const { return local_; }
  [[nodiscard]] const UdpCounters& counters() const { return counters_; }

 private:
  struct Batch;
  struct Outgoing;

  UdpSocket(Loop& loop, Fd fd, const Endpoint& local);
  void on_readable();
  // The number of datagrams handled; less than asked for when nothing is left.
  std::size_t receive(Instant now, std::size_t limit);
  // At most kBatch are queued, then flushed: sent, with a status for each, valid until the next.
  void queue(Bytes datagram, const Endpoint& remote, const Address& local);
  std::span<const SendStatus> flush();

  Loop& loop_;
  Fd fd_;
  Endpoint local_;
  UdpCounters counters_;
  std::unique_ptr<Batch> batch_;
  std::unique_ptr<Outgoing> outgoing_;
  std::function<void(const Received&)> on_datagram_;
  std::function<void()> on_drained_;
  std::unique_ptr<Readable> readable_;
};

}  // namespace tribecast::io
