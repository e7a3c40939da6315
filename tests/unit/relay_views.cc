// Roll calls: every peer's view, over wires that lose, and the limits of those who answer.
#define BOOST_TEST_MODULE relay_views
#include <boost/test/unit_test.hpp>

#include "relay/links.h"
#include "relay_fixture.h"

using namespace tribecast;
using namespace tribecast::relay;
using test::Net;

using test::SodiumReady;
BOOST_TEST_GLOBAL_FIXTURE(SodiumReady);

namespace {

using LinkNet = Net<Links>;

Buffer view_of(std::size_t host, std::size_t size) {
  Buffer view(size);
  for (std::size_t i = 0; i < size; ++i) view[i] = static_cast<std::uint8_t>(host * 31 + i % 251);
  return view;
}

// Three hosts that are up, each with a view of so many bytes.
struct Three : LinkNet {
  explicit Three(std::size_t size) : LinkNet(3) {
    start_all();
    run_for(seconds(3));
    set_views(size);
    sent.clear();
  }
  void set_views(std::size_t size) {
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      nodes[i].agent->set_view(local(i), view_of(i, size));
    }
  }
  void call_roll(Duration time = seconds(3)) {
    Actions out;
    nodes[0].agent->call_roll(local(0), time, out);
    act(0, out);
  }
  const PeerView& answer(std::size_t of) {
    BOOST_TEST_REQUIRE(nodes[0].roll_call.has_value());
    const auto found = std::ranges::find(*nodes[0].roll_call, name_of(of), &PeerView::peer);
    BOOST_TEST_REQUIRE((found != nodes[0].roll_call->end()));
    return *found;
  }
};

}  // namespace

BOOST_AUTO_TEST_CASE(every_peer_answers_within_a_round_trip) {
  for (const std::size_t size :
       {std::size_t{1}, kViewPartBytes, kViewPartBytes + 1, std::size_t{5000}}) {
    Three net(size);
    net.call_roll();
    net.run_for(milliseconds(10));
    for (const std::size_t peer : {1U, 2U}) {
      BOOST_TEST((net.answer(peer).answer == ViewAnswer::whole));
      BOOST_TEST(net.answer(peer).bytes == view_of(peer, size));
      BOOST_TEST((net.answer(peer).age < milliseconds(20)));
    }
  }
}

BOOST_AUTO_TEST_CASE(every_part_fits_into_the_smallest_datagram) {
  Three net(kMaxViewBytes / 4);
  net.call_roll();
  net.run_for(milliseconds(10));
  for (const test::Packet& packet : net.sent) BOOST_TEST(packet.bytes.size() <= 576U);
}

BOOST_AUTO_TEST_CASE(what_is_lost_is_asked_for_again) {
  Three net(20000);
  std::mt19937 random(7);
  net.passes = [&](const test::Packet&) { return random() % 100 >= 40; };
  net.call_roll(seconds(6));
  net.run_for(seconds(6));
  for (const std::size_t peer : {1U, 2U}) {
    BOOST_TEST((net.answer(peer).answer == ViewAnswer::whole));
    BOOST_TEST(net.answer(peer).bytes == view_of(peer, 20000));
  }
}

BOOST_AUTO_TEST_CASE(who_has_no_view_makes_one_and_says_so_meanwhile) {
  Three net(100);
  net.run_for(kViewFresh);  // too old by now
  net.call_roll();
  net.run_for(milliseconds(400));
  BOOST_TEST(!net.nodes[0].roll_call.has_value());
  BOOST_TEST(net.nodes[1].views_wanted == 2U);  // each question asks; the edge makes one
  net.set_views(700);
  net.run_for(milliseconds(200));
  BOOST_TEST((net.answer(1).answer == ViewAnswer::whole));
  BOOST_TEST(net.answer(1).bytes == view_of(1, 700));
}

