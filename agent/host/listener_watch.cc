#include "host/listener_watch.h"

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "host/sock_diag.h"
#include "io/clock.h"
#include "io/deadline_timer.h"
#include "io/fd.h"
#include "io/readable.h"

namespace tribecast::host {
namespace {

constexpr Duration kRetry = milliseconds(100);
constexpr int kMessagesPerTurn = 64;
constexpr std::size_t kMessageBuffer = 32768;  // the kernel makes none larger
constexpr std::array<int, 2> kGroups = {SKNLGRP_INET_TCP_DESTROY, SKNLGRP_INET6_TCP_DESTROY};
static_assert(ListenerWatch::kMaxWatched <= kMaxFilterPorts);

constexpr const char* kListeners = "netlink sock_diag: listeners";

using Cookies = std::vector<std::uint64_t>;

io::OsResult<io::Fd> netlink_socket() {
  io::Fd fd(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_SOCK_DIAG));
  if (!fd) return io::os_error("netlink sock_diag: socket");
  return fd;
}

struct Request {
  nlmsghdr header{};
  inet_diag_req_v2 body{};
};
static_assert(sizeof(Request) == NLMSG_LENGTH(sizeof(inet_diag_req_v2)));

// The listeners of one family and port. The kernel sorts them out: an answer that
// fits into one message cannot miss a listener because another one went meanwhile.
Request listener_request(int family, std::uint16_t port) {
  Request request;
  request.header.nlmsg_len = sizeof request;
  request.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  request.body.sdiag_family = static_cast<std::uint8_t>(family);
  request.body.sdiag_protocol = IPPROTO_TCP;
  request.body.idiag_states = 1U << TCP_LISTEN;
  request.body.id.idiag_sport = htons(port);
  return request;
}

Unexpected<io::OsError> refused(int error) {
  const bool missing = error == ENOENT;
  return {{error, kListeners, missing ? "this kernel has none for TCP (module tcp_diag)" : ""}};
}

bool has(const Cookies& wanted, std::uint64_t cookie) {
  return std::ranges::find(wanted, cookie) != wanted.end();
}

bool share(const Cookies& a, const Cookies& b) {
  return std::ranges::any_of(a, [&](std::uint64_t cookie) { return has(b, cookie); });
}

}  // namespace

struct ListenerWatch::Impl {
  struct Watched {
    Cookies cookies;       // of its sockets, at least one of which was there when last looked at
    bool suspect = false;  // to be looked at
  };

  Impl(io::Loop& l, Gone callback)
      : loop(l), on_gone(std::move(callback)), timer(l, [this] { verify(); }) {}

  io::OsResult<Done> start();
  io::OsResult<bool> watch(const Endpoint& listener);
  void look(const Endpoint& listener);
  void forget(const Endpoint& listener);
  io::OsResult<Cookies> follow_and_list(const Endpoint& listener);
  io::OsResult<Done> follow_ports();
  io::OsResult<Done> set_filter(const std::vector<std::uint16_t>& ports);
  io::OsResult<Done> set_groups(bool join);
  void on_readable();
  bool receive();
  void note(Bytes datagram);
  void suspect_all();
  void verify();
  bool is_gone(const Endpoint& listener, Watched& entry);
  io::OsResult<Cookies> listening(const Endpoint& listener);
  io::OsResult<Done> dump(int family, const Endpoint& listener, Cookies& out);

  io::Loop& loop;
  Gone on_gone;
  Counters counters;
  std::map<Endpoint, Watched> watched;
  std::vector<std::uint16_t> ports;  // of the filter: sorted, each once
  std::vector<std::uint8_t> buffer = std::vector<std::uint8_t>(kMessageBuffer);
  io::Fd events;
  io::Fd queries;           // opened when needed; closed upon an error, with what it may still hold
  io::DeadlineTimer timer;  // to verify() again
  std::unique_ptr<io::Readable> readable;
};

