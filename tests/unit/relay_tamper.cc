// What somebody on the way can do who holds no key: every kind of datagram that real cores make,
// changed, cut, lengthened, sent back, spliced and sent again. Each is tried where it would do
// harm, just before the genuine one arrives, and then the genuine one must still be good.
#define BOOST_TEST_MODULE relay_tamper
#include <boost/test/unit_test.hpp>
#include <set>

#include "base/hex.h"
#include "figure.h"
#include "relay/core.h"
#include "relay_fixture.h"

using namespace tribecast;
using namespace tribecast::relay;
using seal::Type;
using test::kTomcatGroup;
using test::Packet;

using test::SodiumReady;
BOOST_TEST_GLOBAL_FIXTURE(SodiumReady);

namespace {

const Endpoint kRawGroup{Address::v4(0xefc00001), 5000};
constexpr std::size_t kHosts = 3;
constexpr std::size_t kMaxExtension = 64;
// So many datagrams of each kind are tampered with, in each direction.
constexpr std::size_t kSamples = 2;

// Frame types of docs/wire-format.md, from hello to heard by.
const std::set<std::uint8_t> kFrameTypes{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13};

// What a session's sender sends, read with the session's own keys: they follow from what the agents
// drew at random, which only a test knows.
class KeyHolder {
 public:
  // Every secret that an agent draws may become an ephemeral key.
  RandomSource overhear(RandomSource source) {
    return [this, source = std::move(source)](MutableBytes out) {
      source(out);
      if (out.size() != seal::kPublicKeySize) return;
      const seal::KeyPair pair = seal::KeyPair::of(seal::Key(Bytes(out)));
      pairs_.emplace(copy_of(pair.open), pair);
    };
  }

  void see(const seal::Keyring& ring, const Packet& packet) {
    const auto envelope = seal::decode(packet.bytes);
    if (envelope->header.type == Type::init) inits_[envelope->header.index] = packet.bytes;
    if (envelope->header.type == Type::response) learn(ring, *envelope);
  }

  // The frame types in a pair datagram; empty for another one.
  [[nodiscard]] std::set<std::uint8_t> frames(const Packet& packet) const {
    std::set<std::uint8_t> types;
    const auto envelope = seal::decode(packet.bytes);
    if (envelope->header.type != Type::pair) return types;
    const auto key = keys_.find(envelope->header.index);
    BOOST_TEST_REQUIRE((key != keys_.end()));
    const auto plain = seal::open_datagram(key->second, *envelope);
    BOOST_TEST_REQUIRE(plain.has_value());
    ByteReader in(*plain);
    while (in.left() > 0) {
      types.insert(in.u8());
      in.take(in.u16be());
    }
    BOOST_TEST(in.ok());
    return types;
  }

 private:
  [[nodiscard]] const seal::KeyPair& pair_of(Bytes datagram) const {
    return pairs_.at(copy_of(datagram.subspan(seal::kHeaderSize, seal::kPublicKeySize)));
  }

  // Both sides of the handshake once more.
  void learn(const seal::Keyring& ring, const seal::Envelope& response) {
    const auto init = inits_.find(response.header.index);
    if (init == inits_.end()) return;
    const auto envelope = seal::decode(init->second);
    ByteWriter prologue;
    prologue.put(bytes_of("tribecast 1"));
    prologue.put(envelope->associated);
    const seal::Key psk = ring.find(envelope->header.ring_id)->psk();
    seal::Handshake responder(seal::Role::responder, prologue.bytes(), psk);
    const auto greeting = responder.read(envelope->body);
    seal::Handshake initiator(seal::Role::initiator, prologue.bytes(), psk);
    BOOST_TEST(initiator.write(pair_of(init->second), *greeting).has_value());
    const auto answer = initiator.read(response.body);
    BOOST_TEST_REQUIRE(answer.has_value());
    const auto keys = initiator.split();
    keys_[response.header.index] = keys.receive;
    keys_[decode_greeting(*answer)->index] = keys.send;
  }