BOOST_AUTO_TEST_CASE(an_older_agent_answers_nothing_and_one_that_is_still_at_it_something) {
  Three net(100);
  net.arrives = [&](const test::Packet& packet) {
    // Host 1 does not know the question: it is skipped, as is every unknown frame.
    return packet.to != 1 || packet.from != 0 || packet.bytes.size() != 32 + 3 + 32;
  };
  net.run_for(kViewFresh);
  net.call_roll();
  net.run_for(seconds(3));
  BOOST_TEST((net.answer(1).answer == ViewAnswer::none));
  BOOST_TEST((net.answer(2).answer == ViewAnswer::unfinished));
  BOOST_TEST((net.state(0, 1) == PeerState::up));
}

BOOST_AUTO_TEST_CASE(without_a_session_nobody_is_asked) {
  Three net(100);
  net.stop(2);
  net.start(2);
  net.passes = [](const test::Packet& packet) { return packet.to != 2 && packet.from != 2; };
  net.run_for(seconds(200));
  net.set_views(100);
  net.call_roll();
  net.run_for(milliseconds(10));
  BOOST_TEST((net.answer(1).answer == ViewAnswer::whole));
  BOOST_TEST((net.answer(2).answer == ViewAnswer::no_session));
}

BOOST_AUTO_TEST_CASE(a_second_caller_joins_and_nothing_is_armed_afterwards) {
  Three net(100);
  net.call_roll();
  const std::size_t questions = net.sent.size();
  net.call_roll();
  BOOST_TEST(net.sent.size() == questions);
  net.run_for(seconds(1));
  BOOST_TEST(net.nodes[0].roll_call.has_value());
  net.nodes[0].roll_call.reset();
  net.run_for(seconds(10));
  BOOST_TEST(!net.nodes[0].roll_call.has_value());
}

BOOST_AUTO_TEST_CASE(one_peer_gets_only_so_many_parts_a_second) {
  Three net(kMaxViewBytes);
  // Every answer is lost: all is asked for again and again.
  net.passes = [](const test::Packet& packet) { return packet.to != 0; };
  net.call_roll(seconds(2));
  net.run_for(seconds(2));
  const auto large = std::ranges::count_if(net.sent, [](const test::Packet& packet) {
    return packet.from == 1 && packet.bytes.size() > 500;
  });
  BOOST_TEST(large <= static_cast<std::ptrdiff_t>(kMaxViewParts * 3));
  BOOST_TEST(large >= static_cast<std::ptrdiff_t>(kMaxViewParts));
  BOOST_TEST(net.peer(1, 0).rejected[Reason::rate_limited] > 0U);
}

BOOST_AUTO_TEST_CASE(a_newer_view_replaces_the_parts_of_an_older_one) {
  ViewCollection collection;
  const Instant now{seconds(50)};
  const ViewPart old_one{10, 0, 0, 2, Buffer(kViewPartBytes, 1)};
  const ViewPart new_one{20, 5, 1, 2, Buffer(3, 2)};
  BOOST_TEST((collection.answer() == ViewAnswer::none));
  BOOST_TEST(collection.add(now, old_one) == static_cast<std::ptrdiff_t>(kViewPartBytes));
  BOOST_TEST(collection.add(now, new_one) == 3 - static_cast<std::ptrdiff_t>(kViewPartBytes));
  BOOST_TEST(collection.add(now, old_one) == 0);
  BOOST_TEST(collection.question().missing.count() == 1U);
  BOOST_TEST(collection.question().missing.test(0));
  // The same view cannot have another number of parts.
  BOOST_TEST(collection.add(now, {20, 0, 0, 1, Buffer(1, 1)}) == 0);
  BOOST_TEST((collection.answer() == ViewAnswer::unfinished));
  collection.add(now, {20, 6, 0, 2, Buffer(kViewPartBytes, 9)});
  BOOST_TEST((collection.answer() == ViewAnswer::whole));
  BOOST_TEST(collection.bytes().size() == kViewPartBytes + 3);
  BOOST_TEST((collection.age(now) == milliseconds(6)));
}