// Joins the groups for a moment and asks for the listeners of some port: what is missing shows now,
// and the kernel loads its modules.
io::OsResult<Done> ListenerWatch::Impl::start() {
  auto socket = netlink_socket();
  if (!socket) return Unexpected{socket.error()};
  events = std::move(*socket);
  if (auto done = set_filter({}); !done) return done;
  sockaddr_nl self{};
  self.nl_family = AF_NETLINK;
  if (bind(events.get(), reinterpret_cast<const sockaddr*>(&self), sizeof self) != 0) {
    return io::os_error("netlink sock_diag: bind");
  }
  if (auto done = set_groups(true); !done) return done;
  if (auto done = set_groups(false); !done) return done;
  if (const auto any = listening({Address(), 1}); !any) return Unexpected{any.error()};
  readable = std::make_unique<io::Readable>(loop, events.get(), [this] { on_readable(); });
  return Done{};
}

io::OsResult<bool> ListenerWatch::Impl::watch(const Endpoint& listener) {
  if (listener.port == 0) return false;
  if (watched.contains(listener)) return true;
  if (watched.size() >= kMaxWatched) {
    return Unexpected{io::OsError{ENOSPC, "watch " + listener.to_string(),
                                  std::to_string(kMaxWatched) + " listeners are watched already"}};
  }
  // First the notifications, then the look: no end between the two is missed.
  watched.try_emplace(listener);
  auto cookies = follow_and_list(listener);
  if (cookies && !cookies->empty()) {
    watched[listener].cookies = std::move(*cookies);
    return true;
  }
  forget(listener);
  if (!cookies) return Unexpected{cookies.error()};
  return false;
}

void ListenerWatch::Impl::look(const Endpoint& listener) {
  const auto found = watched.find(listener);
  if (found == watched.end()) return;
  found->second.suspect = true;
  timer.arm(std::min(timer.deadline(), io::now()));
}

io::OsResult<Cookies> ListenerWatch::Impl::follow_and_list(const Endpoint& listener) {
  if (const auto followed = follow_ports(); !followed) return Unexpected{followed.error()};
  return listening(listener);
}

void ListenerWatch::Impl::forget(const Endpoint& listener) {
  if (watched.erase(listener) == 0) return;
  // A filter that lets too much through does no harm.
  static_cast<void>(static_cast<bool>(follow_ports()));
}

// Filter and memberships as the watched ports want them.
io::OsResult<Done> ListenerWatch::Impl::follow_ports() {
  std::vector<std::uint16_t> wanted;
  for (const auto& [listener, entry] : watched) wanted.push_back(listener.port);
  std::ranges::sort(wanted);
  wanted.erase(std::unique(wanted.begin(), wanted.end()), wanted.end());
  if (wanted == ports) return Done{};
  if (auto done = set_filter(wanted); !done) return done;
  const bool joined = !ports.empty();
  if (joined == wanted.empty()) {
    if (auto done = set_groups(!wanted.empty()); !done) return done;
  }
  ports = std::move(wanted);
  return Done{};
}

io::OsResult<Done> ListenerWatch::Impl::set_filter(const std::vector<std::uint16_t>& wanted) {
  std::vector<sock_filter> program = destroy_filter(wanted);
  const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
  if (setsockopt(events.get(), SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter) != 0) {
    return io::os_error("netlink sock_diag: filter");
  }
  return Done{};
}

io::OsResult<Done> ListenerWatch::Impl::set_groups(bool join) {
  const int option = join ? NETLINK_ADD_MEMBERSHIP : NETLINK_DROP_MEMBERSHIP;
  for (const int group : kGroups) {
    if (setsockopt(events.get(), SOL_NETLINK, option, &group, sizeof group) != 0) {
      return io::os_error("netlink sock_diag: group " + std::to_string(group));
    }
  }
  return Done{};
}

void ListenerWatch::Impl::on_readable() {
  ++counters.wakeups;
  for (int i = 0; i < kMessagesPerTurn; ++i) {
    if (!receive()) break;
  }
  verify();
}

// False when nothing is left.
bool ListenerWatch::Impl::receive() {
  const ssize_t n = recv(events.get(), buffer.data(), buffer.size(), MSG_DONTWAIT | MSG_TRUNC);
  if (n >= 0) {
    ++counters.messages;
    const auto size = static_cast<std::size_t>(n);
    note(size > buffer.size() ? Bytes() : Bytes(buffer).first(size));
    return true;
  }
  if (errno == EAGAIN || errno == EINTR) return errno == EINTR;
  // ENOBUFS: messages were lost.
  ++counters.lost;
  suspect_all();
  return errno == ENOBUFS;
}

