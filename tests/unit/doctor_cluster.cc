// Roll calls, judged: the machine and the direction at fault are named, once.
#define BOOST_TEST_MODULE doctor_cluster
#include <boost/test/unit_test.hpp>
#include <sstream>

#include "doctor/cluster.h"
#include "doctor/judges.h"
#include "doctor/mesh.h"

using namespace tribecast;
using namespace tribecast::doctor;
using control::CallAnswer;
using control::PeerState;

namespace {

std::string host_of(std::size_t i) { return "10.0." + std::to_string(i) + ".1"; }
std::string name_of(std::size_t i) { return std::string(1, static_cast<char>('a' + i)); }

// So many agents, each with a member that all see; asked by the first.
Facts cluster(std::size_t count) {
  Facts facts;
  facts.host = "a";
  for (std::size_t i = 0; i < count; ++i) {
    control::View view;
    view.status.node = {name_of(i), "", "000000000000000" + std::to_string(i), "1.0", 100, ""};
    view.groups = {{"tomcat", {*Address::parse("228.0.0.4"), 45564}, true, 3000}};
    for (std::size_t p = 0; p < count; ++p) {
      control::Peer peer;
      peer.name = name_of(p);
      peer.state = p == i ? PeerState::self : PeerState::up;
      peer.version = "1.0";
      peer.endpoint = host_of(p) + ":45565";
      if (p != i) peer.instance = "000000000000000" + std::to_string(p);
      view.status.peers.push_back(peer);
      control::Member member;
      member.group = "tomcat";
      member.host = host_of(p);
      member.port = 4000;
      member.unique_id = "0" + std::to_string(p);
      member.origin = p == i ? control::Origin::local : control::Origin::remote;
      member.via = p == i ? "eth0" : name_of(p);
      view.status.members.push_back(member);
      if (p != i) {
        view.ports.push_back({{*Address::parse(host_of(p)), 4000}, Outcome::accepted});
      }
    }
    facts.asked.push_back({i == 0 ? "" : name_of(i), CallAnswer::whole, view, 0.1});
  }
  return facts;
}

control::Status& status(Facts& facts, std::size_t i) { return facts.asked[i].view->status; }
control::Peer& sight(Facts& facts, std::size_t from, std::size_t of) {
  return status(facts, from).peers[of];
}

// Nothing from one to the other: the one is told that it is not heard, the other hears nothing.
void shut(Facts& facts, std::size_t from, std::size_t to) {
  sight(facts, from, to).state = PeerState::half_open_out;
  sight(facts, to, from).state = PeerState::silent;
  sight(facts, to, from).instance.reset();
}

std::vector<std::string> wrong(const Findings& findings) {
  std::vector<std::string> texts;
  for (const Finding& finding : findings) {
    if (finding.health != Health::good) texts.push_back(finding.text);
  }
  return texts;
}

void check_one(const std::vector<std::string>& texts, const std::string& words) {
  BOOST_TEST_REQUIRE(texts.size() == 1U);
  BOOST_TEST(texts[0].find(words) != std::string::npos, texts[0]);
}

}  // namespace

BOOST_AUTO_TEST_CASE(all_is_well) {
  const Facts facts = cluster(3);
  BOOST_TEST(wrong(judge_agents(facts)).empty());
  BOOST_TEST(wrong(judge_directions(facts)).empty());
  BOOST_TEST(wrong(judge_seen(facts)).empty());
  const auto table = cluster_of(facts, {"a", {}});
  BOOST_TEST(table.nodes.size() == 3U);
  BOOST_TEST(table.members.size() == 3U);
  BOOST_TEST(table.findings.empty());
  for (const auto& member : table.members) BOOST_TEST(member.seen_at.size() == 3U);
  const std::string text = control::cluster_text(table, {});
  BOOST_TEST(text.find("answers all") != text.npos);
}

BOOST_AUTO_TEST_CASE(one_direction_is_named_once) {
  Facts facts = cluster(3);
  shut(facts, 1, 2);
  std::erase_if(status(facts, 2).members, [](const auto& m) { return m.via == "b"; });
  std::erase_if(status(facts, 1).members, [](const auto& m) { return m.via == "c"; });
  check_one(wrong(judge_directions(facts)),
            "from b to c nothing gets through (UDP 45565); the other");
  BOOST_TEST(wrong(judge_seen(facts)).empty());  // that follows from it
  // As one side alone tells it, before the other has noticed.
  sight(facts, 1, 2).state = PeerState::up;
  check_one(wrong(judge_directions(facts)), "from b to c");
}

