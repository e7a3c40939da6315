// The relay core: what becomes of each datagram, and why one is dropped.
#define BOOST_TEST_MODULE relay_core
#include <boost/test/unit_test.hpp>

#include "relay/core.h"
#include "relay_fixture.h"
#include "vectors.h"

using namespace tribecast;
using namespace tribecast::relay;
using seal::Type;
using test::kTomcatGroup;
using test::Packet;

using test::SodiumReady;
BOOST_TEST_GLOBAL_FIXTURE(SodiumReady);

namespace {

const Endpoint kRawGroup{Address::v4(0xefff0001), 9000};
const Address kLoopback = Address::v4(0x7f000001);

// Hosts that are up, with a listener on interface 2 for each group.
class Cluster : public test::Net<Core> {
 public:
  explicit Cluster(std::size_t hosts = 2) : Net(hosts) {
    for (Node& node : nodes) {
      node.settings.groups.push_back(
          {"raw", kRawGroup.address, kRawGroup.port, Format::raw, false, seconds(1), seconds(3)});
    }
  }

  void up() {
    start_all();
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      nodes[i].agent->set_listeners("tomcat", {2});
      nodes[i].agent->set_listeners("raw", {2});
    }
    run_for(milliseconds(50));
    sent.clear();
  }

  ReasonCounters drops(std::size_t i) const { return nodes[i].agent->report(local(i)).drops; }

  GroupCounters group(std::size_t i, const std::string& name = "tomcat") const {
    const auto report = nodes[i].agent->report(local(i));
    const auto found = std::ranges::find(report.groups, name, &GroupReport::name);
    BOOST_TEST_REQUIRE((found != report.groups.end()));
    return found->counters;
  }

  // A heartbeat of a Tomcat on host i, captured there.
  void beat(std::size_t i, bool shutdown = false, Duration age = {}) {
    beat_as(i, nodes[i].address, shutdown, age);
  }

  void beat_as(std::size_t i, const Address& announced, bool shutdown = false, Duration age = {}) {
    const Buffer payload = heartbeat(announced, shutdown);
    capture(i, {{nodes[i].address, 45564}, kTomcatGroup, payload}, age);
  }

  // One of a further host in i's network.
  void beat_from(std::size_t i, const Address& source) {
    capture(i, {{source, 45564}, kTomcatGroup, heartbeat(source)}, {});
  }

  void raw(std::size_t i, Bytes payload, const Endpoint& group = kRawGroup) {
    capture(i, {{nodes[i].address, 7777}, group, payload});
  }

  static Buffer heartbeat(const Address& host, bool shutdown = false) {
    tribes::MemberView member;
    member.host = host.bytes();
    member.port = 4000;
    member.alive_milliseconds = 1000;
    if (shutdown) member.command = tribes::shutdown_command();
    return tribes::compose_member(member);
  }

  void settle() { run_for(milliseconds(10)); }
};

// Watches that at one host exactly these drops are counted, and no others.
class Drops {
 public:
  Drops(const Cluster& cluster, std::size_t host)
      : cluster_(cluster), host_(host), before_(cluster.drops(host)) {}

  void check(Reason expected, std::uint64_t n = 1) const {
    const ReasonCounters now = cluster_.drops(host_);
    for (const ReasonEntry& entry : kReasons) {
      const std::uint64_t added = now[entry.reason] - before_[entry.reason];
      BOOST_TEST(added == (entry.reason == expected ? n : 0U), entry.name << ": " << added);
    }
  }

  void check_none() const { BOOST_TEST(cluster_.drops(host_).total() == before_.total()); }

 private:
  const Cluster& cluster_;
  std::size_t host_;
  ReasonCounters before_;
};

}  // namespace

// --- the good way --------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(one_capture_is_one_datagram_a_peer_and_one_injection_an_interface) {
  Cluster c(3);
  c.up();
  c[1].set_listeners("tomcat", {2, 5});
  c.beat(0);
  BOOST_TEST(c.sent.size() == 2U);
  c.settle();
  BOOST_TEST(c.sent.size() == 2U);
  for (const std::size_t i : {1U, 2U}) {
    BOOST_TEST_REQUIRE(c.nodes[i].injects.size() == 1U);
    const Inject& injection = c.nodes[i].injects.front();
    BOOST_TEST((injection.source == Endpoint{c.nodes[0].address, 45564}));
    BOOST_TEST((injection.group == kTomcatGroup));
    BOOST_TEST(same(injection.payload, Cluster::heartbeat(c.nodes[0].address)));
  }
  BOOST_TEST(c.nodes[1].injects[0].interfaces == (std::vector<int>{2, 5}),
             boost::test_tools::per_element());
  BOOST_TEST(c.group(0).captured == 1U);
  BOOST_TEST(c.group(0).relayed == 2U);
  BOOST_TEST(c.group(1).received == 1U);
  BOOST_TEST(c.group(1).injected == 2U);
  BOOST_TEST(c.nodes[0].injects.empty());
}

