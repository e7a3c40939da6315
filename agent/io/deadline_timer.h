// One alarm on CLOCK_MONOTONIC. Costs nothing while it is not armed.
#pragma once

#include <functional>
#include <memory>

#include "base/time.h"
#include "io/loop.h"

namespace tribecast::io {

class DeadlineTimer {
 public:
  DeadlineTimer(Loop& loop, std::function<void()> on_deadline);
  DeadlineTimer(const DeadlineTimer&) = delete;
  DeadlineTimer& operator=(const DeadlineTimer&) = delete;
  ~DeadlineTimer();

  // Replaces the deadline; kNever disarms, one in the past fires in the next turn of the loop.
  // Arming again for the same time is free. Fires once.
  void arm(Instant deadline);
  [[nodiscard]] Instant deadline() const;

 private:
  struct State;
  // Owned by this object and by the wait that is pending in the loop.
  std::shared_ptr<State> state_;
};

}  // namespace tribecast::io
