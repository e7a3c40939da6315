// Links between peers that know each other by public keys: who is who, what a peer can and cannot
// do in another's name, moves, floods. What is the same with a ring is in relay_links.cc, which
// runs in both ways.
#define BOOST_TEST_MODULE relay_by_key
#include <boost/test/unit_test.hpp>

#include "relay/links.h"
#include "relay_fixture.h"
#include "vectors.h"

using namespace tribecast;
using namespace tribecast::relay;
using seal::Type;
using test::own_key;
using test::Packet;

using test::SodiumReady;
BOOST_TEST_GLOBAL_FIXTURE(SodiumReady);

namespace {

const Buffer kPayload = copy_of(bytes_of("datagram"));
const Endpoint kForeign{Address::v4(0x0a0a0a0a), test::kPort};

struct Net : test::Net<Links> {
  explicit Net(std::size_t hosts) : test::Net<Links>(hosts) {
    use_public_keys();
    for (auto& node : nodes) node.ring = {};
  }

  void up() {
    start_all();
    run_for(milliseconds(20));
  }

  std::uint64_t rejected(std::size_t i, Reason reason) const {
    std::uint64_t n = nodes[i].agent->strangers()[reason];
    for (const auto& report : nodes[i].agent->report(local(i))) n += report.rejected[reason];
    return n;
  }

  std::uint64_t received(std::size_t i) const {
    std::uint64_t n = 0;
    for (const auto& report : nodes[i].agent->report(local(i))) n += report.received;
    return n;
  }

  bool has_event(std::size_t i, EventKind kind, const std::string& text) const {
    return std::ranges::any_of(nodes[i].events, [&](const Event& event) {
      return event.kind == kind && event.text.find(text) != event.text.npos;
    });
  }

  bool relays(std::size_t from, std::size_t to) {
    const std::size_t before = nodes[to].got.size();
    send(from, kPayload);
    run_for(milliseconds(5));
    return nodes[to].got.size() == before + 1 && nodes[to].got.back().peer == name_of(from);
  }

  bool all_relay() {
    bool all = true;
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      for (std::size_t p = 0; p < nodes.size(); ++p) all = all && (p == i || relays(i, p));
    }
    return all;
  }
};

// An initiation that a holder of `who` makes for the receiver, however it came to its public key.
Buffer init_by(const seal::KeyPair& who, const seal::PublicKey& receiver, std::uint32_t index,
               std::uint8_t ephemeral) {
  const seal::HeaderBytes header = seal::encode(seal::Header{Type::key_init, 0, index, 0});
  ByteWriter prologue;
  prologue.put(bytes_of("tribecast 1 public-key"));
  prologue.put(header);
  auto handshake = seal::Handshake::initiator_by_key(prologue.bytes(), seal::Key(), who, receiver);
  const auto message = handshake.write(seal::KeyPair::of(test::filled_key(ephemeral)),
                                       encode(Greeting{index, 0x1234567800000000U + index, 1}));
  ByteWriter out;
  out.put(header);
  out.put(*message);
  out.put(seal::handshake_mac(receiver, seal::Key(), header, *message));
  return out.release();
}

// Every bit of what is on its way from n0 to n1 is changed in turn, and its length; nothing comes
// of it, and then the genuine one is good.
void change_everything(Net& net, const Packet& packet) {
  const auto facts = [&] {
    const PeerReport report = net.peer(1, 0);
    return std::tuple(net.nodes[1].got.size(), report.received, report.sent, report.endpoint,
                      net.nodes[1].roll_call.has_value());
  };
  const auto before = facts();
  for (std::size_t bit = 0; bit < packet.bytes.size() * 8; ++bit) {
    Buffer flipped = packet.bytes;
    flipped[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    net.deliver(1, packet.path, flipped);
    BOOST_TEST((facts() == before), static_cast<int>(packet.type()) << " bit " << bit);
  }
  for (std::size_t size = 0; size < packet.bytes.size(); ++size) {
    net.deliver(1, packet.path, Bytes(packet.bytes).first(size));
  }
  Buffer longer = packet.bytes;
  longer.push_back(0);
  net.deliver(1, packet.path, longer);
  BOOST_TEST((facts() == before));
  net.deliver(packet);
  BOOST_TEST((facts() != before), "the datagram itself, type " << static_cast<int>(packet.type()));
}

}  // namespace

