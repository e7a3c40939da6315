// Links wired back to back: handshakes, sessions, data keys, and what must not change any of them.
#define BOOST_TEST_MODULE relay_links
#include <boost/test/unit_test.hpp>

#include "relay/links.h"
#include "relay_fixture.h"
#include "vectors.h"

using namespace tribecast;
using namespace tribecast::relay;
using seal::Type;
using test::Packet;

using test::SodiumReady;
BOOST_TEST_GLOBAL_FIXTURE(SodiumReady);

namespace {

using Net = test::Net<Links>;

// Cases about a ring without public keys.
const boost::unit_test::label ring_only("ring_only");

const Buffer kPayload = copy_of(bytes_of("datagram"));

// Whether a datagram from one host arrives at another, and exactly once.
bool relays(Net& net, std::size_t from, std::size_t to) {
  const std::size_t before = net.nodes[to].got.size();
  net.send(from, kPayload);
  net.run_for(milliseconds(5));
  const auto& got = net.nodes[to].got;
  return got.size() == before + 1 && got.back().peer == Net::name_of(from) &&
         same(got.back().payload, kPayload);
}

bool both_ways(Net& net) { return relays(net, 0, 1) && relays(net, 1, 0); }

bool both_up(const Net& net) {
  return net.state(0, 1) == PeerState::up && net.state(1, 0) == PeerState::up;
}

std::size_t loss_free(Net& net, Duration time, Duration every) {
  const Instant end = net.now + time;
  std::size_t sent = 0;
  for (; net.now < end; net.run_for(every)) sent += net.send(0, kPayload);
  net.run_for(milliseconds(20));
  return sent - net.nodes[1].got.size();
}

std::uint32_t last_data_key(const Net& net, std::size_t from) {
  for (auto packet = net.sent.rbegin(); packet != net.sent.rend(); ++packet) {
    if (packet->from == from && packet->type() == Type::data) {
      return seal::decode(packet->bytes)->header.index;
    }
  }
  return 0;
}

// Everything of a link that a stranger must not be able to change.
std::string facts_of(const Net& net, std::size_t i) {
  std::string facts;
  for (const PeerReport& peer : net.nodes[i].agent->report(net.local(i))) {
    facts += peer.name + ' ' + peer.site + ' ' + std::to_string(static_cast<int>(peer.state)) +
             ' ' + (peer.endpoint ? peer.endpoint->to_string() : "") + ' ' +
             std::to_string(peer.received) + '\n';
  }
  return facts + std::to_string(net.nodes[i].got.size());
}

std::uint64_t rejected(const Net& net, std::size_t i, Reason reason) {
  std::uint64_t n = net.nodes[i].agent->strangers()[reason];
  for (const auto& peer : net.nodes[i].agent->report(net.local(i))) n += peer.rejected[reason];
  return n;
}

}  // namespace

// --- handshake -----------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(one_side_initiates) {
  Net net(2);
  net.start(1);
  net.run_for(milliseconds(10));
  BOOST_TEST(net.sent.size() == 1U);  // nobody answers
  net.start(0);
  net.run_for(milliseconds(4));
  BOOST_TEST(net.count_sent(Type::init) == 2U);
  BOOST_TEST(net.count_sent(Type::response) == 1U);
  BOOST_TEST(both_up(net));
  net.run_for(milliseconds(4));
  BOOST_TEST(both_ways(net));
  BOOST_TEST(net.peer(0, 1).site == "site of n1");
  BOOST_TEST(net.peer(1, 0).site == "site of n0");
  BOOST_TEST(net.peer(1, 0).version == "1.0");
  for (const std::size_t i : {0U, 1U}) {
    BOOST_TEST(net.count_events(i, EventKind::peer_up) == 1U);
    BOOST_TEST((net.peer(i, 1 - i).round_trip == milliseconds(2)));
  }
}

BOOST_AUTO_TEST_CASE(initiations_that_cross_make_one_session) {
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    Net net(2);
    net.nodes[0].seed = seed * 7919;
    net.start_all();
    net.run_for(milliseconds(10));
    BOOST_TEST(net.count_sent(Type::init) == 2U);
    BOOST_TEST(net.count_sent(Type::response) == 1U);
    BOOST_TEST(both_up(net));
    BOOST_TEST(both_ways(net));
    BOOST_TEST(rejected(net, 0, Reason::replayed) + rejected(net, 1, Reason::replayed) == 0U);
  }
}

// The lower instance wins a race; if what it sends never arrives, the higher one answers... and if
// nothing arrives one way, there is no session at all, but also no storm.
BOOST_AUTO_TEST_CASE(a_race_whose_winner_is_lost_is_decided_by_the_retry) {
  for (const std::size_t loser : {0U, 1U}) {
    Net net(2);
    std::size_t lost = 0;
    net.passes = [&](const Packet& p) {
      return !(p.from == loser && p.type() == Type::init && lost++ < 3);
    };
    net.start_all();
    net.run_for(milliseconds(1800));
    BOOST_TEST(both_up(net));
    BOOST_TEST(both_ways(net));
    BOOST_TEST(net.sent.size() < 40U);
  }
}

BOOST_AUTO_TEST_CASE(each_message_of_the_exchange_may_be_lost) {
  for (std::size_t lost = 0; lost < 6; ++lost) {
    Net net(2);
    net.start(0);
    net.run_for(milliseconds(3));
    std::size_t n = 0;
    net.passes = [&](const Packet&) { return n++ != lost; };
    net.start(1);
    net.run_for(milliseconds(800));
    net.passes = [](const Packet&) { return true; };
    BOOST_TEST(both_ways(net), "message " << lost);
  }
}

BOOST_AUTO_TEST_CASE(a_lost_response_is_made_good_by_the_next_initiation) {
  Net net(2);
  net.start(1);
  net.run_for(milliseconds(3));
  bool lost = false;
  net.passes = [&](const Packet& p) {
    if (p.type() != Type::response || lost) return true;
    lost = true;
    return false;
  };
  net.start(0);
  net.run_for(milliseconds(249));
  BOOST_TEST(net.count_sent(Type::response) == 1U);
  net.run_for(milliseconds(6));
  BOOST_TEST(both_up(net));
  BOOST_TEST(both_ways(net));
}

