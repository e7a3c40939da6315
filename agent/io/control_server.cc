#include "io/control_server.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <algorithm>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <set>
#include <utility>

#include "io/clock.h"
#include "io/deadline_timer.h"
#include "io/fd.h"

namespace tribecast::io {

namespace asio = boost::asio;
using asio::awaitable;
using asio::redirect_error;
using asio::use_awaitable;
using asio::local::stream_protocol;
using boost::system::error_code;

namespace {

constexpr auto kNoExpiry = std::chrono::steady_clock::time_point::max();

void rethrow(const std::exception_ptr& error) {
  if (error) std::rethrow_exception(error);
}

// One client. Owned by its coroutine, and for a moment by those who wake it.
struct Session {
  Session(Loop& loop, stream_protocol::socket connection)
      : socket(std::move(connection)),
        answered(loop, kNoExpiry),
        patience(loop, [this] { close(); }) {}

  // Ends whatever the coroutine waits for.
  void close() {
    error_code ignored;
    socket.close(ignored);
    gone = true;
    answered.cancel();
  }

  stream_protocol::socket socket;
  std::string input;            // what was read and not yet handled
  asio::steady_timer answered;  // never expires; cancelled when there is news
  DeadlineTimer patience;
  std::uint64_t request = 0;  // number of the one that is being handled
  std::optional<std::string> answer;
  bool gone = false;
};

// The right to answer one request; shared by the copies of a Reply.
class Ticket {
 public:
  explicit Ticket(const std::shared_ptr<Session>& session)
      : session_(session), request_(session->request) {}
  Ticket(const Ticket&) = delete;
  Ticket& operator=(const Ticket&) = delete;
  ~Ticket() {
    const auto session = current();
    if (session && !session->answer) session->close();
  }

  void answer(std::string text) {
    const auto session = current();
    if (!session || session->answer) return;
    session->answer = std::move(text);
    session->answered.cancel();
  }

 private:
  // Null once the request is over.
  [[nodiscard]] std::shared_ptr<Session> current() const {
    auto session = session_.lock();
    return session && session->request == request_ ? session : nullptr;
  }

  std::weak_ptr<Session> session_;
  std::uint64_t request_;
};

Caller caller_of(int fd) {
  ucred credentials{};
  socklen_t size = sizeof credentials;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) {
    return {static_cast<uid_t>(-1), static_cast<gid_t>(-1), 0};
  }
  return {credentials.uid, credentials.gid, credentials.pid};
}

OsResult<sockaddr_un> address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path) {
    return Unexpected{OsError{ENAMETOOLONG, "control socket " + path, {}}};
  }
  std::ranges::copy(path, address.sun_path);
  return address;
}

// Removes a socket file on which nobody listens.
OsResult<Done> clear_stale(const std::string& path, const sockaddr_un& address) {
  const std::string name = "control socket " + path;
  struct stat file {};
  if (lstat(path.c_str(), &file) != 0) {
    if (errno == ENOENT) return Done{};
    return os_error(name);
  }
  if (!S_ISSOCK(file.st_mode)) {
    return Unexpected{OsError{EEXIST, name, "a file of this name exists and is not a socket"}};
  }
  const Fd probe(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!probe) return os_error(name);
  const auto* raw = reinterpret_cast<const sockaddr*>(&address);
  const int error = connect(probe.get(), raw, sizeof address) == 0 ? 0 : errno;
  if (error == EACCES || error == EPERM) {
    return Unexpected{OsError{
        error, name,
        "it belongs to user " + std::to_string(file.st_uid) +
            ", and this user may not ask whether a daemon answers there: remove it, or start as "
            "root or as that user"}};
  }
  // A full queue of one that does not accept is a daemon, too.
  if (error != ECONNREFUSED) {
    return Unexpected{OsError{EADDRINUSE, name, "another daemon answers there"}};
  }
  if (unlink(path.c_str()) != 0) return os_error("remove stale " + name);
  return Done{};
}

struct Listening {
  Fd fd;
  std::optional<OsError> not_given;
};

