#include "engine/daemon/multicast.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <utility>

#include "io/sockaddr.h"

namespace tribecast::engine {
namespace {

constexpr std::size_t kMaxDatagram = 65535;
constexpr int kDatagramsInATurn = 64;
constexpr int kReceiveBuffer = 1 << 20;

template <class T>
bool set(int fd, int level, int name, const T& value) {
  return setsockopt(fd, level, name, &value, sizeof value) == 0;
}

}  // namespace

io::OsResult<Address> local_address_towards(const Endpoint& remote) {
  const int family = remote.address.is_v4() ? AF_INET : AF_INET6;
  const std::string what = "route to " + remote.address.to_string();
  const io::Fd fd(socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!fd) return io::os_error(what);
  const io::SockAddr to(remote);
  if (connect(fd.get(), to.get(), to.size()) != 0) return io::os_error(what);
  io::SockAddr own;
  socklen_t size = io::SockAddr::kCapacity;
  if (getsockname(fd.get(), own.get(), &size) != 0) return io::os_error(what);
  return own.endpoint().address;
}

Multicast::Multicast(io::Loop& loop, io::Fd fd, const Endpoint& group)
    : loop_(loop), fd_(std::move(fd)), group_(group), buffer_(new std::uint8_t[kMaxDatagram]) {}

io::OsResult<std::unique_ptr<Multicast>> Multicast::open(io::Loop& loop, const Endpoint& group,
                                                         const Address& local, unsigned ttl_hops) {
  const std::string what = "group " + group.to_string() + " at " + local.to_string();
  io::Fd fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return io::os_error(what);
  ip_mreqn join{};
  join.imr_multiaddr = io::to_in_addr(group.address);
  join.imr_address = io::to_in_addr(local);
  static_cast<void>(set(fd.get(), SOL_SOCKET, SO_RCVBUF, kReceiveBuffer));
  // Shared with the Tomcats of this host.
  if (!set(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1)) return io::os_error(what);
  const io::SockAddr at(group);
  if (bind(fd.get(), at.get(), at.size()) != 0) return io::os_error("bind " + what);
  if (!set(fd.get(), IPPROTO_IP, IP_ADD_MEMBERSHIP, join)) return io::os_error("join " + what);
  const bool sends = set(fd.get(), IPPROTO_IP, IP_MULTICAST_IF, join) &&
                     set(fd.get(), IPPROTO_IP, IP_MULTICAST_TTL, static_cast<int>(ttl_hops)) &&
                     set(fd.get(), IPPROTO_IP, IP_MULTICAST_LOOP, 1) &&
                     set(fd.get(), IPPROTO_IP, IP_MULTICAST_ALL, 0);
  if (!sends) return io::os_error(what);
  return std::unique_ptr<Multicast>(new Multicast(loop, std::move(fd), group));
}

void Multicast::start(std::function<void(Bytes)> on_datagram) {
  on_datagram_ = std::move(on_datagram);
  readable_ = std::make_unique<io::Readable>(loop_, fd_.get(), [this] { on_readable(); });
}

void Multicast::on_readable() {
  for (int i = 0; i < kDatagramsInATurn; ++i) {
    const ssize_t size = recv(fd_.get(), buffer_.get(), kMaxDatagram, MSG_DONTWAIT);
    if (size < 0) return;
    on_datagram_(Bytes(buffer_.get(), static_cast<std::size_t>(size)));
  }
}

io::OsResult<Done> Multicast::send(Bytes datagram) {
  const io::SockAddr to(group_);
  const ssize_t sent = sendto(fd_.get(), datagram.data(), datagram.size(),
                              MSG_DONTWAIT | MSG_NOSIGNAL, to.get(), to.size());
  if (sent < 0) return io::os_error("send to group " + group_.to_string());
  return Done{};
}

}  // namespace tribecast::engine
