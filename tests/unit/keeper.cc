// The keeper: what members that ask are given, what it asks for, when it may be asked, when it
// refuses.
#define BOOST_TEST_MODULE keeper
#include <boost/test/unit_test.hpp>

#include "engine/session/record.h"
#include "keeper_fixture.h"

using namespace tribecast;
using namespace tribecast::keeper;
using namespace tribecast::keeper::test;
using channel::Receipt;
using channel::SendOutcome;
using tribecast::test::kContext;
using tribecast::test::kStart;

namespace {

constexpr std::uint64_t kHour = 3'600'000;  // milliseconds
const std::string kId = "0123456789ABCDEF0123456789ABCDEF.tomcat1";

std::vector<session::Record> list_in(const session::Message& message) {
  BOOST_TEST_REQUIRE(message.is(Event::all_data));
  return *session::parse_list(message.payload.value_or(Buffer{}), message.dialect);
}

Settings small_lists() {
  Settings settings;
  settings.transfer.batch_sessions = 2;
  return settings;
}

}  // namespace

BOOST_AUTO_TEST_CASE(golden_messages_of_all_branches_are_kept_and_given_back) {
  for (const char* version : channel::test::kVersions) {
    BOOST_TEST_CONTEXT(version) {
      Settings settings;
      settings.transfer.margin = {};
      Node node(settings);
      BOOST_TEST((node.hear(golden(version, "evt01_created")) == Receipt::done));
      BOOST_TEST((node.hear(golden(version, "evt13_delta_first_request")) == Receipt::done));
      node.hear(golden(version, "evt04_get_all"), member(2));
      BOOST_TEST(node.outgoing.size() == 1U);
      const session::Message list = node.sent();
      BOOST_TEST(
          (list.dialect == session::parse_message(golden(version, "evt04_get_all"))->dialect));
      const auto records = list_in(list);
      BOOST_TEST_REQUIRE(records.size() == 1U);
      BOOST_TEST(records[0].id == kId);
      BOOST_TEST(!records[0].attributes.empty());
      BOOST_TEST(node.last_options == 6U);
      BOOST_TEST((node.last_to == member(2).identity));
      BOOST_TEST(node.sent().is(Event::transfer_complete));
      BOOST_TEST(same(node.last_body, golden(version, "evt14_transfer_complete")));
      BOOST_TEST(node.outgoing.empty());
    }
  }
}

BOOST_AUTO_TEST_CASE(its_own_question_is_as_a_tomcat_asks) {
  for (const char* version : channel::test::kVersions) {
    BOOST_TEST_CONTEXT(version) {
      Node node;
      node.came(member(1, kHour));
      node.hear(golden(version, "evt03_accessed"));
      BOOST_TEST(node.sent(SendOutcome::written).is(Event::get_all));
      BOOST_TEST(same(node.last_body, golden(version, "evt04_get_all")));
      BOOST_TEST(node.last_options == 8U);
    }
  }
}

BOOST_AUTO_TEST_CASE(each_list_awaits_the_acknowledgement_of_the_one_before) {
  Node node(small_lists());
  for (int i = 0; i < 5; ++i) node.hear(first_request("s" + std::to_string(i), kStart + i));
  node.hear(get_all(), member(2));
  std::size_t records = 0;
  for (const std::size_t expected : {2U, 2U, 1U}) {
    BOOST_TEST(node.outgoing.size() == 1U);
    const auto list = list_in(node.sent());
    BOOST_TEST(list.size() == expected);
    records += list.size();
    // Live traffic goes on meanwhile.
    BOOST_TEST(
        (node.hear(tribecast::test::event(Event::accessed, "s0", kStart + 99)) == Receipt::done));
  }
  BOOST_TEST(records == 5U);
  BOOST_TEST(node.sent().is(Event::transfer_complete));
  BOOST_TEST(node.keeper.answers().running() == 0U);
}

