#include <chrono>

#include "cli/output_file.h"
#include "cli/terminal.h"
#include "cli/verbs.h"
#include "control/check.h"
#include "control/metrics.h"

namespace tribecast::cli {
namespace {

double wall_clock_seconds() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<double>(std::chrono::duration_cast<milliseconds>(since).count()) / 1000;
}

Result<control::CheckLimits, std::string> limits_of(const Invocation& in) {
  control::CheckLimits limits;
  struct Row {
    const char* option;
    control::PeerLimit* limit;
  };
  for (const Row& row : {Row{"warning", &limits.warning}, Row{"critical", &limits.critical}}) {
    if (!in.has(row.option)) continue;
    const auto limit = control::parse_peer_limit(in.text(row.option, ""));
    if (!limit)
      return Unexpected<std::string>{"--" + std::string(row.option) + ": " + limit.error()};
    *row.limit = *limit;
  }
  return limits;
}

control::Check checked(const Invocation& in) {
  const auto limits = limits_of(in);
  if (!limits) return control::unknown_check(limits.error());
  const auto status = client_of(in).status();
  if (!status) return control::unknown_check(status.error().error);
  return control::check(*status, *limits);
}

}  // namespace

// A collector keeps showing the last file: one that says that the agent is away takes its place.
Exit run_metrics(const Invocation& in) {
  if (in.has("json")) {
    return complain_usage({"'metrics' has a format of its own", "JSON: tribecast --json status"});
  }
  const auto status = client_of(in).status();
  const std::string text = control::metrics_text(status ? &*status : nullptr,
                                                 {wall_clock_seconds(), in.has("per-member")});
  const std::string file = in.text("textfile", "");
  if (file.empty()) {
    print(text);
  } else if (const auto written = replace_file(file, text, {}); !written) {
    return complain(written.error());
  }
  return status ? Exit::good : complain(status.error());
}

// What goes wrong is told on standard output, too: that is all that the monitoring system shows.
Exit run_check(const Invocation& in) {
  const control::Check check = checked(in);
  print(in.has("json") ? control::check_json(check, timestamp()) : control::check_text(check));
  return check.exit;
}

}  // namespace tribecast::cli
