#include "io/deadline_timer.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <utility>

namespace tribecast::io {

struct DeadlineTimer::State : std::enable_shared_from_this<State> {
  State(Loop& loop, std::function<void()> callback)
      : timer(loop), on_deadline(std::move(callback)) {}

  void arm(Instant at) {
    if (at == deadline) return;
    deadline = at;
    // Cancels the wait that is pending. Its handler may be on its way already: the turn tells.
    ++turn;
    if (at == kNever) {
      timer.cancel();
      return;
    }
    // steady_clock is CLOCK_MONOTONIC, the clock of Instants.
    timer.expires_at(std::chrono::steady_clock::time_point(at.time_since_epoch()));
    timer.async_wait([self = shared_from_this(), armed = turn](boost::system::error_code error) {
      if (error || armed != self->turn) return;
      self->deadline = kNever;
      self->on_deadline();
    });
  }

  boost::asio::steady_timer timer;
  std::function<void()> on_deadline;
  Instant deadline = kNever;
  std::uint64_t turn = 0;
};

DeadlineTimer::DeadlineTimer(Loop& loop, std::function<void()> on_deadline)
    : state_(std::make_shared<State>(loop, std::move(on_deadline))) {}

DeadlineTimer::~DeadlineTimer() { state_->arm(kNever); }

void DeadlineTimer::arm(Instant deadline) { state_->arm(deadline); }

Instant DeadlineTimer::deadline() const { return state_->deadline; }

}  // namespace tribecast::io