BOOST_AUTO_TEST_CASE(an_injection_makes_nothing) {
  Cluster c(3);
  c.up();
  c.beat(0);
  c.settle();
  c.sent.clear();
  const Inject injection = c.nodes[1].injects.front();
  const packet::Datagram datagram{injection.source, injection.group, injection.payload};
  Drops drops(c, 1);
  for (const Buffer& frame : packet::compose(datagram, {1500, 0, 1})) {
    Actions out;
    c[1].on_frame(c.local(1), {c.local(1), packet::LinkType::raw_ip, frame, false}, out);
    c.act(1, out);
  }
  BOOST_TEST(c.sent.empty());
  drops.check_none();
  c.capture(1, datagram);
  BOOST_TEST(c.sent.empty());
  drops.check(Reason::echo);
}

BOOST_AUTO_TEST_CASE(members_local_and_remote_are_listed) {
  Cluster c;
  c.up();
  c.beat(0);
  c.settle();
  const auto here = c[0].report(c.local(0)).members;
  const auto there = c[1].report(c.local(1)).members;
  BOOST_TEST_REQUIRE((here.size() == 1U && there.size() == 1U));
  BOOST_TEST((here[0].origin == Origin::local && there[0].origin == Origin::remote));
  BOOST_TEST(there[0].via == "n0");
  const auto latency = c[1].report(c.local(1)).latency;
  BOOST_TEST_REQUIRE(latency.has_value());
  BOOST_TEST((latency->max == milliseconds(1)));
}

BOOST_AUTO_TEST_CASE(a_hundred_identical_datagrams_arrive_a_hundred_times) {
  Cluster c;
  c.up();
  for (int i = 0; i < 100; ++i) c.raw(0, bytes_of("same"));
  c.settle();
  BOOST_TEST(c.nodes[1].injects.size() == 100U);
  Drops(c, 1).check_none();
}

BOOST_AUTO_TEST_CASE(raw_groups_pass_anything_with_any_port_too) {
  Cluster c;
  for (auto& node : c.nodes) {
    node.settings.groups.push_back(
        {"any", Address::v4(0xefff0002), 0, Format::raw, false, seconds(1), seconds(3)});
  }
  c.up();
  for (const std::size_t i : {0U, 1U}) c[i].set_listeners("any", {3});
  const std::uint16_t ports[] = {1, 9000, 65535};
  for (const std::uint16_t port : ports) c.raw(0, bytes_of("x"), {Address::v4(0xefff0002), port});
  c.raw(0, {});
  c.raw(0, Cluster::heartbeat(kLoopback));
  c.raw(0, bytes_of("x"), {Address::v4(0xefff0001), 9001});  // not its port
  c.raw(0, bytes_of("x"), {Address::v4(0xefff0003), 9000});  // no group of ours
  c.settle();
  BOOST_TEST_REQUIRE(c.nodes[1].injects.size() == 5U);
  for (std::size_t i = 0; i < 3; ++i) {
    BOOST_TEST(c.nodes[1].injects[i].group.port == ports[i]);
    BOOST_TEST(c.nodes[1].injects[i].interfaces.front() == 3);
  }
  BOOST_TEST(c.nodes[1].injects[3].payload.empty());
  BOOST_TEST(c[1].report(c.local(1)).members.empty());
}

BOOST_AUTO_TEST_CASE(a_group_with_its_own_port_goes_before_any_port) {
  Cluster c;
  for (auto& node : c.nodes) {
    node.settings.groups.push_back(
        {"any", kRawGroup.address, 0, Format::raw, false, seconds(1), seconds(3)});
  }
  c.up();
  c.raw(0, bytes_of("x"));
  c.raw(0, bytes_of("x"), {kRawGroup.address, 1});
  BOOST_TEST(c.group(0, "raw").captured == 1U);
  BOOST_TEST(c.group(0, "any").captured == 1U);
}

BOOST_AUTO_TEST_CASE(sixty_four_kibibytes_go_through_in_fragments_and_pieces) {
  Cluster c;
  c.up();
  const Buffer payload = test::Random().bytes(packet::kMaxUdpPayload);
  c.raw(0, payload);
  BOOST_TEST(c.sent.size() == 56U);
  for (const Packet& packet : c.sent) BOOST_TEST_REQUIRE(packet.bytes.size() <= 1232U);
  c.settle();
  BOOST_TEST_REQUIRE(c.nodes[1].injects.size() == 1U);
  BOOST_TEST(same(c.nodes[1].injects[0].payload, payload));
  BOOST_TEST(c.group(0, "raw").relayed == 1U);
}