// --- who it is -----------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(peers_reach_each_other_without_a_ring) {
  Net net(3);
  net.up();
  BOOST_TEST(net.all_relay());
  BOOST_TEST(net.count_sent(Type::init) == 6U);
  BOOST_TEST(net.count_sent(Type::response) == 3U);
  BOOST_TEST(!net.peer(0, 1).ring_id.has_value());
  for (const std::size_t i : {0U, 1U, 2U}) {
    BOOST_TEST(net.rejected(i, Reason::forged) == 0U);
    BOOST_TEST(net.rejected(i, Reason::replayed) == 0U);
  }
}

BOOST_AUTO_TEST_CASE(an_unknown_key_is_refused_by_name_without_a_reply) {
  Net net(3);
  net.nodes[0].settings.peers.pop_back();  // n2
  net.start_all();
  net.run_for(seconds(5));
  BOOST_TEST(net[0].strangers()[Reason::unconfigured_peer] >= 4U);
  BOOST_TEST(net.count_events(0, EventKind::unconfigured_peer) == 1U);
  BOOST_TEST(net.has_event(0, EventKind::unconfigured_peer, seal::to_text(own_key(2).open)));
  for (const Packet& packet : net.sent) BOOST_TEST_REQUIRE(!(packet.from == 0 && packet.to == 2));
  BOOST_TEST(net.relays(0, 1));
}

BOOST_AUTO_TEST_CASE(another_key_than_the_configured_one_is_rejected_and_shown) {
  Net net(2);
  net.nodes[1].own = own_key(7);
  net.start_all();
  net.run_for(seconds(4));
  BOOST_TEST((net.state(0, 1) == PeerState::key_rejected));  // unknown, at its address
  BOOST_TEST((net.state(1, 0) == PeerState::key_rejected));  // for somebody else's public key
  BOOST_TEST(net.rejected(0, Reason::unconfigured_peer) >= 3U);
  BOOST_TEST(net.rejected(1, Reason::forged) >= 3U);
  BOOST_TEST(net.count_sent(Type::response) == 0U);
  BOOST_TEST(net.has_event(0, EventKind::peer_key_rejected, "keygen --public-key"));
}

BOOST_AUTO_TEST_CASE(the_other_auth_is_rejected_and_named) {
  Net net(2);
  net.nodes[1].own.reset();
  net.nodes[1].ring = test::ring_of({1});
  net.start_all();
  net.run_for(seconds(4));
  BOOST_TEST((net.state(0, 1) == PeerState::key_rejected));
  BOOST_TEST((net.state(1, 0) == PeerState::key_rejected));
  BOOST_TEST(net.has_event(0, EventKind::peer_key_rejected, "has auth = keyring"));
  BOOST_TEST(net.has_event(1, EventKind::peer_key_rejected, "has auth = public-key"));
  BOOST_TEST(net.count_sent(Type::response) == 0U);
  // Set right by a reload.
  net.nodes[1].own = own_key(1);
  net.nodes[1].ring = {};
  net.configure(1);
  net[1].set_endpoints(net.local(1), "n0", {net.endpoint(0)});
  net.run_for(seconds(2));
  BOOST_TEST(net.all_relay());
}

BOOST_AUTO_TEST_CASE(the_peer_with_our_own_key_is_self) {
  Net net(2);
  net.peer_of(0, 1).public_key = own_key(0).open;
  net.start(0);
  net.run_for(seconds(3));
  BOOST_TEST((net.state(0, 1) == PeerState::self));
  BOOST_TEST(net.sent.empty());
  BOOST_TEST(net.send(0, kPayload) == 0U);
  // Somebody else who has it is told from ourselves.
  net.deliver(0, {kForeign, {}}, init_by(own_key(0), own_key(0).open, 1, 1));
  BOOST_TEST(net.has_event(0, EventKind::unconfigured_peer, "own private key"));
  BOOST_TEST(net.rejected(0, Reason::unconfigured_peer) == 1U);
}

