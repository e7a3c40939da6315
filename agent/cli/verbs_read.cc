#include "cli/terminal.h"
#include "cli/verbs.h"
#include "control/json.h"
#include "control/print.h"

namespace tribecast::cli {
namespace {

using Text = std::string (*)(const control::Status&, const control::Style&);
using JsonText = std::string (*)(const control::Status&, std::string_view);

// Asks for the status and prints one view of it.
Result<control::Status, Exit> show(const Invocation& in, Text text, JsonText json) {
  auto status = client_of(in).status();
  if (!status) return Unexpected<Exit>{complain(status.error())};
  print(in.has("json") ? json(*status, timestamp()) : text(*status, style_of(in)));
  return std::move(*status);
}

Exit done(const Result<control::Status, Exit>& shown) { return shown ? Exit::good : shown.error(); }

}  // namespace

Exit run_status(const Invocation& in) {
  if (in.has("web")) return run_web(in);
  if (in.has("listen")) return complain_usage({"--listen is for --web", ""});
  const auto shown = show(in, control::status_text, control::status_json);
  return shown ? control::exit_code(shown->verdict.level) : shown.error();
}

Exit run_peers(const Invocation& in) {
  return done(show(in, control::peers_text, control::peers_json));
}

Exit run_members(const Invocation& in) {
  return done(show(in, control::members_text, control::members_json));
}

Exit run_groups(const Invocation& in) {
  return done(show(in, control::groups_text, control::groups_json));
}

}  // namespace tribecast::cli
