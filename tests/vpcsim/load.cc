// A load for vpcsim, and its measure. Arguments:
//   receive PORT                            prints `ready`; at SIGTERM how many datagrams came
//   send ADDRESS:PORT RATE COUNT SIZE       COUNT datagrams of SIZE bytes, RATE a second (0: no
//   pace)
#include <netinet/in.h>
#include <sys/socket.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/time.h"
#include "io/clock.h"
#include "io/fd.h"

namespace {

using namespace tribecast;

constexpr unsigned kBatch = 64;
constexpr int kReceiveBuffer = 64 << 20;
constexpr std::size_t kMaxSize = 65507;

volatile std::sig_atomic_t stopped = 0;

[[noreturn]] void die(const char* what) {
  std::perror(what);
  std::exit(1);
}

sockaddr_in socket_address(std::uint32_t host_order, std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(host_order);
  address.sin_port = htons(port);
  return address;
}

// kBatch messages of one buffer each.
struct Batch {
  explicit Batch(std::size_t size) : bytes(size * kBatch) {
    for (std::size_t i = 0; i < kBatch; ++i) {
      parts.at(i) = {&bytes[i * size], size};
      messages.at(i).msg_hdr.msg_iov = &parts.at(i);
      messages.at(i).msg_hdr.msg_iovlen = 1;
    }
  }
  std::vector<std::uint8_t> bytes;
  std::array<iovec, kBatch> parts{};
  std::array<mmsghdr, kBatch> messages{};
};

int receive(std::uint16_t port) {
  const io::Fd fd(socket(AF_INET, SOCK_DGRAM, 0));
  setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUFFORCE, &kReceiveBuffer, sizeof kReceiveBuffer);
  const sockaddr_in own = socket_address(INADDR_ANY, port);
  if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&own), sizeof own) != 0) die("bind");
  struct sigaction action {};
  action.sa_handler = [](int) { stopped = 1; };
  sigaction(SIGTERM, &action, nullptr);  // without SA_RESTART: ends a blocking receive
  std::puts("ready");
  std::fflush(stdout);
  Batch batch(2048);
  std::uint64_t received = 0;
  Instant first{};
  Instant last{};
  while (stopped == 0) {
    const int n = recvmmsg(fd.get(), batch.messages.data(), kBatch, MSG_WAITFORONE, nullptr);
    if (n <= 0) continue;
    last = io::now();
    if (received == 0) first = last;
    received += static_cast<std::uint64_t>(n);
  }
  std::printf("received %llu in %.3f s\n", static_cast<unsigned long long>(received),
              to_seconds(last - first));
  return 0;
}

void wait_until(Instant then) {
  const auto ns = then.time_since_epoch().count();
  const timespec at{ns / 1'000'000'000, ns % 1'000'000'000};
  clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, nullptr);
}

int send(const Endpoint& remote, std::uint64_t rate, std::uint64_t count, std::size_t size) {
  const io::Fd fd(socket(AF_INET, SOCK_DGRAM, 0));
  const sockaddr_in peer = socket_address(remote.address.v4_host_order(), remote.port);
  if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&peer), sizeof peer) != 0) die("connect");
  Batch batch(size);
  const Instant start = io::now();
  std::uint64_t sent = 0;
  while (sent < count) {
    std::uint64_t due = count;
    if (rate != 0) {
      const double elapsed = to_seconds(io::now() - start);
      due = std::min(count, static_cast<std::uint64_t>(elapsed * static_cast<double>(rate)) + 1);
    }
    if (due == sent) {
      wait_until(io::now() + microseconds(200));
      continue;
    }
    const auto n = static_cast<unsigned>(std::min<std::uint64_t>(due - sent, kBatch));
    const int done = sendmmsg(fd.get(), batch.messages.data(), n, 0);
    if (done < 0) die("sendmmsg");
    sent += static_cast<std::uint64_t>(done);
  }
  const double took = to_seconds(io::now() - start);
  std::printf("sent %llu in %.3f s, %.0f a second\n", static_cast<unsigned long long>(sent), took,
              static_cast<double>(sent) / took);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.size() == 2 && words[0] == "receive") {
    return receive(static_cast<std::uint16_t>(std::strtoul(words[1].c_str(), nullptr, 10)));
  }
  if (words.size() == 5 && words[0] == "send") {
    const auto remote = Endpoint::parse(words[1]);
    const std::size_t size = std::strtoull(words[4].c_str(), nullptr, 10);
    if (remote && remote->address.is_v4() && size > 0 && size <= kMaxSize) {
      return send(*remote, std::strtoull(words[2].c_str(), nullptr, 10),
                  std::strtoull(words[3].c_str(), nullptr, 10), size);
    }
  }
  std::fprintf(stderr, "usage: vpcsim_load receive PORT | send ADDRESS:PORT RATE COUNT SIZE\n");
  return 64;
}