BOOST_AUTO_TEST_CASE(a_ring_beside_the_keys_is_needed_as_well) {
  Net net(3);
  for (const std::size_t i : {0U, 1U}) net.nodes[i].ring = test::ring_of({1});
  net.start_all();
  net.run_for(seconds(4));
  BOOST_TEST(net.relays(0, 1));
  BOOST_TEST((net.peer(0, 1).ring_id == 1));
  BOOST_TEST((net.state(0, 2) == PeerState::key_rejected));
  BOOST_TEST((net.state(2, 0) == PeerState::key_rejected));
  // Another key under the same id.
  net.nodes[2].ring.keys.push_back({1, test::filled_key(99)});
  net.nodes[2].ring.primary_id = 1;
  net.configure(2);
  net.run_for(seconds(4));
  BOOST_TEST((net.state(0, 2) == PeerState::key_rejected));
  BOOST_TEST((net.state(2, 0) == PeerState::key_rejected));
  net.nodes[2].ring = test::ring_of({1});
  net.configure(2);
  net.run_for(seconds(2));
  BOOST_TEST(net.all_relay());
}

BOOST_AUTO_TEST_CASE(a_ring_that_comes_or_goes_ends_the_sessions_without_it) {
  Net net(2);
  net.up();
  for (const bool ring : {true, false}) {
    for (const std::size_t i : {0U, 1U}) {
      net.nodes[i].ring = ring ? test::ring_of({1}) : seal::Keyring{};
      net.configure(i);
      BOOST_TEST(net.send(i, kPayload) == 0U);
    }
    net.run_for(seconds(2));
    BOOST_TEST(net.all_relay());
    BOOST_TEST(net.peer(0, 1).ring_id.has_value() == ring);
  }
}

BOOST_AUTO_TEST_CASE(a_changed_key_of_a_peer_ends_its_session_at_once) {
  Net net(3);
  net.up();
  net.peer_of(0, 1).public_key = own_key(9).open;
  net.configure(0);
  BOOST_TEST(net.send(0, kPayload) == 1U);
  net.send(1, kPayload);
  net.run_for(milliseconds(50));
  BOOST_TEST(net.nodes[0].got.empty());
  BOOST_TEST((net.state(0, 1) != PeerState::up));
  BOOST_TEST(net.relays(0, 2));
}

// --- in another's name ---------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(data_is_sealed_for_each_peer_alone) {
  Net net(3);
  net.up();
  net.sent.clear();
  BOOST_TEST(net.send(0, kPayload) == 2U);
  BOOST_TEST_REQUIRE(net.sent.size() == 2U);
  const auto one = seal::decode(net.sent[0].bytes);
  const auto two = seal::decode(net.sent[1].bytes);
  BOOST_TEST(one->header.index != two->header.index);
  BOOST_TEST(one->header.counter == two->header.counter);  // the order of capture
  BOOST_TEST(!same(one->body, two->body));
  // What is meant for the one, at the other.
  const std::vector<Packet> sent = net.sent;
  net.deliver(sent[1].to, sent[0].path, sent[0].bytes);
  net.deliver(sent[0].to, sent[1].path, sent[1].bytes);
  for (const std::size_t i : {1U, 2U}) {
    BOOST_TEST(net.nodes[i].got.empty());
    BOOST_TEST(net.rejected(i, Reason::forged) == 1U);
  }
}

BOOST_AUTO_TEST_CASE(what_opens_is_of_the_peer_that_sealed_it_wherever_it_comes_from) {
  Net net(3);
  net.up();
  net.passes = [](const Packet& p) { return p.type() != Type::data; };
  net.send(1, kPayload);
  const Packet data = net.last(1, 0, Type::data);
  net.deliver(0, {net.endpoint(2), {}}, data.bytes);  // as if from n2
  BOOST_TEST_REQUIRE(net.nodes[0].got.size() == 1U);
  BOOST_TEST(net.nodes[0].got[0].peer == "n1");
  BOOST_TEST((net.peer(0, 1).endpoint == net.endpoint(1)));  // data moves nobody
}

// Whatever was sent in a while, renewals and a restart included, at everybody else than its
// receiver, from everywhere.
BOOST_AUTO_TEST_CASE(nothing_can_be_spliced_between_peers_and_sessions) {
  Net net(3);
  net.up();
  for (int i = 0; i < 65; ++i) {
    for (const std::size_t from : {0U, 1U, 2U}) net.send(from, kPayload);
    net.run_for(seconds(2));
  }
  net.start(2);
  net.run_for(milliseconds(600));
  BOOST_TEST_REQUIRE(net.all_relay());
  const std::vector<Packet> recorded = net.sent;
  BOOST_TEST(recorded.size() > 1000U);
  net.passes = [](const Packet&) { return false; };
  for (const std::size_t to : {0U, 1U, 2U}) {
    const std::size_t got = net.nodes[to].got.size();
    const std::uint64_t received = net.received(to);
    for (const Packet& packet : recorded) {
      for (const std::size_t from : {0U, 1U, 2U}) {
        net.deliver(to, {net.endpoint(from), net.nodes[to].address}, packet.bytes);
      }
    }
    BOOST_TEST(net.nodes[to].got.size() == got);
    BOOST_TEST(net.received(to) == received);
  }
  net.passes = [](const Packet&) { return true; };
  net.run_for(seconds(3));
  BOOST_TEST(net.all_relay());
}

