// The table of members: states, gaps, limits, and which heartbeats come too late to be true.
#define BOOST_TEST_MODULE relay_members
#include <boost/test/unit_test.hpp>

#include "relay/members.h"
#include "vectors.h"

using namespace tribecast;
using namespace tribecast::relay;

namespace {

const Instant kStart{seconds(1000)};
constexpr std::uint64_t kInstance = 42;
const Buffer kHost = {10, 0, 0, 7};
const Endpoint kSource{Address::v4(0x0a000007), 45564};
const Endpoint kGroup{Address::v4(0xe4000004), 45564};

class Table {
 public:
  Members members;
  std::vector<Event> events;

  std::optional<Reason> beat(Instant now, std::uint64_t counter, std::uint32_t port = 4000,
                             std::uint64_t instance = kInstance) {
    return see(now, port, false, Origin::remote, {instance, counter});
  }
  std::optional<Reason> goodbye(Instant now, std::uint64_t counter, std::uint32_t port = 4000) {
    return see(now, port, true, Origin::remote, {kInstance, counter});
  }
  std::optional<Reason> see(Instant now, std::uint32_t port, bool shutdown, Origin origin,
                            Mark mark) {
    tribes::MemberView member;
    member.host = kHost;
    member.port = port;
    member.alive_milliseconds = 1234;
    member.domain = bytes_of("domain");
    if (shutdown) member.command = tribes::shutdown_command();
    const std::string via = origin == Origin::local ? "" : "b";
    return members
        .see(now, {"tomcat", seconds(3), member, kSource, kGroup, now, origin, via, mark}, events)
        .refused;
  }
  MemberReport only(Instant now) const {
    const auto all = members.report(now);
    BOOST_TEST_REQUIRE(all.size() == 1U);
    return all.front();
  }
  std::size_t count(EventKind kind) const {
    return static_cast<std::size_t>(std::ranges::count(events, kind, &Event::kind));
  }
};

Instant at(int ms) { return kStart + milliseconds(ms); }

}  // namespace

BOOST_AUTO_TEST_CASE(a_heartbeat_from_before_the_shutdown_is_held) {
  Table t;
  BOOST_TEST(!t.beat(at(0), 10));
  BOOST_TEST(!t.goodbye(at(500), 12));
  BOOST_TEST((t.beat(at(501), 11) == Reason::held_after_shutdown));
  BOOST_TEST((t.only(at(501)).state == MemberState::left));
  // Tomcat's own recovery leaves and returns as the same member: captured later, it passes.
  BOOST_TEST(!t.beat(at(502), 13));
  BOOST_TEST((t.only(at(502)).state == MemberState::alive));
  // Still not what was captured before the goodbye.
  BOOST_TEST((t.beat(at(503), 9) == Reason::held_after_shutdown));
}

BOOST_AUTO_TEST_CASE(a_shutdown_of_a_member_never_heard_of_holds_too) {
  Table t;
  BOOST_TEST(!t.goodbye(at(0), 12));
  BOOST_TEST(t.events.empty());
  BOOST_TEST((t.beat(at(1), 11) == Reason::held_after_shutdown));
  BOOST_TEST(!t.beat(at(2), 13));
}

BOOST_AUTO_TEST_CASE(a_shutdown_that_a_later_heartbeat_overtook_is_refused) {
  Table t;
  BOOST_TEST(!t.beat(at(0), 13));
  BOOST_TEST((t.goodbye(at(1), 12) == Reason::stale));
  BOOST_TEST((t.only(at(1)).state == MemberState::alive));
  BOOST_TEST(t.count(EventKind::member_left) == 0U);
}

BOOST_AUTO_TEST_CASE(counters_of_two_instances_do_not_compare) {
  Table t;
  BOOST_TEST(!t.goodbye(at(0), 1000));
  BOOST_TEST(!t.beat(at(1), 1, 4000, kInstance + 1));
  BOOST_TEST(!t.goodbye(at(2), 5));
}

BOOST_AUTO_TEST_CASE(local_members_are_in_order_by_themselves) {
  Table t;
  BOOST_TEST(!t.see(at(0), 4000, true, Origin::local, {}));
  BOOST_TEST(!t.see(at(1), 4000, false, Origin::local, {}));
  BOOST_TEST(!t.see(at(2), 4000, true, Origin::local, {}));
  BOOST_TEST((t.only(at(2)).origin == Origin::local));
}

