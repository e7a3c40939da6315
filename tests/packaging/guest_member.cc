// A member of a Tomcat cluster, for a machine that has nothing but a kernel: guest_member IF FILE.
// Sends the heartbeat in FILE every 100 ms, and prints `heard ADDRESS` for each source that it
// hears first.
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <set>
#include <string>

namespace {

constexpr const char* kGroup = "228.0.0.4";
constexpr int kPort = 45564;
using Clock = std::chrono::steady_clock;
using Milliseconds = std::chrono::milliseconds;
constexpr Milliseconds kEvery{100};

int complain(const char* what) {
  std::perror(what);
  return 1;
}

sockaddr_in group_address() {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(kPort);
  inet_pton(AF_INET, kGroup, &address.sin_addr);
  return address;
}

bool join(int fd, const sockaddr_in& group, const char* interface) {
  ip_mreqn membership{};
  membership.imr_multiaddr = group.sin_addr;
  membership.imr_ifindex = static_cast<int>(if_nametoindex(interface));
  return setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &membership, sizeof membership) == 0 &&
         setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &membership, sizeof membership) == 0;
}

void listen(int fd, std::set<std::string>& heard) {
  std::array<char, 65536> datagram{};
  sockaddr_in from{};
  socklen_t size = sizeof from;
  auto* address = reinterpret_cast<sockaddr*>(&from);
  if (recvfrom(fd, datagram.data(), datagram.size(), 0, address, &size) < 0) return;
  std::array<char, INET_ADDRSTRLEN> text{};
  inet_ntop(AF_INET, &from.sin_addr, text.data(), text.size());
  if (heard.insert(text.data()).second) std::printf("heard %s\n", text.data());
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return std::fputs("guest_member IF FILE\n", stderr), 64;
  std::ifstream file(argv[2], std::ios::binary);
  const std::string beat{std::istreambuf_iterator<char>(file), {}};
  sockaddr_in group = group_address();
  auto* address = reinterpret_cast<sockaddr*>(&group);
  const int fd = socket(AF_INET, SOCK_DGRAM, 0);
  const int yes = 1;
  if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0) {
    return complain("socket");
  }
  if (bind(fd, address, sizeof group) != 0) return complain("bind");
  if (!join(fd, group, argv[1])) return complain("join");
  std::set<std::string> heard;
  while (true) {
    if (sendto(fd, beat.data(), beat.size(), 0, address, sizeof group) < 0) return complain("send");
    const auto next = Clock::now() + kEvery;
    pollfd ready{fd, POLLIN, 0};
    for (Milliseconds left = kEvery;
         left.count() > 0 && poll(&ready, 1, static_cast<int>(left.count())) > 0;
         left = std::chrono::duration_cast<Milliseconds>(next - Clock::now())) {
      listen(fd, heard);
    }
  }
}
