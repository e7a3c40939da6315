#include "cli/option_value.h"
#include "cli/output_file.h"
#include "cli/terminal.h"
#include "cli/verbs.h"
#include "control/engine_print.h"
#include "control/engine_request.h"

namespace tribecast::cli {
namespace {

using control::EngineRequest;
using control::EngineVerb;

constexpr std::uint64_t kListed = 50;

Client engine_of(const Invocation& in) {
  return Client(in.text("socket", control::kEngineSocket), {"the engine", "tribecast-engine"});
}

// Asks, and reads the answer.
template <class T>
Result<T, control::Failure> ask(const Invocation& in, const EngineRequest& request,
                                Result<T, control::Failure> (*read)(std::string_view)) {
  const bool takes_time = request.verb == EngineVerb::verify;
  const auto line = engine_of(in).answer(control::to_line(request), takes_time);
  if (!line) return Unexpected<control::Failure>{line.error()};
  return read(*line);
}

// And prints it.
template <class T>
Result<T, Exit> show(const Invocation& in, const EngineRequest& request,
                     Result<T, control::Failure> (*read)(std::string_view),
                     std::string (*text)(const T&, const control::Style&),
                     std::string (*json)(const T&, std::string_view)) {
  auto answer = ask(in, request, read);
  if (!answer) return Unexpected<Exit>{complain(answer.error())};
  print(in.has("json") ? json(*answer, timestamp()) : text(*answer, style_of(in)));
  return std::move(*answer);
}

}  // namespace

Exit run_engine_status(const Invocation& in) {
  const auto shown = show(in, {}, control::read_engine_status, control::engine_status_text,
                          control::engine_status_json);
  return shown ? control::exit_code(shown->verdict.level) : shown.error();
}

Exit run_engine_members(const Invocation& in) {
  const auto shown = show(in, {}, control::read_engine_status, control::engine_members_text,
                          control::engine_members_json);
  return shown ? Exit::good : shown.error();
}

Exit run_engine_sessions(const Invocation& in) {
  const auto limit = number_of(in, "limit", kListed, 1);
  if (!limit) return complain_usage(limit.error());
  if (*limit > control::kMostListed) {
    return complain_usage({"--limit is at most " + std::to_string(control::kMostListed), ""});
  }
  const EngineRequest request{EngineVerb::sessions, *limit, "", in.text("context", "")};
  const auto shown = show(in, request, control::read_session_list, control::session_list_text,
                          control::session_list_json);
  return shown ? Exit::good : shown.error();
}

Exit run_engine_session(const Invocation& in) {
  const EngineRequest request{EngineVerb::session, 0, in.arguments.front(), in.text("context", "")};
  const auto shown = show(in, request, control::read_session_detail, control::session_detail_text,
                          control::session_detail_json);
  return shown ? Exit::good : shown.error();
}

Exit run_engine_verify(const Invocation& in) {
  const auto shown = show(in, {EngineVerb::verify, 0, "", ""}, control::read_verify_report,
                          control::verify_text, control::verify_json);
  return shown ? control::exit_code(*shown) : shown.error();
}

// As run_metrics(): a file that says that the engine is away takes the place of the last one.
Exit run_engine_metrics(const Invocation& in) {
  if (in.has("json")) {
    return complain_usage(
        {"'engine metrics' has a format of its own", "JSON: tribecast --json engine status"});
  }
  const auto status = ask(in, {}, control::read_engine_status);
  const std::string text = control::engine_metrics_text(status ? &*status : nullptr);
  const std::string file = in.text("textfile", "");
  if (file.empty()) {
    print(text);
  } else if (const auto written = replace_file(file, text, {}); !written) {
    return complain(written.error());
  }
  return status ? Exit::good : complain(status.error());
}

}  // namespace tribecast::cli
