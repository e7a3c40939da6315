#include "io/readable.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <utility>

namespace tribecast::io {

using boost::asio::posix::stream_descriptor;

struct Readable::State : std::enable_shared_from_this<State> {
  State(Loop& loop, int fd, std::function<void()> callback, Direction direction)
      : descriptor(loop, fd),
        on_ready(std::move(callback)),
        what(direction == Direction::read ? stream_descriptor::wait_read
                                          : stream_descriptor::wait_write) {}

  // Asio arms the descriptor anew with each wait, so what a bounded callback left is told again.
  void wait() {
    descriptor.async_wait(what, [self = shared_from_this()](boost::system::error_code error) {
      if (error || self->stopped) return;
      self->on_ready();
      if (!self->stopped) self->wait();
    });
  }

  stream_descriptor descriptor;
  std::function<void()> on_ready;
  stream_descriptor::wait_type what;
  bool stopped = false;
};

Readable::Readable(Loop& loop, int fd, std::function<void()> on_ready, Direction direction)
    : state_(std::make_shared<State>(loop, fd, std::move(on_ready), direction)) {
  state_->wait();
}

Readable::~Readable() { stop(); }

void Readable::stop() {
  if (state_->stopped) return;
  state_->stopped = true;
  state_->descriptor.release();
}

}  // namespace tribecast::io