BOOST_AUTO_TEST_CASE(a_burst_is_injected_in_order_and_paced) {
  Cluster c;
  c.up();
  for (std::uint16_t i = 0; i < 1000; ++i) {
    const std::array<std::uint8_t, 2> number = {static_cast<std::uint8_t>(i >> 8U),
                                                static_cast<std::uint8_t>(i)};
    c.raw(0, number);
  }
  c.run_for(milliseconds(1));
  BOOST_TEST(c.nodes[1].injects.size() < 256U);
  c.run_for(milliseconds(20));
  BOOST_TEST_REQUIRE(c.nodes[1].injects.size() == 1000U);
  for (std::size_t i = 0; i < 1000; ++i) {
    BOOST_TEST_REQUIRE(ByteReader(c.nodes[1].injects[i].payload).u16be() == i);
  }
}

BOOST_AUTO_TEST_CASE(broadcasts_pass_where_they_are_wanted) {
  Cluster c;
  for (auto& node : c.nodes) node.settings.groups[0].broadcasts = true;
  c.up();
  const Buffer frame = copy_of(bytes_of("FLT2002..."));
  c.capture(0, {{c.nodes[0].address, 45564}, kTomcatGroup, frame});
  c.capture(0, {{c.nodes[0].address, 45564}, kTomcatGroup, bytes_of("anything")});
  c.settle();
  BOOST_TEST(c.nodes[1].injects.size() == 2U);
  // A heartbeat that is broken is still not passed on.
  Drops drops(c, 0);
  Buffer broken = Cluster::heartbeat(c.nodes[0].address);
  broken[13] = 0xff;
  c.capture(0, {{c.nodes[0].address, 45564}, kTomcatGroup, broken});
  drops.check(Reason::malformed);
}

// --- one reason a test ---------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(reason_forged) {
  Cluster c;
  c.up();
  Drops drops(c, 1);
  c.passes = [](const Packet&) { return false; };
  c.beat(0);
  Packet packet = c.sent.back();
  packet.bytes.back() ^= 1;
  c.deliver(packet);
  drops.check(Reason::forged);
}

BOOST_AUTO_TEST_CASE(reason_replayed) {
  Cluster c;
  c.up();
  c.beat(0);
  const Packet packet = c.sent.back();
  c.run_for(milliseconds(300));
  Drops drops(c, 1);
  c.deliver(packet);
  drops.check(Reason::replayed);
}

BOOST_AUTO_TEST_CASE(reason_duplicate) {
  Cluster c;
  c.up();
  Drops drops(c, 1);
  c.beat(0);
  const Packet packet = c.sent.back();
  c.settle();
  c.deliver(packet);
  drops.check(Reason::duplicate);
  BOOST_TEST(c.nodes[1].injects.size() == 1U);
}

BOOST_AUTO_TEST_CASE(reason_stale_when_captured_long_ago) {
  Cluster c;
  c.up();
  Drops drops(c, 0);
  c.beat(0, false, seconds(1));
  drops.check_none();
  c.sent.clear();
  c.beat(0, false, seconds(1) + milliseconds(1));
  drops.check(Reason::stale);
  BOOST_TEST(c.sent.empty());
}

BOOST_AUTO_TEST_CASE(reason_stale_when_long_on_the_way) {
  for (const int ms : {995, 1005}) {
    Cluster c;
    c.up();
    c.passes = [](const Packet& p) { return p.type() != Type::data; };
    c.beat(0);
    const Packet packet = c.sent.back();
    c.run_for(milliseconds(ms));
    Drops drops(c, 1);
    c.deliver(packet);
    BOOST_TEST(c.nodes[1].injects.size() == (ms < 1000 ? 1U : 0U));
    if (ms > 1000) drops.check(Reason::stale);
  }
}

// The process may be stopped between the receipt and the injection.
BOOST_AUTO_TEST_CASE(an_injection_expires_when_its_capture_is_too_old) {
  Cluster c;
  c.up();
  c.passes = [](const Packet& p) { return p.type() != Type::data; };
  c.beat(0);
  const Packet packet = c.sent.back();
  const Instant captured = c.local(1);
  c.run_for(milliseconds(600));
  c.deliver(packet);
  BOOST_TEST_REQUIRE(c.nodes[1].injects.size() == 1U);
  BOOST_TEST((c.nodes[1].injects[0].expires == captured + seconds(1)));
}