  std::map<Buffer, seal::KeyPair> pairs_;  // by public key
  std::map<std::uint32_t, Buffer> inits_;
  std::map<std::uint32_t, seal::Key> keys_;  // by the receiver's index
};

// What an agent has taken as genuine, and what it has refused.
struct Standing {
  std::uint64_t accepted = 0;
  ReasonCounters refused;
};

class Cluster : public test::Net<Core> {
 public:
  explicit Cluster(std::size_t hosts = kHosts) : Net(hosts) {
    for (Node& node : nodes) {
      node.ring = test::ring_of({1, 3});
      node.settings.groups.push_back(
          {"raw", kRawGroup.address, kRawGroup.port, Format::raw, false, seconds(1), seconds(3)});
    }
  }

  void up() {
    for (std::size_t i = 0; i < nodes.size(); ++i) begin(i);
    run_for(milliseconds(50));
  }

  void begin(std::size_t i) {
    start(i);
    nodes[i].agent->set_wall_clock(seconds(1'700'000'000));
    for (const char* group : {"tomcat", "raw"}) nodes[i].agent->set_listeners(group, {2});
  }

  void beat(std::size_t i, bool shutdown = false) {
    tribes::MemberView member;
    member.host = nodes[i].address.bytes();
    member.port = 4000;
    member.secure_port = member.udp_port = 0xffffffff;
    member.alive_milliseconds = static_cast<std::uint64_t>(++beats_);
    if (shutdown) member.command = tribes::shutdown_command();
    capture(i, {{nodes[i].address, 45564}, kTomcatGroup, tribes::compose_member(member)});
  }

  void beat_for(Duration time) {
    const Instant end = now + time;
    while (now < end) {
      for (std::size_t i = 0; i < nodes.size(); ++i) {
        if (nodes[i].agent) beat(i);
      }
      run_for(milliseconds(500));
    }
  }

  void raw(std::size_t i, Bytes payload) {
    capture(i, {{nodes[i].address, 7777}, kRawGroup, payload});
  }

  // Everybody asks everybody; the first answer is that the view is being made.
  void call_rolls(Bytes view) {
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      relay::Actions out;
      nodes[i].agent->call_roll(local(i), seconds(3), out);
      act(i, out);
    }
    run_for(milliseconds(10));
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      nodes[i].agent->set_view(local(i), copy_of(view));
    }
    run_for(seconds(1));
  }

  void say_goodbye(std::size_t i) {
    relay::Actions out;
    nodes[i].agent->say_goodbye(local(i), out);
    act(i, out);
  }

  [[nodiscard]] Standing standing(std::size_t i) const {
    const relay::Report report = nodes[i].agent->report(local(i));
    Standing standing{nodes[i].injects.size(), report.drops};
    for (const relay::PeerReport& peer : report.peers) standing.accepted += peer.received;
    return standing;
  }

  [[nodiscard]] bool all_up() const {
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      for (std::size_t p = 0; p < nodes.size(); ++p) {
        if (i != p && state(i, p) != PeerState::up) return false;
      }
    }
    return true;
  }

 private:
  int beats_ = 0;
};

// Tampers with what arrives, at each kind's first datagrams in each direction.
class Attacker {
 public:
  Attacker(Cluster& net, KeyHolder& keys) : net_(net), keys_(keys) {}

  std::set<std::string> kinds;
  std::set<std::uint8_t> frame_types;
  std::map<std::string, std::uint64_t> tried;  // by what was done
  std::uint64_t accepted = 0;
  std::uint64_t not_counted = 0;
  ReasonCounters refused;

  // In place of the delivery.
  bool arrives(const Packet& packet) {
    keys_.see(net_.nodes[packet.from].ring, packet);
    const auto types = keys_.frames(packet);
    const std::string kind = kind_of(packet, types);
    std::size_t& samples = samples_[{kind, packet.from, packet.to}];
    const bool fresh = delivered_.insert({packet.to, packet.bytes}).second;
    if (!fresh || ++samples > kSamples) {
      net_.deliver(packet);
      remember(packet);
      return false;
    }
    kinds.insert(kind);
    frame_types.insert(types.begin(), types.end());
    change_bits(packet);
    change_length(packet);
    reflect(packet);
    splice(packet);
    deliver_genuine(packet);
    remember(packet);
    return false;
  }

  void report() const {
    std::uint64_t all = 0;
    std::string each;
    for (const auto& [what, n] : tried) {
      all += n;
      each += ", " + std::to_string(n) + " " + what;
    }
    std::string reasons;
    for (const ReasonEntry& entry : kReasons) {
      if (refused[entry.reason] == 0) continue;
      reasons += ", " + std::to_string(refused[entry.reason]) + " " + std::string(entry.name);
    }
    test::figure("tamper: ", accepted, " of ", all, " accepted, of ", kinds.size(),
                 " kinds of datagrams", each, "; refused as", reasons.substr(1), ", ", not_counted,
                 " not counted");
  }

