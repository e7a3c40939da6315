#include "io/sd_notify.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>

#include "io/clock.h"

namespace tribecast::io {
namespace {

std::string take_variable(const char* name) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): before any thread
  std::string taken = value == nullptr ? "" : value;
  unsetenv(name);  // NOLINT(concurrency-mt-unsafe): before any thread
  return taken;
}

std::optional<std::int64_t> parse_number(const std::string& text) {
  std::int64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || stop != end || value <= 0) return std::nullopt;
  return value;
}

}  // namespace

ServiceNotifier::ServiceNotifier() : address_(take_variable("NOTIFY_SOCKET")) {
  const auto watchdog_us = parse_number(take_variable("WATCHDOG_USEC"));
  const auto watchdog_pid = parse_number(take_variable("WATCHDOG_PID"));
  if (address_.size() < 2 || address_.size() >= sizeof(sockaddr_un::sun_path) ||
      (address_[0] != '/' && address_[0] != '@')) {
    return;
  }
  fd_ = Fd(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (watchdog_us && (!watchdog_pid || *watchdog_pid == getpid())) {
    watchdog_interval_ = microseconds(*watchdog_us / 2);
  }
}

void ServiceNotifier::reloading() {
  const auto now_us = duration_cast<microseconds>(now().time_since_epoch()).count();
  send("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(now_us));
}

void ServiceNotifier::status(std::string_view text) {
  std::string line = "STATUS=" + std::string(text);
  std::ranges::replace(line, '\n', ' ');
  send(line);
}

void ServiceNotifier::send(std::string_view message) {
  if (!fd_) return;
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  std::ranges::copy(address_, to.sun_path);
  if (address_[0] == '@') to.sun_path[0] = '\0';
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address_.size());
  static_cast<void>(sendto(fd_.get(), message.data(), message.size(), MSG_NOSIGNAL,
                           reinterpret_cast<const sockaddr*>(&to), size));
}

}  // namespace tribecast::io