BOOST_AUTO_TEST_CASE(a_goodbye_is_never_stale) {
  Cluster c;
  c.up();
  c.beat(0);
  c.settle();
  c.passes = [](const Packet& p) { return p.type() != Type::data; };
  Drops here(c, 0);
  Drops there(c, 1);
  c.beat(0, true, seconds(30));
  const Packet packet = c.sent.back();
  c.run_for(seconds(2));
  c.deliver(packet);
  here.check_none();
  there.check_none();
  BOOST_TEST_REQUIRE(c.nodes[1].injects.size() == 2U);
  BOOST_TEST((c.nodes[1].injects[1].expires == kNever));
  BOOST_TEST((c[1].report(c.local(1)).members[0].state == MemberState::left));
}

BOOST_AUTO_TEST_CASE(what_waits_for_its_turn_too_long_is_stale) {
  Cluster c;
  for (auto& node : c.nodes) node.settings.groups[1].max_age = milliseconds(10);
  c.up();
  for (int i = 0; i < 1000; ++i) c.raw(0, bytes_of("x"));
  c.run_for(milliseconds(50));
  const std::size_t injected = c.nodes[1].injects.size();
  BOOST_TEST((injected > 500U && injected < 800U));
  BOOST_TEST(c.group(1, "raw").dropped[Reason::stale] == 1000 - injected);
}

BOOST_AUTO_TEST_CASE(reason_echo_excuses_one_frame_for_200_ms) {
  Cluster c;
  c.up();
  const Endpoint source{c.nodes[0].address, 7777};
  const auto again = [&] { c.capture(1, {source, kRawGroup, bytes_of("x")}); };
  c.raw(0, bytes_of("x"));
  c.settle();
  Drops drops(c, 1);
  again();
  drops.check(Reason::echo);
  again();
  drops.check(Reason::echo);  // the second one is an application's
  BOOST_TEST(c.group(1, "raw").captured == 1U);
  c.raw(0, bytes_of("x"));
  c.run_for(milliseconds(202));
  again();
  again();
  drops.check(Reason::echo, 1);
  BOOST_TEST(c.group(1, "raw").captured == 3U);
}

BOOST_AUTO_TEST_CASE(another_payload_source_or_group_is_no_echo) {
  Cluster c;
  c.up();
  c.raw(0, bytes_of("x"));
  c.settle();
  Drops drops(c, 1);
  const Endpoint source{c.nodes[0].address, 7777};
  c.capture(1, {source, kRawGroup, bytes_of("y")});
  c.capture(1, {{source.address, 7778}, kRawGroup, bytes_of("x")});
  drops.check_none();
  c.capture(1, {source, kRawGroup, bytes_of("x")});
  drops.check(Reason::echo);
}

// One injection an interface, so one echo an interface.
BOOST_AUTO_TEST_CASE(an_injection_on_two_interfaces_may_come_back_twice) {
  Cluster c;
  c.up();
  c[1].set_listeners("raw", {2, 3});
  c.raw(0, bytes_of("x"));
  c.settle();
  c.sent.clear();
  Drops drops(c, 1);
  for (int i = 0; i < 2; ++i) {
    c.capture(1, {{c.nodes[0].address, 7777}, kRawGroup, bytes_of("x")});
  }
  drops.check(Reason::echo, 2);
  BOOST_TEST(c.sent.empty());
}

BOOST_AUTO_TEST_CASE(reason_malformed) {
  Cluster c;
  c.up();
  const Buffer broken_frame(10);
  Buffer broken = Cluster::heartbeat(c.nodes[0].address);
  broken[39] = 0xff;
  struct Case {
    const char* what;
    std::function<void()> act;
  };
  const Case cases[] = {
      {"frame",
       [&] {
         Actions out;
         c[0].on_frame(c.local(0), {c.local(0), packet::LinkType::raw_ip, broken_frame, false},
                       out);
       }},
      {"heartbeat",
       [&] {
         c.capture(0, {{c.nodes[0].address, 45564}, kTomcatGroup, broken});
       }},
      {"datagram",
       [&] {
         c.deliver(0, {c.endpoint(1), {}}, broken_frame);
       }},
      {"datagram of a stranger",
       [&] {
         c.deliver(0, {{kLoopback, 1}, {}}, broken_frame);
       }},
  };
  for (const Case& one : cases) {
    BOOST_TEST_CONTEXT(one.what) {
      Drops drops(c, 0);
      one.act();
      drops.check(Reason::malformed);
    }
  }
}

BOOST_AUTO_TEST_CASE(reason_not_heartbeat) {
  Cluster c;
  c.up();
  Drops drops(c, 0);
  c.capture(0, {{c.nodes[0].address, 45564}, kTomcatGroup, bytes_of("FLT2002")});
  drops.check(Reason::not_heartbeat);
  BOOST_TEST(c.sent.empty());
}

