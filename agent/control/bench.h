// What `tribecast bench` measures: sealed probes to a peer's agent and back, which no application
// sees.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "control/reply.h"

namespace tribecast::control {

inline constexpr std::uint64_t kMostBenchRate = 10000;  // probes a second

// `1000 web-2`, the argument of the request.
struct BenchRequest {
  std::uint64_t rate = 0;
  std::string peer;
};
std::string to_argument(const BenchRequest& request);
Result<BenchRequest, std::string> parse_bench_request(std::string_view argument);

// About a second of it, or all of it added up.
struct BenchResult {
  std::uint64_t sent = 0;
  double seconds = 0;                         // in which they were sent
  double cpu_seconds = 0;                     // of this host's agent
  std::vector<std::uint64_t> round_trips_us;  // of those that were answered

  void add(const BenchResult& more);
  // Of the answered, 0 <= share <= 1; nullopt without any. Sorts.
  [[nodiscard]] std::optional<double> quantile_seconds(double share);
};

std::string bench_reply(const BenchResult& result);
Result<BenchResult, Failure> read_bench_reply(std::string_view line);

std::string bench_text(std::string_view peer, BenchResult result);
std::string bench_json(std::string_view peer, BenchResult result, std::string_view generated_at);

}  // namespace tribecast::control
