#include "engine/daemon/inbound.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <map>
#include <utility>

#include "io/clock.h"
#include "io/deadline_timer.h"
#include "io/fd.h"
#include "io/sockaddr.h"

namespace tribecast::engine {

namespace asio = boost::asio;
using asio::awaitable;
using asio::redirect_error;
using asio::use_awaitable;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr auto kNeverExpires = std::chrono::steady_clock::time_point::max();
constexpr std::size_t kReadBytes = 64U << 10U;
// Pause after accept() failed (no descriptors): it would fail again at once.
constexpr auto kAcceptPause = std::chrono::milliseconds(100);

void rethrow_any(const std::exception_ptr& error) {
  if (error) std::rethrow_exception(error);
}

// A dead peer's connection must not stay for ever.
void keep_alive(int fd) {
  const auto set = [fd](int level, int name, int value) {
    static_cast<void>(setsockopt(fd, level, name, &value, sizeof value));
  };
  set(SOL_SOCKET, SO_KEEPALIVE, 1);
  set(IPPROTO_TCP, TCP_KEEPIDLE, 60);
  set(IPPROTO_TCP, TCP_KEEPINTVL, 10);
  set(IPPROTO_TCP, TCP_KEEPCNT, 6);
  set(IPPROTO_TCP, TCP_NODELAY, 1);
}

// One member's connection. Owned by its coroutine, and for a moment by those who wake it.
struct Incoming {
  Incoming(io::Loop& loop, tcp::socket connection, std::size_t max_bytes)
      : socket(std::move(connection)),
        settled(loop, kNeverExpires),
        patience(loop,
                 [this] {
                   slow = true;
                   close();
                 }),
        decoder(max_bytes) {}

  void close() {
    error_code ignored;
    socket.close(ignored);
    gone = true;
    settled.cancel();
  }

  tcp::socket socket;
  asio::steady_timer settled;  // never expires; cancelled when the frame is done
  io::DeadlineTimer patience;
  channel::FrameDecoder decoder;
  std::string remote;
  std::optional<channel::Acknowledgement> reply;  // to the frame that was done last
  Buffer replies;                                 // not yet written
  std::size_t counted_bytes = 0;                  // of the common budget
  bool waiting = false;                           // for a frame to be done
  bool gone = false;
  bool slow = false;
};

io::OsResult<io::Fd> listen_on(const Endpoint& endpoint) {
  const std::string what = "listen on " + endpoint.to_string() + "/tcp";
  const int family = endpoint.address.is_v4() ? AF_INET : AF_INET6;
  io::Fd fd(socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return io::os_error(what);
  const int yes = 1;
  if (setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0) {
    return io::os_error(what);
  }
  const io::SockAddr at(endpoint);
  if (bind(fd.get(), at.get(), at.size()) != 0) return io::os_error(what);
  if (listen(fd.get(), SOMAXCONN) != 0) return io::os_error(what);
  return fd;
}

Address address_of_peer(const tcp::endpoint& peer) {
  if (peer.address().is_v4()) return Address::v4(peer.address().to_v4().to_uint());
  const auto raw = peer.address().to_v6().to_bytes();
  return Address::from_bytes(raw).value_or(Address());
}

}  // namespace

struct Inbound::State : std::enable_shared_from_this<State> {
  State(io::Loop& l, InboundLimits most, std::vector<Prefix> allowed)
      : loop(l), limits(most), allow(std::move(allowed)), acceptor(l) {}

  void close() {
    closed = true;
    error_code ignored;
    acceptor.close(ignored);
    for (const auto& [id, incoming] : connections) incoming->close();
  }

  [[nodiscard]] bool is_allowed(const Address& address) const {
    const auto holds = [&](const Prefix& prefix) { return prefix.contains(address); };
    return allow.empty() || std::ranges::any_of(allow, holds);
  }

  void trouble(const Incoming& incoming, std::uint64_t& counter, const std::string& what) const {
    ++counter;
    handler.on_trouble(incoming.remote + ": " + what);
  }