BOOST_AUTO_TEST_CASE(reason_not_heartbeat_from_a_peer_that_passes_broadcasts) {
  Cluster c;
  c.nodes[0].settings.groups[0].broadcasts = true;
  c.up();
  Drops drops(c, 1);
  c.capture(0, {{c.nodes[0].address, 45564}, kTomcatGroup, bytes_of("FLT2002")});
  c.settle();
  drops.check(Reason::not_heartbeat);
  BOOST_TEST(c.nodes[1].injects.empty());
}

BOOST_AUTO_TEST_CASE(reason_loopback_member) {
  const Address cases[] = {Address::v4(0x7f000101), Address(), kTomcatGroup.address,
                           *Address::parse("::1"), *Address::parse("::")};
  for (const Address& announced : cases) {
    Cluster c;
    c.up();
    Drops drops(c, 0);
    for (int i = 0; i < 3; ++i) c.beat_as(0, announced);
    drops.check(Reason::loopback_member, 3);
    BOOST_TEST(c.sent.empty());
    BOOST_TEST(c.count_events(0, EventKind::member_refused) == 1U);
    BOOST_TEST_REQUIRE(c[0].report(c.local(0)).refusals.size() == 1U);
    c.run_for(seconds(61));
    BOOST_TEST(c[0].report(c.local(0)).refusals.empty());
  }
}

BOOST_AUTO_TEST_CASE(reason_foreign_member_at_home) {
  Cluster c;
  c.up();
  Drops drops(c, 0);
  c.beat_as(0, Address::v4(0x0a630001));
  drops.check(Reason::foreign_member);
  // Another of this host's addresses is as good as the one that it is sent from.
  c[0].set_local_addresses({c.nodes[0].address, Address::v4(0x0a630001)});
  c.beat_as(0, Address::v4(0x0a630001));
  drops.check(Reason::foreign_member);
  BOOST_TEST(c.sent.size() == 1U);
}

BOOST_AUTO_TEST_CASE(reason_foreign_member_from_a_peer_that_announces_our_address) {
  Cluster c;
  c.up();
  Drops drops(c, 1);
  const Buffer payload = Cluster::heartbeat(c.nodes[1].address);
  c.capture(0, {{c.nodes[1].address, 45564}, kTomcatGroup, payload});
  c.settle();
  drops.check(Reason::foreign_member);
  BOOST_TEST(c[1].report(c.local(1)).refusals[0].via == "n0");
  BOOST_TEST(c.nodes[1].injects.empty());
}

BOOST_AUTO_TEST_CASE(reason_foreign_member_whose_host_is_no_address) {
  Cluster c;
  c.up();
  Drops drops(c, 0);
  tribes::MemberView member;
  const Buffer host = {1, 2, 3};
  member.host = host;
  c.capture(0, {{c.nodes[0].address, 45564}, kTomcatGroup, tribes::compose_member(member)});
  drops.check(Reason::foreign_member);
  BOOST_TEST(c.sent.empty());
}

BOOST_AUTO_TEST_CASE(reason_held_after_shutdown) {
  Cluster c;
  c.up();
  c.beat(0);
  c.settle();
  c.passes = [](const Packet& p) { return p.type() != Type::data; };
  c.beat(0);
  const Packet before = c.sent.back();
  c.passes = [](const Packet&) { return true; };
  c.beat(0, true);
  c.settle();
  Drops drops(c, 1);
  c.deliver(before);
  drops.check(Reason::held_after_shutdown);
  c.beat(0);
  c.settle();
  drops.check(Reason::held_after_shutdown);
  BOOST_TEST(c.nodes[1].injects.size() == 3U);
}

BOOST_AUTO_TEST_CASE(reason_rate_limited) {
  Cluster c;
  c.up();
  Drops drops(c, 1);
  const std::size_t passing = 126 + Pacer::kMaxWaiting;
  for (std::size_t i = 0; i < passing + 5; ++i) c.raw(0, Buffer(77));
  c.run_for(milliseconds(100));
  drops.check(Reason::rate_limited, 5);
  BOOST_TEST(c.nodes[1].injects.size() == passing);
}

BOOST_AUTO_TEST_CASE(reason_unconfigured_peer) {
  Cluster c(3);
  c.nodes[0].settings.peers = {{"n1", {}}};
  c.up();
  Drops drops(c, 0);
  c.start(2);
  c.run_for(milliseconds(100));
  drops.check(Reason::unconfigured_peer);
}