BOOST_AUTO_TEST_CASE(both_directions_are_two_findings) {
  Facts facts = cluster(3);
  sight(facts, 1, 2).state = sight(facts, 2, 1).state = PeerState::silent;
  const auto texts = wrong(judge_directions(facts));
  BOOST_TEST_REQUIRE(texts.size() == 2U);
  BOOST_TEST(texts[0].find("from b to c nothing gets through (UDP 45565); nor back") == 0U);
}

BOOST_AUTO_TEST_CASE(an_agent_that_nobody_hears_is_named_instead_of_every_way_to_it) {
  Facts facts = cluster(4);
  facts.asked[3] = {"d", CallAnswer::no_session, std::nullopt, 0};
  for (std::size_t i = 0; i < 3; ++i) sight(facts, i, 3).state = PeerState::silent;
  check_one(wrong(judge_directions(facts)), "nobody hears d, not a, b and c");
  sight(facts, 1, 3).state = PeerState::stopped;
  check_one(wrong(judge_directions(facts)), "the agent of d was stopped");
  sight(facts, 1, 3).state = PeerState::up;
  const auto texts = wrong(judge_directions(facts));
  BOOST_TEST_REQUIRE(texts.size() == 2U);
  BOOST_TEST(texts[0].find("from d to a") == 0U);
  BOOST_TEST(texts[1].find("from d to c") == 0U);
}

BOOST_AUTO_TEST_CASE(a_member_that_one_host_lacks) {
  Facts facts = cluster(3);
  std::erase_if(status(facts, 2).members, [](const auto& m) { return m.via == "a"; });
  check_one(wrong(judge_seen(facts)), "member 10.0.0.1:4000 of a is seen at a and b, but not at c");
  const auto table = cluster_of(facts, {"a", {}});
  BOOST_TEST(table.members[0].missing_at == std::vector<std::string>{"c"});
  // Not known, where the view was cut; not expected, where the group is not relayed.
  facts.asked[2].view->members_left_out = 1;
  BOOST_TEST(wrong(judge_seen(facts)).empty());
  facts.asked[2].view->members_left_out = 0;
  facts.asked[2].view->groups[0].endpoint.port = 45570;
  BOOST_TEST(wrong(judge_seen(facts)).empty());
}

BOOST_AUTO_TEST_CASE(agents_are_recognised_whatever_they_are_called) {
  Facts facts = cluster(3);
  // c calls the others by other names, and sees them at other addresses.
  for (const std::size_t peer : {0U, 1U}) {
    sight(facts, 2, peer).name = "x" + std::to_string(peer);
    sight(facts, 2, peer).endpoint = "192.0.2." + std::to_string(peer) + ":1";
    status(facts, 2).members[peer].via = "x" + std::to_string(peer);
  }
  BOOST_TEST(Mesh(facts.asked).nodes().size() == 3U);
  // A way that is shut has no instance: the address tells, which others know.
  facts = cluster(3);
  shut(facts, 0, 1);
  sight(facts, 1, 0).name = "y";
  check_one(wrong(judge_directions(facts)), "from a to b");
}

BOOST_AUTO_TEST_CASE(what_does_not_answer_is_told_apart) {
  Facts facts = cluster(2);
  facts.asked[1] = {"b", CallAnswer::none, std::nullopt, 0};
  check_one(wrong(judge_agents(facts)), "agent b, tribecast 1.0, does not answer");
  facts.asked[1].answer = CallAnswer::unfinished;
  check_one(wrong(judge_agents(facts)), "in part only");
  facts.asked[1].answer = CallAnswer::whole;
  check_one(wrong(judge_agents(facts)), "cannot read");
  facts.asked[1].answer = CallAnswer::no_session;
  BOOST_TEST((judge_agents(facts).at(0).health == Health::unknown));
}

BOOST_AUTO_TEST_CASE(the_checks_of_other_hosts) {
  Facts facts = cluster(3);
  facts.asked[1].view->ports[1].outcome = Outcome::refused;
  sight(facts, 1, 2).clock_offset_seconds = 4;
  const auto table = cluster_of(facts, {"a", {}});
  std::string ids;
  for (const auto& found : table.findings) ids += found.node + " " + found.finding.id + " ";
  BOOST_TEST(ids == "b TC026 b TC047 ");
  BOOST_TEST((control::exit_code({"a", {}}, table) == control::Exit::critical));
  std::istringstream lines(control::cluster_text(table, {}));
  for (std::string line; std::getline(lines, line);) BOOST_TEST(line.size() <= control::kColumns);
}

