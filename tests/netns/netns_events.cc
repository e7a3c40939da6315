// Timers and waits on pipes, checked here; then tells the service manager all that there is to
// tell.
#include <unistd.h>

#include <array>
#include <memory>

#include "driver.h"
#include "io/clock.h"
#include "io/deadline_timer.h"
#include "io/fd.h"
#include "io/readable.h"
#include "io/sd_notify.h"

using namespace tribecast;
using namespace tribecast::netns;

namespace {

void check(const char* what, bool ok) {
  say("{}: {}", ok ? "ok" : "FAIL", what);
  if (!ok) std::exit(1);
}

struct Pipe {
  Pipe() {
    std::array<int, 2> ends{};
    if (pipe(ends.data()) != 0) die("pipe");
    read = io::Fd(ends[0]);
    write = io::Fd(ends[1]);
  }
  void put(std::size_t n) const {
    const std::string bytes(n, 'x');
    if (::write(write.get(), bytes.data(), n) != static_cast<ssize_t>(n)) die("write");
  }
  void take_one() const {
    char byte = 0;
    if (::read(read.get(), &byte, 1) != 1) die("read");
  }

  io::Fd read;
  io::Fd write;
};

void what_is_left_is_told_again(boost::asio::io_context& loop) {
  const Pipe pipe;
  int calls = 0;
  std::unique_ptr<io::Readable> readable;
  readable = std::make_unique<io::Readable>(loop, pipe.read.get(), [&] {
    pipe.take_one();
    if (++calls == 5) readable.reset();
  });
  pipe.put(7);
  loop.restart();
  loop.run();
  check("what a callback leaves is told again, until it destroys the wait", calls == 5);
}

void stopped_waits_are_silent(boost::asio::io_context& loop) {
  const Pipe pipe;
  int calls = 0;
  io::Readable readable(loop, pipe.read.get(), [&] { ++calls; });
  pipe.put(1);
  readable.stop();
  readable.stop();
  loop.restart();
  loop.run();
  check("a stopped wait is silent, and lets the loop end", calls == 0);
}

void writable(boost::asio::io_context& loop) {
  const Pipe pipe;
  int calls = 0;
  std::unique_ptr<io::Readable> wait;
  wait = std::make_unique<io::Readable>(
      loop, pipe.write.get(),
      [&] {
        ++calls;
        wait.reset();
      },
      io::Readable::Direction::write);
  loop.restart();
  loop.run();
  check("room to write", calls == 1);
}

void timers(boost::asio::io_context& loop) {
  std::string fired;
  const Instant begin = io::now();
  io::DeadlineTimer late(loop, [&] { fired += 'l'; });
  io::DeadlineTimer never(loop, [&] { fired += 'n'; });
  io::DeadlineTimer past(loop, [&] { fired += 'p'; });
  io::DeadlineTimer early(loop, [&] { fired += 'e'; });
  late.arm(begin + seconds(100));
  late.arm(begin + milliseconds(60));
  never.arm(begin + milliseconds(10));
  never.arm(kNever);
  early.arm(begin + milliseconds(30));
  early.arm(begin + milliseconds(30));
  past.arm(begin - seconds(1));
  check("nothing fires inside arm()", fired.empty());
  loop.restart();
  loop.run();
  check("timers fire once, in order, at their last deadline", fired == "pel");
  check("not before", io::now() - begin >= milliseconds(60));
  check("and are disarmed", late.deadline() == kNever);
}

void timer_in_its_own_callback(boost::asio::io_context& loop) {
  int calls = 0;
  std::unique_ptr<io::DeadlineTimer> timer;
  timer = std::make_unique<io::DeadlineTimer>(loop, [&] {
    if (++calls == 3) return timer.reset();
    timer->arm(io::now());
  });
  timer->arm(io::now());
  loop.restart();
  loop.run();
  check("a timer armed, then destroyed, in its own callback", calls == 3);
}

void disarmed_by_another(boost::asio::io_context& loop) {
  int calls = 0;
  const Instant at = io::now() - seconds(1);
  io::DeadlineTimer* other = nullptr;
  const auto fire = [&] {
    ++calls;
    other->arm(kNever);
  };
  io::DeadlineTimer a(loop, fire);
  io::DeadlineTimer b(loop, fire);
  a.arm(at);
  b.arm(at);
  // Both are due: whichever comes first disarms the other, whose handler is on its way already.
  other = &b;
  loop.restart();
  loop.run_one();
  if (calls == 1) loop.run();
  check("a timer that is disarmed when it was due stays silent", calls == 1);
}

}  // namespace

int main() {
  io::ServiceNotifier service;
  check("the environment is not passed on", std::getenv("NOTIFY_SOCKET") == nullptr);
  boost::asio::io_context loop;
  what_is_left_is_told_again(loop);
  stopped_waits_are_silent(loop);
  writable(loop);
  timers(loop);
  timer_in_its_own_callback(loop);
  disarmed_by_another(loop);
  const auto interval = service.watchdog_interval();
  say("watchdog {}", interval ? interval->count() : 0);
  service.ready();
  service.status("two\nlines");
  service.reloading();
  service.ready();
  service.watchdog();
  service.stopping();
}
