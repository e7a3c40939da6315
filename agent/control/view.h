// A view: what one agent knows of the cluster, as it tells the agents that hold a roll call
// (`tribecast doctor --all`). The part of its status that others can judge by, small, and nothing
// secret. The layout is drawn in docs/wire-format.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/bytes.h"
#include "base/result.h"
#include "control/reply.h"
#include "control/status.h"

namespace tribecast::control {

// What came of a TCP connection to a member.
enum class PortOutcome : std::uint8_t { accepted, refused, no_answer, not_tried };
inline constexpr std::array<std::string_view, 4> kPortOutcomes = {"accepted", "refused",
                                                                  "no_answer", "not_tried"};
constexpr std::string_view name_of(PortOutcome o) {
  return kPortOutcomes[static_cast<std::size_t>(o)];
}

struct PortTry {
  Endpoint endpoint;
  PortOutcome outcome = PortOutcome::not_tried;
};

struct ViewGroup {
  std::string name;
  Endpoint endpoint;  // port 0: any
  bool tribes = true;
  std::uint32_t drop_time_ms = 0;
};

struct View {
  // Node without its times but uptime; of the peers and members what the layout has; warnings.
  // Groups and counters are not in it.
  Status status;
  std::uint64_t drops = 0;  // of all reasons
  std::vector<ViewGroup> groups;
  std::vector<PortTry> ports;  // of remote members; one that nobody has tried is not in it
  std::uint16_t peers_left_out = 0;
  std::uint16_t members_left_out = 0;
};

// At most `most` bytes, 4096 or more: what does not fit is counted as left out, texts are cut.
Buffer encode(const View& view, std::size_t most);
// nullopt: cut off, of another version, or a value that there is not. What stands behind it is for
// later versions.
std::optional<View> decode_view(Bytes bytes);

// How far an agent answered a roll call; the order is that of relay::ViewAnswer.
enum class CallAnswer : std::uint8_t { no_session, none, unfinished, whole };
inline constexpr std::array<std::string_view, 4> kCallAnswers = {"no_session", "no_answer",
                                                                 "unfinished", "whole"};
constexpr std::string_view name_of(CallAnswer a) {
  return kCallAnswers[static_cast<std::size_t>(a)];
}

struct CalledAgent {
  std::string peer;  // empty: the agent that called
  CallAnswer answer = CallAnswer::none;
  Buffer view;  // encoded; only when whole. The agent hands on what it has not looked into.
  double age_seconds = 0;
};

// Answer to `roll-call`.
using RollCall = std::vector<CalledAgent>;

std::string roll_call_reply(const RollCall& agents);
Result<RollCall, Failure> read_roll_call_reply(std::string_view line);

}  // namespace tribecast::control
