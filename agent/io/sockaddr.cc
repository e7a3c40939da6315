#include "io/sockaddr.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

namespace tribecast::io {
namespace {

// Of either side, as getsockname() or getpeername() tells it.
template <class Ask>
std::optional<Endpoint> name_of(int fd, Ask&& ask) {
  SockAddr name;
  socklen_t size = SockAddr::kCapacity;
  if (ask(fd, name.get(), &size) != 0) return std::nullopt;
  return name.endpoint();
}

}  // namespace

std::optional<Endpoint> local_name(int socket) { return name_of(socket, getsockname); }

std::optional<Endpoint> remote_name(int socket) { return name_of(socket, getpeername); }

bool meets_itself(int socket) {
  const auto remote = remote_name(socket);
  return remote && remote == local_name(socket);
}

SockAddr::SockAddr(const Endpoint& endpoint) {
  if (endpoint.address.is_v4()) {
    any_.v4 = {};
    any_.v4.sin_family = AF_INET;
    any_.v4.sin_port = htons(endpoint.port);
    any_.v4.sin_addr = to_in_addr(endpoint.address);
  } else {
    any_.v6 = {};
    any_.v6.sin6_family = AF_INET6;
    any_.v6.sin6_port = htons(endpoint.port);
    any_.v6.sin6_addr = to_in6_addr(endpoint.address);
  }
}

Endpoint SockAddr::endpoint() const {
  if (any_.base.sa_family == AF_INET) return {from(any_.v4.sin_addr), ntohs(any_.v4.sin_port)};
  if (any_.base.sa_family == AF_INET6) return {from(any_.v6.sin6_addr), ntohs(any_.v6.sin6_port)};
  return {};
}

in_addr to_in_addr(const Address& v4) { return {htonl(v4.v4_host_order())}; }

in6_addr to_in6_addr(const Address& v6) {
  in6_addr raw{};
  std::ranges::copy(v6.bytes(), raw.s6_addr);
  return raw;
}

Address from(const in_addr& raw) { return Address::v4(ntohl(raw.s_addr)); }

Address from(const in6_addr& raw) {
  return Address::from_bytes(Bytes(raw.s6_addr)).value_or(Address());
}

int take_error(int fd) {
  int error = 0;
  socklen_t size = sizeof error;
  return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

}  // namespace tribecast::io
