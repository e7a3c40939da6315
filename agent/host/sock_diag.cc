#include "host/sock_diag.h"

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstddef>

#include "base/check.h"

namespace tribecast::host {
namespace {

// Netlink pads messages and attributes to 4 bytes; the last one may lack its padding.
constexpr std::size_t kAlignment = 4;

// Where the filter looks, from the beginning of the message.
constexpr std::uint32_t kStateAt = sizeof(nlmsghdr) + offsetof(inet_diag_msg, idiag_state);
constexpr std::uint32_t kPortAt = sizeof(nlmsghdr) + offsetof(inet_diag_msg, id.idiag_sport);
constexpr std::uint32_t kRemotePortAt = sizeof(nlmsghdr) + offsetof(inet_diag_msg, id.idiag_dport);
static_assert(kStateAt == 17 && kPortAt == 20 && kRemotePortAt == 22);

template <class T>
T host_order(ByteReader& in) {
  return std::bit_cast<T>(in.array<sizeof(T)>());
}

// The rest of a message or attribute of `length` bytes, `header` of which are read; then padding.
std::optional<Bytes> take_body(ByteReader& in, std::size_t length, std::size_t header) {
  if (length < header || length - header > in.left()) return std::nullopt;
  const Bytes body = in.take(length - header);
  const std::size_t padding = (kAlignment - length % kAlignment) % kAlignment;
  in.take(std::min(padding, in.left()));
  return body;
}

std::optional<Address> address_of(std::uint8_t family, Bytes field) {
  if (family == AF_INET) return Address::from_bytes(field.first(sizeof(in_addr)));
  if (family == AF_INET6) return Address::from_bytes(field);
  return std::nullopt;
}

bool read_attributes(ByteReader& in, DiagSocket& socket) {
  while (in.left() > 0) {
    const auto length = host_order<std::uint16_t>(in);
    const auto type = host_order<std::uint16_t>(in);
    const auto value = take_body(in, length, sizeof(nlattr));
    if (!in.ok() || !value) return false;
    if (type == INET_DIAG_SKV6ONLY) socket.v6_only = !value->empty() && value->front() != 0;
  }
  return true;
}

// struct inet_diag_msg, field by field, then its attributes.
std::optional<DiagSocket> read_socket(Bytes message) {
  ByteReader in(message);
  DiagSocket socket;
  const std::uint8_t family = in.u8();
  socket.state = in.u8();
  in.take(2);  // timer, retransmissions
  socket.local.port = in.u16be();
  socket.remote_port = in.u16be();
  const auto source = in.array<sizeof(in6_addr)>();
  in.take(sizeof(in6_addr) + sizeof(std::uint32_t));  // destination, interface
  const std::uint64_t low = host_order<std::uint32_t>(in);
  const std::uint64_t high = host_order<std::uint32_t>(in);
  socket.cookie = high << 32U | low;
  in.take(5 * sizeof(std::uint32_t));  // expires, receive and send queue, uid, inode
  const auto address = address_of(family, source);
  if (!in.ok() || !address || !read_attributes(in, socket)) return std::nullopt;
  socket.local.address = *address;
  return socket;
}

// The kernel writes errors as negative numbers.
bool read_error(Bytes message, int& error) {
  ByteReader in(message);
  const auto code = host_order<std::int32_t>(in);
  if (!in.ok() || code > 0 || code < -4095) return false;
  error = -code;
  return true;
}

bool read_message(std::uint16_t type, Bytes message, DiagMessages& out) {
  switch (type) {
    case SOCK_DIAG_BY_FAMILY: {
      const auto socket = read_socket(message);
      if (socket) out.sockets.push_back(*socket);
      return socket.has_value();
    }
    case NLMSG_DONE:
    case NLMSG_ERROR:
      out.done = true;
      return read_error(message, out.error);
    case NLMSG_OVERRUN:
      out.error = ENOBUFS;
      return true;
    default:
      return true;
  }
}

}  // namespace

std::optional<DiagMessages> parse_diag(Bytes datagram) {
  DiagMessages out;
  ByteReader in(datagram);
  while (in.left() > 0) {
    const auto length = host_order<std::uint32_t>(in);
    const auto type = host_order<std::uint16_t>(in);
    in.take(sizeof(nlmsghdr) - sizeof length - sizeof type);  // flags, sequence, port
    if (!in.ok()) return std::nullopt;
    const auto body = take_body(in, length, sizeof(nlmsghdr));
    if (!body || !read_message(type, *body, out)) return std::nullopt;
  }
  return out;
}

bool listens_on(const DiagSocket& socket, const Endpoint& endpoint) {
  if (socket.state != TCP_LISTEN || socket.local.port != endpoint.port) return false;
  const Address& at = socket.local.address;
  if (at == endpoint.address) return true;
  if (!at.is_unspecified()) return false;
  return at.is_v4() == endpoint.address.is_v4() || (!at.is_v4() && !socket.v6_only);
}

bool may_be_ended_listener(const DiagSocket& socket) {
  return socket.state == TCP_CLOSE && socket.remote_port == 0;
}

std::vector<sock_filter> destroy_filter(std::span<const std::uint16_t> ports) {
  TC_CHECK(ports.size() <= kMaxFilterPorts);
  constexpr std::uint32_t kWhole = 0xffffffff;
  const sock_filter refuse = BPF_STMT(BPF_RET | BPF_K, 0);
  std::vector<sock_filter> program;
  const auto add = [&](const sock_filter& step) { program.push_back(step); };
  // Skips the next step when equal.
  const auto skip_if = [&](std::uint32_t value) {
    add(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 1, 0));
  };
  if (!ports.empty()) {
    add(BPF_STMT(BPF_LD | BPF_B | BPF_ABS, kStateAt));
    skip_if(TCP_CLOSE);
    add(refuse);
    add(BPF_STMT(BPF_LD | BPF_H | BPF_ABS, kRemotePortAt));
    skip_if(0);
    add(refuse);
    add(BPF_STMT(BPF_LD | BPF_H | BPF_ABS, kPortAt));  // a load is from network order
  }
  for (const std::uint16_t port : ports) {
    add(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, port, 0, 1));
    add(BPF_STMT(BPF_RET | BPF_K, kWhole));
  }
  add(refuse);
  return program;
}

}  // namespace tribecast::host
