// What the engine tells about itself: enough to find a fault, and nothing that opens a session.
// Listing and search in portions; verify against an engine and against a Tomcat that differ.
#define BOOST_TEST_MODULE engine_report
#include <boost/test/unit_test.hpp>

#include "control/engine_print.h"
#include "control/engine_request.h"
#include "engine/java/head.h"
#include "engine/report/report.h"
#include "keeper_fixture.h"

using namespace tribecast;
using namespace tribecast::keeper;
using namespace tribecast::keeper::test;
using session::ActionType;
using tribecast::test::kContext;
using tribecast::test::kStart;

namespace {

std::string long_id(int number) {
  const std::string digits = std::to_string(1000 + number);
  return digits + std::string(28 - digits.size() + 4, 'F') + ".web1";
}

session::Clock clock_at(const Node& node) {
  return {moment(node.time).now, static_cast<std::int64_t>(moment(node.time).wall_milliseconds)};
}

std::int64_t wall(const Node& node) { return clock_at(node).wall_ms; }

bool is_within_columns(const std::string& text) {
  std::size_t begin = 0;
  for (std::size_t end = text.find('\n'); end != text.npos; end = text.find('\n', begin)) {
    if (end - begin > control::kColumns) {
      BOOST_TEST_MESSAGE(text.substr(begin, end - begin));
      return false;
    }
    begin = end + 1;
  }
  return true;
}

control::SessionList listed(const Node& node, std::size_t limit, const std::string& context = {}) {
  report::Listing listing(node.keeper.store(), limit, context);
  while (listing.step(node.keeper.store(), clock_at(node).now)) {
  }
  return listing.list(node.keeper.store(), clock_at(node));
}

std::vector<std::pair<std::string, std::string>> searched(const Node& node, const std::string& word,
                                                          const std::string& context = {}) {
  report::Search search(node.keeper.store(), word, context, clock_at(node).now);
  while (search.step(node.keeper.store(), clock_at(node).now)) {
  }
  return search.found();
}

// What `node` sends while it verifies; the next answer of the one asked comes from `answer`.
control::VerifyReport verified(Node& node, const std::vector<tribes::OwnedMember>& members,
                               const std::function<void(const session::Message& asked)>& answer) {
  node.outgoing.clear();
  BOOST_TEST(node.keeper.begin_verify(moment(node.time), members));
  BOOST_TEST(!node.keeper.begin_verify(moment(node.time), members));
  for (int i = 0; i < 10'000; ++i) {
    node.wait(milliseconds(5));
    while (!node.outgoing.empty()) {
      const session::Message asked = node.sent();
      if (asked.event == static_cast<int>(EngineEvent::digests)) continue;
      answer(asked);
    }
    if (const auto done = node.keeper.take_verified()) return report::report_of(*done, seconds(1));
  }
  BOOST_FAIL("verify does not end");
  return {};
}

control::EngineStatus full_status() {
  control::EngineStatus status;
  status.node = {"eng-1", "10.0.0.9:4000", "00ff", "0.1.0", 90};
  status.in_sync = true;
  status.age_seconds = status.age_told_seconds = 86'400;
  status.sessions = 12;
  status.map_entries = 3;
  status.memory_bytes = 95;
  status.memory_limit_bytes = 1'000'000;
  status.disk = "ok";
  status.ack = "peer";
  status.copies = "ok";
  status.messages_per_second = 12.5;
  status.contexts = {{"localhost#/app", 12}};
  status.members = {
      {"10.0.0.1:4000", "tomcat", "01", "up", 60.0, 0.2, 5, 1, 2, 3.5, std::nullopt},
      {"10.0.0.2:4000", "engine", "02", "up", 60.0, 0.2, 5, 0, 0, std::nullopt, true}};
  status.alarms = {{"warning", "member_lost", "10.0.0.3:4000 is \x1b[31mgone", 12.0}};
  status.counters = {{"deltas", 7}};
  status.verdict = control::judge(status);
  return status;
}

}  // namespace

BOOST_AUTO_TEST_CASE(of_an_id_a_quarter_is_shown_at_most) {
  struct Row {
    const char* id;
    const char* letters;
    const char* route;
  };
  for (const Row& row :
       {Row{"0123456789ABCDEF0123456789ABCDEF", "01234567", ""},
        Row{"0123456789ABCDEF0123456789ABCDEF.web-1", "01234567", "web-1"},
        Row{"0123456789ABCDEF", "0123", ""}, Row{"abc", "", ""}, Row{"", "", ""}}) {
    const report::ShownId shown = report::shown(row.id);
    BOOST_TEST(shown.letters == row.letters);
    BOOST_TEST(shown.route == row.route);
  }
}

