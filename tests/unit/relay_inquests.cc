// What the silence of a peer's agent may lead to.
#define BOOST_TEST_MODULE relay_inquests
#include <boost/test/unit_test.hpp>

#include "relay/inquests.h"

using namespace tribecast;
using namespace tribecast::relay;

namespace {

const Instant kStart{seconds(1000)};
const Endpoint kHost{Address::v4(0x0a000002), 45565};

MemberRecord member(std::uint32_t port) {
  MemberRecord record;
  record.group = "tomcat";
  record.identity.host = {10, 0, 0, 2};
  record.identity.port = port;
  return record;
}

}  // namespace

BOOST_AUTO_TEST_CASE(the_whole_table) {
  struct Row {
    bool answered_before;
    KnockResult now;
    bool host_answers;
    Verdict verdict;
  };
  const Row rows[] = {
      {false, KnockResult::accepted, false, Verdict::alive},
      {false, KnockResult::accepted, true, Verdict::alive},
      {false, KnockResult::refused, false, Verdict::unknown},
      {false, KnockResult::refused, true, Verdict::unknown},
      {false, KnockResult::no_answer, false, Verdict::unknown},
      {false, KnockResult::no_answer, true, Verdict::unknown},
      {false, KnockResult::not_tried, false, Verdict::unknown},
      {false, KnockResult::not_tried, true, Verdict::unknown},
      {true, KnockResult::accepted, false, Verdict::alive},
      {true, KnockResult::accepted, true, Verdict::alive},
      {true, KnockResult::refused, false, Verdict::process_gone},
      {true, KnockResult::refused, true, Verdict::process_gone},
      {true, KnockResult::no_answer, false, Verdict::host_gone},
      {true, KnockResult::no_answer, true, Verdict::unknown},
      {true, KnockResult::not_tried, false, Verdict::unknown},
      {true, KnockResult::not_tried, true, Verdict::unknown},
  };
  for (const Row& row : rows) {
    BOOST_TEST((judge(row.answered_before, row.now, row.host_answers) == row.verdict));
  }
}

BOOST_AUTO_TEST_CASE(all_are_asked_at_once_and_judged_together) {
  Inquests inquests;
  Actions out;
  inquests.hold(kStart, "b", kHost, {{member(4000), true}, {member(4001), true}}, out);
  BOOST_TEST_REQUIRE(out.knocks.size() == 3U);  // the host too
  BOOST_TEST((out.knocks[0].at == Endpoint{kHost.address, 4000}));
  BOOST_TEST((out.knocks[1].at == Endpoint{kHost.address, 4001}));
  BOOST_TEST((out.knocks[2].at == kHost));
  BOOST_TEST(inquests.on_knock(kStart, out.knocks[0].token, KnockResult::no_answer).judged.empty());
  BOOST_TEST(inquests.on_knock(kStart, out.knocks[2].token, KnockResult::no_answer).judged.empty());
  const auto outcome = inquests.on_knock(kStart, out.knocks[1].token, KnockResult::accepted);
  BOOST_TEST(outcome.peer == "b");
  BOOST_TEST_REQUIRE(outcome.judged.size() == 2U);
  BOOST_TEST((outcome.judged[0].verdict == Verdict::unknown));  // the host answers elsewhere
  BOOST_TEST((outcome.judged[1].verdict == Verdict::alive));
  BOOST_TEST(inquests.answering("b") == 1U);
}

BOOST_AUTO_TEST_CASE(the_host_is_gone_when_nothing_answers) {
  Inquests inquests;
  Actions out;
  inquests.hold(kStart, "b", kHost, {{member(4000), true}, {member(4001), false}}, out);
  Inquests::Outcome outcome;
  for (const Knock& knock : out.knocks) {
    outcome = inquests.on_knock(kStart, knock.token, KnockResult::no_answer);
  }
  BOOST_TEST_REQUIRE(outcome.judged.size() == 2U);
  BOOST_TEST((outcome.judged[0].verdict == Verdict::host_gone));
  BOOST_TEST((outcome.judged[1].verdict == Verdict::unknown));
}

