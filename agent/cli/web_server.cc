#include "cli/web_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <list>
#include <vector>

namespace tribecast::cli {
namespace {

using Clock = std::chrono::steady_clock;
using control::Exit;
using control::Failure;

constexpr int kIdleMs = 1000;
constexpr int kLaterMs = 50;

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;

  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  [[nodiscard]] sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};

SocketAddress to_socket_address(const Endpoint& at) {
  SocketAddress out;
  if (at.address.is_v4()) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(at.port);
    v4.sin_addr.s_addr = htonl(at.address.v4_host_order());
    std::memcpy(&out.storage, &v4, sizeof(v4));
    out.size = sizeof(v4);
  } else {
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(at.port);
    std::memcpy(&v6.sin6_addr, at.address.bytes().data(), at.address.bytes().size());
    std::memcpy(&out.storage, &v6, sizeof(v6));
    out.size = sizeof(v6);
  }
  return out;
}

std::uint16_t port_of(int listener) {
  SocketAddress bound;
  bound.size = sizeof(bound.storage);
  if (getsockname(listener, bound.get(), &bound.size) != 0) return 0;
  // The port lies at the same place in both families.
  sockaddr_in either{};
  std::memcpy(&either, &bound.storage, sizeof(either));
  return ntohs(either.sin_port);
}

class Connection {
 public:
  explicit Connection(int descriptor)
      : descriptor_(descriptor), until_(Clock::now() + WebServer::kPatience) {}

  [[nodiscard]] pollfd interest() const {
    if (waits()) return {descriptor_.get(), 0, 0};  // who hangs up is noticed all the same
    const bool writing = !response_.empty();
    return {descriptor_.get(), static_cast<short>(writing ? POLLOUT : POLLIN), 0};
  }
  [[nodiscard]] bool waits() const { return later_.valid(); }
  [[nodiscard]] bool over() const { return over_ || Clock::now() >= until_; }

  void act(short events, const WebServer::Answer& answer) {
    if (waits()) return see(events);
    if (events == 0) return;
    if (response_.empty()) read_some(answer);
    if (!response_.empty()) write_some();
  }

 private:
  void see(short events) {
    if (events != 0) over_ = true;
    if (later_.wait_for(Duration::zero()) != std::future_status::ready) return;
    response_ = later_.get();
    later_ = {};
    until_ = Clock::now() + WebServer::kPatience;
  }

  void read_some(const WebServer::Answer& answer) {
    std::array<char, control::kMaxHttpHead> piece{};
    const ssize_t got = recv(descriptor_.get(), piece.data(), piece.size(), MSG_DONTWAIT);
    if (got == 0) over_ = true;
    if (got < 0 && errno != EAGAIN && errno != EINTR) over_ = true;
    if (got <= 0) return;
    request_.append(piece.data(), static_cast<std::size_t>(got));
    const auto size = control::http_head_size(request_);
    if (!size && request_.size() < control::kMaxHttpHead) return;
    auto response = size ? answered(request_.substr(0, *size), answer)
                         : control::http_response(431, "text/plain", "too long\n", false);
    if (auto* now = std::get_if<std::string>(&response)) response_ = std::move(*now);
    if (auto* later = std::get_if<1>(&response)) later_ = std::move(*later);
    until_ = Clock::now() + WebServer::kPatience;
  }

  static WebServer::Response answered(std::string_view head, const WebServer::Answer& answer) {
    const auto request = control::parse_http_head(head);
    if (!request) return control::http_response(request.error(), "text/plain", "?\n", false);
    return answer(*request);
  }

  void write_some() {
    const std::string_view rest = std::string_view(response_).substr(sent_);
    const ssize_t sent =
        send(descriptor_.get(), rest.data(), rest.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN && errno != EINTR) over_ = true;
    if (sent > 0) sent_ += static_cast<std::size_t>(sent);
    if (sent_ < response_.size()) return;
    shutdown(descriptor_.get(), SHUT_WR);
    over_ = true;
  }

  Descriptor descriptor_;
  Clock::time_point until_;
  std::string request_;
  std::shared_future<std::string> later_;
  std::string response_;
  std::size_t sent_ = 0;
  bool over_ = false;
};

}  // namespace

Result<std::unique_ptr<WebServer>, Failure> WebServer::open(const Endpoint& at) {
  const auto failed = [&at](int error) -> Unexpected<Failure> {
    return {{error == EACCES ? Exit::no_permission : Exit::critical,
             "cannot listen on " + at.to_string() + ": " + std::strerror(error)}};
  };
  const int family = at.address.is_v4() ? AF_INET : AF_INET6;
  const int listener = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (listener < 0) return failed(errno);
  std::unique_ptr<WebServer> server(new WebServer(listener, at));
  const int on = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  const SocketAddress address = to_socket_address(at);
  if (bind(listener, address.get(), address.size) != 0) return failed(errno);
  if (listen(listener, SOMAXCONN) != 0) return failed(errno);
  server->local_.port = port_of(listener);
  return server;
}

void WebServer::run(const Answer& answer) {
  std::list<Connection> connections;
  while (true) {
    std::vector<pollfd> all = {{listener_.get(), POLLIN, 0}};
    for (const Connection& connection : connections) all.push_back(connection.interest());
    // Those that say nothing are looked at now and then, those that wait for an answer often.
    const bool waiting = std::ranges::any_of(connections, &Connection::waits);
    const int patience = connections.empty() ? -1 : waiting ? kLaterMs : kIdleMs;
    if (poll(all.data(), static_cast<nfds_t>(all.size()), patience) < 0 && errno != EINTR) return;
    std::size_t i = 1;
    for (Connection& connection : connections) {
      connection.act(all[i++].revents, answer);
    }
    connections.remove_if([](const Connection& connection) { return connection.over(); });
    if (all[0].revents == 0) continue;
    const int fresh = accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fresh >= 0) connections.emplace_back(fresh);
    if (connections.size() > kMaxConnections) connections.pop_front();
  }
}

}  // namespace tribecast::cli