BOOST_AUTO_TEST_CASE(retry_times) {
  Net net(2);
  std::vector<Duration> times;
  const Instant start = net.now;
  net.passes = [&](const Packet& p) {
    BOOST_TEST((p.type() == Type::init));
    times.push_back(net.now - start);
    return true;
  };
  net.start(0);
  net.run_for(seconds(20));
  BOOST_TEST_REQUIRE(times.size() > 15U);
  BOOST_TEST((times[0] == Duration::zero()));
  BOOST_TEST((times[1] == milliseconds(250)));
  BOOST_TEST((times[2] == milliseconds(750)));
  for (std::size_t i = 3; i < times.size(); ++i) {
    const Duration apart = times[i] - times[i - 1];
    BOOST_TEST((apart >= milliseconds(800) && apart <= milliseconds(1200)));
  }
  BOOST_TEST((net.state(0, 1) == PeerState::silent));
}

BOOST_AUTO_TEST_CASE(all_endpoints_of_a_peer_are_tried_in_turn) {
  Net net(2);
  net.start(1);
  net.start(0);
  net.run_for(milliseconds(1));
  net.start(0);
  net[0].set_endpoints(
      net.local(0), "n1",
      {{Address::v4(0x0a0000fe), 1}, {Address::v4(0x0a0000fd), 2}, net.endpoint(1)});
  net.passes = [](const Packet& p) { return !(p.from == 1 && p.type() == Type::init); };
  net.run_for(milliseconds(800));
  BOOST_TEST(both_up(net));
}

// --- restart and replay --------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_restart_is_noticed_and_relaying_again_within_a_second) {
  for (int phase = 0; phase < 500; phase += 71) {
    Net net(2);
    net.start_all();
    net.run_for(seconds(10) + milliseconds(phase));
    net.stop(1);
    net.run_for(milliseconds(300));
    net.start(1);
    net.run_for(milliseconds(20));
    BOOST_TEST(both_up(net));
    BOOST_TEST(both_ways(net));
    BOOST_TEST(net.count_events(0, EventKind::peer_restarted) == 1U);
  }
}

BOOST_AUTO_TEST_CASE(nothing_recorded_is_accepted_by_a_peer_that_restarted_nor_by_the_other) {
  Net net(2);
  net.start_all();
  for (int i = 0; i < 400; ++i) {
    net.send(0, kPayload);
    net.send(1, kPayload);
    net.run_for(milliseconds(700));
  }
  BOOST_TEST(net.count_sent(Type::init) >= 4U);
  const std::vector<Packet> recorded = net.sent;
  net.stop(1);
  net.start(1);
  net.run_for(milliseconds(500));
  BOOST_TEST(both_ways(net));
  const std::string before[] = {facts_of(net, 0), facts_of(net, 1)};
  for (const Packet& packet : recorded) net.deliver(packet);
  BOOST_TEST(facts_of(net, 0) == before[0]);
  BOOST_TEST(facts_of(net, 1) == before[1]);
  net.run_for(milliseconds(300));
  BOOST_TEST(both_up(net));
  BOOST_TEST(both_ways(net));
  BOOST_TEST(net.count_events(0, EventKind::peer_restarted) == 1U);
  BOOST_TEST(net.count_events(1, EventKind::peer_restarted) == 0U);
}

// The attacker is first: the old messages arrive before anything of the new exchange.
BOOST_AUTO_TEST_CASE(recorded_handshakes_do_not_keep_a_restarted_peer_out) {
  Net net(2);
  net.start_all();
  net.run_for(seconds(300));
  const std::vector<Packet> recorded = net.sent;
  net.stop(1);
  net.run_for(milliseconds(100));
  net.start(1);
  for (const Packet& packet : recorded) {
    if (packet.to == 1) net.deliver(packet);
  }
  BOOST_TEST(net.nodes[1].got.empty());
  BOOST_TEST((net.state(1, 0) != PeerState::up));
  net.run_for(seconds(1));
  BOOST_TEST(both_up(net));
  BOOST_TEST(both_ways(net));
}

BOOST_AUTO_TEST_CASE(a_confirmation_that_somebody_held_back_confirms_nothing) {
  for (const int held_seconds : {4, 6}) {
    Net net(2);
    net.start(1);
    net.run_for(milliseconds(2));
    std::optional<Packet> confirmation;
    net.passes = [&](const Packet& p) {
      if (p.type() == Type::pair && !confirmation) confirmation = p;
      return p.type() != Type::pair;
    };
    net.start(0);
    net.run_for(milliseconds(5));
    BOOST_TEST_REQUIRE(confirmation.has_value());
    net.stop(confirmation->from);
    net.run_for(seconds(held_seconds));
    net.deliver(*confirmation);
    const bool up = net.state(confirmation->to, confirmation->from) == PeerState::up;
    BOOST_TEST(up == (held_seconds == 4));
  }
}

BOOST_AUTO_TEST_CASE(a_replay_of_each_type_is_counted) {
  Net net(2);
  net.start_all();
  net.run_for(milliseconds(20));
  BOOST_TEST(both_ways(net));
  net.run_for(milliseconds(400));
  const std::vector<Packet> recorded = net.sent;
  for (const Type type : {Type::init, Type::response, Type::pair, Type::data}) {
    for (const Packet& packet : recorded) {
      if (packet.type() != type) continue;
      const auto before = rejected(net, packet.to, Reason::replayed);
      const std::string facts = facts_of(net, packet.to);
      net.deliver(packet);
      BOOST_TEST(facts_of(net, packet.to) == facts);
      BOOST_TEST(rejected(net, packet.to, Reason::replayed) == before + 1,
                 "type " << static_cast<int>(type));
    }
  }
}

BOOST_AUTO_TEST_CASE(a_copy_on_the_way_is_a_duplicate_not_a_replay) {
  Net net(2);
  net.start_all();
  net.run_for(milliseconds(20));
  net.send(0, kPayload);
  const Packet packet = net.sent.back();
  net.run_for(milliseconds(1));
  net.run_for(milliseconds(249));
  net.deliver(packet);
  BOOST_TEST(rejected(net, 1, Reason::duplicate) == 1U);
  net.run_for(milliseconds(10));
  net.deliver(packet);
  BOOST_TEST(rejected(net, 1, Reason::replayed) == 1U);
  BOOST_TEST(net.nodes[1].got.size() == 1U);
}

// --- keys of the ring ----------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(another_key_under_the_same_id_or_another_id_is_rejected_and_shown) {
  for (const bool same_id : {true, false}) {
    Net net(2);
    net.nodes[1].ring = test::ring_of({2});
    if (same_id) net.nodes[1].ring.keys[0].id = net.nodes[1].ring.primary_id = 1;
    net.start_all();
    net.run_for(milliseconds(600));
    for (const std::size_t i : {0U, 1U}) {
      BOOST_TEST((net.state(i, 1 - i) == PeerState::key_rejected));
      BOOST_TEST(rejected(net, i, Reason::forged) >= 2U);
      BOOST_TEST(net.count_events(i, EventKind::peer_key_rejected) == 1U);
    }
    BOOST_TEST(net.count_sent(Type::response) == 0U);
  }
}