  // Every one must be refused: nothing comes of it, and one counter says so.
  void attempt(const std::string& what, std::size_t to, const Endpoint& from, Bytes bytes) {
    const Standing before = net_.standing(to);
    relay::Actions out;
    net_.nodes[to].agent->on_datagram(net_.local(to), {from, net_.nodes[to].address}, bytes, out);
    const Standing after = net_.standing(to);
    ++tried[what];
    const bool acts = !out.sends.empty() || !out.injects.empty() || !out.events.empty() ||
                      !out.answers.empty() || !out.knocks.empty() || !out.watches.empty() ||
                      out.remember || out.view_wanted || out.roll_call;
    if (acts || after.accepted != before.accepted) {
      ++accepted;
      BOOST_ERROR(what << " of " << to_hex(bytes.first(std::min<std::size_t>(bytes.size(), 16))));
    }
    if (after.refused.total() != before.refused.total() + 1) ++not_counted;
    for (const ReasonEntry& entry : kReasons) {
      refused.add(entry.reason, after.refused[entry.reason] - before.refused[entry.reason]);
    }
  }

 private:
  static std::string kind_of(const Packet& packet, const std::set<std::uint8_t>& types) {
    constexpr std::array kNames = {"init", "response", "pair", "data"};
    std::string kind = kNames.at(static_cast<std::size_t>(packet.type()) - 1);
    for (const std::uint8_t type : types) kind += " " + std::to_string(type);
    if (packet.type() == Type::data) kind += packet.bytes.size() > 400 ? " long" : " short";
    return kind;
  }

  void change_bits(const Packet& packet) {
    Buffer bytes = packet.bytes;
    for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
      const auto mask = static_cast<std::uint8_t>(1U << bit % 8);
      bytes[bit / 8] ^= mask;
      attempt("with a bit flipped", packet.to, packet.path.remote, bytes);
      bytes[bit / 8] ^= mask;
    }
  }

  void change_length(const Packet& packet) {
    const Bytes bytes = packet.bytes;
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      attempt("cut", packet.to, packet.path.remote, bytes.first(size));
    }
    Buffer longer = packet.bytes;
    for (std::size_t more = 1; more <= kMaxExtension; ++more) {
      longer.push_back(static_cast<std::uint8_t>(more * 37));
      attempt("lengthened", packet.to, packet.path.remote, longer);
    }
  }

  // Back to who sent it. Before there is a session its own init tells an agent that this peer is
  // itself, until the peer answers: relay_links holds that, since it is no drop.
  void reflect(const Packet& packet) {
    const bool session = net_.peer(packet.from, packet.to).received > 0;
    if (packet.type() == Type::init && !session) return;
    attempt("reflected", packet.from, net_.endpoint(packet.to), packet.bytes);
  }

  void splice(const Packet& packet) {
    // What is for one peer alone, to the other, in the name of each.
    const std::size_t third = kHosts - packet.from - packet.to;
    if (packet.type() == Type::pair || packet.type() == Type::response) {
      attempt("to another peer", third, packet.path.remote, packet.bytes);
      attempt("to another peer", third, net_.endpoint(packet.to), packet.bytes);
    }
    // Head and body of different datagrams: of this session and the one before, of another peer's,
    // of data and what is pairwise.
    for (const auto& [id, other] : last_) {
      if (other == packet.bytes) continue;
      attempt("spliced", packet.to, packet.path.remote, joined(packet.bytes, other));
      attempt("spliced", packet.to, packet.path.remote, joined(other, packet.bytes));
      attempt("spliced", packet.to, packet.path.remote, with_index(packet.bytes, other));
    }
  }

  static Buffer joined(Bytes head, Bytes body) {
    Buffer both = copy_of(head.first(seal::kHeaderSize));
    const Bytes rest = body.subspan(seal::kHeaderSize);
    both.insert(both.end(), rest.begin(), rest.end());
    return both;
  }

  // This datagram under the other one's session or key.
  static Buffer with_index(Bytes datagram, Bytes other) {
    const auto header = seal::decode(datagram)->header;
    const auto wanted = seal::decode(other)->header;
    // A data key's or a session's own id changes nothing; another one must be refused.
    seal::Header changed = header;
    changed.index = wanted.index == header.index ? ~header.index : wanted.index;
    return joined(seal::encode(changed), datagram);
  }

  void deliver_genuine(const Packet& packet) {
    const std::uint64_t before = net_.standing(packet.to).accepted;
    const std::size_t sent = net_.sent.size();
    net_.deliver(packet);
    const bool took = net_.standing(packet.to).accepted > before || net_.sent.size() > sent;
    if (packet.type() == Type::pair || packet.type() == Type::data) {
      BOOST_TEST(took, "the genuine one is refused");
    }
  }

  void remember(const Packet& packet) {
    const auto header = seal::decode(packet.bytes)->header;
    last_[{header.type, header.index}] = packet.bytes;
  }

  Cluster& net_;
  KeyHolder& keys_;
  std::map<std::tuple<std::string, std::size_t, std::size_t>, std::size_t> samples_;
  std::set<std::pair<std::size_t, Buffer>> delivered_;
  std::map<std::pair<Type, std::uint32_t>, Buffer> last_;  // of each session and key
};