// Of each kind of datagram on its way from n0 to n1 every bit is changed in turn.
BOOST_AUTO_TEST_CASE(of_no_kind_of_datagram_a_bit_can_be_changed) {
  for (const Type type : {Type::init, Type::response, Type::pair, Type::data}) {
    Net net(2);
    std::vector<Packet> held;
    const auto hold = [&](const Packet& p) {
      const bool hit = p.from == 0 && p.type() == type;
      if (hit) held.push_back(p);
      // Who answers depends on who begins.
      return !hit && !(p.from == 1 && p.type() == Type::init && type == Type::init) &&
             !(p.from == 0 && p.type() == Type::init && type == Type::response);
    };
    if (type == Type::init || type == Type::response) net.passes = hold;
    net.up();
    if (type == Type::response) net.run_for(seconds(3));  // until a race is given up
    if (held.empty()) {
      net.passes = hold;
      net.send(0, kPayload);
      net.run_for(milliseconds(600));
    }
    BOOST_TEST_REQUIRE(!held.empty());
    change_everything(net, held.front());
  }
}

// The question for a view and its answer, which the first pair datagrams do not hold.
BOOST_AUTO_TEST_CASE(of_no_roll_call_a_bit_can_be_changed) {
  for (const std::size_t asker : {0U, 1U}) {
    Net net(2);
    net.up();
    for (const std::size_t i : {0U, 1U}) net[i].set_view(net.local(i), Buffer(100, 7));
    std::vector<Packet> held;
    net.passes = [&](const Packet& p) {
      if (p.from == 0) held.push_back(p);
      return p.from != 0;
    };
    Actions out;
    net[asker].call_roll(net.local(asker), seconds(2), out);
    net.act(asker, out);
    net.run_for(milliseconds(10));
    BOOST_TEST_REQUIRE(held.size() == 1U);
    change_everything(net, held.front());
    BOOST_TEST(net.nodes[1].roll_call.has_value() == (asker == 1));
  }
}

// --- addresses -----------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(two_peers_at_one_address_are_told_apart) {
  Net net(3);
  net.nodes[2].address = net.nodes[1].address;  // whatever is sent there reaches both
  net.nodes[1].settings.peers.pop_back();
  net.nodes[2].settings.peers.pop_back();
  net.up();
  net.run_for(seconds(3));
  BOOST_TEST((net.state(0, 1) == PeerState::up));
  BOOST_TEST((net.state(0, 2) == PeerState::up));
  for (const std::size_t i : {1U, 2U}) {
    BOOST_TEST(net.relays(i, 0));
    BOOST_TEST(net.relays(0, i));
  }
}

BOOST_AUTO_TEST_CASE(a_peer_without_an_address_is_waited_for) {
  Net net(2);
  net.start(1);
  Net::Node& node = net.nodes[0];
  node.agent = std::make_unique<Links>(test::seeded(1));
  net.configure(0);
  net.run_for(seconds(3));
  BOOST_TEST((net.state(0, 1) == PeerState::up));
  BOOST_TEST((net.peer(0, 1).endpoint == net.endpoint(1)));
  BOOST_TEST(net.all_relay());
  // Its session is renewed, and found again after a restart of either.
  net.run_for(seconds(300));
  BOOST_TEST(net.all_relay());
  net.start(1);
  net.run_for(seconds(2));
  BOOST_TEST(net.all_relay());
}

