#include "io/udp_socket.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "base/check.h"
#include "io/clock.h"
#include "io/sockaddr.h"

namespace tribecast::io {
namespace {

constexpr std::size_t kMaxDatagram = 65535;
// Datagrams fetched by one system call. Buffers are as large as a datagram can be, but memory that
// was never written to is never backed by pages.
constexpr std::size_t kPerCall = 16;

void set_option(int fd, int level, int option, int value) {
  static_cast<void>(setsockopt(fd, level, option, &value, sizeof value));
}

bool require_option(int fd, int level, int option, int value) {
  return setsockopt(fd, level, option, &value, sizeof value) == 0;
}

bool set_options(int fd, bool v4) {
  if (!require_option(fd, SOL_SOCKET, SO_RCVBUFFORCE, UdpSocket::kReceiveBuffer)) {
    set_option(fd, SOL_SOCKET, SO_RCVBUF, UdpSocket::kReceiveBuffer);
  }
  set_option(fd, SOL_SOCKET, SO_RXQ_OVFL, 1);
  if (v4) {
    return require_option(fd, IPPROTO_IP, IP_PKTINFO, 1) &&
           require_option(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE);
  }
  return require_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1) &&
         require_option(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1) &&
         require_option(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_PROBE) &&
         require_option(fd, IPPROTO_IPV6, IPV6_DONTFRAG, 1);
}

SendStatus status_of(int error) {
  switch (error) {
    case EAGAIN:
      return SendStatus::would_block;
    case ENOBUFS:
    case ENOMEM:
      return SendStatus::no_buffers;
    case EMSGSIZE:
      return SendStatus::too_large;
    case ENETUNREACH:
    case EHOSTUNREACH:
    case ENETDOWN:
    case ENODEV:
    case ENXIO:
    case EADDRNOTAVAIL:
    case EAFNOSUPPORT:
    case EINVAL:  // also: the local address is not one of ours
      return SendStatus::unreachable;
    case EPERM:
    case EACCES:
      return SendStatus::denied;
    default:
      return SendStatus::failed;
  }
}

union Control {
  cmsghdr align;
  std::array<std::uint8_t, 128> bytes;
};

// CMSG_NXTHDR compares pointers in a way that g++ warns about; this is the only walk.
template <class Visit>
void for_each_control(msghdr& message, Visit&& visit) {
  for (cmsghdr* c = CMSG_FIRSTHDR(&message); c != nullptr; c = CMSG_NXTHDR(&message, c)) visit(*c);
}

template <class T>
T control_value(const cmsghdr& c) {
  T value{};
  const Bytes raw(CMSG_DATA(&c), std::min(sizeof value, c.cmsg_len - CMSG_LEN(0)));
  std::ranges::copy(raw, reinterpret_cast<std::uint8_t*>(&value));
  return value;
}

// Gives a message that is about to be sent its one control message.
template <class T>
void set_control(msghdr& message, Control& space, int level, int type, const T& value) {
  message.msg_control = &space;
  message.msg_controllen = CMSG_SPACE(sizeof value);
  cmsghdr* c = CMSG_FIRSTHDR(&message);
  c->cmsg_level = level;
  c->cmsg_type = type;
  c->cmsg_len = CMSG_LEN(sizeof value);
  std::copy_n(reinterpret_cast<const std::uint8_t*>(&value), sizeof value, CMSG_DATA(c));
}

void read_control(const cmsghdr& c, UdpSocket::Received& received, std::uint32_t& drops) {
  if (c.cmsg_level == IPPROTO_IP && c.cmsg_type == IP_PKTINFO) {
    const auto info = control_value<in_pktinfo>(c);
    received.local = from(info.ipi_addr);
    received.interface = info.ipi_ifindex;
  } else if (c.cmsg_level == IPPROTO_IPV6 && c.cmsg_type == IPV6_PKTINFO) {
    const auto info = control_value<in6_pktinfo>(c);
    received.local = from(info.ipi6_addr);
    received.interface = static_cast<int>(info.ipi6_ifindex);
  } else if (c.cmsg_level == SOL_SOCKET && c.cmsg_type == SO_RXQ_OVFL) {
    drops = control_value<std::uint32_t>(c);
  }
}

}  // namespace

// What one recvmmsg() fills; reused.
struct UdpSocket::Batch {
  std::unique_ptr<std::uint8_t[]> memory{new std::uint8_t[kPerCall * kMaxDatagram]};
  std::array<SockAddr, kPerCall> remotes;
  std::array<Control, kPerCall> controls{};
  std::array<iovec, kPerCall> vectors{};
  std::array<mmsghdr, kPerCall> messages{};
  std::uint32_t kernel_drops = 0;  // as the kernel counts them, modulo 2^32

  MutableBytes datagram(std::size_t i) {
    return MutableBytes(memory.get(), kPerCall * kMaxDatagram)
        .subspan(i * kMaxDatagram, kMaxDatagram);
  }

  // The kernel overwrites the lengths in each call.
  void prepare() {
    for (std::size_t i = 0; i < kPerCall; ++i) {
      vectors[i] = {datagram(i).data(), kMaxDatagram};
      messages[i].msg_hdr = {};
      messages[i].msg_hdr.msg_name = remotes[i].get();
      messages[i].msg_hdr.msg_namelen = SockAddr::kCapacity;
      messages[i].msg_hdr.msg_iov = &vectors[i];
      messages[i].msg_hdr.msg_iovlen = 1;
      messages[i].msg_hdr.msg_control = &controls[i];
      messages[i].msg_hdr.msg_controllen = sizeof controls[i];
    }
  }
};

