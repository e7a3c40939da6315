// What a reload can go back to, and whether it still waits to be confirmed. Pure.
//
//   plain reload ---------------> in force; undo() goes back once
//   reload with a time ---------> on trial --confirm---> in force
//                                    |
//                                    +--undo, or time is up---> what was confirmed last
//
// A reload on trial may be followed by another on trial: both are undone together.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "config/config.h"
#include "config/keyring_file.h"
#include "control/status.h"

namespace tribecast::daemon {

// What the agent runs with.
struct InForce {
  config::Config config;
  config::KeyFiles keys;

  // Whether it would act in the same way.
  [[nodiscard]] bool same_as(const InForce& other) const {
    return config == other.config && keys.same_keys(other.keys);
  }
};

class Trial {
 public:
  // A reload was applied; `before` was in force until then. Without a time (kNever) it is final.
  void reloaded(InForce before, const InForce& now, Instant deadline);
  // False when nothing waits.
  [[nodiscard]] bool confirm();
  // It was gone back; `why` is a clause. What is on disk differs from what runs from now on.
  void undone(std::string why);
  // It could not be gone back yet.
  void postpone(Instant deadline) { deadline_ = deadline; }

  [[nodiscard]] bool waits() const { return deadline_ != kNever; }
  [[nodiscard]] Instant deadline() const { return deadline_; }
  // Null when there is nothing to go back to.
  [[nodiscard]] const InForce* before() const { return before_ ? &*before_ : nullptr; }
  [[nodiscard]] std::vector<control::Warning> warnings(Instant now) const;

 private:
  std::optional<InForce> before_;
  Instant deadline_ = kNever;
  std::string undone_;  // why; empty when what runs is what was read last
};

}  // namespace tribecast::daemon