Buffer counting(std::size_t size) {
  Buffer bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(i % 251);
  return bytes;
}

}  // namespace

BOOST_AUTO_TEST_CASE(nothing_that_was_tampered_with_is_accepted) {
  Cluster net;
  KeyHolder keys;
  net.random = [&](std::size_t, std::uint64_t seed) { return keys.overhear(test::seeded(seed)); };
  for (auto& node : net.nodes) node.settings.max_datagram_bytes.reset();  // so paths are tested
  Attacker attacker(net, keys);
  net.arrives = [&](const Packet& packet) { return attacker.arrives(packet); };

  net.up();
  BOOST_TEST(net.all_up());
  net.beat_for(seconds(3));
  net.raw(0, counting(2000));  // pieces
  net.run_for(milliseconds(10));
  const Buffer view = counting(100);
  net.call_rolls(view);
  for (const auto& node : net.nodes) {
    BOOST_TEST_REQUIRE(node.roll_call.has_value());
    for (const PeerView& peer : *node.roll_call) BOOST_TEST(peer.bytes == view);
  }
  net.beat(1, true);  // a goodbye, acknowledged by both
  net.beat_for(seconds(2));
  net.beat_for(seconds(125));  // new sessions and new data keys
  net.begin(2);                // a new process
  net.beat_for(seconds(3));
  BOOST_TEST(net.all_up());
  net.passes = [](const Packet& p) { return p.from != 0 || p.to != 1; };  // what is only told
  net.run_for(seconds(4));
  BOOST_TEST((net.state(1, 0) == PeerState::half_open_in));
  net.passes = [](const Packet&) { return true; };
  net.beat_for(seconds(3));
  BOOST_TEST(net.all_up());
  net.say_goodbye(0);
  net.run_for(milliseconds(10));
  BOOST_TEST((net.state(1, 0) == PeerState::stopped));

  BOOST_TEST(attacker.accepted == 0U);
  BOOST_TEST(attacker.not_counted == 0U);
  BOOST_TEST((attacker.frame_types == kFrameTypes));
  for (const char* kind : {"init", "response", "data short", "data long"}) {
    BOOST_TEST(attacker.kinds.contains(kind), kind);
  }
  attacker.report();
}

// Whoever can send in any address's name brings a handshake to an agent that it was not meant for.
// That one answers, as to any holder of the key, and nothing comes of it.
BOOST_AUTO_TEST_CASE(a_handshake_brought_to_another_peer_comes_to_nothing) {
  Cluster net;
  net.up();
  net.beat_for(seconds(3));
  std::size_t brought = 0;
  net.arrives = [&](const Packet& packet) {
    if (packet.type() != Type::init) return true;
    const std::size_t third = kHosts - packet.from - packet.to;
    for (const std::size_t as : {packet.from, packet.to}) {
      const std::size_t before = net.sent.size();
      net.deliver(third, {net.endpoint(as), net.nodes[third].address}, packet.bytes);
      BOOST_TEST(net.sent.size() <= before + 1);
      ++brought;
    }
    return true;
  };
  const auto opened_elsewhere = [&] {
    std::size_t restarts = 0;
    for (std::size_t i = 0; i < kHosts; ++i) {
      restarts += net.count_events(i, EventKind::peer_restarted);
    }
    return restarts;
  };
  const auto before = net.standing(0).refused;
  net.beat_for(seconds(250));
  BOOST_TEST(brought >= 8U);
  BOOST_TEST(opened_elsewhere() == 0U);
  BOOST_TEST(net.all_up());
  const std::size_t injected = net.nodes[0].injects.size();
  net.beat_for(seconds(10));
  BOOST_TEST(net.nodes[0].injects.size() == injected + 40);
  BOOST_TEST(net.standing(0).refused[Reason::stale] == before[Reason::stale]);
  test::figure("handshakes brought to another peer: 0 sessions of ", brought);
}

