// Of the agent: `tribecast bench`.
#include <fmt/format.h>

#include <algorithm>
#include <ctime>

#include "daemon/agent.h"
#include "io/clock.h"

namespace tribecast::daemon {
namespace {

Duration cpu_used() {
  timespec used{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec);
}

}  // namespace

void Agent::start_bench(const std::string& argument, io::ControlServer::Reply reply) {
  const auto refuse = [&reply](control::Exit code, const std::string& why) {
    reply(control::error_reply(code, why));
  };
  auto request = control::parse_bench_request(argument);
  if (!request) return refuse(control::Exit::usage, request.error());
  const auto peer = std::ranges::find(roster_.peers, request->peer, &config::Peer::name);
  if (peer == roster_.peers.end()) {
    return refuse(control::Exit::critical,
                  fmt::format("no peer is named {}; see: tribecast peers", request->peer));
  }
  if (bench_.running()) {
    return refuse(control::Exit::critical, "another bench is running on this agent");
  }
  const Instant now = io::now();
  bench_.start(now, cpu_used(), std::move(*request), std::move(reply));
  bench_timer_.arm(bench_.deadline(now));
}

// Stamps count microseconds: each probe has one of its own, by which its answer is known.
void Agent::on_bench_timer() {
  Instant now = io::now();
  for (std::size_t due = bench_.due(now); due > 0; --due) {
    const relay::Stamp before = relay::stamp_of(now);
    while (relay::stamp_of(now) == before) now = io::now();
    bench_.sent(now, core_.ping(now, bench_.peer(), actions_).value_or(0));
  }
  act(now);
  bench_.on_timer(now, cpu_used());
  bench_timer_.arm(bench_.deadline(now));
}

}  // namespace tribecast::daemon