BOOST_AUTO_TEST_CASE(a_ring_key_is_rolled_over_without_a_lost_datagram) {
  Net net(2);
  net.start_all();
  net.run_for(milliseconds(20));
  const std::vector<std::vector<std::uint8_t>> steps[] = {
      {{1, 2}, {1, 2}}, {{2, 1}, {1, 2}}, {{2, 1}, {2, 1}}};
  std::size_t lost = 0;
  for (const auto& step : steps) {
    for (const std::size_t i : {0U, 1U}) {
      net.nodes[i].ring = test::ring_of(step[i]);
      net.configure(i);
    }
    net.nodes[1].got.clear();
    lost += loss_free(net, seconds(150), milliseconds(100));
  }
  BOOST_TEST(lost == 0U);
  for (const std::size_t i : {0U, 1U}) {
    net.nodes[i].ring = test::ring_of({2});
    net.configure(i);
  }
  net.nodes[1].got.clear();
  // All sessions are by key 2 already; only the data key is replaced.
  const std::uint32_t data_key = last_data_key(net, 0);
  BOOST_TEST(loss_free(net, seconds(3), milliseconds(100)) == 0U);
  BOOST_TEST((last_data_key(net, 0) != data_key) == !test::kByKey);
  BOOST_TEST(net.count_events(0, EventKind::peer_silent) == 0U);
}

BOOST_AUTO_TEST_CASE(a_removed_ring_key_ends_its_sessions_at_once) {
  Net net(2);
  for (auto& node : net.nodes) node.ring = test::ring_of({1, 2});
  net.start_all();
  net.run_for(milliseconds(20));
  const std::vector<Packet> recorded = net.sent;
  net.nodes[0].ring = test::ring_of({2});
  net.configure(0);
  BOOST_TEST((net.state(0, 1) != PeerState::up));
  BOOST_TEST(net.send(0, kPayload) == 0U);
  // The other side still speaks under the old session: nothing of it is accepted.
  net.send(1, kPayload);
  net.passes = [](const Packet& p) { return p.from != 0; };
  net.run_for(milliseconds(300));
  BOOST_TEST(net.nodes[0].got.empty());
  net.passes = [](const Packet&) { return true; };
  net.run_for(seconds(2));
  BOOST_TEST(both_up(net));
  BOOST_TEST(both_ways(net));
}

BOOST_AUTO_TEST_CASE(an_answer_given_under_a_ring_key_does_not_outlive_it) {
  Net net(2);
  net.nodes[0].ring = test::ring_of({2, 1});
  net.start(0);
  net.run_for(seconds(2));
  // The initiator's confirmation waits on the wire while the key is removed.
  std::optional<Packet> confirmation;
  net.passes = [&](const Packet& p) {
    if (p.from == 1 && p.type() == Type::pair && !confirmation) confirmation = p;
    return !(p.from == 1 && p.type() == Type::pair) && !(p.from == 0 && p.type() == Type::init);
  };
  net.start(1);
  net.run_for(milliseconds(10));
  BOOST_TEST_REQUIRE(confirmation.has_value());
  net.nodes[0].ring = test::ring_of({2});
  net.configure(0);
  net.deliver(*confirmation);
  BOOST_TEST((net.state(0, 1) != PeerState::up));
  BOOST_TEST(net.send(0, kPayload) == 0U);
}

BOOST_AUTO_TEST_CASE(an_initiation_under_a_removed_ring_key_is_not_finished) {
  Net net(2);
  net.nodes[1].ring = test::ring_of({2, 1});
  net.nodes[0].ring = test::ring_of({1, 2});
  std::optional<Packet> answer;
  net.passes = [&](const Packet& p) {
    if (p.type() == Type::response) answer = p;
    return p.type() != Type::response && !(p.from == 1 && p.type() == Type::init);
  };
  net.start(1);
  net.run_for(milliseconds(2));
  net.start(0);
  net.run_for(milliseconds(10));
  BOOST_TEST_REQUIRE(answer.has_value());
  net.nodes[0].ring = test::ring_of({2});
  net.configure(0);
  net.deliver(*answer);
  BOOST_TEST((net.state(0, 1) != PeerState::up));
}

// --- who it is -----------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_stranger_with_a_key_of_the_ring_is_refused_without_a_reply) {
  Net net(3);
  net.nodes[0].settings.peers = {{"n1", {}}};
  net.start_all();
  net.run_for(seconds(10));
  BOOST_TEST(net[0].strangers()[Reason::unconfigured_peer] >= 9U);
  BOOST_TEST(net.count_events(0, EventKind::unconfigured_peer) == 1U);
  for (const Packet& packet : net.sent) BOOST_TEST_REQUIRE(!(packet.from == 0 && packet.to == 2));
  BOOST_TEST((net.state(2, 0) == PeerState::silent));
  BOOST_TEST(both_ways(net));
}

BOOST_AUTO_TEST_CASE(a_peer_at_a_local_address_is_self_and_not_used) {
  for (const Address address : {Address::v4(0x0a000001), Address::v4(0x7f000001)}) {
    Net net(2);
    net.start(0);
    net[0].set_endpoints(net.local(0), "n1", {{address, test::kPort}});
    net.run_for(seconds(3));
    BOOST_TEST((net.state(0, 1) == PeerState::self));
    BOOST_TEST(net.sent.empty());
    BOOST_TEST(net.send(0, kPayload) == 0U);
    BOOST_TEST(net.count_events(0, EventKind::peer_is_self) == 1U);
    // The address moves to another host.
    net.start(1);
    net[0].set_endpoints(net.local(0), "n1", {net.endpoint(1)});
    net.run_for(milliseconds(600));
    BOOST_TEST(both_ways(net));
  }
}

BOOST_AUTO_TEST_CASE(a_peer_behind_which_this_process_itself_answers_is_self, *ring_only) {
  Net net(2);
  // An address translator leads every datagram to the peer's address back to the sender.
  std::vector<Packet> back;
  net.passes = [&](const Packet& p) {
    back.push_back({0, 0, {net.endpoint(1), net.nodes[0].address}, p.bytes});
    return false;
  };
  net.start(0);
  for (int i = 0; i < 100; ++i) {
    net.run_for(milliseconds(100));
    const auto now = std::exchange(back, {});
    for (const Packet& packet : now) net.deliver(packet);
  }
  BOOST_TEST((net.state(0, 1) == PeerState::self));
  BOOST_TEST(net.count_events(0, EventKind::peer_is_self) == 1U);
  BOOST_TEST(net.sent.size() <= 2U);
}

