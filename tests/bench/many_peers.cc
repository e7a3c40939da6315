// Many peers of one agent, in one process on one socket: they shake hands, answer probes, send the
// heartbeats of their members and inject nothing. Each has an address of its own, all of which must
// be local.
//
//   many_peers KEYRING AGENT FIRST_ADDRESS PEERS [GROUP MEMBERS_PER_PEER]
//
// A member beats twice a second, as Tomcat does.
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <fstream>
#include <memory>
#include <sstream>

#include "io/clock.h"
#include "io/deadline_timer.h"
#include "io/udp_socket.h"
#include "program.h"
#include "relay/core.h"

using namespace tribecast;
using namespace tribecast::bench;

namespace {

constexpr Duration kTick = milliseconds(2);
constexpr Duration kBeat = milliseconds(500);
constexpr std::uint32_t kFirstMemberPort = 4000;

struct Options {
  seal::Keyring ring;
  Endpoint agent;
  Address first;
  std::size_t peers = 0;
  Endpoint group;
  std::size_t members = 0;
};

class Crowd {
 public:
  Crowd(io::Loop& loop, const Options& options)
      : options_(options),
        socket_(need(io::UdpSocket::open(loop, {Address(), options.agent.port}))),
        timer_(loop, [this] { on_timer(); }) {
    const Instant now = io::now();
    relay::Settings settings;
    settings.groups.push_back({"bench", options.group.address, options.group.port});
    settings.peers.push_back({"agent", {}});
    for (std::size_t i = 0; i < options_.peers; ++i) {
      settings.node_name = "peer-" + std::to_string(i);
      relay::Core& core = cores_.emplace_back(seal::system_random());
      core.set_local_addresses({address_of(i)});
      core.configure(now, settings, options_.ring, actions_);
      core.set_endpoints(now, "agent", {options_.agent});
      act(i);
    }
    socket_->start([this](const io::UdpSocket::Received& r) { on_datagram(r); }, {});
    started_ = now;
    on_timer();
  }

 private:
  [[nodiscard]] Address address_of(std::size_t peer) const {
    return Address::v4(options_.first.v4_host_order() + static_cast<std::uint32_t>(peer));
  }

  void on_datagram(const io::UdpSocket::Received& received) {
    const std::size_t peer = received.local.v4_host_order() - options_.first.v4_host_order();
    if (peer >= cores_.size()) return;
    cores_[peer].on_datagram(received.now, {received.remote, received.local}, received.datagram,
                             actions_);
    act(peer);
  }

  void on_timer() {
    const Instant now = io::now();
    for (std::size_t i = 0; i < cores_.size(); ++i) {
      if (cores_[i].next_deadline() > now) continue;
      cores_[i].on_timer(now, actions_);
      act(i);
    }
    const std::size_t all = options_.members * cores_.size();
    const auto due = static_cast<std::size_t>(to_seconds(now - started_) / to_seconds(kBeat) *
                                              static_cast<double>(all));
    for (; beats_ < due; ++beats_) beat(now, beats_ % cores_.size());
    timer_.arm(now + kTick);
  }

  // The next heartbeat of this peer's members, as if captured on its host.
  void beat(Instant now, std::size_t peer) {
    const auto member = static_cast<std::uint32_t>(beats_ / cores_.size() % options_.members);
    const Address host = address_of(peer);
    const Buffer payload = heartbeat(host, kFirstMemberPort + member);
    const packet::Datagram datagram{{host, options_.group.port}, options_.group, payload};
    const Buffer frame = packet::compose(datagram, {1500, 1, 0}).front();
    cores_[peer].on_frame(now, {now, packet::LinkType::raw_ip, frame, false}, actions_);
    act(peer);
  }

  void act(std::size_t peer) {
    for (const relay::Send& send : actions_.sends) {
      for (const relay::Path& path : send.to) {
        static_cast<void>(socket_->send(send.datagram, path.remote, address_of(peer)));
      }
    }
    actions_.clear();
  }

  Options options_;
  std::unique_ptr<io::UdpSocket> socket_;
  io::DeadlineTimer timer_;
  std::deque<relay::Core> cores_;
  relay::Actions actions_;
  Instant started_;
  std::size_t beats_ = 0;
};

seal::Keyring read_ring(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  auto ring = seal::parse_keyring(text.str());
  if (!ring) die("no keyring: " + path);
  return std::move(*ring);
}

}  // namespace

int main(int argc, char** argv) {
  const auto args = arguments(argc, argv);
  if (args.size() != 4 && args.size() != 6) {
    die("usage: many_peers KEYRING AGENT FIRST_ADDRESS PEERS [GROUP MEMBERS_PER_PEER]");
  }
  if (!seal::initialise()) die("libsodium cannot be used");
  Options options{read_ring(args[0]), endpoint(args[1]), address(args[2]), number(args[3]), {}, 0};
  if (args.size() == 6) {
    options.group = endpoint(args[4]);
    options.members = number(args[5]);
  }
  boost::asio::io_context loop(1);
  const Crowd crowd(loop, options);
  boost::asio::signal_set signals(loop, SIGTERM, SIGINT);
  signals.async_wait([&](boost::system::error_code, int) { loop.stop(); });
  say("ready");
  loop.run();
  return 0;
}
