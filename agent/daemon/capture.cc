// Of the agent: what `tribecast capture` is shown.
#include <array>

#include "base/hex.h"
#include "config/values.h"
#include "daemon/agent.h"
#include "io/clock.h"
#include "tribes/member.h"

namespace tribecast::daemon {
namespace {

// In the order of tribes::Kind.
constexpr std::array<std::string_view, 5> kKinds = {"heartbeat", "shutdown", "broadcast", "other",
                                                    "malformed"};

control::Seen to_seen(relay::Observation&& observation) {
  control::Seen seen;
  const auto since_1970 = io::wall_clock().count();
  seen.time_nanoseconds = since_1970 > 0 ? static_cast<std::uint64_t>(since_1970) : 0;
  seen.group = std::move(observation.group);
  seen.peer = std::move(observation.peer);
  seen.source = observation.source.to_string();
  seen.destination = observation.destination.to_string();
  seen.copies = observation.copies;
  if (observation.dropped) seen.dropped = name_of(*observation.dropped);
  seen.payload = std::move(observation.payload);
  const auto classified = tribes::classify(seen.payload);
  seen.kind = kKinds[static_cast<std::size_t>(classified.kind)];
  if (!classified.member) return seen;
  const auto identity = tribes::Identity::of(*classified.member);
  seen.member = identity.name();
  seen.alive_seconds = static_cast<double>(classified.member->alive_milliseconds) / 1000;
  seen.unique_id = to_hex(identity.unique_id);
  return seen;
}

}  // namespace

void Agent::send_capture(const std::string& after, io::ControlServer::Reply reply) {
  std::optional<std::uint64_t> sequence;
  if (!after.empty()) {
    const auto number = config::to_number(after);
    if (!number) return reply(control::error_reply(control::Exit::usage, number.error()));
    sequence = *number;
  }
  tap_.ask(io::now(), sequence, std::move(reply));
  core_.observe(true);
  tap_timer_.arm(tap_.deadline());
}

void Agent::show(Instant now, std::vector<relay::Observation>&& observations) {
  for (relay::Observation& one : observations) tap_.add(now, to_seen(std::move(one)));
  tap_timer_.arm(tap_.deadline());
}

void Agent::on_tap_timer() {
  tap_.on_timer(io::now());
  if (!tap_.on()) core_.observe(false);
  tap_timer_.arm(tap_.deadline());
}

}  // namespace tribecast::daemon