BOOST_AUTO_TEST_CASE(a_peer_is_followed_by_a_pair_datagram_alone) {
  Net net(2);
  net.up();
  std::vector<Packet> held;
  net.passes = [&](const Packet& p) {
    if (p.from == 1) held.push_back(p);
    return p.from != 1;
  };
  net.send(1, kPayload);
  net.run_for(milliseconds(600));
  const Packet data = net.last(1, 0, Type::data);
  net.deliver(0, {kForeign, {}}, data.bytes);
  BOOST_TEST(net.nodes[0].got.size() == 1U);
  BOOST_TEST((net.peer(0, 1).endpoint == net.endpoint(1)));
  const Packet older = net.last(1, 0, Type::pair);
  net.run_for(milliseconds(600));
  const Packet newer = net.last(1, 0, Type::pair);
  net.deliver(0, {kForeign, {}}, newer.bytes);
  BOOST_TEST((net.peer(0, 1).endpoint == kForeign));
  // An older one, or the same again, does not move it back.
  net.deliver(older);
  net.deliver(newer);
  BOOST_TEST((net.peer(0, 1).endpoint == kForeign));
}

BOOST_AUTO_TEST_CASE(a_peer_is_followed_within_its_prefixes_only) {
  Net net(2);
  net.peer_of(0, 1).roaming = {*Prefix::parse("10.10.10.0/24")};
  net.up();
  net.passes = [](const Packet& p) { return p.from != 1; };
  const auto pair_from = [&](const char* address) {
    net.run_for(milliseconds(600));
    net.deliver(0, {{*Address::parse(address), 7}, {}}, net.last(1, 0, Type::pair).bytes);
    return net.peer(0, 1).endpoint->to_string();
  };
  BOOST_TEST(pair_from("10.10.11.1") == net.endpoint(1).to_string());
  BOOST_TEST(pair_from("10.10.10.1") == "10.10.10.1:7");
  BOOST_TEST(pair_from("192.0.2.1") == "10.10.10.1:7");
  BOOST_TEST(pair_from("10.0.1.1") == "10.0.1.1:7");  // its own address
  // Nor does it begin or answer from elsewhere.
  const std::size_t sent = net.sent.size();
  net.start(1);
  net.run_for(milliseconds(1));
  net.deliver(0, {{*Address::parse("192.0.2.1"), 7}, {}}, net.last(1, 0, Type::init).bytes);
  BOOST_TEST(net.rejected(0, Reason::unconfigured_peer) == 1U);
  for (std::size_t i = sent; i < net.sent.size(); ++i) {
    BOOST_TEST((net.sent[i].from != 0 || net.sent[i].type() != Type::response));
  }
}

// --- floods --------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(who_knows_the_public_key_can_make_it_multiply_only_so_often) {
  Net net(2);
  net.start(0);
  const seal::KeyPair stranger = own_key(9);
  for (std::uint32_t i = 1; i <= 250; ++i) {
    net.deliver(0, {kForeign, {}}, init_by(stranger, own_key(0).open, i, 1));
  }
  BOOST_TEST(net.rejected(0, Reason::unconfigured_peer) == 200U);
  BOOST_TEST(net.rejected(0, Reason::rate_limited) == 50U);
  // From a configured address there is another budget; the peer itself is not kept out.
  net.start(1);
  net.run_for(milliseconds(20));
  BOOST_TEST(net.all_relay());
  net.run_for(seconds(1));
  net.deliver(0, {kForeign, {}}, init_by(stranger, own_key(0).open, 251, 1));
  BOOST_TEST(net.rejected(0, Reason::unconfigured_peer) == 201U);
}

BOOST_AUTO_TEST_CASE(who_does_not_know_the_public_key_is_refused_by_the_mac) {
  Net net(2);
  net.start(0);
  for (std::uint32_t i = 1; i <= 300; ++i) {
    net.deliver(0, {kForeign, {}}, init_by(own_key(1), own_key(8).open, i, 1));
  }
  BOOST_TEST(net.rejected(0, Reason::forged) == 300U);
  BOOST_TEST(net.rejected(0, Reason::rate_limited) == 0U);  // none got that far
}

// What is resealed by somebody who holds nothing but the public keys.
BOOST_AUTO_TEST_CASE(a_claimed_static_key_is_not_believed) {
  Net net(2);
  net.start(0);
  seal::KeyPair claimed = own_key(1);
  claimed.secret = test::filled_key(0x77);
  const std::size_t before = net.sent.size();
  net.deliver(0, {net.endpoint(1), {}}, init_by(claimed, own_key(0).open, 5, 1));
  BOOST_TEST(net.rejected(0, Reason::forged) == 1U);
  BOOST_TEST(net.sent.size() == before);
}