namespace {

// What the page gets: one agent, as it lies there.
std::string agent_json(const std::string& name, const std::string& rest) {
  return "{\"name\":\"" + name + "\"," + rest;
}
std::string matrix(const Facts& facts) {
  return control::matrix_json(cluster_of(facts.asked), "2026-11-20T08:00:00.000Z");
}
std::size_t count(const std::string& text, const std::string& word) {
  std::size_t n = 0;
  for (std::size_t at = text.find(word); at != text.npos; at = text.find(word, at + 1)) ++n;
  return n;
}
bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

constexpr const char* kUp =
    R"({"state":"up","rtt_seconds":null,"loss_in_ratio":null,"loss_out_ratio":null})";

}  // namespace

BOOST_AUTO_TEST_CASE(the_matrix_has_what_each_says_of_the_others) {
  Facts facts = cluster(3);
  sight(facts, 0, 1).rtt_seconds = 0.25;
  sight(facts, 0, 1).loss_in_ratio = 0.5;
  sight(facts, 0, 1).loss_out_ratio = 0.125;
  facts.asked[2] = {"c", CallAnswer::none, std::nullopt, 0};
  sight(facts, 0, 2).state = PeerState::silent;
  const std::string json = matrix(facts);
  const std::string up = kUp;
  BOOST_TEST(has(json,
                 "\"sees\":[null,{\"state\":\"up\",\"rtt_seconds\":0.25,\"loss_in_ratio\":0.5,"
                 "\"loss_out_ratio\":0.125},{\"state\":\"silent\""),
             json);
  BOOST_TEST(has(json, "\"sees\":[" + up + ",null," + up + "]"), json);
  BOOST_TEST(has(json, agent_json("c", "\"peer\":\"c\",\"answer\":\"no_answer\"")), json);
  BOOST_TEST(count(json, "\"sees\":null") == 1U);
  BOOST_TEST(has(json, "\"left_out\":0"));
  BOOST_TEST(!has(json, "checks"));
}

BOOST_AUTO_TEST_CASE(whatever_they_call_each_other_it_is_one_column) {
  Facts facts = cluster(3);
  for (const std::size_t peer : {0U, 1U}) sight(facts, 2, peer).name = "x" + std::to_string(peer);
  const std::string up = kUp;
  const std::string json = matrix(facts);
  BOOST_TEST(count(json, "\"name\":") == 3U);
  BOOST_TEST(has(json, "\"sees\":[" + up + "," + up + ",null]"), json);
}

BOOST_AUTO_TEST_CASE(odd_views_in_the_matrix) {
  // Two of one name stay two; one says nothing of anybody; one tells an instance that nobody has.
  Facts facts = cluster(4);
  status(facts, 1).node.name = status(facts, 2).node.name = "a\xff\"<b>";
  status(facts, 3).peers.clear();
  sight(facts, 1, 2).instance = "ffffffffffffffff";
  sight(facts, 1, 2).endpoint.reset();
  sight(facts, 1, 2).name = "ghost";
  const std::string json = matrix(facts);
  BOOST_TEST(count(json, "\"name\":") == 5U);
  BOOST_TEST(has(json, "\"name\":\"ghost\",\"peer\":null,\"answer\":null"), json);
  BOOST_TEST(count(json, "\"name\":\"a\xef\xbf\xbd\\\"<b>\"") == 2U, json);
  BOOST_TEST(has(json, "\"sees\":[null,null,null,null,null]"), json);
  // Nobody at all, and an agent that cannot read its own view.
  BOOST_TEST(has(control::matrix_json(cluster_of(std::vector<AskedAgent>{}), ""), "\"agents\":[]"));
  const std::vector<AskedAgent> mute = {{"", CallAnswer::whole, std::nullopt, 0}};
  BOOST_TEST(has(control::matrix_json(cluster_of(mute), ""), "\"sees\":null"));
}

BOOST_AUTO_TEST_CASE(a_view_with_many_peers_costs_the_page_no_more_than_its_limit) {
  Facts facts = cluster(2);
  for (std::size_t i = 0; i < 3000; ++i) {
    control::Peer peer;
    peer.name = "p" + std::to_string(i);
    peer.state = PeerState::up;
    status(facts, 1).peers.push_back(peer);
  }
  status(facts, 1).peers.back().state = PeerState::lossy;
  const std::string json = matrix(facts);
  BOOST_TEST(count(json, "\"name\":") == control::kMostOnPage);
  BOOST_TEST(has(json, "\"left_out\":2938"), json.substr(json.size() - 40));
  BOOST_TEST(has(json, "\"name\":\"p2999\""));  // what is not up is shown
  BOOST_TEST(count(json, "{\"state\":") <= control::kMostOnPage * control::kMostOnPage);
}

BOOST_AUTO_TEST_CASE(why_nobody_was_asked) {
  const control::Failure failure{control::Exit::no_permission, "no permission"};
  BOOST_TEST(has(control::matrix_json(failure, ""), "\"error\":\"no permission\""));
}
