#include "host/injector.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "io/sockaddr.h"

namespace tribecast::host {
namespace {

// As a Linux device does, and what RFC 791 demands at least.
constexpr std::uint32_t kSmallestMtu = 68;
constexpr std::uint32_t kLargestMtu = 65535;

union Control {
  cmsghdr align;
  std::array<std::uint8_t, CMSG_SPACE(sizeof(in_pktinfo))> bytes;
};

InjectStatus status_of(int error) {
  switch (error) {
    case EAGAIN:
    case ENOBUFS:
    case ENOMEM:
      return InjectStatus::no_buffers;
    case ENETUNREACH:
    case EHOSTUNREACH:
    case ENETDOWN:
    case ENODEV:
    case ENXIO:
    case EINVAL:
      return InjectStatus::unreachable;
    case EMSGSIZE:
      return InjectStatus::too_large;
    default:
      return InjectStatus::failed;
  }
}

}  // namespace

io::OsResult<Injector> Injector::open(Membership& membership) {
  io::Fd fd(socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_RAW));
  if (!fd) return io::os_error("raw socket (needs CAP_NET_RAW)");
  const int on = 1;
  if (setsockopt(fd.get(), IPPROTO_IP, IP_HDRINCL, &on, sizeof on) != 0 ||
      setsockopt(fd.get(), IPPROTO_IP, IP_MULTICAST_LOOP, &on, sizeof on) != 0) {
    return io::os_error("options of the raw socket");
  }
  return Injector(std::move(fd), membership);
}

InjectStatus Injector::inject(Instant now, const packet::Datagram& datagram, int interface,
                              std::uint32_t mtu_bytes) {
  if (datagram.payload.size() > packet::kMaxUdpPayload) return InjectStatus::too_large;
  // Without a membership the kernel would not loop the packet back but send it out, TTL 0 or not.
  if (!membership_->holds(now, datagram.group.address, interface)) return InjectStatus::not_member;
  packet::ComposeOptions options;
  options.mtu_bytes = static_cast<std::uint16_t>(std::clamp(mtu_bytes, kSmallestMtu, kLargestMtu));
  options.id = next_id_++;
  if (next_id_ == 0) next_id_ = 1;  // 0 lets the kernel choose, for each fragment another
  for (const Buffer& packet : packet::compose(datagram, options)) {
    const InjectStatus status = send(packet, datagram.group.address, interface);
    if (status != InjectStatus::injected) return status;
  }
  return InjectStatus::injected;
}

InjectStatus Injector::send(Bytes packet, const Address& group, int interface) {
  io::SockAddr to(Endpoint{group, 0});
  iovec vector{const_cast<std::uint8_t*>(packet.data()), packet.size()};
  Control control{};
  msghdr message{};
  message.msg_name = to.get();
  message.msg_namelen = to.size();
  message.msg_iov = &vector;
  message.msg_iovlen = 1;
  message.msg_control = &control;
  message.msg_controllen = sizeof control;
  in_pktinfo info{};
  info.ipi_ifindex = interface;
  cmsghdr* c = CMSG_FIRSTHDR(&message);
  c->cmsg_level = IPPROTO_IP;
  c->cmsg_type = IP_PKTINFO;
  c->cmsg_len = CMSG_LEN(sizeof info);
  std::copy_n(reinterpret_cast<const std::uint8_t*>(&info), sizeof info, CMSG_DATA(c));
  const ssize_t n = sendmsg(fd_.get(), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  return n >= 0 ? InjectStatus::injected : status_of(errno);
}

}  // namespace tribecast::host
