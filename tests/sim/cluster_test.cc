// Three sites with four members each, and larger meshes, through what networks do.
#define BOOST_TEST_MODULE sim_cluster
#include <algorithm>
#include <array>
#include <boost/test/unit_test.hpp>
#include <cstdlib>

#include "seal/keyring.h"
#include "simulation.h"
#include "unit/figure.h"

using namespace tribecast;
using sim::Simulation;

namespace {

// TRIBECAST_SIM_SEED runs one failing seed again.
std::uint64_t seed_of(std::uint64_t usual) {
  const char* given = std::getenv("TRIBECAST_SIM_SEED");
  return given == nullptr ? usual : std::strtoull(given, nullptr, 10);
}

// How long the weather lasts: ten minutes, or TRIBECAST_SIM_HOURS.
Duration weather_time() {
  const char* given = std::getenv("TRIBECAST_SIM_HOURS");
  if (given == nullptr) return std::chrono::minutes(10);
  return std::chrono::hours(std::atoi(given));
}

void start_all(Simulation& s, std::size_t members) {
  for (std::size_t h = 0; h < s.hosts(); ++h) s.start_agent(h);
  s.run_for(milliseconds(200));
  for (std::size_t h = 0; h < s.hosts(); ++h) {
    for (std::size_t i = 0; i < members; ++i) s.start_tomcat(h, i);
  }
}

void check_faults(const Simulation& s) {
  for (const std::string& fault : s.faults) BOOST_ERROR(fault);
}

// Three sites with four members each, for hours.
void check_no_false_drop(Simulation& s, Duration time = weather_time()) {
  start_all(s, 4);
  s.run_for(seconds(10));
  BOOST_TEST(s.complete());
  s.judging = true;
  s.run_for(time);
  BOOST_TEST(s.false_drops == 0U);
  test::figure("loss ", s.weather.loss * 100, " %, copies = ", s.copies, ", ",
               to_seconds(time) / 3600, " simulated hours, 3 sites x 4 members: ", s.false_drops,
               " false drops, seed ", s.seed());
  check_faults(s);
}

relay::PeerState state_of(const Simulation& s, std::size_t host, const std::string& peer) {
  const relay::Report report = s.report(host);
  return std::ranges::find(report.peers, peer, &relay::PeerReport::name)->state;
}

struct Sodium {
  Sodium() { BOOST_REQUIRE(seal::initialise()); }
};

}  // namespace

BOOST_TEST_GLOBAL_FIXTURE(Sodium);

BOOST_AUTO_TEST_CASE(a_cluster_forms_within_a_heartbeat) {
  Simulation s(seed_of(1), 3, 4);
  start_all(s, 4);
  s.run_for(milliseconds(600));
  BOOST_TEST(s.complete());
  check_faults(s);
}

BOOST_AUTO_TEST_CASE(one_local_datagram_makes_one_sealed_datagram_per_live_peer_and_no_loop) {
  Simulation s(seed_of(2), 3, 4);
  start_all(s, 4);
  s.run_for(seconds(60));
  for (std::size_t h = 0; h < 3; ++h) {
    const auto group = s.report(h).groups.front().counters;
    BOOST_TEST(group.relayed == 2 * group.captured);
    BOOST_TEST(group.injected == group.received);
    BOOST_TEST(group.dropped[Reason::echo] == group.injected);
    BOOST_TEST(group.captured <= 4 * 2 * 61U);
    BOOST_TEST(group.captured >= 4 * 2 * 59U);
  }
  check_faults(s);
}

BOOST_AUTO_TEST_CASE(no_false_drop_in_100_hours_at_one_percent_loss) {
  Simulation s(seed_of(3), 3, 4);
  s.weather = {0.01, 0.001, milliseconds(12), milliseconds(8)};
  check_no_false_drop(s);
  BOOST_TEST(s.complete());
}

BOOST_AUTO_TEST_CASE(reorder_and_duplication_inject_each_heartbeat_once) {
  Simulation s(seed_of(4), 3, 4);
  s.weather = {0, 0.3, milliseconds(5), milliseconds(400)};
  start_all(s, 4);
  s.run_for(seconds(5));
  s.judging = true;
  // At the start data may overtake its key; never again, through two renewals of all keys.
  std::array<std::uint64_t, 3> unopened{};
  for (std::size_t h = 0; h < 3; ++h) unopened[h] = s.report(h).drops[Reason::forged];
  s.run_for(seconds(300));
  for (std::size_t h = 0; h < 3; ++h) {
    const auto report = s.report(h);
    const auto group = report.groups.front().counters;
    BOOST_TEST(group.received <= 2 * group.captured);
    BOOST_TEST(group.received >= 2 * group.captured - 40);
    BOOST_TEST(report.drops[Reason::forged] == unopened[h]);
  }
  check_faults(s);
}

