// What is answered over the control socket: one JSON object on one line, `{"ok":true,...}` or
// `{"ok":false,"exit":65,"error":"..."}`. The daemon makes the lines, the tool reads them; unknown
// keys are ignored when reading.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "control/exit_code.h"
#include "control/status.h"

namespace tribecast::control {

// The tool reads no longer reply: 1024 peers and some thousand members fit.
inline constexpr std::size_t kMaxReplyBytes = 16U << 20U;

// Answer to `ping`: the round trip of one probe; unknown when no answer came in time.
struct Ping {
  std::string peer;
  std::optional<std::string> endpoint;
  std::optional<double> rtt_seconds;
};

// Answer to `config-show`.
struct RunningConfig {
  std::string text;  // configuration text, defaults included
  std::string file;  // the main file, as an absolute path
};

// Each line ends with its newline.
std::string status_reply(const Status& status);
std::string ping_reply(const Ping& ping);
std::string config_reply(const RunningConfig& config);
// `reload`: what changed, in words.
std::string text_reply(std::string_view text);
std::string error_reply(Exit code, std::string_view error);

struct Failure {
  Exit code = Exit::critical;
  std::string error;
};

Result<Status, Failure> read_status_reply(std::string_view line);
Result<Ping, Failure> read_ping_reply(std::string_view line);
Result<RunningConfig, Failure> read_config_reply(std::string_view line);
Result<std::string, Failure> read_text_reply(std::string_view line);

}  // namespace tribecast::control
