#include "engine/daemon/outbound.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <array>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <deque>
#include <map>
#include <utility>

#include "io/clock.h"
#include "io/deadline_timer.h"

namespace tribecast::engine {

namespace asio = boost::asio;
using asio::awaitable;
using asio::redirect_error;
using asio::use_awaitable;
using asio::ip::tcp;
using boost::system::error_code;
using channel::SendOutcome;

namespace {

constexpr auto kNoWakeUp = std::chrono::steady_clock::time_point::max();
constexpr int kAttempts = 2;
constexpr std::size_t kMaxAckData = 64;

void pass_on(const std::exception_ptr& error) {
  if (error) std::rethrow_exception(error);
}

tcp::endpoint to_asio(const Endpoint& endpoint) {
  if (endpoint.address.is_v4()) {
    return {asio::ip::address_v4(endpoint.address.v4_host_order()), endpoint.port};
  }
  asio::ip::address_v6::bytes_type raw{};
  std::ranges::copy(endpoint.address.bytes(), raw.begin());
  return {asio::ip::address_v6(raw), endpoint.port};
}

// What waits with a message beside its frames: its place here and in the channel.
constexpr std::size_t kMessageBytes = 512;

std::size_t size_of(const channel::Frames& frames) {
  std::size_t size = kMessageBytes;
  for (const Buffer& frame : *frames) size += frame.size();
  return size;
}

// A connection of which each step is ended by a deadline.
class Outgoing {
 public:
  explicit Outgoing(io::Loop& loop) : socket_(loop), patience_(loop, [this] { close(); }) {}

  void close() {
    error_code ignored;
    socket_.close(ignored);
  }

  // nullopt = connected.
  awaitable<error_code> connect(const Endpoint& to, Duration limit) {
    close();
    error_code error;
    patience_.arm(io::now() + limit);
    co_await socket_.async_connect(to_asio(to), redirect_error(use_awaitable, error));
    patience_.arm(kNever);
    if (!error) {
      error_code ignored;
      socket_.set_option(tcp::no_delay(true), ignored);
      decoder_ = channel::FrameDecoder(kMaxAckData);
    } else {
      close();
    }
    co_return error;
  }

  // Whether it stands, as far as the kernel knows, and nothing unasked for has come.
  [[nodiscard]] bool stands() {
    if (!socket_.is_open()) return false;
    std::uint8_t byte = 0;
    const ssize_t got = recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
  }
  [[nodiscard]] bool open() const { return socket_.is_open(); }

  awaitable<bool> write(Bytes frame, Duration limit) {
    error_code error;
    patience_.arm(io::now() + limit);
    co_await asio::async_write(socket_, asio::buffer(frame.data(), frame.size()),
                               redirect_error(use_awaitable, error));
    patience_.arm(kNever);
    co_return !error;
  }

  // nullopt when none comes in time.
  awaitable<std::optional<channel::Acknowledgement>> acknowledgement(Duration limit) {
    patience_.arm(io::now() + limit);
    std::optional<channel::Acknowledgement> answer;
    while (!answer) {
      std::array<std::uint8_t, 256> bytes{};
      error_code error;
      const std::size_t size = co_await socket_.async_read_some(
          asio::buffer(bytes), redirect_error(use_awaitable, error));
      if (error) break;
      decoder_.feed(Bytes(bytes).first(size));
      if (const auto data = decoder_.next()) answer = channel::parse_acknowledgement(*data);
      if (decoder_.error() || decoder_.buffered() > kMaxAckData) break;
    }
    patience_.arm(kNever);
    co_return answer;
  }

 private:
  tcp::socket socket_;
  io::DeadlineTimer patience_;
  channel::FrameDecoder decoder_{kMaxAckData};
};

// What refused or lost this attempt is this host's own doing, and says nothing about the other one.
bool is_own_fault(const error_code& error) {
  switch (error.value()) {
    case ENETUNREACH:
    case ENETDOWN:
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
    case EADDRNOTAVAIL:
    case EACCES:
    case EPERM:
      return true;
    default:
      return false;
  }
}

}  // namespace

// All that is for one endpoint. Lives in the table while it has something to do or a connection.
struct Lane {
  Lane(io::Loop& loop, const Endpoint& to)
      : endpoint(to), connection(loop), news(loop, kNoWakeUp) {}

  Endpoint endpoint;
  Outgoing connection;
  asio::steady_timer news;
  std::deque<channel::Transmit> waiting;
  std::size_t bytes = 0;
};

struct Outbound::State : std::enable_shared_from_this<State> {
  State(io::Loop& l, OutboundLimits most, Handler h)
      : loop(l), limits(most), handler(std::move(h)) {}

  void close() {
    closed = true;
    for (const auto& [endpoint, lane] : lanes) {
      lane->connection.close();
      lane->news.cancel();
    }
  }

  awaitable<void> run(std::shared_ptr<Lane> lane);
  awaitable<SendOutcome> deliver(Lane& lane, const channel::Transmit& transmit);
  awaitable<std::optional<SendOutcome>> attempt(Lane& lane, const channel::Transmit& transmit);
  awaitable<void> probe(channel::Probe probe);
  void answer_later(channel::TransmitId id, SendOutcome outcome);