BOOST_AUTO_TEST_CASE(host_port_and_unique_id_make_a_member) {
  Table t;
  BOOST_TEST(!t.goodbye(at(0), 12, 4000));
  BOOST_TEST(!t.beat(at(1), 11, 4001));
  BOOST_TEST(t.members.report(at(1)).size() == 2U);
}

BOOST_AUTO_TEST_CASE(what_is_reported) {
  Table t;
  BOOST_TEST(!t.beat(at(-500), 1));
  BOOST_TEST(!t.beat(at(0), 2));
  BOOST_TEST((t.only(at(0)).interval == std::nullopt));
  BOOST_TEST(!t.beat(at(500), 3));
  const MemberReport report = t.only(at(700));
  BOOST_TEST(report.group == "tomcat");
  BOOST_TEST(report.identity.name() == "10.0.0.7:4000");
  BOOST_TEST(report.domain == "domain");
  BOOST_TEST((report.origin == Origin::remote));
  BOOST_TEST(report.via == "b");
  BOOST_TEST((report.alive == milliseconds(1234)));
  BOOST_TEST((report.since_heartbeat == milliseconds(200)));
  BOOST_TEST((report.interval == milliseconds(500)));
  BOOST_TEST(report.gaps == 0U);
}

BOOST_AUTO_TEST_CASE(states_through_a_life) {
  struct Step {
    int ms;
    MemberState state;
  };
  const Step steps[] = {{100, MemberState::alive}, {1000, MemberState::alive},
                        {1001, MemberState::late}, {3000, MemberState::late},
                        {3001, MemberState::lost}, {3600000, MemberState::lost}};
  Table t;
  BOOST_TEST(!t.beat(at(0), 1));
  BOOST_TEST(t.count(EventKind::member_joined) == 1U);
  for (const Step& step : steps) {
    t.members.sweep(at(step.ms), t.events);
    BOOST_TEST((t.only(at(step.ms)).state == step.state), step.ms);
  }
  BOOST_TEST(t.count(EventKind::member_lost) == 1U);
  t.members.sweep(at(3600001), t.events);
  BOOST_TEST(t.members.empty());
  BOOST_TEST(t.count(EventKind::member_lost) == 1U);
}

BOOST_AUTO_TEST_CASE(events_tell_changes_only) {
  Table t;
  for (int i = 0; i < 5; ++i) BOOST_TEST(!t.beat(at(500 * i), static_cast<std::uint64_t>(i)));
  BOOST_TEST(t.count(EventKind::member_joined) == 1U);
  BOOST_TEST(!t.goodbye(at(2500), 10));
  BOOST_TEST(!t.goodbye(at(2501), 11));
  BOOST_TEST(t.count(EventKind::member_left) == 1U);
  BOOST_TEST(!t.beat(at(3000), 12));
  BOOST_TEST(t.count(EventKind::member_joined) == 2U);
  t.members.sweep(at(6001), t.events);
  BOOST_TEST(!t.beat(at(7000), 13));
  BOOST_TEST(t.count(EventKind::member_lost) == 1U);
  BOOST_TEST(t.count(EventKind::member_joined) == 3U);
}

BOOST_AUTO_TEST_CASE(gaps_are_silences_of_two_intervals) {
  Table t;
  std::uint64_t counter = 0;
  for (int i = 0; i < 10; ++i) BOOST_TEST(!t.beat(at(500 * i), ++counter));
  BOOST_TEST(t.only(at(4500)).gaps == 0U);
  BOOST_TEST(!t.beat(at(5500), ++counter));
  BOOST_TEST(t.only(at(5500)).gaps == 0U);  // exactly two intervals: one was lost
  BOOST_TEST(!t.beat(at(8000), ++counter));
  BOOST_TEST(t.only(at(8000)).gaps == 1U);
}

BOOST_AUTO_TEST_CASE(the_interval_follows_the_member) {
  Table t;
  std::uint64_t counter = 0;
  for (int i = 0; i < 100; ++i) BOOST_TEST(!t.beat(at(200 * i), ++counter));
  const Duration interval = *t.only(at(19800)).interval;
  BOOST_TEST((interval > milliseconds(199) && interval < milliseconds(210)));
  BOOST_TEST((t.only(at(19800 + 300)).state == MemberState::alive));
  BOOST_TEST((t.only(at(19800 + 450)).state == MemberState::late));
}