// The limit of a shared key: it proves membership, not who. Whoever can change the addresses of
// datagrams on their way chooses which holder of the key answers for a peer.
BOOST_AUTO_TEST_CASE(whoever_readdresses_datagrams_chooses_which_holder_of_the_key_answers) {
  Cluster net;
  net.arrives = [&](const Packet& packet) {
    if (packet.from == 0 && packet.to == 1) {
      net.deliver(2, {net.endpoint(0), net.nodes[2].address}, packet.bytes);
    }
    if (packet.from == 2 && packet.to == 0) {
      net.deliver(0, {net.endpoint(1), net.nodes[0].address}, packet.bytes);
    }
    return false;
  };
  net.begin(0);
  net.begin(2);
  net.run_for(seconds(3));
  BOOST_TEST((net.state(0, 1) == PeerState::up));  // it is n2 that answers
  BOOST_TEST((net.state(0, 2) == PeerState::silent));
}

// An hour of everything, handshakes included, sent once more: at once after one side has started
// again, when both are up, and once more after the other one has.
BOOST_AUTO_TEST_CASE(of_a_recorded_hour_nothing_is_accepted_whoever_restarts) {
  Cluster net(2);
  net.up();
  net.beat_for(std::chrono::hours(1));
  const std::vector<Packet> recorded = std::exchange(net.sent, {});
  std::array<std::size_t, 4> of_type{};
  for (const Packet& packet : recorded) ++of_type.at(static_cast<std::size_t>(packet.type()) - 1);
  BOOST_TEST(of_type[0] >= 29U);
  BOOST_TEST(of_type[1] >= 29U);
  std::uint64_t tried = 0;
  std::uint64_t answered = 0;
  std::uint64_t accepted = 0;
  std::uint64_t counted = 0;
  ReasonCounters refused;
  const auto replay = [&] {
    for (std::size_t i = 0; i < 2; ++i) {
      const Standing before = net.standing(i);
      const std::size_t sent = net.sent.size();
      std::uint64_t mine = 0;
      for (const Packet& packet : recorded) {
        if (packet.to != i) continue;
        net.deliver(packet);
        ++mine;
      }
      const Standing after = net.standing(i);
      const std::uint64_t now_answered = net.sent.size() - sent;
      const std::uint64_t now_counted = after.refused.total() - before.refused.total();
      tried += mine;
      answered += now_answered;
      counted += now_counted;
      accepted += after.accepted - before.accepted;
      // Answered, or counted, or an init that lost the race against the agent's own.
      BOOST_TEST(now_answered + now_counted <= mine);
      BOOST_TEST(now_answered + now_counted + of_type[0] >= mine);
      for (const ReasonEntry& entry : kReasons) {
        refused.add(entry.reason, after.refused[entry.reason] - before.refused[entry.reason]);
      }
    }
    net.run_for(seconds(5));
    BOOST_TEST(net.all_up());
  };
  for (const std::size_t who : {0U, 1U}) {
    net.begin(who);
    replay();  // it knows nobody yet
    replay();  // it has a session again
    net.beat_for(seconds(2));
    replay();
  }
  const std::size_t injected = net.nodes[0].injects.size();
  net.beat_for(seconds(10));
  BOOST_TEST(net.nodes[0].injects.size() == injected + 20);
  BOOST_TEST(accepted == 0U);
  test::figure("replay of a recorded hour after a restart of either side: ", accepted, " of ",
               tried, " accepted (", recorded.size(), " datagrams, ", of_type[0],
               " of them begin handshakes), ", refused[Reason::forged], " forged, ",
               refused[Reason::replayed], " replayed, ", refused[Reason::duplicate], " duplicate; ",
               answered, " handshakes were answered, none was finished");
}
