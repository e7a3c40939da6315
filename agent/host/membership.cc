#include "host/membership.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <optional>

#include "io/sockaddr.h"

namespace tribecast::host {
namespace {

bool change(int fd, int option, const Address& group, int interface) {
  ip_mreqn request{};
  request.imr_multiaddr = io::to_in_addr(group);
  request.imr_ifindex = interface;
  return setsockopt(fd, IPPROTO_IP, option, &request, sizeof request) == 0;
}

io::OsResult<io::Fd> joining_socket() {
  io::Fd fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return io::os_error("socket for group memberships");
  const int off = 0;
  if (setsockopt(fd.get(), IPPROTO_IP, IP_MULTICAST_ALL, &off, sizeof off) != 0) {
    return io::os_error("IP_MULTICAST_ALL");
  }
  return fd;
}

std::string describe(const Address& group, int interface) {
  return "join " + group.to_string() + " on interface " + std::to_string(interface);
}

}  // namespace

io::OsResult<Membership> Membership::open() {
  const char* path = "/proc/self/net/igmp";  // ProcSubset=pid of systemd hides /proc/net
  io::Fd list(::open(path, O_RDONLY | O_CLOEXEC));
  if (!list) return io::os_error(std::string("open ") + path);
  return Membership(std::move(list));
}

io::OsResult<Done> Membership::join(const Address& group, int interface) {
  if (!group.is_v4() || !group.is_multicast()) {
    return Unexpected{
        io::OsError{EINVAL, describe(group, interface), "not an IPv4 multicast address"}};
  }
  Own& own = own_[{interface, group}];
  if (own.held) return Done{};
  const auto socket = join_somewhere(group, interface);
  if (!socket) return Unexpected{socket.error()};
  own = {*socket, true};
  forget_snapshot();
  return Done{};
}

// The index of the socket that holds it.
io::OsResult<std::size_t> Membership::join_somewhere(const Address& group, int interface) {
  for (std::size_t i = 0;; ++i) {
    if (i == sockets_.size()) {
      auto fd = joining_socket();
      if (!fd) return Unexpected{fd.error()};
      sockets_.push_back({std::move(*fd), 0, false});
    }
    Socket& socket = sockets_[i];
    if (socket.full) continue;
    if (change(socket.fd.get(), IP_ADD_MEMBERSHIP, group, interface)) {
      ++socket.joins;
      return i;
    }
    // ENOBUFS: the socket has its igmp_max_memberships. An empty one has no room for another
    // reason.
    if (errno != ENOBUFS || socket.joins == 0) return io::os_error(describe(group, interface));
    socket.full = true;
  }
}

void Membership::leave(const Address& group, int interface) {
  const auto found = own_.find({interface, group});
  if (found == own_.end()) return;
  drop(found->first, found->second);
  own_.erase(found);
}

void Membership::drop(const Key& key, Own& own) {
  forget_snapshot();
  if (!std::exchange(own.held, false)) return;
  Socket& socket = sockets_[own.socket];
  // Fails when the interface is gone; the kernel has then forgotten the membership by itself.
  static_cast<void>(change(socket.fd.get(), IP_DROP_MEMBERSHIP, key.second, key.first));
  --socket.joins;
  socket.full = false;
}

void Membership::rejoin(int interface) {
  for (auto it = own_.lower_bound({interface, Address()});
       it != own_.end() && it->first.first == interface; ++it) {
    drop(it->first, it->second);
    const auto socket = join_somewhere(it->first.second, interface);
    if (socket) it->second = {*socket, true};
  }
}

void Membership::refresh(Instant now) {
  if (snapshot_at_ != Instant::min() && now - snapshot_at_ < kSnapshotAge) return;
  snapshot_at_ = now;
  snapshot_.clear();
  text_.clear();
  if (lseek(list_.get(), 0, SEEK_SET) != 0) return;
  constexpr std::size_t kChunk = 4096;
  for (;;) {
    const std::size_t have = text_.size();
    text_.resize(have + kChunk);
    const ssize_t n = read(list_.get(), text_.data() + have, kChunk);
    text_.resize(have + static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
    if (n < 0) return;  // nothing is held, nothing is injected
    if (n == 0) break;
  }
  snapshot_ = parse_igmp(text_);
  std::ranges::sort(snapshot_);
}

std::uint32_t Membership::users(const Address& group, int interface) const {
  const auto found = std::ranges::lower_bound(snapshot_, IgmpEntry{interface, group, 0});
  if (found == snapshot_.end() || found->interface != interface || found->group != group) return 0;
  return found->users;
}

bool Membership::holds(Instant now, const Address& group, int interface) {
  const auto own = own_.find({interface, group});
  if (own == own_.end() || !own->second.held) return false;
  refresh(now);
  return users(group, interface) > 0;
}

std::uint32_t Membership::listeners(Instant now, const Address& group, int interface) {
  refresh(now);
  const auto own = own_.find({interface, group});
  const std::uint32_t ours = own != own_.end() && own->second.held ? 1 : 0;
  const std::uint32_t all = users(group, interface);
  return all > ours ? all - ours : 0;
}

}  // namespace tribecast::host
