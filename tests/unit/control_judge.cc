// The verdict, and what else is derived from a status.
#define BOOST_TEST_MODULE control_judge
#include <boost/test/unit_test.hpp>

#include "control/exit_code.h"
#include "control/summary.h"
#include "status_fixture.h"

using namespace tribecast;
using namespace tribecast::control;
using S = PeerState;

namespace {

std::string ids(const Verdict& verdict) {
  std::string out;
  for (const VerdictReason& r : verdict.reasons) out += r.id + (r.peer ? ":" + *r.peer : "") + " ";
  return out;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_source_of_peers_is_no_idleness) {
  Status status;
  status.discoveries.push_back({"web", "dns", "web.test", 0, 0, 1.0, std::nullopt});
  BOOST_TEST(name_of(judge(status).level) == name_of(Level::ok));
  status.warnings.push_back({"w", "something holds"});
  BOOST_TEST(name_of(judge(status).level) == name_of(Level::degraded));
}

BOOST_AUTO_TEST_CASE(all_peers_are_more_than_those_that_are_known) {
  Status status;
  status.discoveries.push_back({"web", "dns", "web.test", 0, 0, std::nullopt, "no"});
  BOOST_TEST(missing(status, {std::nullopt, 0}) == "discovery web has found nothing yet");
  BOOST_TEST(missing(status, {0, 0}) == "");
  status.discoveries[0].peers = 3;  // remembered
  BOOST_TEST(missing(status, {std::nullopt, 0}) == "");
  status.discoveries[0] = {"web", "dns", "web.test", 0, 0, 1.0, std::nullopt};
  BOOST_TEST(missing(status, {std::nullopt, 0}) == "");
}

BOOST_AUTO_TEST_CASE(verdicts) {
  struct Row {
    std::vector<PeerState> peers;
    bool warning;
    Level level;
    Exit exit;
    const char* ids;
  };
  for (const Row& row : {
           Row{{}, false, Level::idle, Exit::good, "no_peers "},
           Row{{}, true, Level::idle, Exit::good, "no_peers w "},
           Row{{S::self}, false, Level::ok, Exit::good, ""},
           Row{{S::up}, false, Level::ok, Exit::good, ""},
           Row{{S::self, S::up, S::up}, false, Level::ok, Exit::good, ""},
           Row{{S::self, S::up}, true, Level::degraded, Exit::degraded, "w "},
           Row{{S::up, S::silent}, false, Level::degraded, Exit::degraded, "peer_silent:b "},
           Row{{S::up, S::lossy}, false, Level::degraded, Exit::degraded, "peer_lossy:b "},
           Row{{S::lossy}, false, Level::degraded, Exit::degraded, "peer_lossy:a "},
           Row{{S::up, S::half_open_in, S::half_open_out},
               false,
               Level::degraded,
               Exit::degraded,
               "peer_half_open_in:b peer_half_open_out:c "},
           Row{{S::self, S::silent}, false, Level::critical, Exit::critical, "peer_silent:b "},
           Row{{S::key_rejected, S::stopped},
               true,
               Level::critical,
               Exit::critical,
               "peer_key_rejected:a peer_stopped:b w "},
       }) {
    Status status = with_peers(row.peers);
    if (row.warning) status.warnings.push_back({"w", "something holds"});
    const Verdict verdict = judge(status);
    BOOST_TEST(name_of(verdict.level) == name_of(row.level));
    BOOST_TEST((exit_code(verdict.level) == row.exit));
    BOOST_TEST(ids(verdict) == row.ids);
  }
}

BOOST_AUTO_TEST_CASE(reasons_in_words) {
  const Status status = cluster();
  BOOST_REQUIRE(status.verdict.reasons.size() == 1U);
  BOOST_TEST(status.verdict.reasons[0].text == "web-3 silent for 14 s");
  const Verdict never = judge(with_peers({S::silent}));
  BOOST_TEST(never.reasons[0].text == "a was never heard");
}

BOOST_AUTO_TEST_CASE(none_up_is_critical_all_up_is_good) {
  for (std::size_t up = 0; up <= 5; ++up) {
    std::vector<PeerState> states(5, S::silent);
    std::fill_n(states.begin(), up, S::up);
    const Level level = judge(with_peers(states)).level;
    BOOST_TEST((level == (up == 0 ? Level::critical : up == 5 ? Level::ok : Level::degraded)));
  }
}

BOOST_AUTO_TEST_CASE(summaries_count_who_is_there) {
  const Summary s = summarize(cluster());
  BOOST_TEST(s.peers == 2U);
  BOOST_TEST(s.peers_up == 1U);
  BOOST_TEST(s.members_local == 1U);
  BOOST_TEST(s.members_remote == 1U);
}

BOOST_AUTO_TEST_CASE(what_wait_misses) {
  struct Row {
    Goal goal;
    const char* missing;
  };
  for (const Row& row : {
           Row{{0, 0}, ""},
           Row{{1, 2}, ""},
           Row{{std::nullopt, 0}, "1 of 2 peers up (web-3 silent)"},
           Row{{2, 3}, "1 of 2 peers up (web-3 silent), 2 of 3 members seen"},
           Row{{0, 3}, "2 of 3 members seen"},
           Row{{3, 0}, "1 of 3 peers up (web-3 silent)"},
       }) {
    BOOST_TEST(missing(cluster(), row.goal) == row.missing);
  }
  BOOST_TEST(missing(with_peers({S::self}), {std::nullopt, 0}) == "");
  BOOST_TEST(missing(with_peers({S::silent, S::stopped, S::silent, S::lossy, S::disabled}),
                     {std::nullopt, 0}) == "1 of 5 peers up (a silent, b stopped, c silent, ...)");
}

BOOST_AUTO_TEST_CASE(samples_of_watch) {
  const Status before = cluster();
  Status now = before;
  now.drops.add(Reason::stale, 4);
  BOOST_TEST(sample(now, &before, 2).drops_per_second == 2.0);
  BOOST_TEST(sample(now, nullptr, 2).drops_per_second == 0.0);
  BOOST_TEST(sample(before, &now, 2).drops_per_second == 0.0);  // the agent was restarted
  BOOST_TEST(sample(now, &before, 1).worst == "web-3 silent for 14 s");
  now.verdict = {Level::ok, {}};
  BOOST_TEST(sample(now, &before, 1).worst == "web-2 12.1 ms");
}
