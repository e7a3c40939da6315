// What is asked over the control socket: one line, `VERB [ARGUMENT]`, one request a connection or
// several, each answered by one line (control/reply.h).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"

namespace tribecast::control {

// Longer lines are refused without being read to their end.
inline constexpr std::size_t kMaxRequestBytes = 4096;

enum class Verb : std::uint8_t {
  status,
  ping,
  reload,
  config_show,
  confirm,
  undo,
  events,
  capture,
  bench,
  roll_call
};

// How long a reload may wait for its confirmation.
inline constexpr Duration kLeastTrial = seconds(1);
inline constexpr Duration kMostTrial = std::chrono::hours(24);

struct Request {
  Verb verb = Verb::status;
  // ping: the peer's name; reload: empty, or the time to confirm it; events, capture: empty, or the
  // last sequence that is known; bench: RATE PEER
  std::string argument;

  bool operator==(const Request&) const = default;
};

// The line comes without its newline (a carriage return at its end is ignored). The error is text
// for the asker.
Result<Request, std::string> parse_request(std::string_view line);

// The line for a request, with its newline.
std::string to_line(const Request& request);

}  // namespace tribecast::control
