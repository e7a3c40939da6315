// Several agents, whole cores or their links alone, wired back to back on a made-up clock. Every
// host counts time from a start of its own; the wire keeps order, delays by `delay` and loses what
// `passes` says.
#pragma once

#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "relay/core.h"
#include "seal_fixture.h"

namespace tribecast::test {

inline const Endpoint kTomcatGroup{Address::v4(0xe4000004), 45564};
inline constexpr std::uint16_t kPort = 45565;

inline seal::Keyring ring_of(std::vector<std::uint8_t> ids) {
  seal::Keyring ring;
  for (const std::uint8_t id : ids) ring.keys.push_back({id, filled_key(id)});
  ring.primary_id = ids.front();
  return ring;
}

inline RandomSource seeded(std::uint64_t seed) {
  return [engine = std::mt19937_64(seed)](MutableBytes out) mutable {
    for (std::uint8_t& byte : out) byte = static_cast<std::uint8_t>(engine());
  };
}

// Whether all hosts have public keys unless a test says something else.
inline const bool kByKey = std::getenv("TRIBECAST_TEST_BY_KEY") != nullptr;

// The static key of the nth host, and of its strangers.
inline seal::KeyPair own_key(std::size_t n) {
  Buffer secret(32, static_cast<std::uint8_t>(0x40 + n / 256));
  secret[1] = static_cast<std::uint8_t>(n);
  return seal::KeyPair::of(seal::Key(secret));
}

// What one datagram on the wire is.
struct Packet {
  std::size_t from = 0;
  std::size_t to = 0;
  relay::Path path;  // as the receiver sees it
  Buffer bytes;
  std::uint16_t to_port = kPort;  // what goes to another one is not for an agent

  [[nodiscard]] seal::Type type() const {
    const auto envelope = seal::decode(bytes);
    BOOST_TEST_REQUIRE(envelope.has_value());
    if (envelope->header.type == seal::Type::key_init) return seal::Type::init;
    if (envelope->header.type == seal::Type::key_response) return seal::Type::response;
    return envelope->header.type;
  }
};

// A data datagram that Links handed out.
struct Got {
  std::string peer;
  std::uint64_t counter = 0;
  Buffer payload;
};

template <class Agent>
class Net {
 public:
  struct Node {
    std::string name;
    Address address;
    Duration clock_offset{};
    std::uint64_t seed = 0;
    relay::Settings settings;
    seal::Keyring ring;
    std::optional<seal::KeyPair> own;
    std::unique_ptr<Agent> agent;
    std::vector<Got> got;
    std::vector<relay::Inject> injects;
    std::vector<relay::Event> events;
    std::vector<relay::Answer> answers;
    std::vector<relay::Knock> knocks;  // not answered yet
    std::vector<Endpoint> watches;
    std::optional<std::vector<relay::PeerView>> roll_call;  // the last one that was over
    std::size_t views_wanted = 0;
  };

  Instant now{seconds(1000)};
  Duration delay = milliseconds(1);
  std::function<bool(const Packet&)> passes = [](const Packet&) { return true; };
  // Before a datagram is handed to its receiver; false: the test does that itself.
  std::function<bool(const Packet&)> arrives = [](const Packet&) { return true; };
  std::function<RandomSource(std::size_t, std::uint64_t)> random =
      [](std::size_t, std::uint64_t seed) { return seeded(seed); };
  std::vector<Packet> sent;  // all that was ever sent, lost or not
  std::vector<Node> nodes;

  // That many hosts, each with all the others as peers; none is started.
  explicit Net(std::size_t hosts) : nodes(hosts) {
    for (std::size_t i = 0; i < hosts; ++i) {
      Node& node = nodes[i];
      node.name = name_of(i);
      node.address = Address::v4(0x0a000001U + static_cast<std::uint32_t>(i << 8U));
      node.clock_offset = seconds(static_cast<int>(i) * 777);
      node.seed = i;
      node.ring = ring_of({1});
      node.settings.node_name = node.name;
      node.settings.site = "site of " + node.name;
      node.settings.version = "1.0";
      node.settings.groups.push_back({"tomcat", kTomcatGroup.address, kTomcatGroup.port,
                                      relay::Format::tribes, false, seconds(1), seconds(3)});
      for (std::size_t p = 0; p < hosts; ++p) {
        if (p != i) node.settings.peers.push_back({name_of(p), {}});
      }
    }
    if (kByKey) use_public_keys();
  }