BOOST_AUTO_TEST_CASE(a_partition_heals_without_stale_heartbeats) {
  Simulation s(seed_of(5), 3, 4);
  start_all(s, 4);
  s.run_for(seconds(10));
  s.partition({0});
  s.run_for(seconds(60));
  BOOST_TEST(s.view_size(0, 0) == 3U);
  BOOST_TEST(s.view_size(1, 0) == 7U);
  s.heal();
  s.run_for(seconds(2));
  BOOST_TEST(s.complete());
  check_faults(s);
}

BOOST_AUTO_TEST_CASE(an_agent_that_restarts_relays_both_ways_within_a_second) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    Simulation s(seed_of(600 + seed), 3, 4);
    start_all(s, 4);
    s.run_for(seconds(10) + milliseconds(static_cast<int>(seed) * 53));
    s.judging = true;
    s.kill_agent(1);
    s.run_for(milliseconds(700));
    s.start_agent(1);
    s.run_for(seconds(1));
    const auto at_restarted = s.report(1).groups.front().counters;
    const auto at_other = s.report(0).groups.front().counters;
    s.run_for(milliseconds(600));
    BOOST_TEST(s.report(1).groups.front().counters.injected >= at_restarted.injected + 8);
    BOOST_TEST(s.report(0).groups.front().counters.injected >= at_other.injected + 8);
    s.run_for(seconds(20));
    BOOST_TEST(s.complete());
    check_faults(s);
  }
}

BOOST_AUTO_TEST_CASE(dead_members_leave_every_view_in_time_and_stopped_ones_at_once) {
  Simulation s(seed_of(7), 3, 4);
  s.weather = {0.01, 0.05, milliseconds(12), milliseconds(30)};
  start_all(s, 4);
  s.run_for(seconds(10));
  s.judging = true;
  for (int round = 0; round < 20; ++round) {
    const auto host = static_cast<std::size_t>(round % 3);
    s.kill_tomcat(host, 1);
    s.run_for(seconds(6));
    s.start_tomcat(host, 1);
    s.run_for(seconds(3));
  }
  s.weather = {0, 0, milliseconds(12), milliseconds(30)};
  s.stop_tomcat(2, 3);
  s.run_for(milliseconds(60));
  BOOST_TEST(s.view_size(0, 0) == 10U);
  BOOST_TEST(s.complete());
  check_faults(s);
}

BOOST_AUTO_TEST_CASE(a_dead_process_leaves_every_view_within_a_moment) {
  Simulation s(seed_of(11), 3, 4);
  s.weather = {0, 0, milliseconds(12), milliseconds(8)};
  start_all(s, 4);
  s.run_for(seconds(10));
  s.judging = true;
  s.kill_tomcat(0, 1);
  s.run_for(milliseconds(50));
  BOOST_TEST(s.complete());
  // Killed and back before anybody's drop time: no ghost.
  s.kill_tomcat(1, 2);
  s.start_tomcat(1, 2);
  s.run_for(milliseconds(600));
  BOOST_TEST(s.complete());
  check_faults(s);
}

BOOST_AUTO_TEST_CASE(who_died_while_its_agent_was_away_leaves_when_the_agent_is_back) {
  Simulation s(seed_of(12), 3, 4);
  start_all(s, 4);
  s.run_for(seconds(10));
  s.kill_agent(0);
  s.run_for(milliseconds(200));
  s.kill_tomcat(0, 1);  // never heard of again
  s.kill_tomcat(0, 2);
  s.start_tomcat(0, 2);  // a new life on the same port
  s.run_for(milliseconds(200));
  s.start_agent(0);
  s.run_for(milliseconds(1200));
  BOOST_TEST(s.complete());
  check_faults(s);
}

BOOST_AUTO_TEST_CASE(a_host_that_is_gone_leaves_within_1400_ms_and_returns_within_a_second) {
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    Simulation s(seed_of(1300 + seed), 3, 4);
    s.weather = {0, 0, microseconds(300), microseconds(200)};
    start_all(s, 4);
    s.run_for(seconds(10) + milliseconds(static_cast<int>(seed) * 71));
    s.partition({0});
    s.run_for(milliseconds(1400));
    BOOST_TEST(s.view_size(1, 0) == 7U);
    BOOST_TEST(s.view_size(0, 0) == 3U);
    s.run_for(seconds(20));
    s.heal();
    s.run_for(seconds(1));
    BOOST_TEST(s.complete());
    check_faults(s);
  }
}