// Tomcat's sender begins with two heartbeats within milliseconds; once such a member was late for
// good.
BOOST_AUTO_TEST_CASE(a_tomcat_heard_from_its_first_beats_on_is_not_late) {
  Table t;
  std::uint64_t counter = 0;
  BOOST_TEST(!t.beat(at(0), ++counter));
  for (int i = 0; i < 20; ++i) BOOST_TEST(!t.beat(at(20 + 500 * i), ++counter));
  const MemberReport report = t.only(at(20 + 500 * 19 + 600));
  BOOST_TEST((report.state == MemberState::alive));
  BOOST_TEST((report.interval == milliseconds(500)));
  BOOST_TEST(report.gaps == 0U);
}

BOOST_AUTO_TEST_CASE(a_member_that_slows_down_is_learned) {
  Table t;
  std::uint64_t counter = 0;
  int ms = 0;
  for (int i = 0; i < 10; ++i) BOOST_TEST(!t.beat(at(ms += 100), ++counter));
  for (int i = 0; i < 40; ++i) BOOST_TEST(!t.beat(at(ms += 1000), ++counter));
  const MemberReport report = t.only(at(ms + 1200));
  BOOST_TEST((report.state == MemberState::alive));
  BOOST_TEST(report.gaps < 20U);
}

BOOST_AUTO_TEST_CASE(a_huge_alive_time_is_bounded) {
  Members members;
  std::vector<Event> events;
  tribes::MemberView member;
  member.host = kHost;
  member.alive_milliseconds = ~std::uint64_t{0};
  BOOST_TEST(!members
                  .see(kStart,
                       {"g", seconds(3), member, kSource, kGroup, kStart, Origin::local, "", {}},
                       events)
                  .refused);
  BOOST_TEST((members.report(kStart).front().alive > Duration::zero()));
}

BOOST_AUTO_TEST_CASE(the_table_is_bounded_and_newcomers_pass_unlisted_and_counted) {
  Table t;
  for (std::uint32_t port = 0; port < kMaxMembers; ++port) {
    BOOST_TEST_REQUIRE(!t.beat(at(0), 1, port));
  }
  BOOST_TEST(t.members.unlisted() == 0U);
  BOOST_TEST(!t.beat(at(1), 1, 9999));
  BOOST_TEST(t.members.report(at(1)).size() == kMaxMembers);
  BOOST_TEST(t.members.unlisted() == 1U);
  // Who is listed stays so.
  BOOST_TEST(!t.beat(at(2), 2, 7));
  BOOST_TEST(t.members.unlisted() == 1U);
}

BOOST_AUTO_TEST_CASE(a_group_that_goes_takes_its_members_along) {
  Table t;
  BOOST_TEST(!t.beat(at(0), 1));
  t.members.forget_group("other");
  BOOST_TEST(!t.members.empty());
  t.members.forget_group("tomcat");
  BOOST_TEST(t.members.empty());
}

// Property: whatever the order of arrival, a member is listed as left exactly when the latest
// datagram by counter that came is a shutdown, and nothing from before one is let through.
BOOST_AUTO_TEST_CASE(any_order_of_arrival) {
  test::Random random;
  for (int round = 0; round < 500; ++round) {
    struct Sent {
      std::uint64_t counter;
      bool shutdown;
    };
    std::vector<Sent> sent;
    for (std::uint64_t c = 0; c < 8; ++c) sent.push_back({c, random.below(3) == 0});
    random.shuffle(sent);
    Table t;
    std::optional<Sent> latest;
    std::optional<std::uint64_t> last_goodbye;
    for (const Sent& one : sent) {
      const auto reason = one.shutdown ? t.goodbye(at(1), one.counter) : t.beat(at(1), one.counter);
      if (!one.shutdown && last_goodbye && one.counter < *last_goodbye) {
        BOOST_TEST_REQUIRE((reason == Reason::held_after_shutdown));
      }
      if (!reason && one.shutdown) last_goodbye = std::max(last_goodbye.value_or(0), one.counter);
      if (!latest || one.counter > latest->counter) latest = one;
      const bool left = t.only(at(1)).state == MemberState::left;
      BOOST_TEST_REQUIRE(left == latest->shutdown);
    }
  }
}
