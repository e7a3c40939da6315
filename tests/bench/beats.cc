// Sends heartbeats of 100 bytes on command. Each line of standard input, GROUP RATE COUNT, sends
// COUNT of them at RATE a second and answers with a line: SENT SECONDS.
//
//   beats LOCAL_ADDRESS
#include <sys/socket.h>

#include <ctime>
#include <iostream>
#include <sstream>

#include "io/clock.h"
#include "io/fd.h"
#include "io/sockaddr.h"
#include "program.h"

using namespace tribecast;
using namespace tribecast::bench;

namespace {

constexpr Duration kWorthSleeping = microseconds(100);
// Whoever lost the processor for longer goes on from there, rather than send all at once.
constexpr Duration kCatchUp = milliseconds(1);

void sleep_until(Instant at) {
  const auto ns = at.time_since_epoch().count();
  const timespec when{ns / 1000000000, ns % 1000000000};
  clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &when, nullptr);
}

void send_beats(int fd, Bytes beat, const Endpoint& group, double rate, std::size_t count) {
  const io::SockAddr to(group);
  const Duration gap(static_cast<std::int64_t>(1e9 / rate));
  const Instant begin = io::now();
  Instant due = begin;
  std::size_t sent = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (due - io::now() > kWorthSleeping) sleep_until(due);
    while (io::now() < due) continue;
    if (sendto(fd, beat.data(), beat.size(), 0, to.get(), to.size()) > 0) ++sent;
    due = std::max(due, io::now() - kCatchUp) + gap;
  }
  say("{} {:.6f}", sent, to_seconds(io::now() - begin));
}

}  // namespace

int main(int argc, char** argv) {
  const auto args = arguments(argc, argv);
  if (args.size() != 1) die("usage: beats LOCAL_ADDRESS");
  const Address local = address(args[0]);
  const io::Fd fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const io::SockAddr from({local, 0});
  if (bind(fd.get(), from.get(), from.size()) != 0) die("bind " + args[0]);
  const Buffer beat = heartbeat(local, 4000);
  std::string line;
  while (std::getline(std::cin, line)) {
    std::istringstream words(line);
    std::string group;
    double rate = 0;
    std::size_t count = 0;
    if (!(words >> group >> rate >> count)) die("not a command: " + line);
    send_beats(fd.get(), beat, endpoint(group), rate, count);
  }
  return 0;
}