BOOST_AUTO_TEST_CASE(it_is_held_again_after_a_pause_that_grows_with_the_silence) {
  Inquests inquests;
  Actions out;
  BOOST_TEST(inquests.is_due(kStart, "b", seconds(1)));
  inquests.hold(kStart, "b", kHost, {{member(4000), true}}, out);
  BOOST_TEST(!inquests.is_due(kStart + seconds(100), "b", seconds(100)));  // not answered yet
  for (const Knock& knock : out.knocks) {
    inquests.on_knock(kStart, knock.token, KnockResult::accepted);
  }
  BOOST_TEST(!inquests.is_due(kStart + milliseconds(4999), "b", seconds(5)));
  BOOST_TEST(inquests.is_due(kStart + seconds(5), "b", seconds(6)));
  BOOST_TEST(!inquests.is_due(kStart + seconds(20), "b", seconds(60)));
  BOOST_TEST(inquests.is_due(kStart + seconds(60), "b", seconds(100000)));
  inquests.keep_only({});
  BOOST_TEST(inquests.is_due(kStart, "b", seconds(1)));
}

BOOST_AUTO_TEST_CASE(answers_to_what_was_ended_judge_nothing) {
  Inquests inquests;
  Actions first;
  inquests.hold(kStart, "b", kHost, {{member(4000), true}}, first);
  inquests.keep_only({"c"});
  Actions second;
  inquests.hold(kStart, "b", kHost, {{member(4000), true}}, second);
  for (const Knock& knock : first.knocks) {
    BOOST_TEST(inquests.on_knock(kStart, knock.token, KnockResult::no_answer).judged.empty());
  }
  BOOST_TEST(inquests.on_knock(kStart, 12345, KnockResult::refused).judged.empty());
  BOOST_TEST(!inquests.is_due(kStart, "b", seconds(1)));  // the second is still open
}

BOOST_AUTO_TEST_CASE(a_try_tells_whether_the_port_answers) {
  Inquests inquests;
  Actions out;
  inquests.try_port(member(4000), out);
  inquests.try_port(member(4001), out);
  BOOST_TEST_REQUIRE(out.knocks.size() == 2U);
  const auto good = inquests.on_knock(kStart, out.knocks[0].token, KnockResult::accepted);
  BOOST_TEST((good.tried == member(4000)));
  BOOST_TEST(good.reachable);
  BOOST_TEST(!inquests.on_knock(kStart, out.knocks[1].token, KnockResult::refused).reachable);
}

BOOST_AUTO_TEST_CASE(who_announces_no_port_or_finds_no_room_is_not_asked) {
  Inquests inquests;
  Actions out;
  inquests.hold(kStart, "b", kHost, {{member(0), true}, {member(70000), true}}, out);
  BOOST_TEST(out.knocks.empty());
  const std::vector<Inquests::Suspect> crowd(Inquests::kMaxKnocks, {member(4000), true});
  inquests.hold(kStart, "c", kHost, crowd, out);
  BOOST_TEST(out.knocks.size() == Inquests::kMaxKnocks);
  out.clear();
  inquests.try_port(member(4000), out);
  BOOST_TEST(out.knocks.empty());
}

BOOST_AUTO_TEST_CASE(tries_are_few_at_once_and_no_inquest_waits_for_them) {
  Inquests inquests;
  Actions out;
  for (std::size_t i = 0; i <= Inquests::kMaxTries; ++i) inquests.try_port(member(4000), out);
  BOOST_TEST_REQUIRE(out.knocks.size() == Inquests::kMaxTries);
  BOOST_TEST(inquests.room_to_try() == 0U);
  const auto token = out.knocks.front().token;
  out.clear();
  inquests.hold(kStart, "b", kHost, {{member(4000), true}}, out);
  BOOST_TEST(out.knocks.size() == 2U);  // the host too
  out.clear();
  inquests.on_knock(kStart, token, KnockResult::no_answer);
  BOOST_TEST(inquests.room_to_try() == 1U);
  inquests.try_port(member(4000), out);
  BOOST_TEST(out.knocks.size() == 1U);
}
