#include <array>
#include <chrono>
#include <ctime>
#include <limits>
#include <optional>
#include <thread>

#include "base/suggest.h"
#include "cli/option_value.h"
#include "cli/terminal.h"
#include "cli/verbs.h"
#include "control/json.h"
#include "control/print.h"

namespace tribecast::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr Duration kMostBenchTime = std::chrono::minutes(5);
constexpr Duration kLook = milliseconds(100);  // how often `wait` looks

Unexpected<UsageError> wrong(std::string what) { return {{std::move(what), ""}}; }

// Why a ping failed, with the name that was probably meant.
Exit explain(const Client& client, const std::string& peer, control::Failure failure) {
  if (const auto status = client.status()) {
    std::vector<std::string_view> names;
    for (const control::Peer& p : status->peers) names.push_back(p.name);
    const std::string_view near = closest(peer, names);
    if (!near.empty() && near != peer)
      failure.error += "\n    did you mean '" + std::string(near) + "'?";
  }
  return complain(failure);
}

std::string clock_text() {
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  localtime_r(&now, &local);
  std::array<char, 16> text{};
  return {text.data(), std::strftime(text.data(), text.size(), "%H:%M:%S", &local)};
}

struct Pause {
  Clock::time_point next = Clock::now();
  void until_next(Duration interval) {
    next += interval;
    std::this_thread::sleep_until(next);
  }
};

Result<control::Goal, UsageError> goal_of(const Invocation& in) {
  control::Goal goal;
  const bool all = in.text("peers", "") == "all";
  const auto peers = all ? Result<std::uint64_t, UsageError>(0) : number_of(in, "peers", 0, 0);
  if (!peers) return Unexpected<UsageError>{peers.error()};
  const auto members = number_of(in, "members", 0, 0);
  if (!members) return Unexpected<UsageError>{members.error()};
  if (!in.has("peers") && !in.has("members")) {
    return wrong("'wait' needs --peers N, --peers all or --members N");
  }
  if (!all) goal.peers = *peers;
  goal.members = *members;
  return goal;
}

// Looks until the goal is reached, the time is up or asking is forbidden.
Result<control::WaitEnd, control::Failure> wait_for(const Client& client, const control::Goal& goal,
                                                    Duration timeout) {
  const Clock::time_point begin = Clock::now();
  control::WaitEnd end;
  while (true) {
    const auto status = client.status();
    end.waited_seconds = std::chrono::duration<double>(Clock::now() - begin).count();
    if (!status && status.error().code == Exit::no_permission) {
      return Unexpected<control::Failure>{status.error()};
    }
    end.missing = status ? control::missing(*status, goal) : "the agent is not reachable";
    if (status) end.last = control::summarize(*status);
    if (end.missing.empty() || Clock::now() - begin >= timeout) return end;
    const Duration left = timeout - duration_cast<Duration>(Clock::now() - begin);
    std::this_thread::sleep_for(std::min(kLook, left));
  }
}

}  // namespace

Exit run_ping(const Invocation& in) {
  const auto count = number_of(in, "count", 3, 1);
  if (!count) return complain_usage(count.error());
  const auto interval = time_of(in, "interval", "1s");
  if (!interval) return complain_usage(interval.error());
  const Client client = client_of(in);
  control::PingRun run{in.arguments.front(), {}};
  bool answered = false;
  Pause pause;
  for (std::uint64_t n = 1; n <= *count; ++n) {
    if (n > 1) pause.until_next(*interval);
    const auto ping = client.ping(run.peer);
    if (!ping) return explain(client, run.peer, ping.error());
    answered = answered || ping->rtt_seconds.has_value();
    run.probes.push_back(*ping);
    if (!in.has("json") && !print(control::ping_text(*ping, n))) break;
  }
  print(in.has("json") ? control::ping_json(run, timestamp()) : control::ping_summary_text(run));
  return answered ? Exit::good : Exit::critical;
}

Exit run_bench(const Invocation& in) {
  const auto rate = number_of(in, "rate", 1000, 1);
  if (!rate) return complain_usage(rate.error());
  if (*rate > control::kMostBenchRate) return complain_usage({"--rate is not in 1-10000", ""});
  const auto time = time_of(in, "time", "10s");
  if (!time) return complain_usage(time.error());
  if (*time < seconds(1) || *time > kMostBenchTime) {
    return complain_usage({"--time: " + in.text("time", "") + " is not in 1s-5m", ""});
  }
  const Client client = client_of(in);
  const std::string& peer = in.arguments.front();
  control::BenchResult all;
  for (auto left = duration_cast<seconds>(*time); left > seconds(0); left -= seconds(1)) {
    const auto second = client.bench({*rate, peer});
    if (!second) return explain(client, peer, second.error());
    all.add(*second);
  }
  print(in.has("json") ? control::bench_json(peer, all, timestamp())
                       : control::bench_text(peer, all));
  return all.round_trips_us.empty() ? Exit::critical : Exit::good;
}

Exit run_watch(const Invocation& in) {
  const auto count = number_of(in, "count", std::numeric_limits<std::uint64_t>::max(), 1);
  if (!count) return complain_usage(count.error());
  if (in.has("top")) return run_top(in, *count);
  const Client client = client_of(in);
  const control::Style style = style_of(in);
  const bool json = in.has("json");
  std::optional<control::Status> before;
  Pause pause;
  for (std::uint64_t n = 0; n < *count; ++n) {
    if (n > 0) pause.until_next(seconds(1));
    auto status = client.status();
    if (!status && n == 0) return complain(status.error());
    if (!status) {
      complain(status.error());
      before.reset();
      continue;
    }
    const auto now = control::sample(*status, before ? &*before : nullptr, 1);
    before = std::move(*status);
    if (!json && n == 0) print(control::watch_header_text(style));
    const bool read = print(json ? control::watch_json(now, timestamp())
                                 : control::watch_text(now, clock_text(), style));
    if (!read) break;
  }
  return Exit::good;
}

Exit run_wait(const Invocation& in) {
  const auto goal = goal_of(in);
  if (!goal) return complain_usage(goal.error());
  const auto timeout = time_of(in, "timeout", "30s");
  if (!timeout) return complain_usage(timeout.error());
  const auto end = wait_for(client_of(in), *goal, *timeout);
  if (!end) return complain(end.error());
  if (in.has("json")) print(control::wait_json(*end, timestamp()));
  if (!end->missing.empty()) {
    return complain({Exit::critical, "time is up after " + control::age_text(end->waited_seconds) +
                                         ": " + end->missing});
  }
  if (!in.has("json")) {
    const std::size_t members = end->last->members_local + end->last->members_remote;
    print(control::counted(end->last->peers_up, "peer") + " up, " +
          control::counted(members, "member") + " seen after " +
          control::age_text(end->waited_seconds) + "\n");
  }
  return Exit::good;
}

}  // namespace tribecast::cli
