// JSON, written and read: the fields of the contract, null for unknown, unknown keys ignored.
#define BOOST_TEST_MODULE control_json
#include <boost/test/unit_test.hpp>

#include "control/json.h"
#include "status_fixture.h"

using namespace tribecast;
using namespace tribecast::control;

namespace {

constexpr std::string_view kNow = "2026-11-20T08:00:00.123Z";

// The text without the blanks of its indentation.
std::string squeezed(const std::string& text) {
  std::string out;
  bool quoted = false;
  for (const char c : text) {
    if (c == '"') quoted = !quoted;
    if (quoted || (c != ' ' && c != '\n')) out += c;
  }
  return out;
}

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

BOOST_AUTO_TEST_CASE(times_are_rfc_3339_in_utc) {
  using namespace std::chrono;
  struct Row {
    std::int64_t ms;
    const char* text;
  };
  for (const Row& row :
       {Row{0, "1970-01-01T00:00:00.000Z"}, Row{1795161600123, "2026-11-20T08:00:00.123Z"},
        Row{951782399999, "2000-02-28T23:59:59.999Z"}, Row{-1, "1969-12-31T23:59:59.999Z"}}) {
    BOOST_TEST(rfc3339(system_clock::time_point(milliseconds(row.ms))) == row.text);
  }
}

BOOST_AUTO_TEST_CASE(a_status_field_by_field) {
  const std::string text = squeezed(status_json(cluster(), kNow));
  for (const char* part : {
           "{\"schema\":\"tribecast.status/1\",\"generated_at\":\"2026-11-20T08:00:00.123Z\",",
           "\"node\":{\"name\":\"web-1\",\"site\":\"hall 3\",\"instance\":\"00ff\","
           "\"version\":\"0.1.0\",\"uptime_seconds\":273120.0,\"death_watch\":\"sock_diag\"}",
           "\"verdict\":{\"level\":\"degraded\",\"reasons\":[{\"id\":\"peer_silent\","
           "\"text\":\"web-3 silent for 14 s\",\"peer\":\"web-3\"}]}",
           "{\"name\":\"web-2\",\"site\":\"hall 4\",\"version\":\"0.9\",\"state\":\"up\","
           "\"instance\":null,\"agentless\":false,\"endpoint\":\"172.16.0.12:45565\",\"rtt_"
           "seconds\":0.0121,"
           "\"jitter_seconds\":null,\"loss_ratio\":0.002,\"loss_in_ratio\":null,"
           "\"loss_out_ratio\":0.002,"
           "\"clock_offset_seconds\":-0.0008,\"mtu_bytes\":1232,\"last_heard_seconds\":0.2,"
           "\"key_id\":2,\"heard_key_id\":1,\"keys\":[{\"id\":2,\"fingerprint\":\"0a0b0c0d\","
           "\"primary\":true},{\"id\":1,\"fingerprint\":\"01020304\",\"primary\":false}],"
           "\"datagrams\":{\"sent\":10,\"received\":9,\"rejected\":{\"forged\":0,\"replayed\":0,"
           "\"stale\":3,",
           "{\"name\":\"web-1\",\"site\":\"\",\"version\":null,\"state\":\"self\",\"instance\":"
           "null,\"agentless\":"
           "false,\"endpoint\":"
           "null,"
           "\"rtt_seconds\":null,\"jitter_seconds\":null,\"loss_ratio\":null,"
           "\"loss_in_ratio\":null,\"loss_out_ratio\":null,\"clock_offset_seconds\":null,"
           "\"mtu_bytes\":null,\"last_heard_seconds\":null,",
           "\"groups\":[{\"name\":\"tomcat\",\"address\":\"228.0.0.4:45564\","
           "\"interfaces\":[\"eth0\"],\"captured\":1234567,\"relayed\":2,\"received\":3,"
           "\"injected\":4,\"dropped\":{",
           "{\"group\":\"tomcat\",\"host\":\"10.0.0.1\",\"port\":4000,\"unique_id\":\"abcd\","
           "\"domain\":\"\",\"origin\":\"local\",\"via\":\"eth0\",\"state\":\"alive\","
           "\"alive_seconds\":93600.0,\"last_heartbeat_seconds\":0.31,\"interval_seconds\":0.5,"
           "\"gaps\":0}",
           "\"latency_seconds\":{\"p50\":0.0009,\"p99\":0.0028,\"max\":0.0061}",
           "\"drops\":{\"forged\":7,",
           "\"rates\":{\"captured_per_second\":6.0,\"relayed_per_second\":18.0,"
           "\"injected_per_second\":12.0}",
           "\"warnings\":[]",
       }) {
    BOOST_TEST(contains(text, part), part);
  }
}

BOOST_AUTO_TEST_CASE(sources_of_peers) {
  Status status = cluster();
  status.peers[1].from = "web";
  status.discoveries.push_back({"web", "exec", "/x y", 3, 1, 12.5, std::nullopt});
  status.discoveries.push_back({"dns", "dns", "d.test", 0, 0, std::nullopt, "no"});
  const std::string text = to_json(status);
  for (const char* part :
       {"\"from\":\"web\"}", "\"from\":null}",
        "\"discovery\":[{\"name\":\"web\",\"kind\":\"exec\",\"source\":\"/x y\",\"peers\":3,"
        "\"missing\":1,\"last_answer_seconds\":12.5,\"error\":null},",
        "\"last_answer_seconds\":null,\"error\":\"no\"}]"}) {
    BOOST_TEST(contains(text, part), part);
  }
  BOOST_TEST(to_json(from_json(text)) == text);
}

BOOST_AUTO_TEST_CASE(counters_name_every_reason) {
  const std::string text = to_json(Status{});
  for (const ReasonEntry& entry : kReasons) {
    BOOST_TEST(contains(text, "\"" + std::string(entry.name) + "\":0"), entry.name);
  }
}

BOOST_AUTO_TEST_CASE(views_have_their_schema_and_one_table) {
  const Status s = cluster();
  struct Row {
    std::string text;
    const char* begin;
  };
  for (const Row& row : {Row{peers_json(s, "t"), "peers"}, Row{members_json(s, "t"), "members"},
                         Row{groups_json(s, "t"), "groups"}}) {
    const std::string name(row.begin);
    const std::string begin =
        "{\"schema\":\"tribecast." + name + "/1\",\"generated_at\":\"t\",\"" + name + "\":[{";
    BOOST_TEST(squeezed(row.text).starts_with(begin), row.text);
  }
}

BOOST_AUTO_TEST_CASE(a_status_survives_the_socket) {
  const std::string written = to_json(cluster());
  BOOST_TEST(to_json(from_json(written)) == written);
  const std::string line = status_reply(cluster());
  BOOST_TEST(line.find('\n') == line.size() - 1);
  const auto read = read_status_reply(line);
  BOOST_REQUIRE(bool(read));
  BOOST_TEST(to_json(*read) == written);
}

BOOST_AUTO_TEST_CASE(every_state_survives) {
  Status s;
  for (std::size_t i = 0; i < kPeerStates.size(); ++i) {
    s.peers.push_back(peer("p", static_cast<PeerState>(i)));
  }
  for (std::size_t i = 0; i < kMemberStates.size(); ++i) {
    s.members.push_back(member("h", Origin::remote, static_cast<MemberState>(i)));
  }
  const Status read = from_json(to_json(s));
  for (std::size_t i = 0; i < s.peers.size(); ++i) {
    BOOST_TEST((read.peers.at(i).state == s.peers[i].state));
  }
  for (std::size_t i = 0; i < s.members.size(); ++i) {
    BOOST_TEST((read.members.at(i).state == s.members[i].state));
  }
}

BOOST_AUTO_TEST_CASE(what_is_unknown_or_of_another_type_is_left_out) {
  for (const char* text :
       {"", "nonsense", "[]", "null", "7", "{}", "{\"peers\":7,\"node\":[],\"drops\":\"x\"}",
        "{\"node\":{\"uptime_seconds\":\"x\",\"name\":3},\"groups\":[7,{\"captured\":-1}]}"}) {
    const Status s = from_json(text);
    BOOST_TEST(s.node.name.empty(), text);
    BOOST_TEST(s.drops.total() == 0U, text);
  }
  const Status s = from_json(
      "{\"new_key\":{\"a\":1},\"peers\":[{\"name\":\"b\",\"state\":\"a new state\","
      "\"rtt_seconds\":null,\"more\":[]}],\"members\":[{\"port\":70000}]}");
  BOOST_REQUIRE(s.peers.size() == 1U);
  BOOST_TEST(s.peers[0].name == "b");
  BOOST_TEST(!s.peers[0].rtt_seconds.has_value());
  BOOST_TEST(s.members.at(0).port == 0U);
}

BOOST_AUTO_TEST_CASE(text_that_is_no_utf8_does_not_break_the_line) {
  Status s = cluster();
  s.members[0].domain = "\xff\xfe\n";
  const auto read = read_status_reply(status_reply(s));
  BOOST_REQUIRE(bool(read));
  BOOST_TEST(read->members.size() == 3U);
}

BOOST_AUTO_TEST_CASE(replies) {
  const auto pong = read_ping_reply(ping_reply({"b", "10.0.0.2:45565", 0.012}));
  BOOST_REQUIRE(bool(pong));
  BOOST_TEST(pong->peer == "b");
  BOOST_TEST(*pong->endpoint == "10.0.0.2:45565");
  BOOST_TEST(*pong->rtt_seconds == 0.012);
  const auto lost = read_ping_reply(ping_reply({"b", std::nullopt, std::nullopt}));
  BOOST_REQUIRE(bool(lost));
  BOOST_TEST(!lost->rtt_seconds.has_value());
  BOOST_TEST(*read_text_reply(text_reply("two\nlines")) == "two\nlines");
  const auto running = read_config_reply(config_reply({"[node]\n", "/etc/x.conf"}));
  BOOST_REQUIRE(bool(running));
  BOOST_TEST(running->text == "[node]\n");
  BOOST_TEST(running->file == "/etc/x.conf");
  BOOST_TEST(!read_config_reply(error_reply(Exit::critical, "no")));
  BOOST_TEST(error_reply(Exit::bad_config, "a \"b\"") ==
             "{\"ok\":false,\"exit\":65,\"error\":\"a \\\"b\\\"\"}\n");
  const auto refused = read_text_reply(error_reply(Exit::bad_config, "why"));
  BOOST_REQUIRE(!refused);
  BOOST_TEST((refused.error().code == Exit::bad_config));
  BOOST_TEST(refused.error().error == "why");
  const auto garbage = read_status_reply("HTTP/1.1 400");
  BOOST_REQUIRE(!garbage);
  BOOST_TEST((garbage.error().code == Exit::critical));
}

BOOST_AUTO_TEST_CASE(documents_of_the_other_verbs) {
  struct Row {
    std::string text;
    const char* squeezed;
  };
  const std::string head = "{\"schema\":\"tribecast.";
  Finding finding{"error", "a.conf", 3, 5, "what", "", "", "fix"};
  for (const Row& row : {
           Row{ping_json({"b", {{"b", "e", 0.5}, {"b", std::nullopt, std::nullopt}}}, "t"),
               "ping/"
               "1\",\"generated_at\":\"t\",\"peer\":\"b\",\"sent\":2,\"received\":1,\"probes\":"
               "[{\"endpoint\":\"e\",\"rtt_seconds\":0.5},{\"endpoint\":null,\"rtt_seconds\":null}]"
               "}"},
           Row{wait_json({std::nullopt, "no agent", 1.5}, "t"),
               "wait/1\",\"generated_at\":\"t\",\"reached\":false,\"missing\":\"no agent\","
               "\"waited_seconds\":1.5,\"peers_up\":null,\"peers\":null,\"members\":null}"},
           Row{wait_json({Summary{1, 2, 3, 4}, "", 0.5}, "t"),
               "wait/1\",\"generated_at\":\"t\",\"reached\":true,\"missing\":null,"
               "\"waited_seconds\":0.5,\"peers_up\":1,\"peers\":2,\"members\":7}"},
           Row{config_check_json({"f", false, 1, 2, {finding}}, "t"),
               "config-check/1\",\"generated_at\":\"t\",\"file\":\"f\",\"ok\":false,\"groups\":1,"
               "\"peers\":2,\"findings\":[{\"severity\":\"error\",\"file\":\"a.conf\",\"line\":3,"
               "\"column\":5,\"text\":\"what\",\"hint\":null,\"why\":null,\"fix\":\"fix\"}]}"},
           Row{config_show_json(
                   {"/f",
                    "x",
                    {{"peer", "b", {{"address", "1"}, {"address", "2"}, {"groups", "all"}}}}},
                   "t"),
               "config-show/1\",\"generated_at\":\"t\",\"file\":\"/f\",\"text\":\"x\","
               "\"sections\":[{\"type\":\"peer\",\"name\":\"b\",\"values\":{\"address\":[\"1\","
               "\"2\"],\"groups\":\"all\"}}]"
               "}"},
           Row{config_diff_json({"f", {}}, "t"),
               "config-diff/1\",\"generated_at\":\"t\",\"file\":\"f\",\"same\":true,"
               "\"changes\":[]}"},
           Row{config_diff_json(
                   {"f",
                    {{"changed", "peer", "b", {{"changed", "address", {"1"}, {"1", "2"}}}},
                     {"removed", "node", std::nullopt, {}}}},
                   "t"),
               "config-diff/1\",\"generated_at\":\"t\",\"file\":\"f\",\"same\":false,"
               "\"changes\":[{\"change\":\"changed\",\"type\":\"peer\",\"name\":\"b\",\"keys\":["
               "{\"change\":\"changed\",\"key\":\"address\",\"running\":[\"1\"],\"files\":[\"1\","
               "\"2\"]}]},{\"change\":\"removed\",\"type\":\"node\",\"name\":null,\"keys\":[]}]}"},
           Row{text_json("config-reload", "done", "t"),
               "config-reload/1\",\"generated_at\":\"t\",\"text\":\"done\"}"},
           Row{live_change_json({"peer-add", "/p/b.conf", true, "done"}, "t"),
               "peer-add/1\",\"generated_at\":\"t\",\"file\":\"/p/b.conf\",\"reloaded\":true,"
               "\"text\":\"done\"}"},
           Row{version_json("0.1.0", "t"),
               "version/1\",\"generated_at\":\"t\",\"version\":\"0.1.0\"}"},
       }) {
    BOOST_TEST(squeezed(row.text) == head + row.squeezed);
  }
  const std::string line = watch_json(sample(cluster(), nullptr, 1), "t");
  BOOST_TEST(line.find('\n') == line.size() - 1);
  BOOST_TEST(line.starts_with(
      "{\"schema\":\"tribecast.watch/1\",\"generated_at\":\"t\",\"level\":\"degraded\","
      "\"peers_up\":1,\"peers\":2,\"members_local\":1,\"members_remote\":1,"));
}