BOOST_AUTO_TEST_CASE(a_context_that_nobody_knows_is_an_empty_list) {
  Node node;
  node.hear(get_all("localhost#/new"), member(2));
  BOOST_TEST(list_in(node.sent()).empty());
  const session::Message end = node.sent();
  BOOST_TEST(end.is(Event::transfer_complete));
  BOOST_TEST(end.context == "localhost#/new");
}

BOOST_AUTO_TEST_CASE(the_end_carries_the_time_of_the_snapshot_less_the_margin) {
  Node node;
  node.hear(first_request("a", kStart));
  const auto asked = static_cast<std::int64_t>(moment(node.time).wall_milliseconds);
  node.hear(get_all(), member(2));
  node.time += seconds(20);
  node.sent();
  BOOST_TEST(node.sent().time_ms == asked - 60'000);
}

// The Tomcat drops what was said before that time, by the clocks of Tomcats.
BOOST_AUTO_TEST_CASE(an_engine_s_clock_that_is_ahead_makes_the_end_no_later) {
  Node node;
  node.hear(first_request("a", kStart));
  node.ahead = std::chrono::hours(1);
  session::Message question = get_all();
  question.time_ms = kStart + 500;
  node.hear(question, member(2));
  node.sent();
  BOOST_TEST(node.sent().time_ms == kStart + 500 - 60'000);
}

BOOST_AUTO_TEST_CASE(contexts_one_after_another_members_side_by_side) {
  Node node;
  for (const char* context : {"/a", "/b", "/c"}) node.hear(get_all(context), member(2));
  node.hear(get_all("/a"), member(2));  // again, while the first answer is under way
  node.hear(get_all("/a"), member(3));
  BOOST_TEST(node.outgoing.size() == 2U);
  std::map<std::string, int> ends;
  while (!node.outgoing.empty()) {
    const session::Message message = node.sent();
    if (message.is(Event::transfer_complete)) ++ends[message.context];
  }
  BOOST_TEST(ends["/a"] == 3);
  BOOST_TEST(ends["/b"] == 1);
  BOOST_TEST(ends["/c"] == 1);
}

BOOST_AUTO_TEST_CASE(a_list_that_is_refused_or_lost_does_not_keep_the_end_away) {
  for (const SendOutcome outcome : {SendOutcome::refused, SendOutcome::failed}) {
    Node node(small_lists());
    for (int i = 0; i < 4; ++i) node.hear(first_request("s" + std::to_string(i), kStart + i));
    node.hear(get_all(), member(2));
    list_in(node.sent(outcome));
    list_in(node.sent());
    BOOST_TEST(node.sent().is(Event::transfer_complete));
  }
}

BOOST_AUTO_TEST_CASE(who_takes_nothing_or_is_gone_is_given_up) {
  Node node(small_lists());
  for (int i = 0; i < 20; ++i) node.hear(first_request("s" + std::to_string(i), kStart + i));
  node.hear(get_all(), member(2));
  for (int i = 0; i < 3; ++i) node.sent(SendOutcome::failed);
  BOOST_TEST(node.outgoing.empty());
  BOOST_TEST(node.keeper.answers().counters().given_up == 1U);

  node.came(member(3));
  node.hear(get_all(), member(3));
  node.lost(member(3));
  node.sent();  // acknowledged after all
  BOOST_TEST(node.outgoing.empty());
  BOOST_TEST(node.keeper.answers().running() == 0U);
  // Back again, it is a new question.
  node.hear(get_all(), member(3));
  BOOST_TEST(node.outgoing.size() == 1U);
}

BOOST_AUTO_TEST_CASE(alone_it_may_be_asked_after_having_listened) {
  Node node;
  node.wait({});
  BOOST_TEST(!node.keeper.has_state());
  node.wait(seconds(3));
  BOOST_TEST(node.keeper.has_state());
  BOOST_TEST(node.count_notices(NoticeKind::in_sync) == 1U);
  // One that comes later knows nothing that this one was not told.
  node.came(member(1, 100));
  node.hear(first_request("a", kStart));
  BOOST_TEST(node.outgoing.empty());
  BOOST_TEST(node.keeper.has_state());
}

BOOST_AUTO_TEST_CASE(members_that_were_there_before_are_asked_once_a_context_one_at_a_time) {
  Node node;
  node.came(member(1, kHour));
  node.came(member(2, 2 * kHour));
  node.wait(seconds(3));
  BOOST_TEST(!node.keeper.has_state());
  node.hear(tribecast::test::event(Event::accessed, "a", kStart));
  session::Message other = tribecast::test::event(Event::accessed, "b", kStart);
  other.context = "/other";
  node.hear(other);
  BOOST_TEST_REQUIRE(node.outgoing.size() == 1U);
  BOOST_TEST(node.sent(SendOutcome::written).context == kContext);
  BOOST_TEST((node.last_to == member(2).identity));  // the longest alive
  node.hear(complete(), member(1));                  // was not asked
  BOOST_TEST(node.outgoing.empty());
  node.hear(tribecast::test::state({{.id = "a"}}), member(2));
  node.hear(complete(), member(2));
  BOOST_TEST(!node.keeper.has_state());
  BOOST_TEST(node.sent(SendOutcome::written).context == "/other");
  node.hear(complete("/other"), member(2));
  BOOST_TEST(node.keeper.has_state());
  node.hear(tribecast::test::event(Event::accessed, "a", kStart + 1));
  BOOST_TEST(node.outgoing.empty());
}

BOOST_AUTO_TEST_CASE(who_does_not_answer_is_followed_by_the_next_one) {
  Node node;
  for (std::uint8_t i = 1; i <= 4; ++i) node.came(member(i, kHour * i));
  node.hear(tribecast::test::event(Event::accessed, "a", kStart));
  node.sent(SendOutcome::failed);  // 4 cannot be reached
  node.sent(SendOutcome::written);
  BOOST_TEST((node.last_to == member(3).identity));
  node.wait(seconds(11));  // 3 says nothing
  node.sent(SendOutcome::written);
  BOOST_TEST((node.last_to == member(2).identity));
  node.lost(member(2));
  node.sent(SendOutcome::written);
  BOOST_TEST((node.last_to == member(1).identity));
  session::Message none = tribecast::test::event(Event::no_context_manager, "", 0);
  node.hear(none, member(1));
  BOOST_TEST(node.outgoing.empty());
  // Nobody has it: there is nothing to wait for.
  BOOST_TEST(node.keeper.fetches().counters().given_up == 1U);
  BOOST_TEST(node.keeper.fetches().counters().failed == 4U);
  BOOST_TEST(node.keeper.has_state());
}

// Tomcat 7.0 does not understand the question of the later ones, and the other way round.
BOOST_AUTO_TEST_CASE(a_member_that_has_said_nothing_is_asked_as_the_others_speak) {
  Node node;
  node.came(member(1, kHour));
  node.came(member(2, 2 * kHour));
  session::Message of7 = tribecast::test::event(Event::accessed, "a", kStart);
  of7.dialect = session::Dialect::tomcat7;
  node.hear(of7, member(1));
  BOOST_TEST((node.sent(SendOutcome::written).dialect == session::Dialect::tomcat7));
  BOOST_TEST((node.last_to == member(2).identity));
  node.member_event(channel::MemberChange::told, member(2, 2 * kHour));
  node.wait(seconds(11));  // it is hung; who answered in another form before is asked in that
  BOOST_TEST((node.sent(SendOutcome::written).dialect == session::Dialect::tomcat7));
  BOOST_TEST((node.last_to == member(1).identity));
  node.wait(seconds(11));
  BOOST_TEST(node.outgoing.empty());  // each is asked once
}

BOOST_AUTO_TEST_CASE(parts_of_a_long_answer_are_waited_for) {
  Node node;
  node.came(member(1, kHour));
  node.hear(tribecast::test::event(Event::accessed, "a", kStart));
  node.sent(SendOutcome::written);
  for (int i = 0; i < 5; ++i) {
    node.wait(seconds(8));
    node.hear(tribecast::test::state({{.id = "a"}}), member(1));
  }
  node.hear(complete(), member(1));
  BOOST_TEST(node.keeper.fetches().counters().completed == 1U);
}

BOOST_AUTO_TEST_CASE(no_tomcat_is_asked_for_a_large_context) {
  Settings settings;
  settings.fetch.limit_sessions = 3;
  Node node(settings);
  for (int i = 0; i < 3; ++i) node.hear(first_request("s" + std::to_string(i), kStart));
  node.came(member(1, kHour));
  node.came(engine(9, kHour));
  // An engine is: it has the memory for it.
  BOOST_TEST(node.sent(SendOutcome::written).context == kEveryContext);
  BOOST_TEST((node.last_to == engine(9, 0).identity));
  node.lost(engine(9, kHour));
  BOOST_TEST(node.outgoing.empty());
}

BOOST_AUTO_TEST_CASE(a_newcomer_is_filled_by_another_engine) {
  Node old(small_lists());
  for (int i = 0; i < 5; ++i) old.hear(first_request("s" + std::to_string(i), kStart + i));
  session::Message other = first_request("t", kStart);
  other.context = "/other";
  old.hear(other);

  Node young;
  // By a static list it is a member before it has said what it is.
  young.came(member(9, 0));
  young.member_event(channel::MemberChange::told, engine(9, kHour));
  young.wait(seconds(3));
  BOOST_TEST(!young.keeper.has_state());
  const session::Message question = young.sent(SendOutcome::written);
  BOOST_TEST(question.context == kEveryContext);
  old.hear(question, engine(8, 0));
  while (!old.outgoing.empty()) young.hear(old.sent(), engine(9, kHour));
  BOOST_TEST(young.keeper.store().session_count() == 6U);
  BOOST_TEST(young.keeper.store().contexts().size() == 2U);
  BOOST_TEST(young.keeper.has_state());
  // Which knows all that Tomcats could tell.
  young.came(member(1, kHour));
  young.hear(tribecast::test::event(Event::accessed, "s0", kStart + 9));
  BOOST_TEST(young.outgoing.empty());
}

BOOST_AUTO_TEST_CASE(after_a_partition_two_engines_agree) {
  Node a;
  Node b;
  for (Node* node : {&a, &b}) {
    for (const char* id : {"both", "gone"}) node->hear(first_request(id, kStart));
    node->wait(seconds(5));
  }
  a.hear(tribecast::test::delta("both", kStart + 1, {tribecast::test::set("cart", "older")}));
  b.hear(tribecast::test::delta("both", kStart + 2, {tribecast::test::set("cart", "newer")}));
  a.hear(tribecast::test::event(Event::expired, "gone", kStart + 1));
  a.hear(first_request("of-a", kStart));
  b.hear(first_request("of-b", kStart));
  a.came(engine(8, 100));
  b.came(engine(9, 100));
  while (!a.outgoing.empty() || !b.outgoing.empty()) {
    if (!a.outgoing.empty()) b.hear(a.sent(), engine(9, 100));
    if (!b.outgoing.empty()) a.hear(b.sent(), engine(8, 100));
    BOOST_TEST(a.keeper.has_state());  // of what a Tomcat asks for it may answer all the same
  }
  for (Node* node : {&a, &b}) {
    BOOST_TEST(node->keeper.store().session_count() == 3U);
    const auto now = moment(node->time).now;
    BOOST_TEST(node->keeper.store().find(kContext, "gone", now) == nullptr);
    const session::Session* both = node->keeper.store().find(kContext, "both", now);
    BOOST_TEST_REQUIRE(both != nullptr);
    BOOST_TEST(
        same(both->record("both").attributes[0].second, tribecast::test::text_value("newer")));
  }
  BOOST_TEST(a.keeper.fetches().counters().completed == 1U);
}

BOOST_AUTO_TEST_CASE(what_is_held_too_long_is_asked_for) {
  Node node;
  node.came(member(1, 100));
  node.wait(seconds(5));
  node.hear(tribecast::test::delta("a", kStart, {tribecast::test::set("n", "v")}));
  node.wait(seconds(50));
  BOOST_TEST(node.outgoing.empty());
  node.wait(seconds(15));
  BOOST_TEST(node.sent(SendOutcome::written).is(Event::get_all));
  BOOST_TEST(node.keeper.has_state());
  node.hear(tribecast::test::state({{.id = "a"}}));
  node.hear(complete());
  for (int i = 0; i < 100; ++i) node.wait(seconds(2));
  BOOST_TEST(node.outgoing.empty());
}

BOOST_AUTO_TEST_CASE(full_it_refuses_and_says_so_before) {
  Settings settings;
  settings.store.memory_limit_bytes = 1U << 20U;
  Node node(settings);
  const std::string large(10'000, 'x');
  std::size_t kept = 0;
  while (node.hear(first_request("s" + std::to_string(kept), kStart, large)) == Receipt::done)
    ++kept;
  BOOST_TEST(kept > 50U);
  BOOST_TEST(node.count_notices(NoticeKind::memory_alarm) == 1U);
  BOOST_TEST(node.count_notices(NoticeKind::memory_full) == 1U);
  // What takes no room goes on, and makes some.
  for (std::size_t i = 0; i < kept; i += 2) {
    const std::string id = "s" + std::to_string(i);
    BOOST_TEST(
        (node.hear(tribecast::test::event(Event::expired, id, kStart + 1)) == Receipt::done));
  }
  BOOST_TEST((node.hear(first_request("new", kStart, large)) == Receipt::done));
  BOOST_TEST(node.count_notices(NoticeKind::memory_fine) == 1U);
}

BOOST_AUTO_TEST_CASE(what_is_no_session_message_is_not_served) {
  Node node;
  BOOST_TEST((node.hear(golden("10.1.60", "evt01_created"), member(1), 1) == Receipt::not_served));
  BOOST_TEST((node.hear(bytes_of("hello")) == Receipt::not_served));
  BOOST_TEST(node.keeper.store().session_count() == 0U);
}

namespace {

Settings on_disk(bool awaited) {
  Settings settings;
  settings.store.tracks_changes = true;
  settings.ack = awaited ? AckLevel::disk : AckLevel::memory;
  return settings;
}

channel::Outbox end_commit(Node& node, bool good) {
  channel::Outbox out;
  node.keeper.end_commit(good, out);
  return out;
}

}  // namespace

BOOST_AUTO_TEST_CASE(with_the_disk_as_its_word_it_acknowledges_what_is_written) {
  Node node(on_disk(true));
  BOOST_TEST((node.hear(first_request("a", kStart)) == Receipt::pending));
  BOOST_TEST(node.keeper.is_awaited());
  BOOST_TEST(node.keeper.begin_commit(moment()).size() == 1U);
  // Comes too late for this commit, and says nothing new: but what it repeats is not written yet.
  BOOST_TEST((node.hear(first_request("b", kStart)) == Receipt::pending));
  const channel::Outbox first = end_commit(node, true);
  BOOST_TEST_REQUIRE(first.settled.size() == 1U);
  BOOST_TEST(first.settled[0].id == 1U);
  BOOST_TEST(first.settled[0].good);
  node.keeper.begin_commit(moment());
  BOOST_TEST(end_commit(node, true).settled.size() == 1U);
  BOOST_TEST(!node.keeper.has_changes());
  BOOST_TEST((node.hear(get_all(), member(2)) == Receipt::done));
  // Who does not wait is not waited for.
  const Buffer unawaited = session::compose_message(first_request("c", kStart));
  BOOST_TEST((node.hear(unawaited, member(1), channel::option::kAsynchronous) == Receipt::done));
  BOOST_TEST(!node.keeper.is_awaited());
}

BOOST_AUTO_TEST_CASE(while_the_disk_fails_it_refuses_and_keeps) {
  Node node(on_disk(true));
  node.hear(first_request("a", kStart));
  node.keeper.begin_commit(moment());
  node.hear(first_request("b", kStart));
  const channel::Outbox out = end_commit(node, false);
  BOOST_TEST_REQUIRE(out.settled.size() == 2U);
  BOOST_TEST(!out.settled[0].good);
  BOOST_TEST((node.hear(first_request("c", kStart)) == Receipt::refused));
  BOOST_TEST(node.keeper.store().session_count() == 3U);
  // All of it is in the next commit.
  BOOST_TEST(node.keeper.begin_commit(moment()).size() == 3U);
  end_commit(node, true);
  BOOST_TEST((node.hear(first_request("d", kStart)) == Receipt::pending));
}

BOOST_AUTO_TEST_CASE(restarted_it_has_what_was_written_and_may_be_asked_at_once) {
  Node before(on_disk(false));
  before.hear(first_request("a", kStart, "book"));
  before.hear(first_request("gone", kStart));
  before.hear(tribecast::test::event(Event::expired, "gone", kStart + 1));
  Node after(on_disk(false), seconds(60));
  for (const session::Saved& saved : before.keeper.begin_commit(moment())) {
    BOOST_TEST(after.keeper.restore(saved.key, saved.value.value_or(Buffer{}), moment(after.time)));
  }
  after.keeper.restored(moment(after.time), {}, false);
  BOOST_TEST(after.keeper.has_state());
  BOOST_TEST(!after.keeper.has_changes());
  // Tomcats that were started a little earlier, by the same event, know nothing.
  after.came(member(1, 20'000));
  BOOST_TEST(after.keeper.has_state());
  BOOST_TEST(after.sent(SendOutcome::written).is(Event::get_all));
  after.hear(complete(), member(1));
  after.hear(get_all(), member(2));
  const auto records = list_in(after.sent(SendOutcome::failed));
  BOOST_TEST_REQUIRE(records.size() == 1U);
  BOOST_TEST(records[0].id == "a");
  // One that lived on while the engine was away may know more.
  after.came(member(3, kHour));
  BOOST_TEST(!after.keeper.has_state());
  after.lost(member(3, kHour));
  BOOST_TEST(after.keeper.has_state());
}

BOOST_AUTO_TEST_CASE(while_nobody_was_heard_a_silent_member_is_asked_in_both_forms) {
  Node before(on_disk(false));
  before.hear(first_request("a", kStart));
  Node after(on_disk(false), seconds(60));
  for (const session::Saved& saved : before.keeper.begin_commit(moment())) {
    BOOST_TEST(after.keeper.restore(saved.key, saved.value.value_or(Buffer{}), moment(after.time)));
  }
  after.keeper.restored(moment(after.time), {}, false);
  after.came(member(1, kHour));
  after.came(member(2, kHour / 2));
  BOOST_TEST((after.sent(SendOutcome::written).dialect == session::Dialect::tomcat8));
  BOOST_TEST((after.last_to == member(1).identity));
  after.wait(seconds(11));
  BOOST_TEST((after.sent(SendOutcome::written).dialect == session::Dialect::tomcat7));
  BOOST_TEST((after.last_to == member(1).identity));
  after.wait(seconds(11));  // it is hung
  BOOST_TEST((after.sent(SendOutcome::written).dialect == session::Dialect::tomcat8));
  BOOST_TEST((after.last_to == member(2).identity));
  after.wait(seconds(11));
  BOOST_TEST((after.sent(SendOutcome::written).dialect == session::Dialect::tomcat7));
  session::Message end = complete();
  end.dialect = session::Dialect::tomcat7;
  after.hear(end, member(2));
  BOOST_TEST(after.keeper.fetches().counters().completed == 1U);
  // From now on it is known.
  after.came(member(3, 2 * kHour));
  BOOST_TEST((after.sent(SendOutcome::written).dialect == session::Dialect::tomcat7));
}