BOOST_AUTO_TEST_CASE(reason_unconfigured_peer_in_a_group_that_it_takes_no_part_in) {
  Cluster c;
  c.nodes[1].settings.peers[0].groups = {"raw"};
  c.up();
  Drops drops(c, 1);
  c.beat(0);
  c.settle();
  drops.check(Reason::unconfigured_peer);
  c.raw(0, bytes_of("x"));
  c.settle();
  drops.check(Reason::unconfigured_peer);
  BOOST_TEST(c.nodes[1].injects.size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_frame_that_is_refused_counts_for_its_group) {
  Cluster c;
  c.up();
  const Buffer payload(1000);
  const auto frames = packet::compose({{c.nodes[0].address, 1}, kRawGroup, payload}, {1500, 1, 1});
  Actions out;
  c[0].on_frame(c.local(0), {c.local(0), packet::LinkType::raw_ip, frames[0], true}, out);
  BOOST_TEST(c.group(0, "raw").dropped[Reason::too_large] == 1U);
  BOOST_TEST(c.group(0).dropped.total() == 0U);
}

BOOST_AUTO_TEST_CASE(reason_too_large) {
  Cluster c;
  c.up();
  Drops drops(c, 0);
  const Buffer payload(1000);
  const auto frames = packet::compose({{c.nodes[0].address, 1}, kRawGroup, payload}, {1500, 1, 1});
  Actions out;
  c[0].on_frame(c.local(0), {c.local(0), packet::LinkType::raw_ip, frames[0], true}, out);
  drops.check(Reason::too_large);
  BOOST_TEST(out.sends.empty());
}

BOOST_AUTO_TEST_CASE(reason_no_listener) {
  Cluster c;
  c.up();
  c[1].set_listeners("tomcat", {});
  Drops drops(c, 1);
  c.beat(0);
  c.settle();
  drops.check(Reason::no_listener);
  BOOST_TEST(c.nodes[1].injects.empty());
  // The member is known nevertheless.
  BOOST_TEST(c[1].report(c.local(1)).members.size() == 1U);
}

BOOST_AUTO_TEST_CASE(reason_no_listener_for_a_group_that_is_not_configured_here) {
  Cluster c;
  c.nodes[1].settings.groups.pop_back();
  c.up();
  Drops drops(c, 1);
  c.raw(0, bytes_of("x"));
  c.settle();
  drops.check(Reason::no_listener);
}

BOOST_AUTO_TEST_CASE(reason_table_full) {
  Cluster c;
  c.up();
  std::size_t n = 0;
  c.passes = [&](const Packet& p) { return p.type() != Type::data || n++ % 2 == 0; };
  for (std::size_t i = 0; i < Pieces::kMaxDatagrams + 1; ++i) c.raw(0, Buffer(1200));
  Drops drops(c, 1);
  c.settle();
  drops.check(Reason::table_full);
  BOOST_TEST(c.nodes[1].injects.empty());
}

BOOST_AUTO_TEST_CASE(reason_kernel_drop_is_the_edges_to_tell) {
  Cluster c;
  c.up();
  Drops drops(c, 0);
  c[0].count_drop(Reason::kernel_drop, 7);
  drops.check(Reason::kernel_drop, 7);
}

// --- what is not a datagram of ours --------------------------------------------------------------

BOOST_AUTO_TEST_CASE(other_traffic_is_passed_over_silently) {
  Cluster c;
  c.up();
  Drops drops(c, 0);
  c.capture(0, {{c.nodes[0].address, 1}, {Address::v4(0xefaaaaaa), 1}, bytes_of("x")});
  Buffer frame =
      packet::compose({{c.nodes[0].address, 1}, kRawGroup, bytes_of("x")}, {1500, 1, 1}).front();
  frame[9] = 6;  // TCP; the checksum is not verified
  Actions out;
  c[0].on_frame(c.local(0), {c.local(0), packet::LinkType::raw_ip, frame, false}, out);
  drops.check_none();
  BOOST_TEST(c.sent.empty());
}

BOOST_AUTO_TEST_CASE(without_a_live_peer_nothing_is_sealed) {
  Cluster c;
  c.start(0);
  c.beat(0);
  BOOST_TEST(c.group(0).captured == 1U);
  BOOST_TEST(c.group(0).relayed == 0U);
  BOOST_TEST(c[0].report(c.local(0)).members.size() == 1U);
}

BOOST_AUTO_TEST_CASE(after_a_clock_stood_still_the_next_datagram_is_dated_again) {
  Cluster c;
  c.up();
  c.run_for(seconds(5));
  c.nodes[0].clock_offset += milliseconds(1500);  // the other host stood still for so long
  c.beat(0);
  c.settle();
  BOOST_TEST(c.nodes[1].injects.empty());
  BOOST_TEST(c.group(1).dropped[Reason::stale] == 1U);
  c.run_for(milliseconds(20));
  c.beat(0);
  c.settle();
  BOOST_TEST(c.nodes[1].injects.size() == 1U);
}

// --- configuration -------------------------------------------------------------------------------

// --- what a peer may say -------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(addresses_of_a_translated_peer_are_those_seen_from_here) {
  Cluster c;  // 10.0.0.1 and 10.0.1.1
  const Translation rule{*Prefix::parse("10.0.0.0/24"), *Prefix::parse("172.31.7.0/24")};
  c.nodes[1].settings.peers[0].rewrites = {rule};
  c.nodes[1].settings.peers[0].members = {rule.to};
  c.up();
  const Address seen = *Address::parse("172.31.7.1");
  for (const bool shutdown : {false, true}) {
    c.beat(0, shutdown);
    c.settle();
    BOOST_TEST_REQUIRE(c.nodes[1].injects.size() == 1U);
    const Inject& injection = c.nodes[1].injects.front();
    BOOST_TEST((injection.source == Endpoint{seen, 45564}));
    BOOST_TEST(same(injection.payload, Cluster::heartbeat(seen, shutdown)));
    c.nodes[1].injects.clear();
  }
  const auto members = c[1].report(c.local(1)).members;
  BOOST_TEST_REQUIRE(members.size() == 1U);
  BOOST_TEST(members[0].identity.name() == "172.31.7.1:4000");
  BOOST_TEST((members[0].state == MemberState::left));
}