void ListenerWatch::Impl::note(Bytes datagram) {
  const auto messages = parse_diag(datagram);
  if (!messages || messages->sockets.empty()) return suspect_all();
  for (const DiagSocket& socket : messages->sockets) {
    if (!may_be_ended_listener(socket)) continue;
    for (auto& [listener, entry] : watched) {
      if (has(entry.cookies, socket.cookie)) entry.suspect = true;
    }
  }
}

void ListenerWatch::Impl::suspect_all() {
  for (auto& [listener, entry] : watched) entry.suspect = true;
}

// One after the other from the beginning: on_gone may change what is watched. While the timer is
// armed it is the timer's turn.
void ListenerWatch::Impl::verify() {
  const auto next = [this] {
    return std::ranges::find_if(watched, [](const auto& item) { return item.second.suspect; });
  };
  for (auto found = next(); found != watched.end(); found = next()) {
    if (timer.deadline() != kNever) return;
    const Endpoint listener = found->first;
    if (!is_gone(listener, found->second)) continue;
    forget(listener);
    on_gone(listener);
  }
}

// Clears the suspicion; when nothing can be known now, it stays and the timer is armed.
bool ListenerWatch::Impl::is_gone(const Endpoint& listener, Watched& entry) {
  auto now = listening(listener);
  if (!now) {
    ++counters.failed_dumps;
    timer.arm(io::now() + kRetry);
    return false;
  }
  entry.suspect = false;
  if (!share(entry.cookies, *now)) return true;
  // With SO_REUSEPORT others may have come beside it.
  entry.cookies = std::move(*now);
  return false;
}

// The cookies of all sockets that listen there.
io::OsResult<Cookies> ListenerWatch::Impl::listening(const Endpoint& listener) {
  Cookies cookies;
  ++counters.dumps;
  for (const int family : {AF_INET, AF_INET6}) {
    if (auto done = dump(family, listener, cookies); !done) {
      queries.reset();
      return Unexpected{done.error()};
    }
  }
  return cookies;
}

// The kernel has an answer ready when its request returns, and goes on when one is read: no wait.
io::OsResult<Done> ListenerWatch::Impl::dump(int family, const Endpoint& listener, Cookies& out) {
  if (!queries) {
    auto socket = netlink_socket();
    if (!socket) return Unexpected{socket.error()};
    queries = std::move(*socket);
  }
  const Request request = listener_request(family, listener.port);
  if (send(queries.get(), &request, sizeof request, 0) < 0) return io::os_error(kListeners);
  for (;;) {
    const ssize_t n = recv(queries.get(), buffer.data(), buffer.size(), MSG_TRUNC);
    if (n < 0) return io::os_error(kListeners);
    const auto size = static_cast<std::size_t>(n);
    const auto messages =
        size > buffer.size() ? std::nullopt : parse_diag(Bytes(buffer).first(size));
    if (!messages)
      return Unexpected{io::OsError{EBADMSG, kListeners, "an answer that makes no sense"}};
    if (messages->error != 0) return refused(messages->error);
    for (const DiagSocket& socket : messages->sockets) {
      if (listens_on(socket, listener)) out.push_back(socket.cookie);
    }
    if (messages->done) return Done{};
  }
}

io::OsResult<std::unique_ptr<ListenerWatch>> ListenerWatch::open(io::Loop& loop, Gone on_gone) {
  auto impl = std::make_unique<Impl>(loop, std::move(on_gone));
  if (const auto started = impl->start(); !started) return Unexpected{started.error()};
  return std::unique_ptr<ListenerWatch>(new ListenerWatch(std::move(impl)));
}

ListenerWatch::ListenerWatch(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

ListenerWatch::~ListenerWatch() = default;

io::OsResult<bool> ListenerWatch::watch(const Endpoint& listener) { return impl_->watch(listener); }

void ListenerWatch::look(const Endpoint& listener) { impl_->look(listener); }

void ListenerWatch::forget(const Endpoint& listener) { impl_->forget(listener); }

bool ListenerWatch::watches(const Endpoint& listener) const {
  return impl_->watched.contains(listener);
}

const ListenerWatch::Counters& ListenerWatch::counters() const { return impl_->counters; }

}  // namespace tribecast::host