  io::Loop& loop;
  OutboundLimits limits;
  Handler handler;
  std::map<Endpoint, std::shared_ptr<Lane>> lanes;  // owned with their coroutines
  OutboundCounters counters;
  bool closed = false;
};

void Outbound::State::answer_later(channel::TransmitId id, SendOutcome outcome) {
  asio::post(loop, [self = shared_from_this(), id, outcome] {
    if (!self->closed) self->handler.on_transmitted(id, outcome);
  });
}

awaitable<void> Outbound::State::run(std::shared_ptr<Lane> lane) {
  const auto self = shared_from_this();
  while (!closed) {
    if (lane->waiting.empty()) {
      error_code woken;
      lane->news.expires_after(limits.idle);
      co_await lane->news.async_wait(redirect_error(use_awaitable, woken));
      if (closed) co_return;
      if (!woken && lane->waiting.empty()) break;
      continue;
    }
    const channel::Transmit transmit = lane->waiting.front();
    const SendOutcome outcome = co_await deliver(*lane, transmit);
    if (closed) co_return;
    lane->waiting.pop_front();
    lane->bytes -= size_of(transmit.frames);
    handler.on_transmitted(transmit.id, outcome);
  }
  lane->connection.close();
  lanes.erase(lane->endpoint);
}

awaitable<SendOutcome> Outbound::State::deliver(Lane& lane, const channel::Transmit& transmit) {
  for (int i = 0; i < kAttempts && !closed; ++i) {
    if (i > 0) ++counters.repeats;
    const auto outcome = co_await attempt(lane, transmit);
    if (outcome == SendOutcome::refused && i + 1 < kAttempts) continue;
    if (outcome) co_return *outcome;
    lane.connection.close();
  }
  co_return SendOutcome::failed;
}

// nullopt = not delivered, as far as is known.
awaitable<std::optional<SendOutcome>> Outbound::State::attempt(Lane& lane,
                                                               const channel::Transmit& transmit) {
  if (lane.connection.open() && !lane.connection.stands()) {
    ++counters.stale;
    lane.connection.close();
  }
  if (!lane.connection.open()) {
    ++counters.connects;
    const error_code error = co_await lane.connection.connect(lane.endpoint, limits.timeout);
    if (error || closed) co_return std::nullopt;
  }
  SendOutcome outcome = transmit.wants_ack ? SendOutcome::acknowledged : SendOutcome::written;
  for (const Buffer& frame : *transmit.frames) {
    if (!co_await lane.connection.write(frame, limits.timeout)) co_return std::nullopt;
    if (!transmit.wants_ack) continue;
    const auto answer = co_await lane.connection.acknowledgement(limits.timeout);
    if (!answer) co_return std::nullopt;
    if (*answer == channel::Acknowledgement::failed) outcome = SendOutcome::refused;
  }
  co_return outcome;
}

awaitable<void> Outbound::State::probe(channel::Probe probe) {
  const auto self = shared_from_this();
  Outgoing connection(loop);
  const error_code error = co_await connection.connect(probe.endpoint, kProbeTimeout);
  if (closed) co_return;
  // That it was accepted is all that is asked.
  if (!error) co_await connection.write(probe.frame, kProbeTimeout);
  connection.close();
  if (closed) co_return;
  handler.on_probed(probe.member, !error                ? channel::ProbeResult::reached
                                  : is_own_fault(error) ? channel::ProbeResult::not_tried
                                                        : channel::ProbeResult::not_reached);
}

Outbound::Outbound(io::Loop& loop, OutboundLimits limits, Handler handler)
    : state_(std::make_shared<State>(loop, limits, std::move(handler))) {}

Outbound::~Outbound() { state_->close(); }

void Outbound::transmit(channel::Transmit transmit) {
  State& state = *state_;
  auto it = state.lanes.find(transmit.endpoint);
  if (it == state.lanes.end()) {
    if (state.lanes.size() >= state.limits.members) {
      ++state.counters.no_room;
      return state.answer_later(transmit.id, SendOutcome::no_room);
    }
    auto lane = std::make_shared<Lane>(state.loop, transmit.endpoint);
    it = state.lanes.emplace(transmit.endpoint, lane).first;
    asio::co_spawn(state.loop, state.run(std::move(lane)), pass_on);
  }
  Lane& lane = *it->second;
  const std::size_t size = size_of(transmit.frames);
  // One of any size has room when nothing waits.
  if (!lane.waiting.empty() && lane.bytes + size > state.limits.memory_bytes) {
    ++state.counters.no_room;
    return state.answer_later(transmit.id, SendOutcome::no_room);
  }
  lane.bytes += size;
  lane.waiting.push_back(std::move(transmit));
  lane.news.cancel();
}

void Outbound::probe(channel::Probe probe) {
  asio::co_spawn(state_->loop, state_->probe(std::move(probe)), pass_on);
}

void Outbound::disconnect(const tribes::Identity& member, const Endpoint& endpoint) {
  const auto it = state_->lanes.find(endpoint);
  if (it == state_->lanes.end()) return;
  Lane& lane = *it->second;
  lane.connection.close();
  // The first one is on its way, and has its outcome from there.
  for (std::size_t i = lane.waiting.size(); i > 1; --i) {
    const auto one = lane.waiting.begin() + static_cast<std::ptrdiff_t>(i - 1);
    if (one->to != member) continue;
    lane.bytes -= size_of(one->frames);
    state_->answer_later(one->id, SendOutcome::failed);
    lane.waiting.erase(one);
  }
}

bool Outbound::idle() const {
  return std::ranges::all_of(state_->lanes,
                             [](const auto& lane) { return lane.second->waiting.empty(); });
}

const OutboundCounters& Outbound::counters() const { return state_->counters; }

}  // namespace tribecast::engine