// Gives the file to its owner and group. Without the right to (CAP_CHOWN) it is for this user
// alone: narrower than wanted, never wider. The value is that error.
OsResult<std::optional<OsError>> give_away(const ControlOptions& options, const std::string& name) {
  constexpr auto kSame = static_cast<uid_t>(-1);
  if (!options.owner && !options.group) return std::optional<OsError>{};
  if (chown(options.path.c_str(), options.owner.value_or(kSame), options.group.value_or(kSame)) ==
      0) {
    return std::optional<OsError>{};
  }
  OsError error = os_error("owner of " + name).error;
  if (error.code != EPERM) return Unexpected{error};
  if (chmod(options.path.c_str(), 0600) != 0) return os_error("mode of " + name);
  return std::optional(error);
}

OsResult<Listening> listen_at(const ControlOptions& options) {
  const std::string name = "control socket " + options.path;
  const auto address = address_of(options.path);
  if (!address) return Unexpected{address.error()};
  if (const auto cleared = clear_stale(options.path, *address); !cleared) {
    return Unexpected{cleared.error()};
  }
  Fd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return os_error(name);
  // The file inherits the socket's mode: never wider than this, not even for a moment.
  if (fchmod(fd.get(), 0660) != 0) return os_error("mode of " + name);
  if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address) != 0) {
    return os_error(name);
  }
  if (chmod(options.path.c_str(), 0660) != 0) return os_error("mode of " + name);
  auto given = give_away(options, name);
  if (!given) return Unexpected{given.error()};
  if (listen(fd.get(), SOMAXCONN) != 0) return os_error("listen on " + name);
  return Listening{std::move(fd), std::move(*given)};
}

}  // namespace

struct ControlServer::State : std::enable_shared_from_this<State> {
  State(Loop& l, std::string p, Handler h)
      : loop(l), path(std::move(p)), handler(std::move(h)), acceptor(l), room(l, kNoExpiry) {}

  void close() {
    closed = true;
    error_code ignored;
    acceptor.close(ignored);
    room.cancel();
    for (Session* session : sessions) session->close();
    struct stat now {};
    if (lstat(path.c_str(), &now) == 0 && now.st_dev == file.st_dev && now.st_ino == file.st_ino) {
      unlink(path.c_str());
    }
  }

  awaitable<void> accept_clients();
  awaitable<void> serve(std::shared_ptr<Session> session);
  awaitable<std::optional<std::string>> read_line(Session& session);
  awaitable<std::optional<std::string>> ask_handler(std::shared_ptr<Session> session,
                                                    std::string line, Caller caller);
  awaitable<bool> write(Session& session, std::string answer);

  Loop& loop;
  std::string path;
  Handler handler;
  stream_protocol::acceptor acceptor;
  asio::steady_timer room;  // never expires; cancelled when a client leaves
  std::set<Session*> sessions;
  ControlCounters counters;
  std::optional<OsError> not_given;
  struct stat file {};
  bool closed = false;
};

awaitable<void> ControlServer::State::accept_clients() {
  const auto self = shared_from_this();
  while (!closed) {
    error_code error;
    if (sessions.size() >= kMaxClients) {
      co_await room.async_wait(redirect_error(use_awaitable, error));
      continue;
    }
    stream_protocol::socket socket(loop);
    co_await acceptor.async_accept(socket, redirect_error(use_awaitable, error));
    if (closed) break;
    if (error) {  // out of descriptors or memory: the client stays in the queue
      asio::steady_timer pause(loop, milliseconds(100));
      co_await pause.async_wait(redirect_error(use_awaitable, error));
      continue;
    }
    ++counters.accepted;
    auto session = std::make_shared<Session>(loop, std::move(socket));
    sessions.insert(session.get());
    asio::co_spawn(loop, serve(std::move(session)), &rethrow);
  }
}