BOOST_AUTO_TEST_CASE(what_no_rule_covers_passes_as_it_is) {
  Cluster c;
  c.nodes[1].settings.peers[0].rewrites = {
      {*Prefix::parse("10.0.7.0/24"), *Prefix::parse("172.31.7.0/24")}};
  c.up();
  c.beat(0);
  c.raw(0, bytes_of("10.0.7.1"));
  c.settle();
  BOOST_TEST_REQUIRE(c.nodes[1].injects.size() == 2U);
  BOOST_TEST(same(c.nodes[1].injects[0].payload, Cluster::heartbeat(c.nodes[0].address)));
  BOOST_TEST(same(c.nodes[1].injects[1].payload, bytes_of("10.0.7.1")));
}

// Translated onto an address of this host a member would have every node replicate to itself.
BOOST_AUTO_TEST_CASE(a_translation_onto_this_host_is_refused) {
  Cluster c;
  c.nodes[1].settings.peers[0].rewrites = {
      {*Prefix::parse("10.0.0.1"), Prefix{c.nodes[1].address, 32}}};
  c.up();
  const Drops drops(c, 1);
  c.beat(0);
  c.settle();
  drops.check(Reason::foreign_member);
  BOOST_TEST(c.nodes[1].injects.empty());
}

BOOST_AUTO_TEST_CASE(reason_table_full_for_a_peer_with_too_many_members) {
  Cluster c(3);
  for (PeerSettings& peer : c.nodes[1].settings.peers) peer.max_members = 2;
  c.up();
  const Drops drops(c, 1);
  const auto some = [](std::uint32_t i) { return Address::v4(0x0a630000U + i); };
  for (std::uint32_t i = 1; i <= 4; ++i) c.beat_from(0, some(i));
  c.beat_from(2, some(5));
  c.settle();
  drops.check(Reason::table_full, 2);
  BOOST_TEST(c.nodes[1].injects.size() == 3U);
  BOOST_TEST(c[1].report(c.local(1)).refusals.size() == 2U);
  // Who is listed stays.
  c.beat_from(0, some(1));
  c.settle();
  BOOST_TEST(c.nodes[1].injects.size() == 4U);
}

BOOST_AUTO_TEST_CASE(reason_rate_limited_for_a_peer_that_sends_too_much) {
  Cluster c(3);
  for (PeerSettings& peer : c.nodes[1].settings.peers) peer.max_rate = 20;
  c.up();
  const Drops drops(c, 1);
  for (int i = 0; i < 50; ++i) c.raw(0, bytes_of("x"));
  c.raw(2, bytes_of("y"));
  c.settle();
  drops.check(Reason::rate_limited, 30);
  BOOST_TEST(c.nodes[1].injects.size() == 21U);
  c.run_for(milliseconds(500));  // ten more
  c.nodes[1].injects.clear();
  for (int i = 0; i < 20; ++i) c.raw(0, bytes_of("x"));
  c.settle();
  BOOST_TEST(c.nodes[1].injects.size() == 10U);
}

