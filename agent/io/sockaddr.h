// Endpoints as the kernel wants them.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <optional>

#include "base/address.h"

namespace tribecast::io {

// A socket address of either family and its length.
class SockAddr {
 public:
  SockAddr() = default;
  explicit SockAddr(const Endpoint& endpoint);

  [[nodiscard]] const sockaddr* get() const { return &any_.base; }
  sockaddr* get() { return &any_.base; }
  [[nodiscard]] socklen_t size() const {
    return any_.base.sa_family == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
  }
  static constexpr socklen_t kCapacity = sizeof(sockaddr_in6);

  // The wildcard, port 0, when it is of neither family.
  [[nodiscard]] Endpoint endpoint() const;

 private:
  union Any {
    sockaddr base;
    sockaddr_in v4;
    sockaddr_in6 v6;
  };
  Any any_ = {.v6 = {}};
};

// The addresses of a connected socket's two sides; the remote one is
// nullopt while there is no connection.
std::optional<Endpoint> local_name(int socket);
std::optional<Endpoint> remote_name(int socket);
// With nobody listening, a connection to an ephemeral port of this host may meet itself.
bool meets_itself(int socket);

in_addr to_in_addr(const Address& v4);
in6_addr to_in6_addr(const Address& v6);
Address from(const in_addr& raw);
Address from(const in6_addr& raw);

// The error that waits at a socket (SO_ERROR), which is cleared; 0 = none.
int take_error(int fd);

}  // namespace tribecast::io