// Whoever can send from the peer's address may send our own initiations back to us.
BOOST_AUTO_TEST_CASE(a_reflected_initiation_does_not_take_a_peer_away) {
  Net net(2);
  net.start_all();
  net.run_for(milliseconds(20));
  BOOST_TEST_REQUIRE(both_ways(net));
  for (const Packet& packet : std::vector<Packet>(net.sent)) {
    net.deliver(packet.from, {net.endpoint(packet.to), {}}, packet.bytes);
  }
  BOOST_TEST(both_up(net));
  BOOST_TEST(both_ways(net));
}

BOOST_AUTO_TEST_CASE(initiations_reflected_before_there_is_a_session_do_not_last, *ring_only) {
  Net net(2);
  bool attack = true;
  std::vector<Packet> back;
  net.passes = [&](const Packet& p) {
    if (!attack) return true;
    back.push_back({p.to, p.from, {net.endpoint(p.to), {}}, p.bytes});
    return false;
  };
  net.start_all();
  for (int i = 0; i < 20; ++i) {
    net.run_for(milliseconds(100));
    const auto now = std::exchange(back, {});
    for (const Packet& packet : now) net.deliver(packet);
  }
  BOOST_TEST((net.state(0, 1) == PeerState::self));
  attack = false;
  net.run_for(seconds(31));
  BOOST_TEST(both_up(net));
  BOOST_TEST(both_ways(net));
}

// --- rekey and data keys -------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(sessions_are_renewed_at_120_s_and_data_keys_too_without_a_lost_datagram) {
  Net net(2);
  net.delay = milliseconds(7);
  net.start_all();
  net.run_for(milliseconds(50));
  const std::size_t inits = net.count_sent(Type::init);
  BOOST_TEST(loss_free(net, seconds(115), milliseconds(10)) == 0U);
  const std::uint32_t first_key = last_data_key(net, 0);
  BOOST_TEST(net.count_sent(Type::init) == inits);
  net.nodes[1].got.clear();
  BOOST_TEST(loss_free(net, seconds(15), milliseconds(1)) == 0U);
  BOOST_TEST(net.count_sent(Type::init) == inits + 1);
  BOOST_TEST(last_data_key(net, 0) != first_key);
  net.nodes[1].got.clear();
  BOOST_TEST(loss_free(net, seconds(360), milliseconds(50)) == 0U);
  BOOST_TEST(net.count_sent(Type::init) == inits + 4);
  for (const std::size_t i : {0U, 1U}) {
    BOOST_TEST(net.count_events(i, EventKind::peer_up) == 1U);
    BOOST_TEST(net.peer(i, 1 - i).rejected.total() == 0U);
  }
}

BOOST_AUTO_TEST_CASE(what_is_reordered_around_the_change_of_keys_still_opens) {
  Net net(2);
  net.start_all();
  net.run_for(seconds(119));
  std::vector<Packet> held;
  net.passes = [&](const Packet& p) {
    if (p.type() != Type::data) return true;
    held.push_back(p);
    return false;
  };
  std::size_t arrived = 0;
  for (int i = 0; i < 400; ++i) {
    net.send(0, kPayload);
    net.run_for(milliseconds(10));
    if (held.size() < 40) continue;
    std::ranges::reverse(held);
    for (const Packet& packet : held) net.deliver(packet);
    arrived += std::exchange(held, {}).size();
  }
  BOOST_TEST(net.nodes[1].got.size() == arrived);
}

BOOST_AUTO_TEST_CASE(a_replaced_data_key_opens_nothing_after_its_overlap) {
  Net net(2);
  net.start_all();
  net.run_for(milliseconds(20));
  std::optional<Packet> kept;
  net.passes = [&](const Packet& p) {
    if (p.type() != Type::data || kept) return true;
    kept = p;
    return false;
  };
  net.run_for(seconds(119));
  net.send(0, kPayload);
  net.run_for(seconds(10));
  BOOST_TEST(relays(net, 0, 1));
  net.deliver(*kept);
  BOOST_TEST(net.nodes[1].got.size() == 1U);
  BOOST_TEST(rejected(net, 1, Reason::forged) == 1U);
}

BOOST_AUTO_TEST_CASE(a_peer_that_leaves_cannot_open_what_follows) {
  Net net(3);
  net.start_all();
  net.run_for(milliseconds(50));
  BOOST_TEST(net.send(0, kPayload) == 2U);
  net.run_for(milliseconds(10));
  BOOST_TEST(net.nodes[2].got.size() == 1U);
  const std::uint32_t before = last_data_key(net, 0);
  net.remove_peer(0, "n2");
  net.run_for(milliseconds(3));
  BOOST_TEST(net.send(0, kPayload) == 1U);
  BOOST_TEST(last_data_key(net, 0) != before);
  Packet overheard = net.sent.back();
  net.run_for(milliseconds(10));
  BOOST_TEST(net.nodes[1].got.size() == 2U);
  overheard.to = 2;
  net.deliver(overheard);
  BOOST_TEST(net.nodes[2].got.size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_data_key_whose_grant_was_lost_is_handed_over_again) {
  Net net(2);
  net.start(1);
  net.run_for(milliseconds(2));
  // Host 0 initiates; its first sealed frames carry its key, host 1 answers with its own.
  int pairs = 0;
  net.passes = [&](const Packet& p) {
    return !(p.from == 1 && p.type() == Type::pair && ++pairs <= 1);
  };
  net.start(0);
  net.run_for(milliseconds(10));
  BOOST_TEST(relays(net, 0, 1));
  BOOST_TEST(!relays(net, 1, 0));
  BOOST_TEST(rejected(net, 0, Reason::forged) == 1U);
  net.run_for(milliseconds(260));
  BOOST_TEST(relays(net, 1, 0));
}

BOOST_AUTO_TEST_CASE(a_key_opens_nothing_from_before_it_was_granted, *ring_only) {
  Net net(3);
  net.start(0);
  net.start(1);
  net.run_for(milliseconds(20));
  for (int i = 0; i < 10; ++i) net.send(0, kPayload);
  const Packet early = net.sent.back();
  net.run_for(milliseconds(10));
  net.start(2);
  net.run_for(milliseconds(300));
  BOOST_TEST(relays(net, 0, 2));
  net.deliver(2, early.path, early.bytes);
  BOOST_TEST(net.nodes[2].got.size() == 1U);
  BOOST_TEST(rejected(net, 2, Reason::replayed) == 1U);
}

BOOST_AUTO_TEST_CASE(two_peers_that_drew_the_same_key_id, *ring_only) {
  Net net(3);
  net.random = [](std::size_t, std::uint64_t seed) -> RandomSource {
    return [source = test::seeded(seed), first = true](MutableBytes out) mutable {
      source(out);
      if (out.size() == 4 && std::exchange(first, false)) std::ranges::fill(out, 0x77);
    };
  };
  net.start_all();
  net.run_for(milliseconds(50));
  BOOST_TEST(relays(net, 1, 0));
  BOOST_TEST(relays(net, 2, 0));
  BOOST_TEST(last_data_key(net, 1) == 0x77777777U);
  BOOST_TEST(last_data_key(net, 2) == 0x77777777U);
  BOOST_TEST(rejected(net, 0, Reason::forged) == 0U);
  // One of them goes: the other one's key stays.
  net.remove_peer(0, "n1");
  net.send(1, kPayload);
  net.run_for(milliseconds(10));
  BOOST_TEST(net.nodes[0].got.size() == 2U);
  BOOST_TEST(relays(net, 2, 0));
}

// --- states --------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_goodbye_is_shown_and_data_still_flows_for_ten_seconds) {
  Net net(2);
  net.start_all();
  net.run_for(milliseconds(20));
  Actions out;
  net[1].say_goodbye(net.local(1), out);
  net.act(1, out);
  net.stop(1);
  net.run_for(milliseconds(5));
  BOOST_TEST((net.state(0, 1) == PeerState::stopped));
  BOOST_TEST(net.count_events(0, EventKind::peer_stopped) == 1U);
  net.run_for(seconds(9));
  BOOST_TEST((net.state(0, 1) == PeerState::stopped));
  BOOST_TEST(net.send(0, kPayload) == 1U);
  net.run_for(seconds(1));
  BOOST_TEST(net.send(0, kPayload) == 0U);
  net.start(1);
  net.run_for(milliseconds(20));
  BOOST_TEST(both_up(net));
  BOOST_TEST(both_ways(net));
}