// --- peers without an agent ----------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_peer_without_an_agent_gets_the_datagram_itself) {
  Cluster c(3);
  c.nodes[0].settings.peers[1].agentless = true;  // n2
  c.up();
  for (const bool shutdown : {false, true}) {
    c.sent.clear();
    c.beat(0, shutdown);
    BOOST_TEST_REQUIRE(c.sent.size() == 2U);
    const auto plain = std::ranges::find(c.sent, 2U, &Packet::to);
    BOOST_TEST_REQUIRE((plain != c.sent.end()));
    BOOST_TEST(same(plain->bytes, Cluster::heartbeat(c.nodes[0].address, shutdown)));
    BOOST_TEST((plain->to_port == 45564));
  }
  BOOST_TEST(c.group(0).relayed == 4U);
  c.run_for(seconds(3));
  // No probe, no repeated goodbye.
  BOOST_TEST(std::ranges::count_if(c.sent, [](const Packet& packet) {
               return packet.from == 0 && packet.to == 2;
             }) == 1);
  const auto peers = c[0].report(c.local(0)).peers;
  BOOST_TEST((peers[1].state == PeerState::up));
  BOOST_TEST(peers[1].agentless);
}

BOOST_AUTO_TEST_CASE(a_peer_without_an_agent_on_this_host_or_in_another_group_gets_nothing) {
  Cluster c(3);
  c.nodes[0].settings.peers[0].agentless = true;
  c.nodes[0].settings.peers[0].groups = {"raw"};
  c.nodes[0].settings.peers[1].agentless = true;
  c.up();
  c[0].set_local_addresses({c.nodes[0].address, c.nodes[2].address});
  c.beat(0);
  BOOST_TEST(c.sent.empty());
}

BOOST_AUTO_TEST_CASE(an_agent_that_comes_or_goes_by_reload) {
  Cluster c(2);
  c.up();
  c.beat(0);
  c.settle();
  BOOST_TEST(c.nodes[1].injects.size() == 1U);
  // As the daemon does: names are resolved again, or were, and the endpoints told.
  const auto reload = [&] {
    c.configure(0);
    c[0].set_endpoints(c.local(0), "n1", {c.endpoint(1)});
  };
  c.nodes[0].settings.peers[0].agentless = true;
  reload();
  c.run_for(seconds(1));
  c.sent.clear();
  c.beat(0);
  BOOST_TEST_REQUIRE(c.sent.size() == 1U);
  BOOST_TEST(same(c.sent[0].bytes, Cluster::heartbeat(c.nodes[0].address)));
  c.nodes[0].settings.peers[0].agentless = false;
  reload();
  c.run_for(seconds(1));
  c.nodes[1].injects.clear();
  c.beat(0);
  c.settle();
  BOOST_TEST(c.nodes[1].injects.size() == 1U);
}

BOOST_AUTO_TEST_CASE(configure_keeps_what_stays) {
  Cluster c(3);
  c.up();
  c.beat(0);
  c.beat(1);
  c.settle();
  auto& settings = c.nodes[1].settings;
  settings.groups[0].broadcasts = true;
  settings.groups.erase(settings.groups.begin() + 1);
  settings.groups.push_back(
      {"new", Address::v4(0xefff0009), 1, Format::raw, false, seconds(1), seconds(3)});
  c.remove_peer(1, "n2");
  c.run_for(milliseconds(5));
  BOOST_TEST(c.group(1).received == 1U);
  BOOST_TEST(c[1].report(c.local(1)).members.size() == 2U);
  BOOST_TEST((c.state(1, 0) == PeerState::up));
  BOOST_TEST(c[1].report(c.local(1)).peers.size() == 1U);
  c.beat(0);
  c.capture(0, {{c.nodes[0].address, 45564}, kTomcatGroup, bytes_of("FLT2002")});
  c.settle();
  BOOST_TEST(c.nodes[1].injects.size() == 2U);  // the listeners stayed
  c.sent.clear();
  c.capture(1, {{c.nodes[1].address, 1}, {Address::v4(0xefff0009), 1}, bytes_of("x")});
  BOOST_TEST(c.sent.size() == 1U);
  c.raw(1, bytes_of("x"));
  BOOST_TEST(c.sent.size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_group_that_goes_takes_its_members_along) {
  Cluster c;
  c.up();
  c.beat(0);
  c.nodes[0].settings.groups.erase(c.nodes[0].settings.groups.begin());
  c.configure(0);
  BOOST_TEST(c[0].report(c.local(0)).members.empty());
  c.beat(0);
  BOOST_TEST(c[0].report(c.local(0)).groups.size() == 1U);
}

BOOST_AUTO_TEST_CASE(nothing_to_do_nothing_to_wake_up_for) {
  Cluster c;
  c.nodes[0].settings.peers.clear();
  c.start(0);
  BOOST_TEST((c[0].next_deadline() == kNever));
  c.beat(0);
  BOOST_TEST((c[0].next_deadline() != kNever));
  c.run_for(seconds(3606));
  BOOST_TEST(c[0].report(c.local(0)).members.empty());
  BOOST_TEST((c[0].next_deadline() == kNever));
}