// What one sendmmsg() sends; reused.
struct UdpSocket::Outgoing {
  std::array<SockAddr, kBatch> remotes;
  std::array<Control, kBatch> controls{};
  std::array<iovec, kBatch> vectors{};
  std::array<mmsghdr, kBatch> messages{};
  std::array<SendStatus, kBatch> statuses{};
  std::size_t count = 0;

  void add(Bytes datagram, const Endpoint& remote, const Address& local) {
    TC_CHECK(count < kBatch);
    const std::size_t i = count++;
    remotes[i] = SockAddr(remote);
    vectors[i] = {const_cast<std::uint8_t*>(datagram.data()), datagram.size()};
    msghdr& message = messages[i].msg_hdr;
    message = {};
    message.msg_name = remotes[i].get();
    message.msg_namelen = remotes[i].size();
    message.msg_iov = &vectors[i];
    message.msg_iovlen = 1;
    if (local.is_unspecified()) return;
    if (local.is_v4()) {
      in_pktinfo info{};
      info.ipi_spec_dst = to_in_addr(local);
      set_control(message, controls[i], IPPROTO_IP, IP_PKTINFO, info);
    } else {
      in6_pktinfo info{};
      info.ipi6_addr = to_in6_addr(local);
      set_control(message, controls[i], IPPROTO_IPV6, IPV6_PKTINFO, info);
    }
  }

  std::span<mmsghdr> take() { return std::span(messages).first(std::exchange(count, 0)); }
};

OsResult<std::unique_ptr<UdpSocket>> UdpSocket::open(Loop& loop, const Endpoint& listen) {
  const std::string name = listen.to_string() + "/udp";
  const bool v4 = listen.address.is_v4();
  Fd fd(socket(v4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return os_error("socket " + name);
  if (!set_options(fd.get(), v4)) return os_error("set options of " + name);
  const SockAddr wanted(listen);
  if (bind(fd.get(), wanted.get(), wanted.size()) != 0) return os_error("bind " + name);
  SockAddr bound;
  socklen_t size = SockAddr::kCapacity;
  if (getsockname(fd.get(), bound.get(), &size) != 0) return os_error("name of " + name);
  return std::unique_ptr<UdpSocket>(new UdpSocket(loop, std::move(fd), bound.endpoint()));
}

UdpSocket::UdpSocket(Loop& loop, Fd fd, const Endpoint& local)
    : loop_(loop), fd_(std::move(fd)), local_(local), outgoing_(std::make_unique<Outgoing>()) {}

UdpSocket::~UdpSocket() = default;

void UdpSocket::start(std::function<void(const Received&)> on_datagram,
                      std::function<void()> on_drained) {
  on_datagram_ = std::move(on_datagram);
  on_drained_ = std::move(on_drained);
  if (!batch_) batch_ = std::make_unique<Batch>();
  if (!readable_)
    readable_ = std::make_unique<Readable>(loop_, fd_.get(), [this] { on_readable(); });
}

void UdpSocket::on_readable() {
  const Instant now = io::now();
  for (std::size_t handled = 0; handled < kBatch; handled += kPerCall) {
    if (receive(now, kPerCall) < kPerCall) break;
  }
  if (on_drained_) on_drained_();
}

std::size_t UdpSocket::receive(Instant now, std::size_t limit) {
  batch_->prepare();
  const int n = recvmmsg(fd_.get(), batch_->messages.data(), static_cast<unsigned>(limit),
                         MSG_DONTWAIT, nullptr);
  if (n < 0) {
    // Errors that ICMP left on the socket are taken away by being read; the next turn goes on.
    if (errno != EAGAIN && errno != EINTR) ++counters_.receive_errors;
    return 0;
  }
  const auto count = static_cast<std::size_t>(n);
  for (std::size_t i = 0; i < count; ++i) {
    mmsghdr& message = batch_->messages[i];
    Received received;
    received.now = now;
    received.remote = batch_->remotes[i].endpoint();
    received.datagram = batch_->datagram(i).first(message.msg_len);
    std::uint32_t drops = batch_->kernel_drops;
    for_each_control(message.msg_hdr, [&](const cmsghdr& c) { read_control(c, received, drops); });
    counters_.kernel_drops += drops - batch_->kernel_drops;
    batch_->kernel_drops = drops;
    ++counters_.received;
    on_datagram_(received);
  }
  return count;
}

SendStatus UdpSocket::send(Bytes datagram, const Endpoint& remote, const Address& local) {
  queue(datagram, remote, local);
  return flush().front();
}

void UdpSocket::queue(Bytes datagram, const Endpoint& remote, const Address& local) {
  outgoing_->add(datagram, remote, local);
}

// The kernel stops at the first message that fails and tells why only when it is the first.
std::span<const SendStatus> UdpSocket::flush() {
  const std::span<mmsghdr> messages = outgoing_->take();
  const std::span<SendStatus> statuses = std::span(outgoing_->statuses).first(messages.size());
  std::size_t done = 0;
  bool again = true;
  while (done < messages.size()) {
    const auto rest = messages.subspan(done);
    const int n = sendmmsg(fd_.get(), rest.data(), static_cast<unsigned>(rest.size()),
                           MSG_DONTWAIT | MSG_NOSIGNAL);
    // A second attempt, because the first may only fetch an error that an ICMP message left behind.
    const bool left_behind = n <= 0 && (errno == ECONNREFUSED || errno == EINTR);
    if (left_behind && std::exchange(again, false)) continue;
    again = true;
    const auto count = n > 0 ? static_cast<std::size_t>(n) : 1;
    const SendStatus failure = left_behind ? SendStatus::failed : status_of(errno);
    std::ranges::fill(statuses.subspan(done, count), n > 0 ? SendStatus::sent : failure);
    done += count;
  }
  for (const SendStatus status : statuses) ++counters_.sends[status];
  return statuses;
}

}  // namespace tribecast::io