awaitable<void> ControlServer::State::serve(std::shared_ptr<Session> session) {
  const auto self = shared_from_this();
  const Caller caller = caller_of(session->socket.native_handle());
  while (!session->gone) {
    std::optional<std::string> line = co_await read_line(*session);
    if (!line) break;
    ++counters.requests;
    std::optional<std::string> answer = co_await ask_handler(session, std::move(*line), caller);
    if (!answer) break;
    const bool written = co_await write(*session, std::move(*answer));
    if (!written) break;
  }
  session->close();
  sessions.erase(session.get());
  room.cancel();
}

// Nothing: end of file, or cut off.
awaitable<std::optional<std::string>> ControlServer::State::read_line(Session& session) {
  session.patience.arm(now() + kPatience);
  for (;;) {
    const std::size_t end = session.input.find('\n');
    if (end != std::string::npos) {
      std::string line = session.input.substr(0, end);
      session.input.erase(0, end + 1);
      if (line.ends_with('\r')) line.pop_back();
      session.patience.arm(kNever);
      co_return line;
    }
    const std::size_t have = session.input.size();
    if (have > kMaxLine) {
      ++counters.cut_too_long;
      co_return std::nullopt;
    }
    session.input.resize(kMaxLine + 1);
    error_code error;
    const std::size_t n = co_await session.socket.async_read_some(
        asio::buffer(session.input.data() + have, kMaxLine + 1 - have),
        redirect_error(use_awaitable, error));
    session.input.resize(have + n);
    if (error) {
      if (session.gone && !closed) ++counters.cut_idle;
      co_return std::nullopt;
    }
  }
}

// Nothing: the client hung up, or the handler gave no answer.
awaitable<std::optional<std::string>> ControlServer::State::ask_handler(
    std::shared_ptr<Session> session, std::string line, Caller caller) {
  ++session->request;
  session->answer.reset();
  // Only copies of the reply keep the ticket: when the last one goes, so does the connection.
  handler(std::move(line), caller, [ticket = std::make_shared<Ticket>(session)](std::string text) {
    ticket->answer(std::move(text));
  });
  // EPOLLHUP: both directions are closed. A client that only ended its own side waits for us.
  if (!session->answer && !session->gone) {
    session->socket.async_wait(stream_protocol::socket::wait_error,
                               [session, request = session->request](error_code error) {
                                 if (!error && request == session->request) session->close();
                               });
  }
  while (!session->answer && !session->gone) {
    error_code ignored;
    co_await session->answered.async_wait(redirect_error(use_awaitable, ignored));
  }
  ++session->request;  // a ticket that is still about is void
  error_code ignored;
  session->socket.cancel(ignored);
  if (session->gone) co_return std::nullopt;
  co_return std::move(session->answer);
}

awaitable<bool> ControlServer::State::write(Session& session, std::string answer) {
  session.patience.arm(now() + kPatience);
  error_code error;
  co_await asio::async_write(session.socket, asio::buffer(answer),
                             redirect_error(use_awaitable, error));
  session.patience.arm(kNever);
  if (error && session.gone && !closed) ++counters.cut_slow_reader;
  co_return !error;
}

ControlServer::ControlServer(std::shared_ptr<State> state) : state_(std::move(state)) {}

ControlServer::~ControlServer() { state_->close(); }

const std::optional<OsError>& ControlServer::not_given() const { return state_->not_given; }

ControlCounters ControlServer::counters() const {
  ControlCounters counters = state_->counters;
  counters.clients = state_->sessions.size();
  return counters;
}

OsResult<std::unique_ptr<ControlServer>> ControlServer::open(Loop& loop,
                                                             const ControlOptions& options,
                                                             Handler handler) {
  auto listening = listen_at(options);
  if (!listening) return Unexpected{listening.error()};
  auto state = std::make_shared<State>(loop, options.path, std::move(handler));
  if (lstat(options.path.c_str(), &state->file) != 0) {
    return os_error("control socket " + options.path);
  }
  state->acceptor.assign(stream_protocol(), listening->fd.release());
  state->not_given = std::move(listening->not_given);
  asio::co_spawn(loop, state->accept_clients(), &rethrow);
  return std::unique_ptr<ControlServer>(new ControlServer(std::move(state)));
}

}  // namespace tribecast::io
