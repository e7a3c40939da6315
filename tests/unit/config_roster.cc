// Who the peers are: when a smaller answer is believed, and who of all is used.
#define BOOST_TEST_MODULE config_roster
#include <algorithm>
#include <boost/test/unit_test.hpp>

#include "config/roster.h"

using namespace tribecast;
using namespace tribecast::config;

namespace {

FoundPeer found(const std::string& name, const std::string& address) {
  return {name, "", {{address, kDefaultPort}}};
}

// w00 ... with 10.0.0.1 ...
FoundPeers hosts(unsigned first, unsigned last) {
  FoundPeers peers;
  for (unsigned i = first; i <= last; ++i) {
    std::string name = "w00";
    name[1] = static_cast<char>('0' + i / 10);
    name[2] = static_cast<char>('0' + i % 10);
    peers.push_back(found(name, "10.0.0." + std::to_string(i + 1)));
  }
  return peers;
}

Discovery limits(std::uint64_t percent) {
  Discovery d;
  d.every = seconds(10);
  d.shrink_limit_percent = percent;
  return d;
}

Instant at(int second) { return Instant() + seconds(second); }

std::vector<Endpoint> literal(const PeerAddress& address) {
  const auto parsed = address.literal();
  if (!parsed) return {};
  return {{*parsed, address.port}};
}

Peer configured(const std::string& name, const std::string& host, std::uint16_t port) {
  Peer peer;
  peer.name = name;
  peer.addresses = {{host, port}};
  return peer;
}

std::vector<std::string> names(const Roster& roster) {
  std::vector<std::string> all;
  for (const Peer& peer : roster.peers) all.push_back(peer.name);
  return all;
}

}  // namespace

BOOST_AUTO_TEST_CASE(what_is_lost_up_to_the_limit_is_believed_at_once) {
  struct Row {
    std::uint64_t percent;
    unsigned before;
    unsigned left;
    bool believed;
  };
  for (const Row& row :
       {Row{50, 2, 1, true}, Row{50, 3, 2, true}, Row{50, 3, 1, false}, Row{50, 1, 0, false},
        Row{50, 10, 5, true}, Row{50, 10, 4, false}, Row{0, 10, 9, false}, Row{0, 10, 10, true},
        Row{100, 10, 0, true}, Row{10, 20, 18, true}, Row{10, 20, 17, false}}) {
    Believed believed(hosts(0, row.before - 1));
    const FoundPeers answer = row.left == 0 ? FoundPeers() : hosts(0, row.left - 1);
    const auto change = believed.offer(at(0), answer, limits(row.percent));
    const std::string what = std::to_string(row.percent) + "% of " + std::to_string(row.before) +
                             " to " + std::to_string(row.left);
    BOOST_TEST((believed.peers() == answer) == row.believed, what);
    BOOST_TEST(believed.doubt().has_value() == !row.believed, what);
    BOOST_TEST(change.doubt_is_new == !row.believed, what);
    BOOST_TEST(change.removed == (row.believed ? row.before - row.left : 0U), what);
  }
}

BOOST_AUTO_TEST_CASE(a_loss_is_believed_when_it_has_held) {
  Believed believed(hosts(0, 9));
  BOOST_TEST(believed.offer(at(0), hosts(0, 1), limits(50)).doubt_is_new);
  const auto second = believed.offer(at(10), hosts(0, 1), limits(50));
  BOOST_TEST(!second.doubt_is_new);
  BOOST_TEST(!second.any());
  const auto third = believed.offer(at(20), hosts(0, 1), limits(50));
  BOOST_TEST(third.removed == 8U);
  BOOST_TEST((believed.peers() == hosts(0, 1)));
  BOOST_TEST(!believed.doubt().has_value());
}

BOOST_AUTO_TEST_CASE(many_answers_in_a_short_time_are_not_enough) {
  Believed believed(hosts(0, 9));
  for (int second = 0; second < 20; ++second) {
    BOOST_TEST(!believed.offer(at(second), hosts(0, 1), limits(50)).any());
  }
  BOOST_TEST(believed.offer(at(20), hosts(0, 1), limits(50)).removed == 8U);
}

BOOST_AUTO_TEST_CASE(a_long_time_with_two_answers_is_not_enough) {
  Believed believed(hosts(0, 9));
  BOOST_TEST(!believed.offer(at(0), {}, limits(50)).any());
  BOOST_TEST(!believed.offer(at(1000), {}, limits(50)).any());
  BOOST_TEST(believed.offer(at(1001), {}, limits(50)).removed == 10U);
}

BOOST_AUTO_TEST_CASE(other_peers_that_are_missing_begin_anew) {
  Believed believed(hosts(0, 9));
  believed.offer(at(0), hosts(0, 1), limits(50));
  believed.offer(at(10), hosts(0, 1), limits(50));
  BOOST_TEST(believed.offer(at(20), hosts(1, 2), limits(50)).doubt_is_new);
  BOOST_TEST(believed.peers().size() == 10U);
  believed.offer(at(30), hosts(0, 9), limits(50));
  BOOST_TEST(!believed.doubt().has_value());
}