BOOST_AUTO_TEST_CASE(the_class_of_a_value_by_its_first_bytes) {
  BOOST_TEST(java::class_at_head(tribecast::test::text_value("x")) == "java.lang.String");
  BOOST_TEST(java::class_at_head(tribecast::test::integer_value(1)) == "java.lang.Integer");
  const Buffer null = {0xac, 0xed, 0, 5, 0x70};
  BOOST_TEST(java::class_at_head(null) == "null");
  const Buffer value = tribecast::test::integer_value(1);
  for (std::size_t size = 0; size < 24; ++size) {
    BOOST_TEST(java::class_at_head(Bytes(value).first(size)).empty());
  }
}

BOOST_AUTO_TEST_CASE(sessions_are_listed_the_last_used_first) {
  Node node;
  constexpr int kSessions = 5000;
  for (int i = 0; i < kSessions; ++i) node.hear(first_request(long_id(i), wall(node) - 10'000 + i));
  const control::SessionList list = listed(node, 10);
  BOOST_TEST(list.total == static_cast<std::uint64_t>(kSessions));
  BOOST_TEST_REQUIRE(list.sessions.size() == 10U);
  BOOST_TEST(list.sessions.front().id == report::shown(long_id(kSessions - 1)).letters);
  BOOST_TEST(list.sessions.front().route == "web1");
  BOOST_TEST(list.sessions.front().attributes == 1U);
  BOOST_TEST(std::ranges::is_sorted(list.sessions, {}, &control::SessionRow::last_access_seconds));
  BOOST_TEST(listed(node, 10, "localhost#/none").sessions.empty());
  const auto again = control::read_session_list(control::engine_reply(list));
  BOOST_TEST_REQUIRE(static_cast<bool>(again));
  BOOST_TEST(control::session_list_json(*again, "t") == control::session_list_json(list, "t"));
  BOOST_TEST(is_within_columns(control::session_list_text(list, {})));
}

BOOST_AUTO_TEST_CASE(a_session_is_found_by_its_first_letters_and_shown_without_values) {
  Node node;
  node.hear(tribecast::test::delta(
      long_id(1), wall(node),
      {tribecast::test::set(ActionType::is_new, "__SET__ISNEW__",
                            tribecast::test::boolean_value(true)),
       tribecast::test::set("cart", "a-secret-value"),
       tribecast::test::set(ActionType::attribute, "n", tribecast::test::integer_value(77))}));
  node.hear(first_request(long_id(2), wall(node)));
  BOOST_TEST(searched(node, "100").size() == 2U);
  BOOST_TEST(searched(node, "999").empty());
  BOOST_TEST(searched(node, "1001", "localhost#/none").empty());
  const auto found = searched(node, "1001");
  BOOST_TEST_REQUIRE(found.size() == 1U);
  BOOST_TEST((searched(node, long_id(1)) == found));
  const session::Session* session =
      node.keeper.store().find(found[0].first, found[0].second, clock_at(node).now);
  const control::SessionDetail detail =
      report::detail_of(found[0].first, found[0].second, *session, clock_at(node));
  BOOST_TEST_REQUIRE(detail.parts.size() == 2U);
  BOOST_TEST(detail.parts[0].name == "cart");
  BOOST_TEST(detail.parts[0].class_name == "java.lang.String");
  BOOST_TEST(detail.parts[1].class_name == "java.lang.Integer");
  const std::string text = control::session_detail_text(detail, {});
  for (const std::string& told : {control::engine_reply(detail), text}) {
    BOOST_TEST(told.find("secret") == told.npos);
    BOOST_TEST(told.find(long_id(1).substr(0, 12)) == told.npos);
  }
  BOOST_TEST(is_within_columns(text));
  const auto again = control::read_session_detail(control::engine_reply(detail));
  BOOST_TEST(control::session_detail_json(*again, "t") ==
             control::session_detail_json(detail, "t"));
}

BOOST_AUTO_TEST_CASE(verdicts) {
  using control::Level;
  control::EngineStatus status = full_status();
  BOOST_TEST((status.verdict.level == Level::ok));
  const auto level = [&](auto change) {
    control::EngineStatus other = full_status();
    change(other);
    return control::judge(other).level;
  };
  BOOST_TEST((level([](auto& s) { s.in_sync = false; }) == Level::degraded));
  BOOST_TEST((level([](auto& s) { s.members.clear(); }) == Level::idle));
  BOOST_TEST((level([](auto& s) { s.disk = "failed"; }) == Level::degraded));
  BOOST_TEST((level([](auto& s) {
                s.disk = "failed";
                s.ack = "disk";
              }) == Level::critical));
  BOOST_TEST((level([](auto& s) { s.copies = "failed"; }) == Level::critical));
  BOOST_TEST((level([](auto& s) { s.memory_bytes = 900'001; }) == Level::degraded));
  BOOST_TEST((level([](auto& s) { s.memory_bytes = 1'000'000; }) == Level::critical));
  BOOST_TEST((level([](auto& s) { s.members[0].state = "suspect"; }) == Level::degraded));
  BOOST_TEST((level([](auto& s) { s.members[1].agrees = false; }) == Level::degraded));
}

BOOST_AUTO_TEST_CASE(a_status_comes_back_as_it_was_and_is_shown) {
  const control::EngineStatus status = full_status();
  const auto again = control::read_engine_status(control::engine_reply(status));
  BOOST_TEST_REQUIRE(static_cast<bool>(again));
  BOOST_TEST(control::engine_status_json(*again, "t") == control::engine_status_json(status, "t"));
  const std::string text = control::engine_status_text(status, {});
  BOOST_TEST(text.starts_with("OK  in sync   1 Tomcat, 1 other engine   12 sessions, 3 in maps\n"));
  BOOST_TEST(text.find('\x1b') == text.npos);
  BOOST_TEST(is_within_columns(text));
  BOOST_TEST(is_within_columns(control::engine_members_text(status, {})));
  BOOST_TEST(control::engine_members_text(status, {}).find("yes") != std::string::npos);
  const std::string metrics = control::engine_metrics_text(&status);
  for (const char* line :
       {"tribecast_engine_up 1\n", "tribecast_engine_in_sync 1\n",
        "tribecast_engine_sessions{context=\"localhost#/app\"} 12\n",
        "tribecast_engine_map_entries 3\n",
        "tribecast_engine_members{kind=\"tomcat\",state=\"up\"} 1\n",
        "tribecast_engine_member_sent_total{member=\"10.0.0.1:4000\",outcome=\"failed\"} 1\n",
        "tribecast_engine_agrees{member=\"10.0.0.2:4000\"} 1\n",
        "tribecast_engine_events_total{event=\"deltas\"} 7\n"}) {
    BOOST_TEST(metrics.find(line) != metrics.npos, line);
  }
  BOOST_TEST(control::engine_metrics_text(nullptr).ends_with("tribecast_engine_up 0\n"));
}

BOOST_AUTO_TEST_CASE(requests_are_read_as_written) {
  using control::EngineRequest;
  using control::EngineVerb;
  for (const EngineRequest& request :
       {EngineRequest{EngineVerb::status, 0, "", ""}, EngineRequest{EngineVerb::verify, 0, "", ""},
        EngineRequest{EngineVerb::sessions, 50, "", "localhost#/app"},
        EngineRequest{EngineVerb::sessions, 1, "", ""},
        EngineRequest{EngineVerb::session, 0, "AB12", "a b"}}) {
    std::string line = control::to_line(request);
    line.pop_back();
    const auto read = control::parse_engine_request(line);
    BOOST_TEST_REQUIRE(static_cast<bool>(read));
    BOOST_TEST((*read == request));
  }
  for (const char* line : {"", "sessions", "sessions 0", "sessions 10001", "sessions x", "session",
                           "status now", "verify it", "statu", "sessions 5x"}) {
    BOOST_TEST(!control::parse_engine_request(line), line);
  }
}

BOOST_AUTO_TEST_CASE(verify_tells_which_tomcat_lacks_or_has_older_what) {
  Node node;
  const tribes::OwnedMember tomcat = member(1, 1000);
  node.came(tomcat);
  const std::int64_t early = wall(node) - 60'000;
  for (int i = 0; i < 5; ++i) node.hear(first_request(long_id(i), early, "value"), tomcat);
  node.hear(
      tribecast::test::delta(long_id(1), early + 30'000, {tribecast::test::set("cart", "new")}),
      tomcat);
  std::vector<session::Record> records;
  for (const int i : {0, 1, 2, 9}) {  // 3 and 4 are not there, 9 is only there
    session::Record record{.created_ms = early,
                           .last_accessed_ms = early,
                           .max_inactive_s = 1800,
                           .this_accessed_ms = early,
                           .id = long_id(i)};
    record.attributes.emplace_back("cart", tribecast::test::text_value("value"));
    if (i == 2) record.attributes.emplace_back("more", tribecast::test::text_value("x"));
    records.push_back(std::move(record));
  }
  node.wait(seconds(5));
  const auto before = node.keeper.store().contexts();
  const control::VerifyReport report = verified(node, {tomcat}, [&](const session::Message& asked) {
    BOOST_TEST(asked.is(Event::get_all));
    node.hear(tribecast::test::state(records), tomcat);
    node.hear(complete(), tomcat);
  });
  BOOST_TEST_REQUIRE(report.members.size() == 1U);
  BOOST_TEST(report.members[0].outcome == "differs");
  BOOST_TEST((control::exit_code(report) == control::Exit::degraded));
  const control::VerifyContext& one = report.members[0].contexts.at(0);
  BOOST_TEST(one.here == 5U);
  BOOST_TEST(one.there == 4U);
  BOOST_TEST(one.lacks == 2U);
  BOOST_TEST(one.older == 1U);
  BOOST_TEST(one.differs == 1U);
  BOOST_TEST(one.only_there == 1U);
  BOOST_TEST(one.newer == 0U);
  // Nothing of it came into the store.
  BOOST_TEST(node.keeper.store().session_count(kContext) == 5U);
  BOOST_TEST((node.keeper.store().contexts() == before));
  const std::string text = control::verify_text(report, {});
  BOOST_TEST(text.starts_with("DIFFERENT  0 of 1 member"));
  BOOST_TEST(text.find("2 lacking, 1 older, 1 different, 1 only there") != text.npos);
  BOOST_TEST(text.find("cart") != text.npos);
  const auto again = control::read_verify_report(control::engine_reply(report));
  BOOST_TEST(control::verify_json(*again, "t") == control::verify_json(report, "t"));
}

BOOST_AUTO_TEST_CASE(verify_of_an_engine_and_of_one_that_does_not_answer) {
  Node node;
  Node other;
  node.came(engine(10, 1000));
  node.came(engine(11, 1000));
  other.came(engine(12, 1000));
  const std::int64_t early = wall(node) - 60'000;
  for (int i = 0; i < 20; ++i) {
    node.hear(first_request(long_id(i), early));
    if (i != 7) other.hear(first_request(long_id(i), early + (i == 8 ? 5 : 0)));
  }
  node.wait(seconds(5));
  other.time = node.time;
  int asked_second = 0;
  const control::VerifyReport report =
      verified(node, {engine(10, 1000), engine(11, 1000)}, [&](const session::Message& asked) {
        if (asked.event != static_cast<int>(EngineEvent::ask_versions)) return;
        if (node.last_to == engine(11, 1000).identity) {
          ++asked_second;
          return;
        }
        other.hear(asked, engine(12, 1000));
        for (int i = 0; i < 5; ++i) other.wait(milliseconds(5));
        while (!other.outgoing.empty()) {
          other.sent();
          node.hear(other.last_body, engine(10, 1000));
        }
      });
  BOOST_TEST(asked_second == 1);
  BOOST_TEST_REQUIRE(report.members.size() == 2U);
  const control::VerifyContext& one = report.members[0].contexts.at(0);
  BOOST_TEST(one.outcome == "differs");
  BOOST_TEST(one.lacks == 1U);
  BOOST_TEST(one.newer == 1U);
  BOOST_TEST(report.members[1].outcome == "unknown");
  BOOST_TEST(report.members[1].contexts.at(0).outcome == "no_answer");
}

BOOST_AUTO_TEST_CASE(a_tomcat_is_not_asked_for_a_large_context) {
  Settings settings;
  settings.fetch.limit_sessions = 3;
  Node node(settings);
  node.came(member(1, 1000));
  for (int i = 0; i < 3; ++i) node.hear(first_request(long_id(i), wall(node)), member(1));
  const auto report =
      verified(node, {member(1, 1000)}, [](const session::Message&) { BOOST_FAIL("it is asked"); });
  BOOST_TEST(report.members.at(0).contexts.at(0).outcome == "too_large");
  BOOST_TEST(report.members.at(0).outcome == "unknown");
}
