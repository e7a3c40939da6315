// Reload as a transaction: everything is read and judged, new sockets are open, before anything
// changes; then it cannot fail. And the way back.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "config/compare.h"
#include "config/values.h"
#include "daemon/agent.h"
#include "daemon/translate.h"
#include "io/clock.h"

namespace tribecast::daemon {
namespace {

using control::Exit;
using control::Failure;

// When what was in force cannot be had back: an address it listened on is gone.
constexpr Duration kUndoAgain = seconds(5);

std::vector<Endpoint> without(std::vector<Endpoint> all, const std::vector<Endpoint>& these) {
  std::erase_if(all, [&](const Endpoint& endpoint) {
    return std::ranges::find(these, endpoint) != these.end();
  });
  return all;
}

Unexpected<Failure> refused(Exit code, std::string why) { return {{code, std::move(why)}}; }

}  // namespace

std::string Agent::config_file() const {
  std::error_code error;
  const std::string whole = std::filesystem::absolute(config_path_, error).string();
  return error ? config_path_ : whole;
}

Result<std::string, Failure> Agent::change(const control::Request& request) {
  if (request.verb == control::Verb::confirm) return confirm();
  if (request.verb == control::Verb::undo) return undo();
  if (request.argument.empty()) return reload();
  const auto trial = config::to_duration(request.argument);
  if (!trial) return refused(Exit::usage, trial.error());
  if (*trial < control::kLeastTrial || *trial > control::kMostTrial) {
    return refused(Exit::usage, request.argument + " is not in 1s-24h");
  }
  return reload(*trial);
}

// Good files and good keys, or every mistake.
Result<Agent::Fresh, Failure> Agent::read_files() {
  auto outcome = config::load(config_path_);
  InForce next;
  if (outcome.config) {
    next.keys = config::load_keys(outcome.config->security, &config_.security, &keys_);
    std::ranges::move(next.keys.findings(), std::back_inserter(outcome.diagnostics));
  }
  if (!outcome.config || has_errors(outcome.diagnostics)) {
    return refused(Exit::bad_config, config::to_text(outcome.diagnostics));
  }
  next.config = std::move(*outcome.config);
  if (next.config.control != config_.control) {
    return refused(Exit::bad_config,
                   "the control socket cannot be changed by a reload; restart the agent\n");
  }
  if (!may_start_programs_ && needs_programs(next.config)) {
    return refused(Exit::bad_config,
                   "this agent cannot start programs, as it had no [discovery] with exec when it "
                   "started; restart it\n");
  }
  return Fresh{std::move(next), std::move(outcome.diagnostics)};
}

// All that can fail comes first.
io::OsResult<Done> Agent::switch_to(const InForce& next) {
  const std::vector<Endpoint>& listen = next.config.relay.listen;
  auto added = open_sockets(without(listen, config_.relay.listen));
  if (!added) return Unexpected{added.error()};
  const std::vector<Endpoint> gone = without(config_.relay.listen, listen);
  std::erase_if(sockets_, [&](const auto& socket) {
    return std::ranges::find(gone, socket->local()) != gone.end();
  });
  for (auto& socket : *added) {
    start_socket(*socket);
    sockets_.push_back(std::move(socket));
  }
  keys_ = next.keys;
  interfaces_->configure(next.config.groups);
  discovery_->configure(next.config);
  apply(next.config);
  return Done{};
}

Result<std::string, Failure> Agent::reload(std::optional<Duration> trial) {
  notifier_.reloading();
  const auto failed = [this](Failure failure) {
    note(Severity::error, "reload_failed", "", "nothing was changed:\n" + failure.error);
    notifier_.ready();
    return Unexpected{std::move(failure)};
  };
  if (trial_.waits() && !trial) {
    return failed({Exit::critical,
                   "a reload waits to be confirmed\n    fix: tribecast config confirm, or config "
                   "undo, or config reload --confirm TIME\n"});
  }
  const auto next = read_files();
  if (!next) return failed(next.error());
  InForce before{config_, keys_};
  if (const auto switched = switch_to(next->in_force); !switched) {
    return failed({Exit::bad_config, switched.error().message() + "\n"});
  }
  const bool auth_changed = before.config.security.auth != config_.security.auth;
  trial_.reloaded(std::move(before), next->in_force, trial ? io::now() + *trial : kNever);
  trial_timer_.arm(trial_.deadline());
  std::string text =
      fmt::format("reloaded: {} peers, {} groups", roster_.peers.size(), config_.groups.size());
  if (trial) {
    text += fmt::format("; undone in {} unless confirmed: tribecast config confirm",
                        config::to_text(*trial));
  }
  if (auth_changed) text += fmt::format("; {}", config::kAuthChanges);
  note(Severity::notice, "reloaded", "", text);
  notifier_.ready();
  notify_status();
  return text + "\n" + (next->warnings.empty() ? "" : config::to_text(next->warnings));
}

Result<std::string, Failure> Agent::confirm() {
  if (!trial_.confirm()) {
    return refused(Exit::critical, "no reload waits to be confirmed");
  }
  trial_timer_.arm(kNever);
  const std::string text = "confirmed: the configuration stays";
  note(Severity::notice, "config_confirmed", "", text);
  notify_status();
  return text;
}

Result<std::string, Failure> Agent::undo() { return go_back("by tribecast config undo"); }

Result<std::string, Failure> Agent::go_back(const std::string& why) {
  if (trial_.before() == nullptr) {
    return refused(Exit::critical,
                   "there is nothing to undo: no reload has changed anything since "
                   "the start or the last undo");
  }
  notifier_.reloading();
  const InForce before = *trial_.before();
  const auto switched = switch_to(before);
  notifier_.ready();
  if (!switched) {
    const std::string text =
        "the configuration before cannot be had back: " + switched.error().message();
    note(Severity::error, "undo_failed", "", text);
    return refused(Exit::critical, text);
  }
  trial_.undone(why);
  trial_timer_.arm(kNever);
  const std::string text =
      fmt::format("undone: {} peers, {} groups", roster_.peers.size(), config_.groups.size());
  note(Severity::warning, "config_undone", "",
       fmt::format("{} ({}); the files are not what runs", text, why));
  notify_status();
  return text + "\nthe files are not what runs; see: tribecast config diff";
}

void Agent::end_trial() {
  if (go_back("not confirmed in time")) return;
  trial_.postpone(io::now() + kUndoAgain);
  trial_timer_.arm(trial_.deadline());
}

}  // namespace tribecast::daemon
