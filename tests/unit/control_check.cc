// The plugin's output: its state is the verdict's, unless limits say otherwise.
#define BOOST_TEST_MODULE control_check
#include <boost/test/unit_test.hpp>

#include "control/check.h"
#include "status_fixture.h"

using namespace tribecast;
using namespace tribecast::control;

namespace {

Exit state_of(Status s, const char* warning, const char* critical) {
  CheckLimits limits;
  if (*warning != 0) limits.warning = *parse_peer_limit(warning);
  if (*critical != 0) limits.critical = *parse_peer_limit(critical);
  s.verdict = judge(s);
  return check(s, limits).exit;
}

}  // namespace

BOOST_AUTO_TEST_CASE(without_limits_it_is_the_verdict) {
  using enum PeerState;
  for (const auto& states : std::vector<std::vector<PeerState>>{{},
                                                                {self},
                                                                {self, up, up},
                                                                {self, up, silent},
                                                                {up, lossy},
                                                                {lossy},
                                                                {silent, half_open_in},
                                                                {stopped},
                                                                {disabled, up},
                                                                {key_rejected, self}}) {
    for (const bool warned : {false, true}) {
      Status s = with_peers(states);
      if (warned) s.warnings.push_back({"kernel_drop", "drops"});
      s.verdict = judge(s);
      BOOST_TEST((check(s, {}).exit == exit_code(s.verdict.level)),
                 states.size() << " peers, " << name_of(s.verdict.level) << ", warned " << warned);
    }
  }
}

BOOST_AUTO_TEST_CASE(limits) {
  using enum PeerState;
  const Status four = with_peers({self, up, up, up, silent});
  const Status half = with_peers({up, up, silent, silent});
  BOOST_TEST((state_of(four, "", "") == Exit::degraded));
  BOOST_TEST((state_of(four, "2", "") == Exit::good));
  BOOST_TEST((state_of(four, "25%", "") == Exit::degraded));
  BOOST_TEST((state_of(four, "26%", "") == Exit::good));
  BOOST_TEST((state_of(four, "", "1") == Exit::critical));
  BOOST_TEST((state_of(half, "", "50%") == Exit::critical));
  BOOST_TEST((state_of(half, "", "51%") == Exit::degraded));
  BOOST_TEST((state_of(half, "3", "3") == Exit::good));
  Status warned = with_peers({up});
  warned.warnings.push_back({"kernel_drop", "drops"});
  BOOST_TEST((state_of(warned, "5", "5") == Exit::degraded));
}

BOOST_AUTO_TEST_CASE(limits_that_are_none) {
  for (const char* text : {"", "0", "-1", "1.5", "0%", "101%", "%", "1 ", "1000001", "x"}) {
    BOOST_TEST(!parse_peer_limit(text), text);
  }
  BOOST_TEST(parse_peer_limit("1000000")->number == 1000000U);
  BOOST_TEST(parse_peer_limit("100%")->percent);
}

BOOST_AUTO_TEST_CASE(the_text) {
  Status s = cluster();
  s.drops = {};
  BOOST_TEST(check_text(check(s, {})) ==
             "TRIBECAST WARNING - 1 of 2 peers up, 2 members: web-3 silent for 14 s | "
             "peers_up=1;2:;1:;0;2 members_local=1;;;0; members_remote=1;;;0; loss=0.2%;;;0;100 "
             "rtt_max=0.0121s;;;0; latency_p99=0.0028s;;;0; dropped=0c;;;0;\n"
             "web-3 silent for 14 s\n");
  BOOST_TEST(check_text(unknown_check("no agent\n    why: x")) == "TRIBECAST UNKNOWN - no agent\n");
  Status idle;
  idle.verdict = judge(idle);
  BOOST_TEST(check_text(check(idle, {}))
                 .starts_with("TRIBECAST OK - idle, no peer is configured yet, 0 members |"));
}

BOOST_AUTO_TEST_CASE(a_bar_of_a_name_begins_no_performance_data) {
  Status s = with_peers({PeerState::silent});
  s.peers[0].name = "a|b=1\n";
  s.verdict = judge(s);
  const std::string text = check_text(check(s, {}));
  BOOST_TEST(std::ranges::count(text, '|') == 1, text);
}

BOOST_AUTO_TEST_CASE(json) {
  const std::string text = check_json(check(cluster(), {}), "2026-01-01T00:00:00.000Z");
  for (const char* part : {"\"schema\": \"tribecast.check/1\"", "\"state\": \"WARNING\"",
                           "\"code\": 1", "\"peers_up=1;2:;1:;0;2\""}) {
    BOOST_TEST(text.find(part) != text.npos, part);
  }
}