  awaitable<void> accept_all();
  void take_in(tcp::socket socket);
  awaitable<void> serve(channel::ConnectionId id, std::shared_ptr<Incoming> incoming);
  awaitable<bool> read_more(Incoming& incoming);
  awaitable<bool> handle_frames(channel::ConnectionId id, Incoming& incoming);
  awaitable<bool> write_replies(Incoming& incoming);
  bool within_memory(Incoming& incoming);
  void report(Incoming& incoming);

  io::Loop& loop;
  InboundLimits limits;
  std::vector<Prefix> allow;
  tcp::acceptor acceptor;
  Handler handler;
  std::map<channel::ConnectionId, Incoming*> connections;
  channel::ConnectionId last_id = 0;
  std::size_t memory = 0;
  std::array<std::uint8_t, kReadBytes> scratch{};
  InboundCounters counters;
  Endpoint local;
  bool closed = false;
};

awaitable<void> Inbound::State::accept_all() {
  const auto self = shared_from_this();
  asio::steady_timer pause(loop);
  while (!closed) {
    error_code error;
    tcp::socket socket = co_await acceptor.async_accept(redirect_error(use_awaitable, error));
    if (closed) co_return;
    if (!error) {
      take_in(std::move(socket));
      continue;
    }
    pause.expires_after(kAcceptPause);
    co_await pause.async_wait(redirect_error(use_awaitable, error));
  }
}

void Inbound::State::take_in(tcp::socket socket) {
  error_code error;
  const Address from = address_of_peer(socket.remote_endpoint(error));
  if (error) return;
  if (!is_allowed(from)) {
    ++counters.not_allowed;
    return;
  }
  if (connections.size() >= limits.connections) {
    if (++counters.too_many == 1) handler.on_trouble("more connections than max-connections");
    return;
  }
  socket.non_blocking(true, error);
  if (error) return;
  ++counters.accepted;
  keep_alive(socket.native_handle());
  auto incoming = std::make_shared<Incoming>(loop, std::move(socket), limits.message_bytes);
  incoming->remote = from.to_string();
  const channel::ConnectionId id = ++last_id;
  connections[id] = incoming.get();
  asio::co_spawn(loop, serve(id, std::move(incoming)), rethrow_any);
}

awaitable<void> Inbound::State::serve(channel::ConnectionId id,
                                      std::shared_ptr<Incoming> incoming) {
  const auto self = shared_from_this();
  while (!incoming->gone) {
    if (!co_await handle_frames(id, *incoming)) break;
    if (!co_await read_more(*incoming)) break;
  }
  if (incoming->slow) trouble(*incoming, counters.too_slow, "a message that was begun did not end");
  incoming->close();
  memory -= incoming->counted_bytes;
  connections.erase(id);
  if (!closed) handler.on_closed(id);
}

// False when the connection is over. Frames that came together are answered together, unless one
// has to wait.
awaitable<bool> Inbound::State::handle_frames(channel::ConnectionId id, Incoming& incoming) {
  bool good = true;
  while (const auto data = incoming.decoder.next()) {
    incoming.waiting = true;
    incoming.reply.reset();
    good = handler.on_frame(id, *data);
    if (!good) {
      trouble(incoming, counters.bad_frames, "a frame without a member's message");
      break;
    }
    if (incoming.waiting && !co_await write_replies(incoming)) co_return false;
    while (incoming.waiting && !incoming.gone) {
      error_code ignored;
      co_await incoming.settled.async_wait(redirect_error(use_awaitable, ignored));
    }
    if (incoming.gone) co_return false;
    if (!incoming.reply) continue;
    const Bytes frame = channel::acknowledgement_frame(*incoming.reply);
    incoming.replies.insert(incoming.replies.end(), frame.begin(), frame.end());
  }
  if (!incoming.replies.empty() && !co_await write_replies(incoming)) co_return false;
  if (!good) co_return false;
  if (!incoming.decoder.error()) co_return within_memory(incoming);
  report(incoming);
  co_return false;
}

// False when the connection is over. There is room for them, unless the member does not read.
awaitable<bool> Inbound::State::write_replies(Incoming& incoming) {
  const auto all = asio::buffer(incoming.replies);
  error_code error;
  const std::size_t written = all.size() > 0 ? incoming.socket.write_some(all, error) : 0;
  if (error == asio::error::would_block) error.clear();
  if (!error && written < all.size()) {
    incoming.patience.arm(io::now() + limits.frame_time);
    co_await asio::async_write(incoming.socket, all + written,
                               redirect_error(use_awaitable, error));
    incoming.patience.arm(kNever);
  }
  incoming.replies.clear();
  co_return !error;
}

void Inbound::State::report(Incoming& incoming) {
  if (*incoming.decoder.error() == channel::FrameError::too_large) {
    trouble(
        incoming, counters.too_large,
        "a message of more than " + std::to_string(limits.message_bytes) + " bytes (max-message)");
  } else {
    trouble(incoming, counters.bad_frames, "what comes is no Tribes frame");
  }
}

// Counts anew what this connection holds.
bool Inbound::State::within_memory(Incoming& incoming) {
  memory -= std::exchange(incoming.counted_bytes, incoming.decoder.capacity());
  memory += incoming.counted_bytes;
  if (memory <= limits.memory_bytes || incoming.decoder.buffered() == 0) return true;
  trouble(incoming, counters.no_memory, "no receive-memory is left for its message");
  return false;
}

awaitable<bool> Inbound::State::read_more(Incoming& incoming) {
  error_code error;
  // Idle between messages it may be as long as it likes.
  if (incoming.decoder.buffered() > 0) incoming.patience.arm(io::now() + limits.frame_time);
  co_await incoming.socket.async_wait(tcp::socket::wait_read, redirect_error(use_awaitable, error));
  incoming.patience.arm(kNever);
  if (error || incoming.gone) co_return false;
  // One buffer serves all connections: it is used up before anybody else runs.
  const std::size_t size = incoming.socket.read_some(asio::buffer(scratch), error);
  if (error == asio::error::would_block) co_return true;
  if (error) co_return false;
  incoming.decoder.feed(Bytes(scratch).first(size));
  co_return true;
}

Inbound::Inbound(std::shared_ptr<State> state) : state_(std::move(state)) {}

Inbound::~Inbound() { state_->close(); }

io::OsResult<std::unique_ptr<Inbound>> Inbound::open(io::Loop& loop, const Endpoint& listen,
                                                     InboundLimits limits,
                                                     std::vector<Prefix> allow) {
  auto fd = listen_on(listen);
  if (!fd) return Unexpected{fd.error()};
  auto state = std::make_shared<State>(loop, limits, std::move(allow));
  error_code error;
  state->acceptor.assign(listen.address.is_v4() ? tcp::v4() : tcp::v6(), fd->release(), error);
  if (error) return Unexpected{io::OsError{error.value(), "listen on " + listen.to_string(), {}}};
  state->local = {listen.address, state->acceptor.local_endpoint(error).port()};
  return std::unique_ptr<Inbound>(new Inbound(std::move(state)));
}

void Inbound::start(Handler handler) {
  state_->handler = std::move(handler);
  asio::co_spawn(state_->loop, state_->accept_all(), rethrow_any);
}

void Inbound::done(const channel::FrameDone& frame) {
  const auto it = state_->connections.find(frame.connection);
  if (it == state_->connections.end()) return;
  Incoming& incoming = *it->second;
  incoming.reply = frame.reply;
  incoming.waiting = false;
  incoming.settled.cancel();
}

const Endpoint& Inbound::local() const { return state_->local; }
std::size_t Inbound::connections() const { return state_->connections.size(); }
const InboundCounters& Inbound::counters() const { return state_->counters; }

}  // namespace tribecast::engine
