#include "vpcsim/tun.h"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>

#include "base/check.h"

namespace tribecast::vpcsim {
namespace {

constexpr const char* kOwnNamespace = "/proc/thread-self/ns/net";

std::string path_of(const std::string& netns) {
  return netns.find('/') == netns.npos ? "/run/netns/" + netns : netns;
}

// The thread is in another network namespace as long as this lives.
class Visit {
 public:
  static io::OsResult<Visit> begin(const std::string& path) {
    io::Fd home(::open(kOwnNamespace, O_RDONLY | O_CLOEXEC));
    if (!home) return io::os_error(std::string("open ") + kOwnNamespace);
    const io::Fd there(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!there) return io::os_error("open " + path);
    if (setns(there.get(), CLONE_NEWNET) != 0) return io::os_error("setns " + path);
    return Visit(std::move(home));
  }
  Visit(Visit&&) = default;
  Visit& operator=(Visit&&) = delete;
  Visit(const Visit&) = delete;
  Visit& operator=(const Visit&) = delete;
  ~Visit() {
    if (home_) TC_CHECK(setns(home_.get(), CLONE_NEWNET) == 0);
  }

 private:
  explicit Visit(io::Fd home) : home_(std::move(home)) {}

  io::Fd home_;
};

ifreq request_for(const std::string& interface) {
  ifreq request{};
  std::copy_n(interface.data(), std::min<std::size_t>(interface.size(), IFNAMSIZ - 1),
              std::begin(request.ifr_name));
  return request;
}

bool lengthen_queue(const std::string& interface) {
  const io::Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request = request_for(interface);
  request.ifr_qlen = Tun::kQueuePackets;
  return socket && ioctl(socket.get(), SIOCSIFTXQLEN, &request) == 0;
}

}  // namespace

io::OsResult<Tun> Tun::open(const std::string& netns, const std::string& interface) {
  const auto visit = Visit::begin(path_of(netns));
  if (!visit) return Unexpected{visit.error()};
  io::Fd fd(::open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC));
  if (!fd) return io::os_error("open /dev/net/tun");
  ifreq request = request_for(interface);
  request.ifr_flags = static_cast<short>(IFF_TUN | IFF_NO_PI | IFF_TUN_EXCL);
  if (ioctl(fd.get(), TUNSETIFF, &request) != 0) {
    return io::os_error("make the interface " + interface + " in " + netns);
  }
  if (!lengthen_queue(interface)) return io::os_error("set the queue length of " + interface);
  return Tun(std::move(fd));
}

std::optional<MutableBytes> Tun::read(MutableBytes buffer) {
  const ssize_t size = ::read(fd_.get(), buffer.data(), buffer.size());
  if (size < 0) return std::nullopt;
  return buffer.first(static_cast<std::size_t>(size));
}

bool Tun::write(Bytes packet) {
  return ::write(fd_.get(), packet.data(), packet.size()) == static_cast<ssize_t>(packet.size());
}

}  // namespace tribecast::vpcsim
