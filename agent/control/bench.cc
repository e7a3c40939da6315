#include "control/bench.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "base/utf8.h"
#include "control/human.h"
#include "control/json_value.h"

namespace tribecast::control {

using namespace json_value;

namespace {

struct Share {
  std::string_view name;
  double share;
};
constexpr std::array kShares = {Share{"p50", 0.5}, Share{"p99", 0.99}, Share{"p999", 0.999},
                                Share{"max", 1}};

double ratio(double part, double whole) { return whole > 0 ? part / whole : 0; }

double loss_of(const BenchResult& result) {
  const auto received = static_cast<double>(result.round_trips_us.size());
  return result.sent == 0 ? 0
                          : std::max(0.0, 1 - ratio(received, static_cast<double>(result.sent)));
}

}  // namespace

std::string to_argument(const BenchRequest& request) {
  return std::to_string(request.rate) + " " + request.peer;
}

Result<BenchRequest, std::string> parse_bench_request(std::string_view argument) {
  const std::size_t blank = std::min(argument.find(' '), argument.size());
  BenchRequest out;
  const auto read = std::from_chars(argument.data(), argument.data() + blank, out.rate);
  out.peer = argument.substr(std::min(blank + 1, argument.size()));
  const bool whole = read.ec == std::errc() && read.ptr == argument.data() + blank;
  if (!whole || out.peer.empty()) return Unexpected<std::string>{"'bench' takes RATE PEER"};
  if (out.rate < 1 || out.rate > kMostBenchRate) {
    return Unexpected<std::string>{"the rate is not in 1-10000"};
  }
  return out;
}

void BenchResult::add(const BenchResult& more) {
  sent += more.sent;
  seconds += more.seconds;
  cpu_seconds += more.cpu_seconds;
  round_trips_us.insert(round_trips_us.end(), more.round_trips_us.begin(),
                        more.round_trips_us.end());
}

std::optional<double> BenchResult::quantile_seconds(double share) {
  if (round_trips_us.empty()) return std::nullopt;
  std::ranges::sort(round_trips_us);
  const auto count = static_cast<double>(round_trips_us.size());
  const auto rank = static_cast<std::size_t>(std::max(std::ceil(share * count), 1.0));
  return static_cast<double>(round_trips_us[std::min(rank, round_trips_us.size()) - 1]) / 1e6;
}

std::string bench_reply(const BenchResult& result) {
  return line({{"ok", true},
               {"sent", result.sent},
               {"seconds", result.seconds},
               {"cpu_seconds", result.cpu_seconds},
               {"round_trips_us", result.round_trips_us}});
}

Result<BenchResult, Failure> read_bench_reply(std::string_view text) {
  const auto json = opened(text);
  if (!json) return Unexpected<Failure>{json.error()};
  BenchResult out;
  get(*json, "sent", out.sent);
  get(*json, "seconds", out.seconds);
  get(*json, "cpu_seconds", out.cpu_seconds);
  const Json& trips = child(*json, "round_trips_us");
  if (!trips.is_array()) return out;
  for (const Json& trip : trips) {
    if (trip.is_number_unsigned()) out.round_trips_us.push_back(trip.get<std::uint64_t>());
  }
  return out;
}

std::string bench_text(std::string_view peer, BenchResult result) {
  std::string out = printable(peer) + ": " + count_text(result.sent) + " probes sent in " +
                    age_text(result.seconds) + ", " + count_text(result.round_trips_us.size()) +
                    " answered, loss " + percent_text(loss_of(result)) + "\nround trip ";
  for (const Share& share : kShares) {
    out += " " + std::string(share.name) + " " + time_text(result.quantile_seconds(share.share));
  }
  return out + "\nrate " + rate_text(ratio(static_cast<double>(result.sent), result.seconds)) +
         "/s   this agent's CPU " + percent_text(ratio(result.cpu_seconds, result.seconds)) +
         " of one core\n";
}

std::string bench_json(std::string_view peer, BenchResult result, std::string_view generated_at) {
  Json json = document("bench", generated_at);
  json["peer"] = peer;
  json["sent"] = result.sent;
  json["received"] = result.round_trips_us.size();
  json["loss_ratio"] = loss_of(result);
  json["duration_seconds"] = result.seconds;
  json["cpu_seconds"] = result.cpu_seconds;
  for (const Share& share : kShares) {
    json["rtt_seconds"][std::string(share.name)] = known(result.quantile_seconds(share.share));
  }
  return page(json);
}

}  // namespace tribecast::control
