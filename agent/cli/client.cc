#include "cli/client.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <string_view>

#include "cli/descriptor.h"

namespace tribecast::cli {
namespace {

using control::Exit;
using control::Failure;
using Clock = std::chrono::steady_clock;

Unexpected<Failure> failed(const std::string& path, const Service& service, int error) {
  const std::string why = path + ": " + std::strerror(error);
  if (error == EACCES || error == EPERM) {
    return {{Exit::no_permission,
             "no permission to ask " + std::string(service.name) + "\n    why: " + why +
                 "\n    fix: run as root or as a member of the socket's group (tribecast)"}};
  }
  return {{Exit::unreachable, std::string(service.name) + " is not reachable\n    why: " + why +
                                  "\n    fix: systemctl status " + service.unit +
                                  "; or name its socket: --socket PATH"}};
}

Unexpected<Failure> too_late(const std::string& path, const Service& service) {
  return {{Exit::unreachable, std::string(service.name) + " did not answer\n    why: " + path +
                                  ": no answer within 5 s\n    fix: systemctl status " +
                                  service.unit}};
}

// Until the descriptor is ready for `events`; false when the time is up.
bool ready(int descriptor, short events, Clock::time_point deadline) {
  pollfd one{descriptor, events, 0};
  int milliseconds_left = -1;
  if (deadline != Clock::time_point::max()) {
    const auto left = std::chrono::ceil<milliseconds>(deadline - Clock::now()).count();
    if (left <= 0) return false;
    milliseconds_left = static_cast<int>(left);
  }
  const int count = poll(&one, 1, milliseconds_left);
  return count > 0 || (count < 0 && errno == EINTR);
}

int connect_to(const Descriptor& connection, const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) return ENAMETOOLONG;
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  if (connect(connection.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) ==
      0) {
    return 0;
  }
  return errno;
}

bool try_again(int error) { return error == EAGAIN || error == EINTR; }

}  // namespace

Result<std::string, Failure> Client::ask(const control::Request& request, bool patient) const {
  return answer(control::to_line(request), patient);
}

Result<std::string, Failure> Client::answer(const std::string& line, bool patient) const {
  const Clock::time_point deadline =
      patient ? Clock::time_point::max() : Clock::now() + kAnswerTimeout;
  const Descriptor connection(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (connection.get() < 0) return failed(path_, service_, errno);
  if (const int error = connect_to(connection, path_); error != 0)
    return failed(path_, service_, error);

  std::string_view rest = line;
  while (!rest.empty()) {
    const ssize_t sent = send(connection.get(), rest.data(), rest.size(), MSG_NOSIGNAL);
    if (sent > 0) rest.remove_prefix(static_cast<std::size_t>(sent));
    if (sent >= 0) continue;
    if (!try_again(errno)) return failed(path_, service_, errno);
    if (!ready(connection.get(), POLLOUT, deadline)) return too_late(path_, service_);
  }

  std::string reply;
  std::array<char, 65536> piece{};
  while (reply.size() < control::kMaxReplyBytes) {
    if (!ready(connection.get(), POLLIN, deadline)) return too_late(path_, service_);
    const ssize_t got = recv(connection.get(), piece.data(), piece.size(), 0);
    if (got == 0) return failed(path_, service_, ECONNRESET);
    if (got < 0 && try_again(errno)) continue;
    if (got < 0) return failed(path_, service_, errno);
    reply.append(piece.data(), static_cast<std::size_t>(got));
    if (reply.back() == '\n') return reply;
  }
  return failed(path_, service_, EMSGSIZE);
}

Result<control::Status, Failure> Client::status() const {
  const auto reply = ask({control::Verb::status, ""});
  if (!reply) return Unexpected<Failure>{reply.error()};
  return control::read_status_reply(*reply);
}

Result<control::Ping, Failure> Client::ping(const std::string& peer) const {
  const auto reply = ask({control::Verb::ping, peer});
  if (!reply) return Unexpected<Failure>{reply.error()};
  return control::read_ping_reply(*reply);
}

Result<control::RunningConfig, Failure> Client::config() const {
  const auto reply = ask({control::Verb::config_show, ""});
  if (!reply) return Unexpected<Failure>{reply.error()};
  return control::read_config_reply(*reply);
}

Result<control::EventList, Failure> Client::events() const {
  const auto reply = ask({control::Verb::events, ""});
  if (!reply) return Unexpected<Failure>{reply.error()};
  return control::read_events_reply(*reply);
}

Result<control::EventList, Failure> Client::next_events(std::uint64_t after) const {
  const auto reply = ask({control::Verb::events, std::to_string(after)}, true);
  if (!reply) return Unexpected<Failure>{reply.error()};
  return control::read_events_reply(*reply);
}

Result<control::SeenList, Failure> Client::captured(std::optional<std::uint64_t> after) const {
  const auto reply = ask({control::Verb::capture, after ? std::to_string(*after) : ""});
  if (!reply) return Unexpected<Failure>{reply.error()};
  return control::read_capture_reply(*reply);
}

Result<control::BenchResult, Failure> Client::bench(const control::BenchRequest& what) const {
  const auto reply = ask({control::Verb::bench, control::to_argument(what)});
  if (!reply) return Unexpected<Failure>{reply.error()};
  return control::read_bench_reply(*reply);
}

Result<control::RollCall, Failure> Client::roll_call() const {
  const auto reply = ask({control::Verb::roll_call, ""});
  if (!reply) return Unexpected<Failure>{reply.error()};
  return control::read_roll_call_reply(*reply);
}

Result<std::string, Failure> Client::text(control::Verb verb, const std::string& argument) const {
  const auto reply = ask({verb, argument});
  if (!reply) return Unexpected<Failure>{reply.error()};
  return control::read_text_reply(*reply);
}

}  // namespace tribecast::cli