BOOST_AUTO_TEST_CASE(a_probe_that_the_goodbye_overtook_does_not_undo_it) {
  Net net(2);
  net.start_all();
  net.run_for(milliseconds(20));
  std::optional<Packet> probe;
  net.passes = [&](const Packet& p) {
    if (p.from == 1) probe = p;
    return p.from != 1;
  };
  net.run_for(milliseconds(600));
  BOOST_TEST_REQUIRE(probe.has_value());
  net.passes = [](const Packet&) { return true; };
  Actions out;
  net[1].say_goodbye(net.local(1), out);
  net.act(1, out);
  net.stop(1);
  net.run_for(milliseconds(5));
  net.deliver(*probe);
  BOOST_TEST((net.state(0, 1) == PeerState::stopped));
  net.run_for(seconds(5));
  BOOST_TEST(net.send(0, kPayload) == 1U);
}

BOOST_AUTO_TEST_CASE(silent_after_two_seconds_and_up_again_without_a_restart) {
  Net net(2);
  net.start_all();
  net.run_for(seconds(10));
  net.passes = [](const Packet&) { return false; };
  net.run_for(milliseconds(1400));
  BOOST_TEST(both_up(net));
  net.run_for(milliseconds(1300));
  BOOST_TEST((net.state(0, 1) == PeerState::silent && net.state(1, 0) == PeerState::silent));
  BOOST_TEST(net.send(0, kPayload) == 0U);
  net.run_for(seconds(60));
  net.passes = [](const Packet&) { return true; };
  net.run_for(milliseconds(1300));
  BOOST_TEST(both_up(net));
  BOOST_TEST(both_ways(net));
  BOOST_TEST(net.count_events(0, EventKind::peer_silent) == 1U);
  BOOST_TEST(net.count_events(0, EventKind::peer_restarted) == 0U);
}

// Else what the session says to the address, which is another peer's now, contradicts that peer's.
BOOST_AUTO_TEST_CASE(a_session_at_an_address_that_became_another_peers_ends, *ring_only) {
  Net net(3);
  net.start(0);
  net.start(1);
  const std::vector<PeerSettings> peers = net.nodes[0].settings.peers;
  net.remove_peer(0, "n1");
  net[0].set_endpoints(net.local(0), "n2", {net.endpoint(1)});
  net.run_for(seconds(5));
  BOOST_TEST((net.state(0, 2) == PeerState::up));
  net.nodes[0].settings.peers = peers;
  net.configure(0);
  net[0].set_endpoints(net.local(0), "n1", {net.endpoint(1)});
  net[0].set_endpoints(net.local(0), "n2", {net.endpoint(2)});
  net.run_for(seconds(5));
  net.nodes[1].events.clear();
  net.run_for(seconds(30));
  BOOST_TEST(net.nodes[1].events.empty());
  BOOST_TEST((net.state(0, 1) == PeerState::up));
  BOOST_TEST((net.state(0, 2) == PeerState::silent));
}

BOOST_AUTO_TEST_CASE(half_open_when_what_we_send_no_longer_arrives) {
  Net net(2);
  net.start_all();
  net.run_for(seconds(5));
  net.passes = [](const Packet& p) { return p.from != 0; };
  net.run_for(seconds(4));
  BOOST_TEST((net.state(0, 1) == PeerState::half_open_out));
  BOOST_TEST((net.state(1, 0) == PeerState::silent));
}

BOOST_AUTO_TEST_CASE(half_open_from_the_start) {
  Net net(2);
  net.passes = [](const Packet& p) { return p.from != 0; };
  net.start_all();
  net.run_for(milliseconds(1400));
  BOOST_TEST((net.state(0, 1) == PeerState::silent));
  net.run_for(seconds(3));
  BOOST_TEST((net.state(0, 1) == PeerState::half_open_out));
  BOOST_TEST((net.state(1, 0) == PeerState::silent));
}