  // Each host has its key pair, and knows the others' public keys where nothing else is set.
  void use_public_keys() {
    for (std::size_t i = 0; i < nodes.size(); ++i) nodes[i].own = own_key(i);
  }

  static std::string name_of(std::size_t i) { return std::string("n") + std::to_string(i); }
  static std::size_t number_of(const std::string& name) { return std::stoul(name.substr(1)); }
  [[nodiscard]] Endpoint endpoint(std::size_t i) const { return {nodes[i].address, kPort}; }
  [[nodiscard]] Instant local(std::size_t i) const { return now + nodes[i].clock_offset; }

  Agent& operator[](std::size_t i) { return *nodes[i].agent; }

  // A new process: another instance each time.
  void start(std::size_t i) {
    Node& node = nodes[i];
    node.seed += 1000;
    node.agent = std::make_unique<Agent>(random(i, node.seed));
    configure(i);
    node.agent->set_local_addresses({node.address});
    for (const relay::PeerSettings& peer : node.settings.peers) {
      node.agent->set_endpoints(local(i), peer.name, {endpoint(number_of(peer.name))});
    }
  }

  void start_all() {
    for (std::size_t i = 0; i < nodes.size(); ++i) start(i);
  }

  void stop(std::size_t i) { nodes[i].agent.reset(); }

  void configure(std::size_t i) {
    Node& node = nodes[i];
    for (relay::PeerSettings& peer : node.settings.peers) {
      if (node.own && !peer.public_key) peer.public_key = own_key(number_of(peer.name)).open;
    }
    relay::Actions out;
    node.agent->configure(local(i), node.settings, {node.ring, node.own}, out);
    act(i, out);
  }

  // To be changed before configure().
  relay::PeerSettings& peer_of(std::size_t i, std::size_t p) {
    const auto found =
        std::ranges::find(nodes[i].settings.peers, name_of(p), &relay::PeerSettings::name);
    BOOST_TEST_REQUIRE((found != nodes[i].settings.peers.end()));
    return *found;
  }

  // The last datagram of a kind that went from one to the other.
  [[nodiscard]] Packet last(std::size_t from, std::size_t to, seal::Type type) const {
    const auto found = std::find_if(sent.rbegin(), sent.rend(), [&](const Packet& p) {
      return p.from == from && p.to == to && p.type() == type;
    });
    BOOST_TEST_REQUIRE((found != sent.rend()));
    return *found;
  }

  void remove_peer(std::size_t i, const std::string& peer) {
    std::erase_if(nodes[i].settings.peers, [&](const auto& p) { return p.name == peer; });
    configure(i);
  }

  void run_for(Duration time) {
    const Instant end = now + time;
    for (int steps = 0; step(end); ++steps) BOOST_TEST_REQUIRE(steps < 10000000);
    now = end;
  }

  void deliver(std::size_t to, const relay::Path& path, Bytes bytes) {
    Node& node = nodes[to];
    if (!node.agent) return;
    relay::Actions out;
    if constexpr (std::is_same_v<Agent, relay::Links>) {
      auto received = node.agent->on_datagram(local(to), path, bytes, out);
      if (received) {
        node.got.push_back({received->link->settings.name, received->counter, received->payload});
      }
    } else {
      node.agent->on_datagram(local(to), path, bytes, out);
    }
    act(to, out);
  }

  void deliver(const Packet& packet) { deliver(packet.to, packet.path, packet.bytes); }

  // Sends data from host i. Returns to how many peers.
  std::size_t send(std::size_t i, Bytes payload) {
    static_assert(std::is_same_v<Agent, relay::Links>);
    relay::Actions out;
    const std::size_t peers = nodes[i].agent->send(
        local(i), "tomcat",
        {relay::stamp_of(local(i)), kTomcatGroup, {nodes[i].address, 45564}, payload}, out);
    act(i, out);
    return peers;
  }

