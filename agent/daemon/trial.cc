#include "daemon/trial.h"

#include <fmt/format.h>

#include <algorithm>

namespace tribecast::daemon {

void Trial::reloaded(InForce before, const InForce& now, Instant deadline) {
  const bool on_trial = deadline != kNever;
  if (!waits() && (on_trial || !before.same_as(now))) before_ = std::move(before);
  deadline_ = deadline;
  undone_.clear();
}

bool Trial::confirm() {
  const bool waited = waits();
  deadline_ = kNever;
  return waited;
}

void Trial::undone(std::string why) {
  before_.reset();
  deadline_ = kNever;
  undone_ = std::move(why);
}

std::vector<control::Warning> Trial::warnings(Instant now) const {
  std::vector<control::Warning> all;
  if (waits()) {
    const auto left = std::chrono::ceil<seconds>(std::max(deadline_ - now, Duration::zero()));
    all.push_back({"config_unconfirmed",
                   fmt::format("the configuration is on trial and is undone in {} s; keep it: "
                               "tribecast config confirm",
                               left.count())});
  }
  if (!undone_.empty()) {
    all.push_back({"config_undone",
                   fmt::format("the last reload was undone ({}): the files are not what runs, and "
                               "a restart reads them; see: tribecast config diff",
                               undone_)});
  }
  return all;
}

}  // namespace tribecast::daemon