BOOST_AUTO_TEST_CASE(who_comes_back_takes_nothing_from_the_others_time) {
  Believed believed(hosts(0, 9));
  believed.offer(at(0), hosts(0, 1), limits(50));
  BOOST_TEST(!believed.offer(at(10), hosts(0, 2), limits(50)).doubt_is_new);
  BOOST_TEST(believed.offer(at(20), hosts(0, 2), limits(50)).removed == 7U);
}

BOOST_AUTO_TEST_CASE(what_a_doubted_answer_adds_is_taken) {
  Believed believed(hosts(0, 9));
  const auto change = believed.offer(at(0), hosts(9, 12), limits(50));
  BOOST_TEST(change.added == 3U);
  BOOST_TEST(change.removed == 0U);
  BOOST_TEST((believed.peers() == hosts(0, 12)));
  // The next one is the same, though what it adds is no longer new.
  BOOST_TEST(!believed.offer(at(10), hosts(9, 12), limits(50)).doubt_is_new);
  BOOST_TEST(believed.offer(at(20), hosts(9, 12), limits(50)).removed == 9U);
  BOOST_TEST((believed.peers() == hosts(9, 12)));
}

BOOST_AUTO_TEST_CASE(an_address_belongs_to_who_has_it_now) {
  Believed believed(hosts(0, 3));
  const auto change = believed.offer(at(0), {found("new", "10.0.0.1")}, limits(50));
  BOOST_TEST(change.added == 1U);
  BOOST_TEST(change.removed == 1U);
  FoundPeers expected = hosts(1, 3);
  expected.insert(expected.begin(), found("new", "10.0.0.1"));
  BOOST_TEST((believed.peers() == expected));
}

BOOST_AUTO_TEST_CASE(a_peer_that_moves_is_a_change) {
  Believed believed(hosts(0, 3));
  FoundPeers answer = hosts(0, 3);
  answer[2].addresses[0].host = "10.9.9.9";
  const auto change = believed.offer(at(0), answer, limits(0));
  BOOST_TEST(change.changed == 1U);
  BOOST_TEST(change.added + change.removed == 0U);
}

BOOST_AUTO_TEST_CASE(configured_peers_win) {
  const Roster roster =
      merge({configured("b", "10.0.0.2", 45999), configured("c", "c.test", 1)},
            {{"x", {found("b", "10.0.0.77"), found("other", "10.0.0.2"), found("w", "10.0.0.3")}},
             {"y", {found("w", "10.0.0.4"), found("z", "10.0.0.3")}}},
            literal);
  BOOST_TEST((names(roster) == std::vector<std::string>{"b", "c", "w"}));
  BOOST_TEST(roster.configured_too == 4U);
  BOOST_TEST(roster.found.size() == 1U);
  BOOST_TEST((roster.found.at("w") == Origin{"x", ""}));
  BOOST_TEST(roster.peers[0].addresses[0].port == 45999);
}

BOOST_AUTO_TEST_CASE(two_ports_of_one_address_are_two_peers) {
  FoundPeer one{"one", "", {{"10.0.0.2", 1001}}};
  FoundPeer two{"two", "", {{"10.0.0.2", 1002}}};
  const Roster roster =
      merge({configured("three", "10.0.0.2", 1003)}, {{"x", {one, two}}}, literal);
  BOOST_TEST((names(roster) == std::vector<std::string>{"three", "one", "two"}));
}

BOOST_AUTO_TEST_CASE(a_name_is_compared_by_its_address) {
  const auto resolve = [](const PeerAddress& address) -> std::vector<Endpoint> {
    if (address.host == "b.test") return {{*Address::parse("10.0.0.2"), address.port}};
    return literal(address);
  };
  const Roster roster =
      merge({configured("b", "b.test", kDefaultPort)},
            {{"x", {found("10.0.0.2", "10.0.0.2"), found("b.test", "b.test")}}}, resolve);
  BOOST_TEST((names(roster) == std::vector<std::string>{"b"}));
}

BOOST_AUTO_TEST_CASE(peers_beyond_the_limit_are_counted) {
  FoundPeers many;
  for (unsigned i = 0; i < 1100; ++i) {
    many.push_back(found("p" + std::to_string(10000 + i),
                         "10.1." + std::to_string(i / 250) + "." + std::to_string(i % 250 + 1)));
  }
  const Roster roster = merge({configured("a", "10.0.0.1", 1)}, {{"x", many}}, literal);
  BOOST_TEST(roster.peers.size() == kMaxPeers);
  BOOST_TEST(roster.left_out == 77U);
  BOOST_TEST(roster.peers.front().name == "a");
}