BOOST_AUTO_TEST_CASE(no_live_member_is_told_to_have_left) {
  for (const bool firewall : {false, true}) {
    Simulation s(seed_of(14), 3, 4);
    s.firewall_rejects = firewall;
    s.weather = {0.3, 0.05, milliseconds(12), milliseconds(30)};
    start_all(s, 4);
    s.run_for(seconds(10));
    for (int round = 0; round < 30; ++round) {
      const auto host = static_cast<std::size_t>(round % 3);
      s.kill_agent(host);
      s.run_for(milliseconds(500 + 300 * (round % 7)));
      s.start_agent(host);
      s.run_for(seconds(3));
      s.freeze_agent((host + 1) % 3, true);
      s.run_for(milliseconds(1000 + 500 * (round % 5)));
      s.freeze_agent((host + 1) % 3, false);
      s.run_for(seconds(2));
    }
    BOOST_TEST(s.wrong_goodbyes == 0U);
    check_faults(s);
  }
}

BOOST_AUTO_TEST_CASE(no_false_drop_in_100_hours_at_twenty_percent_loss_with_two_copies) {
  Simulation s(seed_of(15), 3, 4);
  s.copies = 2;
  s.weather = {0.2, 0.001, milliseconds(12), milliseconds(8)};
  check_no_false_drop(s);
}

// The fewest datagrams that there can be: one member each, all sent once. An agent without any is
// as quiet, but has nobody to be asked for. Then a cut, at another time of the probes' period in
// each round: silent within 2 s of what was heard last.
BOOST_AUTO_TEST_CASE(at_thirty_percent_loss_no_peer_flaps_and_silence_is_shown_within_two_seconds) {
  using relay::EventKind;
  constexpr Duration kWay = milliseconds(12 + 8);
  const std::uint64_t last = std::getenv("TRIBECAST_LONG") != nullptr ? 19 : 17;
  for (std::uint64_t seed = 17; seed <= last; ++seed) {
    Simulation s(seed_of(seed), 3, 1);
    s.weather = {0.3, 0.001, milliseconds(12), milliseconds(8)};
    start_all(s, 1);
    s.run_for(seconds(60));
    s.events.clear();
    s.run_for(weather_time());
    test::figure("loss 30 %, 3 agents with a member each, ", to_seconds(weather_time()) / 3600,
                 " hours: ", s.events[EventKind::peer_silent], " times silent, ",
                 s.events[EventKind::peer_away], " times away, ", s.events[EventKind::peer_up],
                 " times up, seed ", s.seed());
    BOOST_TEST(s.events[EventKind::peer_silent] == 0U);
    BOOST_TEST(s.events[EventKind::peer_away] == 0U);
    BOOST_TEST(s.events[EventKind::peer_up] == 0U);

    for (int round = 0; round < 20; ++round) {
      s.events.clear();
      s.partition({0});
      s.run_for(relay::kSilentTime + kWay + milliseconds(1));
      for (const std::size_t host : {1U, 2U}) {
        BOOST_TEST((state_of(s, host, "host0") == relay::PeerState::silent));
      }
      s.run_for(relay::kDoubtInterval);
      BOOST_TEST(s.events[EventKind::peer_silent] == 4U);  // each side tells of the others
      s.heal();
      s.run_for(seconds(10) + milliseconds(23 * round));
      for (const std::size_t host : {1U, 2U}) {
        BOOST_TEST((state_of(s, host, "host0") != relay::PeerState::silent));
      }
    }
    check_faults(s);
  }
}

// A tenth of the time, but for the long form.
BOOST_AUTO_TEST_CASE(no_false_drop_in_100_hours_at_ten_and_thirty_percent_loss_with_copies) {
  const bool is_long = std::getenv("TRIBECAST_LONG") != nullptr;
  const Duration time = weather_time() / (is_long ? 1 : 10);
  for (const auto& [loss, copies] : {std::pair{0.1, 2U}, std::pair{0.3, 3U}}) {
    Simulation s(seed_of(16), 3, 4);
    s.copies = copies;
    s.weather = {loss, 0.001, milliseconds(12), milliseconds(8)};
    check_no_false_drop(s, time);
  }
}

