// The Prometheus text: every line well formed, each series once, nothing of a peer's own text.
#define BOOST_TEST_MODULE control_metrics
#include <boost/test/unit_test.hpp>
#include <regex>
#include <set>
#include <sstream>

#include "control/metrics.h"
#include "status_fixture.h"

using namespace tribecast;
using namespace tribecast::control;

namespace {

bool has_line(const std::string& text, const std::string& line) {
  return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

Status with_everything() {
  Status s = cluster();
  s.peers[1].jitter_seconds = 0.001;
  s.peers[1].loss_in_ratio = 0.001;
  s.warnings = {{"clock_offset", "x"}, {"clock_offset", "y"}, {"agent_away", "z"}};
  s.discoveries.push_back({"aws", "dns", "web.internal", 3, 1, 30.0, "timeout"});
  return s;
}

}  // namespace

BOOST_AUTO_TEST_CASE(an_agent_that_is_away_is_one_sample) {
  BOOST_TEST(metrics_text(nullptr, {}) ==
             "# HELP tribecast_up 1 when the agent answered.\n# TYPE tribecast_up gauge\n"
             "tribecast_up 0\n");
}

BOOST_AUTO_TEST_CASE(what_a_status_holds) {
  const Status s = with_everything();
  const std::string text = metrics_text(&s, {1000, false});
  for (const char* line : {
           "tribecast_up 1",
           "tribecast_build_info{version=\"0.1.0\"} 1",
           "tribecast_uptime_seconds 273120",
           "tribecast_verdict{level=\"degraded\"} 1",
           "tribecast_verdict{level=\"ok\"} 0",
           "tribecast_warnings{id=\"clock_offset\"} 2",
           "tribecast_drops_total{reason=\"forged\"} 7",
           "tribecast_drops_total{reason=\"stale\"} 0",
           "tribecast_relay_latency_p99_seconds 0.0028",
           "tribecast_peer_up{peer=\"web-2\"} 1",
           "tribecast_peer_up{peer=\"web-3\"} 0",
           "tribecast_peer_state{peer=\"web-3\",state=\"silent\"} 1",
           "tribecast_peer_state{peer=\"web-1\",state=\"self\"} 1",
           "tribecast_peer_rtt_seconds{peer=\"web-2\"} 0.0121",
           "tribecast_peer_rtt_jitter_seconds{peer=\"web-2\"} 0.001",
           "tribecast_peer_loss_in_ratio{peer=\"web-2\"} 0.001",
           "tribecast_peer_loss_out_ratio{peer=\"web-2\"} 0.002",
           "tribecast_peer_clock_offset_seconds{peer=\"web-2\"} -8e-04",
           "tribecast_peer_mtu_bytes{peer=\"web-2\"} 1232",
           "tribecast_peer_key_id{peer=\"web-2\"} 2",
           "tribecast_peer_last_heard_timestamp_seconds{peer=\"web-3\"} 986",
           "tribecast_peer_datagrams_total{peer=\"web-2\",direction=\"sent\"} 10",
           "tribecast_peer_rejected_total{peer=\"web-2\",reason=\"stale\"} 3",
           "tribecast_group_interfaces{group=\"tomcat\"} 1",
           "tribecast_group_datagrams_total{group=\"tomcat\",stage=\"captured\"} 1234567",
           "tribecast_group_dropped_total{group=\"tomcat\",reason=\"not_heartbeat\"} 5",
           "tribecast_members{group=\"tomcat\",origin=\"remote\",state=\"lost\"} 1",
           "tribecast_members{group=\"tomcat\",origin=\"local\",state=\"lost\"} 0",
           "tribecast_discovery_peers{discovery=\"aws\"} 3",
           "tribecast_discovery_missing_peers{discovery=\"aws\"} 1",
           "tribecast_discovery_failed{discovery=\"aws\"} 1",
           "tribecast_discovery_last_answer_timestamp_seconds{discovery=\"aws\"} 970",
       }) {
    BOOST_TEST(has_line(text, line), line);
  }
  // Unknown is left out; self is no peer.
  BOOST_TEST(text.find("rtt_seconds{peer=\"web-3\"") == text.npos);
  BOOST_TEST(text.find("peer_up{peer=\"web-1\"") == text.npos);
  BOOST_TEST(text.find("10.0.0.2") == text.npos);
}

BOOST_AUTO_TEST_CASE(members_are_series_only_when_asked_for_and_each_once) {
  Status s = cluster();
  s.members.push_back(s.members[0]);  // the same address, another unique id
  s.members.back().state = MemberState::lost;
  const std::string text = metrics_text(&s, {1000, true});
  BOOST_TEST(has_line(text, "tribecast_member_up{group=\"tomcat\",member=\"10.0.0.1:4000\"} 1"));
  BOOST_TEST(has_line(text, "tribecast_member_up{group=\"tomcat\",member=\"10.0.0.3:4000\"} 0"));
  BOOST_TEST(has_line(text,
                      "tribecast_member_last_heartbeat_timestamp_seconds{group=\"tomcat\","
                      "member=\"10.0.0.1:4000\"} 999.69"));
}

BOOST_AUTO_TEST_CASE(lines_are_well_formed_and_series_are_unique) {
  const Status s = with_everything();
  const std::regex sample(
      R"re((tribecast_[a-z0-9_]+)(\{([a-z]+="([^"\\\n]|\\["\\])*",?)+\})? -?[0-9.e+-]+)re");
  const std::regex header(R"re(# (HELP|TYPE) (tribecast_[a-z0-9_]+) (.+))re");
  std::set<std::string> seen;
  std::string family;
  for (const std::string& line : lines_of(metrics_text(&s, {1e9, true}))) {
    std::smatch match;
    if (line.starts_with('#')) {
      BOOST_TEST(std::regex_match(line, match, header), line);
      family = match[2];
      BOOST_TEST(seen.insert(match[1].str() + " " + family).second, line);
      if (match[1] == "TYPE") {
        BOOST_TEST((match[3] == "counter") == family.ends_with("_total"), line);
      }
      continue;
    }
    BOOST_TEST(std::regex_match(line, match, sample), line);
    BOOST_TEST(match[1].str() == family, line);
    BOOST_TEST(seen.insert(line.substr(0, line.rfind(' '))).second, line);
  }
}

BOOST_AUTO_TEST_CASE(label_values_are_escaped) {
  Status s = with_peers({PeerState::up});
  s.peers[0].name = "a\"b\\c\nd\xff";
  const std::string text = metrics_text(&s, {});
  BOOST_TEST(has_line(text, "tribecast_peer_up{peer=\"a\\\"b\\\\c?d?\"} 1"), text);
}

BOOST_AUTO_TEST_CASE(no_key_and_no_text_of_a_peer_is_a_label) {
  Status s = with_everything();
  s.peers[1].site = "SITE-OF-THE-PEER";
  s.members[0].domain = "DOMAIN-OF-A-MEMBER";
  const std::string text = metrics_text(&s, {1000, true});
  for (const char* word : {"0a0b0c0d", "SITE", "DOMAIN", "abcd", "00ff"}) {
    BOOST_TEST(text.find(word) == text.npos, word);
  }
}

BOOST_AUTO_TEST_CASE(how_many_series_is_bounded_by_the_tables) {
  Status s = with_peers({});
  for (int i = 0; i < 100; ++i) {
    s.members.push_back(member("10.0.0.1", Origin::remote, MemberState::alive));
    s.members.back().port = static_cast<std::uint16_t>(4000 + i);
  }
  Status one = s;
  one.members.resize(1);
  BOOST_TEST(lines_of(metrics_text(&s, {})).size() == lines_of(metrics_text(&one, {})).size());
}
