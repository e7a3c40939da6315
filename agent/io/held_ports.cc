#include "io/held_ports.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <utility>
#include <vector>

#include "io/clock.h"
#include "io/sockaddr.h"

namespace tribecast::io {
namespace {

constexpr Duration kAskTime = milliseconds(300);
// A connection that lasted so long is followed by another one at once.
constexpr Duration kLasting = HeldPorts::kLongestPause;

}  // namespace

HeldPorts::HeldPorts(Loop& loop, Handlers handlers)
    : loop_(loop),
      handlers_(std::move(handlers)),
      probe_(loop),
      timer_(loop, [this] { on_timer(); }) {}

bool HeldPorts::hold(const Endpoint& port, bool answered_before) {
  if (port.port == 0 || port.address.is_unspecified()) return false;
  if (held_.contains(port)) return true;
  if (held_.size() >= kMaxHeld) return false;
  Held& held = held_[port];
  held.answered = answered_before;
  open(port, held);
  return true;
}

bool HeldPorts::watches(const Endpoint& port) const {
  const auto found = held_.find(port);
  return found != held_.end() && found->second.answered;
}

void HeldPorts::open(const Endpoint& port, Held& held) {
  held.next = kNever;
  held.connected = kNever;
  const int family = port.address.is_v4() ? AF_INET : AF_INET6;
  held.fd = Fd(socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!held.fd) return open_later(held);
  const SockAddr remote(port);
  const bool begun = ::connect(held.fd.get(), remote.get(), remote.size()) == 0;
  if (!begun && errno != EINPROGRESS) {
    held.fd.reset();
    return ask(port);
  }
  held.ready = std::make_unique<Readable>(
      loop_, held.fd.get(), [this, port] { on_connected(port); }, Readable::Direction::write);
}

// Or not; then the probe finds out what that means.
void HeldPorts::on_connected(const Endpoint& port) {
  Held& held = held_.at(port);
  held.ready.reset();
  const bool stands = take_error(held.fd.get()) == 0 && !meets_itself(held.fd.get());
  if (!stands) {
    held.fd.reset();
    return ask(port);
  }
  held.connected = io::now();
  held.ready =
      std::make_unique<Readable>(loop_, held.fd.get(), [this, port] { on_readable(port); });
  if (!std::exchange(held.answered, true)) handlers_.on_answered(port);
}

// Its end; or something was said, which no receiver of Tribes does: such a port is not for holding.
void HeldPorts::on_readable(const Endpoint& port) {
  Held& held = held_.at(port);
  std::array<std::uint8_t, 1> byte{};
  const ssize_t n = recv(held.fd.get(), byte.data(), byte.size(), MSG_DONTWAIT);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  held.ready.reset();
  held.fd.reset();
  if (io::now() - held.connected >= kLasting) held.pause = Duration::zero();
  ask(port);
}

void HeldPorts::ask(const Endpoint& port) {
  probe_.probe(port, kAskTime, [this, port](ProbeOutcome outcome) { on_answer(port, outcome); });
}

void HeldPorts::on_answer(const Endpoint& port, ProbeOutcome outcome) {
  Held& held = held_.at(port);
  if (outcome == ProbeOutcome::accepted) held.answered = true;
  const bool gone = outcome == ProbeOutcome::refused && !handlers_.is_listed(port);
  if (!gone) return open_later(held);
  const bool answered = held.answered;
  const Endpoint copy = port;  // which is the entry's own, or a callback's
  held_.erase(copy);
  arm();
  (answered ? handlers_.on_gone : handlers_.on_nobody)(copy);
}

void HeldPorts::open_later(Held& held) {
  held.next = io::now() + held.pause;
  held.pause = std::clamp<Duration>(2 * held.pause, kShortestPause, kLongestPause);
  arm();
}

void HeldPorts::on_timer() {
  const Instant now = io::now();
  for (auto& [port, held] : held_) {
    if (held.next <= now) open(port, held);
  }
  arm();
}

void HeldPorts::arm() {
  Instant next = kNever;
  for (const auto& [port, held] : held_) next = std::min(next, held.next);
  timer_.arm(next);
}

}  // namespace tribecast::io