// The one that hears nothing learns from a third who hears it, within 3 s.
BOOST_AUTO_TEST_CASE(half_open_on_both_sides_when_a_third_reaches_both) {
  Net net(3);
  net.start_all();
  net.run_for(seconds(5));
  net.passes = [](const Packet& p) { return p.from != 0 || p.to != 1; };
  net.nodes[1].events.clear();
  net.run_for(seconds(3));
  BOOST_TEST((net.state(0, 1) == PeerState::half_open_out));
  BOOST_TEST((net.state(1, 0) == PeerState::half_open_in));
  BOOST_TEST((net.state(2, 0) == PeerState::up && net.state(2, 1) == PeerState::up));
  BOOST_TEST((net.state(0, 2) == PeerState::up && net.state(1, 2) == PeerState::up));
  BOOST_TEST_REQUIRE(net.nodes[1].events.size() == 2U);
  BOOST_TEST(net.nodes[1].events[0].text == "is silent");
  BOOST_TEST(net.nodes[1].events[1].text.starts_with("hears us, but is not heard"));

  // It stays so beyond the sessions' lives, also for a new process; nobody flaps.
  net.nodes[1].events.clear();
  net.run_for(seconds(400));
  BOOST_TEST((net.state(1, 0) == PeerState::half_open_in));
  BOOST_TEST(net.nodes[1].events.empty());
  net.start(1);
  net.run_for(seconds(10));
  BOOST_TEST((net.state(0, 1) == PeerState::half_open_out));
  BOOST_TEST((net.state(1, 0) == PeerState::half_open_in));

  // When it no longer hears us either, that is what is shown.
  net.passes = [](const Packet& p) { return p.from + p.to != 1; };
  net.run_for(seconds(12));
  BOOST_TEST((net.state(0, 1) == PeerState::silent && net.state(1, 0) == PeerState::silent));
  net.passes = [](const Packet&) { return true; };
  net.run_for(seconds(3));
  BOOST_TEST((net.state(0, 1) == PeerState::up && net.state(1, 0) == PeerState::up));
}

BOOST_AUTO_TEST_CASE(half_open_from_the_start_on_both_sides_when_a_third_reaches_both) {
  Net net(3);
  net.passes = [](const Packet& p) { return p.from != 0 || p.to != 1; };
  net.start_all();
  net.run_for(seconds(5));
  BOOST_TEST((net.state(0, 1) == PeerState::half_open_out));
  BOOST_TEST((net.state(1, 0) == PeerState::half_open_in));
}

// Twelve that hear one in vain: what is passed on to it is bounded, and they all hear of it.
BOOST_AUTO_TEST_CASE(hearsay_is_bounded) {
  Net net(14);
  net.start_all();
  net.run_for(seconds(5));
  const auto half_open_in = [&] {
    std::size_t seen = 0;
    for (std::size_t i = 1; i < 13; ++i) {
      seen += net.state(i, 0) == PeerState::half_open_in ? 1U : 0U;
      seen += net.state(0, i) == PeerState::half_open_in ? 1U : 0U;
    }
    return seen;
  };
  net.passes = [](const Packet& p) { return p.from != 0 || p.to == 13; };
  net.run_for(seconds(6));
  BOOST_TEST(half_open_in() == 12U);
  net.passes = [](const Packet& p) { return p.to != 0 || p.from == 13; };
  net.run_for(seconds(12));
  BOOST_TEST(half_open_in() == relay::kMaxHeardBy);
}

BOOST_AUTO_TEST_CASE(who_was_not_heard_is_asked_until_it_is_heard_or_silent) {
  Net net(2);
  net.start_all();
  net.run_for(seconds(5));
  std::size_t sent = 0;
  bool comes_in = true;
  net.passes = [&](const Packet& p) {
    sent += p.from == 0 ? 1 : 0;
    return p.from == 0 || comes_in;
  };
  const auto sent_in = [&](Duration time) {
    sent = 0;
    net.run_for(time);
    return sent;
  };
  // While all is well and nothing is said, twice a second: its own probes.
  BOOST_TEST(sent_in(seconds(10)) == 20U);
  // Two probes in a row are lost; the first answer ends the asking.
  comes_in = false;
  BOOST_TEST(sent_in(milliseconds(1100)) >= 3U);
  comes_in = true;
  net.run_for(milliseconds(200));
  BOOST_TEST((net.state(0, 1) == PeerState::up));
  BOOST_TEST(sent_in(seconds(10)) == 20U);
  // Silent: no more of it. A handshake each second, and the session's own probes.
  comes_in = false;
  BOOST_TEST(sent_in(milliseconds(2600)) >= 15U);
  BOOST_TEST((net.state(0, 1) == PeerState::silent));
  BOOST_TEST(sent_in(seconds(10)) <= 34U);
}

BOOST_AUTO_TEST_CASE(lossy_above_a_tenth) {
  Net net(2);
  net.start_all();
  net.run_for(seconds(2));
  test::Random random;
  net.passes = [&](const Packet& p) { return p.type() != Type::pair || random.below(4) != 0; };
  net.run_for(seconds(60));
  BOOST_TEST((net.state(0, 1) == PeerState::lossy));
  BOOST_TEST((*net.peer(0, 1).loss_in > 0.1 && *net.peer(0, 1).loss_in < 0.4));
  net.passes = [](const Packet&) { return true; };
  net.run_for(seconds(40));
  BOOST_TEST((net.state(0, 1) == PeerState::up));
}

BOOST_AUTO_TEST_CASE(loss_is_told_for_each_direction) {
  Net net(2);
  net.start_all();
  for (std::size_t i = 0; i < 2; ++i) net[i].set_wall_clock(seconds(1));
  net.run_for(seconds(2));
  test::Random random;
  net.passes = [&](const Packet& p) {
    return p.from == 1 || p.type() != Type::pair || random.below(4) != 0;
  };
  net.run_for(seconds(60));
  BOOST_TEST((*net.peer(0, 1).loss_in == 0.0));
  BOOST_TEST((*net.peer(0, 1).loss_out > 0.1 && *net.peer(0, 1).loss_out < 0.4));
  BOOST_TEST((*net.peer(1, 0).loss_in > 0.1 && *net.peer(1, 0).loss_in < 0.4));
  BOOST_TEST((*net.peer(1, 0).loss_out == 0.0));
  BOOST_TEST((net.state(0, 1) == PeerState::lossy));
  BOOST_TEST((net.state(1, 0) == PeerState::lossy));
}

BOOST_AUTO_TEST_CASE(wall_clocks_are_compared_and_steps_are_seen) {
  Net net(2);
  net.delay = milliseconds(20);
  net.start_all();
  // Each shows the time since the simulation's start, the second one 90 s more.
  net[0].set_wall_clock(-net.nodes[0].clock_offset);
  net[1].set_wall_clock(seconds(90) - net.nodes[1].clock_offset);
  net.run_for(seconds(2));
  const auto about = [](const std::optional<Duration>& offset, Duration expected) {
    return offset && abs(*offset - expected) <= milliseconds(1);
  };
  BOOST_TEST(about(net.peer(0, 1).clock_offset, seconds(90)));
  BOOST_TEST(about(net.peer(1, 0).clock_offset, seconds(-90)));
  net[1].set_wall_clock(-net.nodes[1].clock_offset);
  net.run_for(seconds(2));
  BOOST_TEST(about(net.peer(0, 1).clock_offset, seconds(0)));
  BOOST_TEST((net.state(0, 1) == PeerState::up));
}

