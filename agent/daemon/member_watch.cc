#include "daemon/member_watch.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <cstring>

#include "doctor/proc_text.h"
#include "io/fd.h"
#include "io/whole_file.h"

namespace tribecast::daemon {
namespace {

constexpr Duration kKnockTime = milliseconds(300);
// The kernel's tables of TCP sockets begin with the listeners.
constexpr std::size_t kMaxTableBytes = std::size_t{512} * 1024;
constexpr std::size_t kMaxListBytes = std::size_t{8} * 1024 * 1024;

relay::KnockResult to_result(io::ProbeOutcome outcome) {
  switch (outcome) {
    case io::ProbeOutcome::accepted:
      return relay::KnockResult::accepted;
    case io::ProbeOutcome::refused:
      return relay::KnockResult::refused;
    case io::ProbeOutcome::no_answer:
      return relay::KnockResult::no_answer;
    case io::ProbeOutcome::not_tried:
      break;
  }
  return relay::KnockResult::not_tried;
}

// What there is of a file of /proc, whose size nobody knows before.
std::string read_text(const char* path) {
  const io::Fd file(open(path, O_RDONLY | O_CLOEXEC));
  std::string text(kMaxTableBytes, '\0');
  std::size_t size = 0;
  while (file && size < text.size()) {
    const ssize_t more = read(file.get(), text.data() + size, text.size() - size);
    if (more <= 0) break;
    size += static_cast<std::size_t>(more);
  }
  text.resize(size);
  return text;
}

// A port that refuses may be served all the same, behind a packet filter of this host. False where
// the tables cannot be read.
bool is_listed(const Endpoint& port) {
  const auto serves = [&](const doctor::ProcSocket& socket) {
    const Address& at = socket.local.address;
    const bool wildcard = at.is_unspecified() && (!at.is_v4() || port.address.is_v4());
    return socket.local.port == port.port && (at == port.address || wildcard);
  };
  return std::ranges::any_of(std::array{"/proc/net/tcp", "/proc/net/tcp6"}, [&](const char* path) {
    return std::ranges::any_of(doctor::parse_tcp_listeners(read_text(path)), serves);
  });
}

}  // namespace

MemberWatch::MemberWatch(io::Loop& loop, Log& log, Handlers handlers, const std::string& path)
    : loop_(loop),
      log_(log),
      handlers_(std::move(handlers)),
      path_(path),
      held_(loop, {[this](const Endpoint& port) { handlers_.on_gone(port); },
                   [this](const Endpoint& port) { tell_not_watched(port); },
                   [this](const Endpoint&) { handlers_.on_watched(); }, is_listed}),
      ports_(loop) {
  auto listeners = host::ListenerWatch::open(
      loop, [this](const Endpoint& listener) { handlers_.on_gone(listener); });
  if (listeners) {
    listeners_ = std::move(*listeners);
  } else {
    log_.write(Severity::notice, "held_connections",
               fmt::format("the kernel does not tell of listeners that end: {}; a connection is "
                           "held to the port of each local member instead",
                           listeners.error().message()));
  }
  file_ = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
  if (file_ < 0) {
    log_.write(Severity::warning, "no_member_list",
               fmt::format("{}: {}; who dies while the agent is away is not told of", path_,
                           std::strerror(errno)));
  }
}

MemberWatch::~MemberWatch() {
  if (file_ >= 0) close(file_);
}

std::vector<relay::MemberRecord> MemberWatch::recall() {
  std::vector<relay::MemberRecord> members;
  const auto text = io::read_whole(file_, kMaxListBytes);
  if (!text || text->empty()) return members;
  const auto remembered = relay::parse_remembered(*text);
  if (!remembered) {
    log_.write(Severity::warning, "bad_member_list",
               fmt::format("{}: {}; it is begun anew", path_, remembered.error()));
    return members;
  }
  for (const relay::Remembered& one : *remembered) {
    members.push_back(one.member);
    const auto listener = one.member.listener();
    if (one.watched && listener) watched_before_.insert(*listener);
  }
  return members;
}

// Written in place, since the directory may not be ours: the last line makes it valid.
void MemberWatch::remember(const std::vector<relay::MemberRecord>& members) {
  if (file_ < 0) return;
  std::vector<relay::Remembered> all;
  for (const relay::MemberRecord& member : members) {
    const auto listener = member.listener();
    const bool watched = listener && ((listeners_ != nullptr && listeners_->watches(*listener)) ||
                                      held_.watches(*listener));
    all.push_back({member, watched});
  }
  const std::string text = relay::to_text(all);
  const ssize_t written = pwrite(file_, text.data(), text.size(), 0);
  const bool good = written == static_cast<ssize_t>(text.size());
  if (good) {
    // What is left of a longer list behind the end is not looked at.
    static_cast<void>(ftruncate(file_, static_cast<off_t>(text.size())) == 0);
  } else if (!write_failed_) {
    log_.write(Severity::warning, "no_member_list",
               fmt::format("{} cannot be written: {}; who dies while the agent is away is not "
                           "told of",
                           path_, written < 0 ? std::strerror(errno) : "no space"));
  }
  write_failed_ = !good;
}

void MemberWatch::watch(const Endpoint& listener) {
  const bool was_there = watched_before_.erase(listener) > 0;
  if (listeners_ == nullptr || held_.watches(listener)) return hold(listener, was_there);
  if (listeners_->watches(listener)) return listeners_->look(listener);
  const auto found = listeners_->watch(listener);
  if (!found) {
    log_.write(Severity::notice, "held_connections",
               fmt::format("{} cannot be watched: {}; a connection is held to it instead",
                           listener.to_string(), found.error().message()));
    hold(listener, was_there);
  } else if (!*found && was_there) {
    // Seen by the agent's last process, and gone since.
    boost::asio::post(loop_, [this, listener] { handlers_.on_gone(listener); });
  } else if (!*found) {
    tell_not_watched(listener);
  }
}

void MemberWatch::hold(const Endpoint& listener, bool was_there) {
  if (held_.hold(listener, was_there)) return;
  if (!not_watched_.insert(listener).second) return;
  log_.write(Severity::warning, "no_listener_watch",
             fmt::format("{} is not watched: connections are held to {} ports already; its death "
                         "is noticed after Tomcat's drop time only",
                         listener.to_string(), held_.size()));
}

void MemberWatch::tell_not_watched(const Endpoint& listener) {
  if (!not_watched_.insert(listener).second) return;
  log_.write(Severity::info, "not_watched",
             fmt::format("nobody is seen to listen on {} (a container with a network of its own?): "
                         "its death is noticed after Tomcat's drop time only",
                         listener.to_string()));
}

std::string_view MemberWatch::means() const {
  return listeners_ == nullptr || held_.size() > 0 ? "held_connections" : "sock_diag";
}

void MemberWatch::knock(const relay::Knock& knock) {
  ports_.probe(knock.at, kKnockTime, [this, token = knock.token](io::ProbeOutcome outcome) {
    handlers_.on_knock(token, to_result(outcome));
  });
}

}  // namespace tribecast::daemon
