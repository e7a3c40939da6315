// How long a heartbeat takes from one application to the other, through the agents and, in turn
// with it, by a direct unicast send. The stamp is CLOCK_MONOTONIC, which the namespaces share.
//
//   latency send LOCAL_ADDRESS GROUP UNICAST RATE COUNT
//   latency receive LOCAL_ADDRESS GROUP UNICAST   until SIGTERM, then a line each: relayed|direct
//   NS
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <csignal>
#include <ctime>

#include "io/clock.h"
#include "io/fd.h"
#include "io/sockaddr.h"
#include "program.h"

using namespace tribecast;
using namespace tribecast::bench;

namespace {

volatile std::sig_atomic_t stopped = 0;

void sleep_until(Instant at) {
  const auto ns = at.time_since_epoch().count();
  const timespec when{ns / 1000000000, ns % 1000000000};
  clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &when, nullptr);
}

io::Fd udp_socket(const Endpoint& local) {
  io::Fd fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const int yes = 1;
  setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  const io::SockAddr at(local);
  if (bind(fd.get(), at.get(), at.size()) != 0) die("bind " + local.to_string());
  return fd;
}

int send(const Address& local, const std::array<Endpoint, 2>& targets, double rate,
         std::size_t count) {
  const io::Fd fd = udp_socket({local, 0});
  const Duration gap(static_cast<std::int64_t>(1e9 / rate / 2));
  Instant due = io::now();
  for (std::size_t i = 0; i < count * targets.size(); ++i) {
    sleep_until(due);
    const io::SockAddr to(targets[i % targets.size()]);
    std::array<std::uint8_t, 8> stamp{};
    SpanWriter(stamp).u64be(static_cast<std::uint64_t>(io::now().time_since_epoch().count()));
    const Buffer beat = heartbeat(local, 4000, stamp);
    if (sendto(fd.get(), beat.data(), beat.size(), 0, to.get(), to.size()) < 0) die("sendto");
    due = std::max(due, io::now()) + gap;
  }
  return 0;
}

int receive(const Address& local, const Endpoint& group, const Endpoint& unicast) {
  const io::Fd multicast_fd = udp_socket(group);
  const ip_mreq membership{io::to_in_addr(group.address), io::to_in_addr(local)};
  if (setsockopt(multicast_fd.get(), IPPROTO_IP, IP_ADD_MEMBERSHIP, &membership,
                 sizeof membership) != 0) {
    die("join " + group.to_string());
  }
  const io::Fd unicast_fd = udp_socket(unicast);
  std::array<pollfd, 2> ready{pollfd{multicast_fd.get(), POLLIN, 0},
                              pollfd{unicast_fd.get(), POLLIN, 0}};
  std::array<std::vector<std::int64_t>, 2> latencies;
  say("ready");
  while (stopped == 0) {
    if (poll(ready.data(), ready.size(), -1) <= 0) continue;
    for (std::size_t i = 0; i < ready.size(); ++i) {
      if ((ready[i].revents & POLLIN) == 0) continue;
      std::array<std::uint8_t, 2048> datagram{};
      const ssize_t size = recv(ready[i].fd, datagram.data(), datagram.size(), MSG_DONTWAIT);
      const auto now = io::now().time_since_epoch().count();
      if (size <= 0) continue;
      const auto beat = tribes::parse_member(Bytes(datagram).first(static_cast<std::size_t>(size)));
      if (!beat) continue;
      const auto sent = static_cast<std::int64_t>(ByteReader(beat->payload).u64be());
      latencies[i].push_back(now - sent);
    }
  }
  for (const auto ns : latencies[0]) say("relayed {}", ns);
  for (const auto ns : latencies[1]) say("direct {}", ns);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const auto args = arguments(argc, argv);
  struct sigaction stop {};  // without SA_RESTART: poll returns
  stop.sa_handler = [](int) { stopped = 1; };
  sigaction(SIGTERM, &stop, nullptr);
  if (args.size() == 6 && args[0] == "send") {
    return send(address(args[1]), {endpoint(args[2]), endpoint(args[3])}, std::stod(args[4]),
                number(args[5]));
  }
  if (args.size() == 4 && args[0] == "receive") {
    return receive(address(args[1]), endpoint(args[2]), endpoint(args[3]));
  }
  die("usage: latency send LOCAL GROUP UNICAST RATE COUNT | receive LOCAL GROUP UNICAST");
}