// An hour forth and back, and a leap second, on one of three hosts.
BOOST_AUTO_TEST_CASE(steps_of_the_wall_clock_change_nothing) {
  Simulation s(seed_of(17), 3, 4);
  start_all(s, 4);
  s.run_for(seconds(10));
  s.judging = true;
  const Duration hour = std::chrono::hours(1);
  std::size_t seen = 0;
  for (const Duration step :
       {hour, Duration::zero(), -hour, Duration(seconds(1)), Duration::zero()}) {
    s.set_wall_clock(1, step);
    s.run_for(seconds(20));
    for (const relay::PeerReport& peer : s.report(0).peers) {
      if (peer.name == "host1" && abs(*peer.clock_offset - step) < milliseconds(5)) ++seen;
    }
  }
  BOOST_TEST(s.complete());
  BOOST_TEST(seen == 5U);
  BOOST_TEST(s.false_drops == 0U);
  const auto group = s.report(0).groups.front().counters;
  BOOST_TEST(group.dropped[Reason::stale] == 0U);
  test::figure("wall clock an hour forth and back, leap second: ", s.false_drops, " false drops, ",
               group.dropped[Reason::stale], " of ", group.received, " heartbeats stale, ", seen,
               " of 5 steps shown, seed ", s.seed());
  check_faults(s);
}

BOOST_AUTO_TEST_CASE(nothing_stale_is_injected_after_an_agent_stood_still) {
  for (const std::size_t frozen : {std::size_t{0}, std::size_t{1}}) {
    Simulation s(seed_of(8), 2, 2);
    start_all(s, 2);
    s.run_for(seconds(10));
    s.freeze_agent(frozen, true);
    s.run_for(seconds(5));
    s.freeze_agent(frozen, false);
    s.run_for(seconds(2));
    BOOST_TEST(s.complete());
    BOOST_TEST(s.report(frozen).drops[Reason::stale] > 0U);
    check_faults(s);
  }
}

BOOST_AUTO_TEST_CASE(of_a_recorded_hour_nothing_is_accepted_after_a_restart) {
  Simulation s(seed_of(9), 2, 2);
  s.record(true);
  start_all(s, 2);
  s.run_for(std::chrono::hours(1));
  s.record(false);
  // One side only restarts: the other still has its sessions and its data key.
  s.kill_agent(0);
  s.start_agent(0);
  s.run_for(seconds(5));
  const auto before = s.report(0).groups.front().counters;
  const std::size_t replayed = s.replay_recorded(0);
  BOOST_TEST(replayed > 20000U);
  const auto after = s.report(0).groups.front().counters;
  BOOST_TEST(after.received == before.received);
  BOOST_TEST(after.injected == before.injected);
  s.run_for(seconds(5));
  BOOST_TEST(s.complete());
  // And to the side that did not restart.
  const auto other_before = s.report(1).groups.front().counters;
  s.replay_recorded(1);
  BOOST_TEST(s.report(1).groups.front().counters.received == other_before.received);
  s.run_for(seconds(5));
  BOOST_TEST(s.complete());
  check_faults(s);
}

BOOST_AUTO_TEST_CASE(a_hundred_agents_form_one_cluster) {
  Simulation s(seed_of(10), 100, 1);
  s.weather = {0.01, 0, milliseconds(5), milliseconds(5)};
  start_all(s, 1);
  s.run_for(seconds(10));
  BOOST_TEST(s.complete());
  s.judging = true;
  s.run_for(seconds(20));
  for (std::size_t h = 0; h < 100; ++h) {
    const auto group = s.report(h).groups.front().counters;
    BOOST_TEST(group.captured <= 62U);
    BOOST_TEST(group.relayed <= 99 * group.captured);
  }
  check_faults(s);
}

BOOST_AUTO_TEST_CASE(a_roll_call_gets_every_view_through_loss_and_names_who_cannot_be_asked) {
  Simulation s(seed_of(31), 12, 1);
  s.weather.loss = 0.2;
  s.weather.duplicate = 0.1;
  s.weather.jitter = milliseconds(20);
  start_all(s, 1);
  s.run_for(seconds(10));
  s.kill_agent(11);
  s.run_for(seconds(5));
  const std::uint64_t before = s.datagrams;
  s.call_roll(0, seconds(3));
  s.run_for(seconds(4));
  std::size_t whole = 0;
  BOOST_TEST(s.roll_call.size() == 11U);
  for (const relay::PeerView& peer : s.roll_call) {
    const std::size_t host = std::stoul(peer.peer.substr(4));
    if (host == 11) {
      BOOST_TEST((peer.answer == relay::ViewAnswer::no_session));
      continue;
    }
    whole += peer.answer == relay::ViewAnswer::whole ? 1U : 0U;
    BOOST_TEST(peer.bytes == Simulation::view_of(host));
    BOOST_TEST((peer.age < seconds(4)));
  }
  BOOST_TEST(whole == 10U);
  test::figure("a roll call of 11 agents with 20 % loss: ", whole, " views whole, ",
               s.datagrams - before, " datagrams of all kinds in 4 s, seed ", s.seed());
  check_faults(s);
}