  // A local application's datagram as the capture shows it.
  void capture(std::size_t i, const packet::Datagram& datagram, Duration age = {}) {
    relay::Actions out;
    for (const Buffer& frame : packet::compose(datagram, {1500, 1, 7})) {
      nodes[i].agent->on_frame(local(i), {local(i) - age, packet::LinkType::raw_ip, frame, false},
                               out);
    }
    act(i, out);
  }

  void act(std::size_t i, const relay::Actions& out) {
    Node& node = nodes[i];
    for (const relay::Send& send : out.sends) {
      for (const relay::Path& path : send.to) transmit(i, path, send.datagram);
    }
    node.injects.insert(node.injects.end(), out.injects.begin(), out.injects.end());
    node.events.insert(node.events.end(), out.events.begin(), out.events.end());
    node.answers.insert(node.answers.end(), out.answers.begin(), out.answers.end());
    node.knocks.insert(node.knocks.end(), out.knocks.begin(), out.knocks.end());
    if (out.roll_call) node.roll_call = out.roll_call;
    node.views_wanted += out.view_wanted ? 1U : 0U;
    node.watches.insert(node.watches.end(), out.watches.begin(), out.watches.end());
  }

  [[nodiscard]] relay::PeerReport peer(std::size_t i, std::size_t p) const {
    const auto report = nodes[i].agent->report(local(i));
    if constexpr (std::is_same_v<Agent, relay::Links>) {
      return pick(report, name_of(p));
    } else {
      return pick(report.peers, name_of(p));
    }
  }

  [[nodiscard]] relay::PeerState state(std::size_t i, std::size_t p) const {
    return peer(i, p).state;
  }

  [[nodiscard]] std::size_t count_sent(seal::Type type) const {
    return static_cast<std::size_t>(std::count_if(
        sent.begin(), sent.end(), [&](const Packet& packet) { return packet.type() == type; }));
  }

  [[nodiscard]] std::size_t count_events(std::size_t i, relay::EventKind kind) const {
    return static_cast<std::size_t>(
        std::count_if(nodes[i].events.begin(), nodes[i].events.end(),
                      [&](const relay::Event& event) { return event.kind == kind; }));
  }

 private:
  static relay::PeerReport pick(const std::vector<relay::PeerReport>& all,
                                const std::string& name) {
    const auto found = std::ranges::find(all, name, &relay::PeerReport::name);
    BOOST_TEST_REQUIRE((found != all.end()));
    return *found;
  }

  void transmit(std::size_t from, const relay::Path& path, const Buffer& bytes) {
    for (std::size_t to = 0; to < nodes.size(); ++to) {
      if (nodes[to].address != path.remote.address) continue;
      Packet packet{from, to, {endpoint(from), nodes[to].address}, bytes, path.remote.port};
      sent.push_back(packet);
      if (packet.to_port == kPort && passes(packet)) wire_.emplace(now + delay, std::move(packet));
    }
  }

  // The next arrival or deadline up to `end`; false when there is none.
  bool step(Instant end) {
    Instant at = wire_.empty() ? kNever : wire_.begin()->first;
    std::size_t due = nodes.size();
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      if (!nodes[i].agent) continue;
      const Instant deadline = nodes[i].agent->next_deadline();
      if (deadline == kNever) continue;
      const Instant when = deadline < local(i) ? now : deadline - nodes[i].clock_offset;
      if (when >= at) continue;
      at = when;
      due = i;
    }
    if (at > end) return false;
    now = std::max(now, at);
    if (due == nodes.size()) {
      const Packet packet = wire_.begin()->second;
      wire_.erase(wire_.begin());
      if (arrives(packet)) deliver(packet);
    } else {
      relay::Actions out;
      nodes[due].agent->on_timer(local(due), out);
      act(due, out);
    }
    return true;
  }

  std::multimap<Instant, Packet> wire_;
};

}  // namespace tribecast::test