BOOST_AUTO_TEST_CASE(jitter_is_the_change_of_the_round_trip) {
  Net net(2);
  net.start_all();
  net.run_for(seconds(30));
  BOOST_TEST((net.peer(0, 1).jitter < microseconds(200)));
  for (int i = 0; i < 60; ++i) {
    net.delay = milliseconds(i % 2 == 0 ? 1 : 11);
    net.run_for(milliseconds(700));
  }
  BOOST_TEST((net.peer(0, 1).jitter > milliseconds(1)));
}

BOOST_AUTO_TEST_CASE(the_narrowest_path_is_found_and_data_fits_through_all, *ring_only) {
  Net net(3);
  for (auto& node : net.nodes) node.settings.max_datagram_bytes.reset();
  net.start_all();
  std::size_t narrow = 1400;
  net.passes = [&](const Packet& p) {
    const bool to_or_from_2 = p.from == 2 || p.to == 2;
    return p.bytes.size() <= (to_or_from_2 ? narrow : std::size_t{1472});
  };
  net.run_for(seconds(12));
  BOOST_TEST((net.peer(0, 1).path_datagram == 1472U));
  BOOST_TEST((net.peer(0, 2).path_datagram == 1372U));
  const auto largest_sent = [&] {
    net.sent.clear();
    net.nodes[2].got.clear();
    net.send(0, Buffer(5000, 7));
    std::size_t largest = 0;
    for (const Packet& packet : net.sent) largest = std::max(largest, packet.bytes.size());
    net.run_for(milliseconds(100));
    return largest;
  };
  BOOST_TEST(largest_sent() == 1372U);
  BOOST_TEST(net.nodes[2].got.size() == 4U);
  // A black hole: what is large vanishes, what is small comes through.
  narrow = 1000;
  net.run_for(seconds(40));
  BOOST_TEST(largest_sent() == 972U);
  BOOST_TEST(net.nodes[2].got.size() == 6U);
  BOOST_TEST((net.state(0, 2) == PeerState::up));
  BOOST_TEST((*net.peer(0, 2).loss_in == 0.0));
}

BOOST_AUTO_TEST_CASE(ping_measures_the_round_trip) {
  Net net(2);
  net.delay = milliseconds(8);
  net.start_all();
  net.run_for(milliseconds(100));
  net.nodes[0].answers.clear();
  Actions out;
  const auto stamp = net[0].ping(net.local(0), "n1", out);
  BOOST_TEST_REQUIRE(stamp.has_value());
  net.act(0, out);
  net.run_for(milliseconds(20));
  BOOST_TEST_REQUIRE(net.nodes[0].answers.size() == 1U);
  BOOST_TEST(net.nodes[0].answers[0].sent == *stamp);
  BOOST_TEST((net.nodes[0].answers[0].round_trip == milliseconds(16)));
  BOOST_TEST(!net[0].ping(net.local(0), "nobody", out).has_value());
}

// --- paths ---------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_peer_that_moves_to_another_port_is_followed_to_a_foreign_address_never,
                     *ring_only) {
  Net net(2);
  net.start_all();
  net.run_for(milliseconds(20));
  BOOST_TEST_REQUIRE(both_ways(net));
  std::vector<Packet> held;
  net.passes = [&](const Packet& p) {
    if (p.from != 1) return true;
    held.push_back(p);
    return false;
  };
  net.run_for(milliseconds(600));
  BOOST_TEST_REQUIRE(held.size() == 1U);
  const Endpoint foreign{Address::v4(0x0a0a0a0a), test::kPort};
  net.deliver(0, {foreign, {}}, held[0].bytes);
  BOOST_TEST((net.peer(0, 1).endpoint == net.endpoint(1)));
  net.run_for(milliseconds(500));
  const Path moved{{net.nodes[1].address, 50000}, Address::v4(0x0a000002)};
  net.deliver(0, moved, held.back().bytes);
  BOOST_TEST((net.peer(0, 1).endpoint == moved.remote));
  // An older one that arrives late does not move it back.
  net.run_for(milliseconds(500));
  const Packet older = held[held.size() - 1];
  net.run_for(milliseconds(500));
  net.deliver(0, moved, held.back().bytes);
  net.deliver(older);
  BOOST_TEST((net.peer(0, 1).endpoint == moved.remote));
}

BOOST_AUTO_TEST_CASE(an_answer_from_an_address_that_is_not_the_peers_is_refused, *ring_only) {
  Net net(2);
  net.start(1);
  net.run_for(milliseconds(2));
  std::optional<Packet> answer;
  net.passes = [&](const Packet& p) {
    if (p.type() == Type::response) answer = p;
    return p.type() != Type::response && !(p.type() == Type::init && p.from == 1);
  };
  net.start(0);
  net.run_for(milliseconds(5));
  BOOST_TEST_REQUIRE(answer.has_value());
  net.deliver(0, {{Address::v4(0x0a0a0a0a), test::kPort}, {}}, answer->bytes);
  BOOST_TEST(rejected(net, 0, Reason::unconfigured_peer) == 1U);
  BOOST_TEST((net.state(0, 1) != PeerState::up));
  net.deliver(*answer);
  BOOST_TEST((net.state(0, 1) == PeerState::up));
}

BOOST_AUTO_TEST_CASE(with_a_ring_a_peer_is_followed_within_its_prefixes_and_may_begin_there,
                     *ring_only) {
  Net net(2);
  net.peer_of(0, 1).roaming = {*Prefix::parse("10.10.10.0/24")};
  net.start_all();
  net.run_for(milliseconds(20));
  BOOST_TEST_REQUIRE(both_ways(net));
  net.passes = [](const Packet& p) { return p.from != 1; };
  const auto pair_from = [&](const char* address) {
    net.run_for(milliseconds(600));
    net.deliver(0, {{*Address::parse(address), 7}, {}}, net.last(1, 0, Type::pair).bytes);
    return net.peer(0, 1).endpoint->to_string();
  };
  BOOST_TEST(pair_from("192.0.2.1") == net.endpoint(1).to_string());
  BOOST_TEST(pair_from("10.10.10.1") == "10.10.10.1:7");
  BOOST_TEST(pair_from("192.0.2.1") == "10.10.10.1:7");
  // A new process of its begins from there; from elsewhere nobody does.
  const auto refuses_init_from = [&](const char* address) {
    const std::uint64_t before = rejected(net, 0, Reason::unconfigured_peer);
    net.start(1);
    net.run_for(milliseconds(1));
    net.deliver(0, {{*Address::parse(address), 7}, {}}, net.last(1, 0, Type::init).bytes);
    return rejected(net, 0, Reason::unconfigured_peer) > before;
  };
  BOOST_TEST(refuses_init_from("192.0.2.1"));
  BOOST_TEST(!refuses_init_from("10.10.10.77"));
  net.peer_of(0, 1).roaming.clear();
  net.configure(0);
  BOOST_TEST(refuses_init_from("10.10.10.77"));
}

// --- groups, settings ----------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(only_peers_of_the_group_are_sent_to_and_all_get_the_same_bytes, *ring_only) {
  Net net(4);
  net.nodes[0].settings.peers[2].groups = {"other"};
  net.start_all();
  net.run_for(milliseconds(50));
  net.sent.clear();
  BOOST_TEST(net.send(0, kPayload) == 2U);
  BOOST_TEST_REQUIRE(net.sent.size() == 2U);
  BOOST_TEST(same(net.sent[0].bytes, net.sent[1].bytes));
  BOOST_TEST(net.sent[0].bytes.size() == seal::kOverhead + kParcelHeaderSize + kPayload.size());
}

BOOST_AUTO_TEST_CASE(configure_with_the_same_changes_nothing) {
  Net net(2);
  net.start_all();
  net.run_for(seconds(5));
  const std::string before = facts_of(net, 0);
  const std::size_t sent = net.sent.size();
  BOOST_TEST_REQUIRE(both_ways(net));
  const std::uint32_t key = last_data_key(net, 0);
  net.configure(0);
  net[0].set_endpoints(net.local(0), "n1", {net.endpoint(1)});
  net[0].set_local_addresses({net.nodes[0].address});
  BOOST_TEST(both_ways(net));
  BOOST_TEST(last_data_key(net, 0) == key);
  BOOST_TEST(net.sent.size() == sent + 4);
  BOOST_TEST(!before.empty());
}

BOOST_AUTO_TEST_CASE(without_peers_there_is_nothing_to_wake_up_for) {
  Net net(2);
  net.nodes[0].settings.peers.clear();
  net.start(0);
  BOOST_TEST((net[0].next_deadline() == kNever));
  net.nodes[0].settings.peers = {{"n1", {}}};
  net.start(1);
  net.start(0);
  net.run_for(milliseconds(50));
  net.remove_peer(0, "n1");
  net.run_for(seconds(2));
  BOOST_TEST((net[0].next_deadline() == kNever));
}

BOOST_AUTO_TEST_CASE(idle_with_peers_only_the_probes_wake_up) {
  Net net(5);
  net.start_all();
  net.run_for(seconds(5));
  std::size_t wake_ups = 0;
  const Instant end = net.now + seconds(10);
  while (net.now < end) {
    const Instant next = net[0].next_deadline();
    net.run_for(std::max<Duration>(next - net.local(0), Duration(1)));
    ++wake_ups;
  }
  BOOST_TEST(wake_ups <= 21U);
}

BOOST_AUTO_TEST_CASE(a_thousand_and_twenty_four_peers) {
  Net net(kMaxPeers + 1);
  for (std::size_t i = 1; i < net.nodes.size(); ++i) net.nodes[i].settings.peers = {{"n0", {}}};
  net.start(0);
  for (std::size_t i = 1; i < net.nodes.size(); ++i) net.start(i);
  net.run_for(milliseconds(20));
  net.sent.clear();
  BOOST_TEST(net.send(0, kPayload) == kMaxPeers);
  BOOST_TEST(net.sent.size() == kMaxPeers);
  net.run_for(milliseconds(5));
  for (std::size_t i = 1; i < net.nodes.size(); ++i) {
    BOOST_TEST_REQUIRE(net.nodes[i].got.size() == 1U);
    BOOST_TEST_REQUIRE(net.send(i, kPayload) == 1U);
  }
  net.run_for(milliseconds(5));
  BOOST_TEST(net.nodes[0].got.size() == kMaxPeers);
}

// --- forgeries -----------------------------------------------------------------------------------

// Every datagram of an exchange arrives first with one bit changed, then as it is.
BOOST_AUTO_TEST_CASE(a_changed_bit_changes_nothing_and_does_not_spoil_the_exchange) {
  test::Random random;
  for (int round = 0; round < 40; ++round) {
    Net net(2);
    net.passes = [&](const Packet& p) {
      if (!net.nodes[p.to].agent) return true;
      Buffer bytes = p.bytes;
      bytes[random.below(bytes.size())] ^= static_cast<std::uint8_t>(1U << random.below(8));
      const std::string before = facts_of(net, p.to);
      net.deliver(p.to, p.path, bytes);
      const bool shown = net.state(p.to, p.from) == PeerState::key_rejected;
      if (!shown) BOOST_TEST_REQUIRE(facts_of(net, p.to) == before);
      return true;
    };
    net.start(1);
    net.run_for(milliseconds(3));
    net.start(0);
    net.run_for(milliseconds(20));
    BOOST_TEST_REQUIRE(both_up(net));
    BOOST_TEST_REQUIRE(both_ways(net));
    BOOST_TEST(net.nodes[0].got.size() + net.nodes[1].got.size() == 2U);
  }
}

BOOST_AUTO_TEST_CASE(forged_datagrams_change_nothing_and_are_not_answered) {
  Net net(2);
  net.start_all();
  net.run_for(milliseconds(20));
  BOOST_TEST_REQUIRE(both_ways(net));
  const std::string before = facts_of(net, 0);
  const std::size_t sent = net.sent.size();
  test::Random random;
  const std::uint64_t drops = rejected(net, 0, Reason::forged) +
                              rejected(net, 0, Reason::malformed) +
                              rejected(net, 0, Reason::replayed);
  for (int i = 0; i < 10000; ++i) {
    Buffer bytes = random.bytes(random.below(200));
    if (i % 2 == 0 && bytes.size() >= seal::kHeaderSize) {
      const Packet& real = net.sent[random.below(sent)];
      std::copy_n(real.bytes.begin(), seal::kHeaderSize, bytes.begin());
    }
    const Endpoint from = i % 3 == 0 ? net.endpoint(1) : Endpoint{Address::v4(0x0b000001), 9};
    net.deliver(0, {from, {}}, bytes);
  }
  BOOST_TEST(facts_of(net, 0) == before);
  BOOST_TEST(net.sent.size() == sent);
  BOOST_TEST(rejected(net, 0, Reason::forged) + rejected(net, 0, Reason::malformed) +
                 rejected(net, 0, Reason::replayed) ==
             drops + 10000);
  BOOST_TEST(both_ways(net));
}
