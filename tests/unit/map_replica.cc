// The engine in Tomcat's replicated maps: each rule of sharing, take-over and healing, in a
// simulated cluster of map members that behave as Tomcat's LazyReplicatedMap does.
#define BOOST_TEST_MODULE map_replica
#include <boost/test/unit_test.hpp>

#include "map_cluster.h"

using namespace tribecast;
using namespace tribecast::map;
using namespace tribecast::test;

namespace {

// Every session of every Tomcat: what the engine has of it is what its primary has.
void expect_newest_in_engine(Cluster& cluster) {
  for (const auto& [id, text] : cluster.truth()) {
    BOOST_TEST(cluster.in_engine(id) == text, id << ": " << cluster.in_engine(id));
  }
}

// An engine alone, with what it sends as values.
struct Alone {
  Replica replica{member(9), {}};
  Actions out;

  void hear(Type type, std::uint8_t from, std::uint8_t primary, const std::vector<Member>& nodes,
            int second) {
    Message message{.type = static_cast<std::int32_t>(type), .map = kMap};
    message.key = text_value("s");
    message.primary = member(primary);
    message.nodes = nodes;
    replica.on_message({message, {}}, member(from), at_second(second), out);
    // What is new is asked for a moment later.
    session::Clock later = at_second(second);
    later.now += Settings{}.newborn;
    replica.on_newborn(later, out);
  }
  void ping(std::uint8_t from, int second) {
    const Message ping{.type = static_cast<std::int32_t>(Type::ping), .map = kMap};
    replica.on_request({ping, {}}, member(from), at_second(second), out);
  }
  // Answers all questions: values with a value, states with an empty list. Returns the notices.
  std::vector<std::pair<Member, Message>> answer(int second) {
    std::vector<std::pair<Member, Message>> notices;
    const Actions sent = std::exchange(out, {});
    for (const Action& action : sent) {
      auto parsed = action.call == 0 ? parse_message(action.bytes) : parse_object(action.bytes);
      Message& message = parsed->message;
      if (action.call == 0) {
        notices.emplace_back(member(action.to.host.back()), message);
        continue;
      }
      message.value = message.is(Type::state) ? compose_list({}, {})
                                              : session_value(session_record("s", "value"));
      replica.on_answer(action.call, compose_object(message, {}), at_second(second), out);
    }
    return notices;
  }
  std::size_t told(Type type, std::uint8_t to,
                   const std::vector<std::pair<Member, Message>>& notices) const {
    return static_cast<std::size_t>(std::ranges::count_if(notices, [&](const auto& notice) {
      return notice.first == member(to) && notice.second.is(type);
    }));
  }
};

}  // namespace

BOOST_AUTO_TEST_CASE(every_session_is_in_the_engine) {
  for (const std::size_t tomcats : {1U, 2U, 3U, 4U}) {
    Cluster cluster(tomcats);
    for (std::size_t i = 0; i < 30 * tomcats; ++i) {
      cluster.tomcat(i % tomcats).put("s" + std::to_string(i), "first");
    }
    cluster.run();
    BOOST_TEST(cluster.truth().size() == 30 * tomcats);
    expect_newest_in_engine(cluster);
    for (std::size_t i = 0; i < 30 * tomcats; i += 2) {
      cluster.tomcat(i % tomcats).change("s" + std::to_string(i), "second");
    }
    cluster.run();
    expect_newest_in_engine(cluster);
    BOOST_TEST(cluster.in_engine("s0") == "second");
  }
}

BOOST_AUTO_TEST_CASE(an_engine_that_comes_late_fetches_all) {
  Cluster cluster(3, false);
  for (std::size_t i = 0; i < 300; ++i) cluster.tomcat(i % 3).put("s" + std::to_string(i), "value");
  cluster.run();
  cluster.start_engine();
  cluster.heartbeat();
  cluster.run();
  expect_newest_in_engine(cluster);
  for (std::size_t i = 0; i < 300; ++i)
    cluster.tomcat(i % 3).change("s" + std::to_string(i), "new");
  cluster.run();
  BOOST_TEST(cluster.in_engine("s299") == "new");
  expect_newest_in_engine(cluster);
}

BOOST_AUTO_TEST_CASE(the_notice_goes_before_the_question) {
  Cluster cluster(3);
  for (int i = 0; i < 9; ++i) cluster.tomcat(0).put("s" + std::to_string(i), "value");
  cluster.run();
  std::set<std::string> told;
  std::size_t questions = 0;
  for (const auto& [to, message] : cluster.sent_by_engine()) {
    if (!message.key) continue;
    const std::string key = to.name() + text_of(*message.key);
    if (message.is(Type::notify_member)) told.insert(key);
    if (!message.is(Type::retrieve_backup)) continue;
    ++questions;
    BOOST_TEST(told.contains(key));
  }
  BOOST_TEST(questions == 6U);  // the others are backed up here by Tomcat's own choice
}

BOOST_AUTO_TEST_CASE(changes_while_the_value_is_fetched_are_kept) {
  Cluster cluster(2);
  cluster.hold_answers(true);
  for (int i = 0; i < 8; ++i) cluster.tomcat(0).put("s" + std::to_string(i), "old");
  cluster.run();
  // The answers are on their way with the old value, the changes overtake them.
  for (int i = 0; i < 8; ++i) cluster.tomcat(0).change("s" + std::to_string(i), "new");
  cluster.run();
  cluster.hold_answers(false);
  cluster.run();
  for (int i = 0; i < 8; ++i) BOOST_TEST(cluster.in_engine("s" + std::to_string(i)) == "new");
}

BOOST_AUTO_TEST_CASE(every_move_is_followed) {
  Cluster cluster(3);
  for (int i = 0; i < 18; ++i) cluster.tomcat(0).put("s" + std::to_string(i), "0");
  cluster.run();
  for (int round = 1; round < 6; ++round) {
    for (int i = 0; i < 18; ++i) {
      FakeTomcat& next = cluster.tomcat(static_cast<std::size_t>(round + i) % 3);
      const std::string id = "s" + std::to_string(i);
      BOOST_TEST(next.get(id) == std::to_string(round - 1));
      next.change(id, std::to_string(round));
      if (i % 3 == 0) cluster.run();
    }
    cluster.run();
    expect_newest_in_engine(cluster);
    for (int i = 0; i < 18; ++i) BOOST_TEST(cluster.engine_is_backup("s" + std::to_string(i)));
  }
}

BOOST_AUTO_TEST_CASE(kill_of_the_primary) {
  Cluster cluster(3);
  for (int i = 0; i < 30; ++i) cluster.tomcat(0).put("s" + std::to_string(i), "value");
  cluster.run();
  cluster.kill(0);
  cluster.run();
  for (int i = 0; i < 30; ++i) {
    const std::string id = "s" + std::to_string(i);
    BOOST_TEST(cluster.tomcat(static_cast<std::size_t>(1 + i % 2)).get(id) == "value", id);
    cluster.run();
    cluster.tomcat(static_cast<std::size_t>(1 + i % 2)).change(id, "after");
  }
  cluster.run();
  expect_newest_in_engine(cluster);
  BOOST_TEST(cluster.in_engine("s29") == "after");
}

BOOST_AUTO_TEST_CASE(kill_of_a_backup) {
  Cluster cluster(3);
  for (int i = 0; i < 30; ++i) cluster.tomcat(0).put("s" + std::to_string(i), "value");
  cluster.run();
  cluster.kill(1);
  cluster.run();
  for (int i = 0; i < 30; ++i) cluster.tomcat(0).change("s" + std::to_string(i), "after");
  cluster.run();
  for (int i = 0; i < 30; ++i) {
    BOOST_TEST(cluster.in_engine("s" + std::to_string(i)) == "after");
    BOOST_TEST(cluster.engine_is_backup("s" + std::to_string(i)));
    BOOST_TEST(cluster.tomcat(2).get("s" + std::to_string(i)) == "after");
  }
}

BOOST_AUTO_TEST_CASE(kill_of_primary_and_backup_at_once) {
  for (const bool reverse : {false, true}) {
    Cluster cluster(3);
    for (std::size_t i = 0; i < 27; ++i) {
      cluster.tomcat(i % 3).put("s" + std::to_string(i), "value");
      cluster.tomcat(i % 3).change("s" + std::to_string(i), "newest");
    }
    cluster.run();
    cluster.kill(reverse ? std::vector<std::size_t>{1, 0} : std::vector<std::size_t>{0, 1});
    cluster.run();
    BOOST_TEST(cluster.engine().counters().announced > 0U);
    for (std::size_t i = 0; i < 27; ++i) {
      BOOST_TEST(cluster.tomcat(2).get("s" + std::to_string(i)) == "newest", i);
    }
    cluster.run();
    expect_newest_in_engine(cluster);
    BOOST_TEST(cluster.truth().size() == 27U);
  }
}

BOOST_AUTO_TEST_CASE(kill_of_all_and_a_new_one) {
  Cluster cluster(2);
  for (std::size_t i = 0; i < 20; ++i) cluster.tomcat(i % 2).put("s" + std::to_string(i), "kept");
  cluster.run();
  cluster.kill(0);
  cluster.kill(1);
  cluster.run();
  FakeTomcat& fresh = cluster.start_tomcat();
  cluster.run();
  for (int i = 0; i < 20; ++i) BOOST_TEST(fresh.get("s" + std::to_string(i)) == "kept");
  cluster.run();
  fresh.change("s7", "again");
  cluster.run();
  expect_newest_in_engine(cluster);
}

BOOST_AUTO_TEST_CASE(a_deaf_member_is_told_what_it_lacks_and_only_that) {
  Cluster cluster(3);
  cluster.cut(1, true);
  for (std::size_t i = 0; i < 20; ++i) cluster.tomcat(0).put("a" + std::to_string(i), "one");
  for (std::size_t i = 0; i < 5; ++i) cluster.tomcat(1).put("b" + std::to_string(i), "two");
  cluster.run();
  BOOST_TEST(!cluster.tomcat(1).knows("a0"));
  cluster.cut(1, false);
  cluster.heartbeat();
  cluster.run();
  cluster.forget_sent();
  cluster.pass(seconds(20));
  cluster.heartbeat();
  cluster.engine().check_all();
  cluster.run();
  for (std::size_t i = 0; i < 20; ++i) {
    BOOST_TEST(cluster.tomcat(1).get("a" + std::to_string(i)) == "one");
  }
  expect_newest_in_engine(cluster);
  BOOST_TEST(cluster.in_engine("b4") == "two");
  for (const auto& [to, message] : cluster.sent_by_engine()) {
    if (!message.is(Type::proxy)) continue;
    const bool lacked = to == cluster.tomcat(1).identity() ||
                        (to == cluster.tomcat(2).identity() && text_of(*message.key).find('b'));
    BOOST_TEST(lacked);
    BOOST_TEST(!(to == message.primary->identity));
  }
  // A second comparison finds nothing.
  cluster.forget_sent();
  cluster.pass(seconds(20));
  cluster.engine().check_all();
  cluster.run();
  for (const auto& [to, message] : cluster.sent_by_engine()) BOOST_TEST(!message.is(Type::proxy));
}

BOOST_AUTO_TEST_CASE(a_logged_out_session_stays_out) {
  Cluster cluster(3);
  for (int i = 0; i < 9; ++i) cluster.tomcat(0).put("s" + std::to_string(i), "value");
  cluster.run();
  cluster.cut(2, true);
  for (int i = 0; i < 9; ++i) cluster.tomcat(0).remove("s" + std::to_string(i));
  cluster.run();
  BOOST_TEST(cluster.engine().entry_count() == 0U);
  BOOST_TEST(cluster.tomcat(2).knows("s0"));
  cluster.cut(2, false);
  cluster.heartbeat();
  cluster.run();
  BOOST_TEST(cluster.engine().entry_count() == 0U);
  for (int i = 0; i < 9; ++i) BOOST_TEST(!cluster.tomcat(2).knows("s" + std::to_string(i)));
  // Three had the engine as only backup: Tomcat drops those by itself when it is alone.
  BOOST_TEST(cluster.engine().counters().removed_again == 6U);
  // The same key again, as a replaced value: it counts.
  cluster.tomcat(0).put("s0", "anew");
  cluster.run();
  BOOST_TEST(cluster.in_engine("s0") == "anew");
}

BOOST_AUTO_TEST_CASE(a_removed_key_that_its_primary_has_again_is_not_removed) {
  Cluster cluster(2);
  cluster.tomcat(0).put("s", "value");
  cluster.tomcat(0).remove("s");
  cluster.cut(0, true);
  cluster.tomcat(0).put("s", "anew");
  cluster.cut(0, false);
  cluster.heartbeat();
  cluster.run();
  BOOST_TEST(cluster.tomcat(0).get("s") == "anew");
  BOOST_TEST(cluster.in_engine("s") == "anew");
  BOOST_TEST(cluster.engine().counters().removed_again == 0U);
}

BOOST_AUTO_TEST_CASE(while_it_fetches_it_lets_others_answer) {
  Cluster cluster(3);
  cluster.hold_answers(true);
  for (int i = 0; i < 9; ++i) cluster.tomcat(0).put("s" + std::to_string(i), "value");
  cluster.run();
  std::size_t silent = 0;
  for (int i = 0; i < 9; ++i) {
    const auto answer = cluster.ask_engine("s" + std::to_string(i), 2);
    if (!answer)
      ++silent;
    else
      BOOST_TEST((parse_object(*answer)->message.value.has_value()));
  }
  BOOST_TEST(silent == 6U);
  const auto unknown = cluster.ask_engine("never seen", 2);
  BOOST_REQUIRE(unknown);
  BOOST_TEST(same(*unknown, kNullObject));
}

BOOST_AUTO_TEST_CASE(a_backup_ends_after_twice_its_time_out) {
  Cluster cluster(2);
  cluster.tomcat(0).put("idle", "value");  // time-out 1800 s
  cluster.tomcat(0).put("used", "value");
  cluster.run();
  cluster.pass(seconds(3500));
  cluster.tomcat(0).change("used", "again");
  cluster.run();
  cluster.pass(seconds(200));
  for (int i = 0; i < 40; ++i) cluster.pass(seconds(1));
  BOOST_TEST(cluster.in_engine("idle").empty());
  BOOST_TEST(cluster.in_engine("used") == "again");
  // Its primary lives and ends it by itself; without one the others are told.
  BOOST_TEST(cluster.tomcat(0).knows("idle"));
  cluster.kill(0);
  cluster.run();
  cluster.kill(1);
  FakeTomcat& fresh = cluster.start_tomcat();
  cluster.run();
  BOOST_TEST(fresh.knows("used"));
  cluster.pass(seconds(3700));
  for (int i = 0; i < 40; ++i) cluster.pass(seconds(1));
  BOOST_TEST(!fresh.knows("used"));
  BOOST_TEST(cluster.engine().entry_count() == 0U);
}

BOOST_AUTO_TEST_CASE(memory_is_counted_and_bounded) {
  Settings settings;
  settings.memory_limit_bytes = 100'000;
  Cluster cluster(1, true, settings);
  std::size_t count = 0;
  for (; cluster.engine().counters().refused == 0 && count < 1000; ++count) {
    cluster.tomcat(0).put("s" + std::to_string(count), std::string(1000, 'x'));
    cluster.run();
    BOOST_TEST(cluster.engine().memory_bytes() <= settings.memory_limit_bytes);
  }
  BOOST_TEST(count > 10U);
  BOOST_TEST(count < 100U);
  BOOST_TEST((cluster.engine().pressure() != Pressure::fine));
  BOOST_TEST(cluster.in_engine("s0") == std::string(1000, 'x'));
  for (std::size_t i = 0; i < count; ++i) cluster.tomcat(0).remove("s" + std::to_string(i));
  cluster.run();
  cluster.pass(std::chrono::hours(7));
  cluster.run();
  BOOST_TEST(cluster.engine().entry_count() == 0U);
  BOOST_TEST(cluster.engine().memory_bytes() == 0U);
  BOOST_TEST((cluster.engine().pressure() == Pressure::fine));
}

BOOST_AUTO_TEST_CASE(what_was_refused_is_fetched_when_there_is_room) {
  Settings settings;
  settings.memory_limit_bytes = 60'000;
  Cluster cluster(1, true, settings);
  cluster.tomcat(0).put("kept", "old");
  std::size_t count = 0;
  for (; cluster.engine().counters().refused == 0 && count < 1000; ++count) {
    cluster.tomcat(0).put("s" + std::to_string(count), std::string(1000, 'x'));
  }
  cluster.tomcat(0).change("kept", std::string(3000, 'n'));
  cluster.run();
  BOOST_TEST(cluster.in_engine("kept") == "old");
  // It knows that this is old: it says nothing as long as another can.
  cluster.start_tomcat();
  BOOST_TEST(!cluster.ask_engine("kept", 1));
  for (std::size_t i = 0; i < count; ++i) cluster.tomcat(0).remove("s" + std::to_string(i));
  cluster.run();
  BOOST_TEST(cluster.in_engine("kept") == std::string(3000, 'n'));
}

BOOST_AUTO_TEST_CASE(a_silent_member_is_asked_again) {
  Replica replica(member(9), {});
  Actions out;
  Message proxy{.type = static_cast<std::int32_t>(Type::proxy), .map = kMap};
  proxy.key = text_value("s");
  proxy.primary = member(1);
  proxy.nodes = {member(2)};
  replica.on_message({proxy, {}}, member(1), at_second(0), out);
  std::vector<std::uint64_t> questions;
  const auto hear_nothing = [&](int second) {
    const Actions sent = std::exchange(out, {});
    for (const Action& action : sent) {
      if (action.call == 0) continue;
      if (parse_object(action.bytes)->message.is(Type::retrieve_backup)) {
        questions.push_back(action.call);
      }
      replica.on_silence(action.call, at_second(second), out);
    }
  };
  for (int second = 0; second < 100; ++second) {
    hear_nothing(second);
    replica.on_timer(at_second(second), out);
  }
  BOOST_TEST(questions.size() > 10U);
  BOOST_TEST(questions.size() < 25U);
  // It is gone, and the other, who was never heard, does not answer either: that ends.
  replica.on_gone(member(1).identity, at_second(100), out);
  const std::size_t before = questions.size();
  for (int second = 100; second < 200; ++second) {
    hear_nothing(second);
    replica.on_timer(at_second(second), out);
  }
  BOOST_TEST(questions.size() - before <= 4U);
}

BOOST_AUTO_TEST_CASE(nobody_is_left_with_a_dead_member_in_the_list) {
  Alone engine;
  engine.ping(3, 0);
  // 8 is another engine: it has a backup, too.
  engine.hear(Type::proxy, 1, 1, {member(2), member(8)}, 0);
  engine.answer(0);
  engine.replica.on_gone(member(1).identity, at_second(20), engine.out);
  engine.replica.on_timer(at_second(20), engine.out);
  BOOST_TEST(engine.told(Type::proxy, 3, engine.answer(20)) == 0U);  // 2 has it, and is alive
  engine.replica.on_gone(member(2).identity, at_second(21), engine.out);
  engine.replica.on_timer(at_second(21), engine.out);
  const auto notices = engine.answer(21);
  BOOST_TEST(engine.told(Type::proxy, 3, notices) == 1U);
  for (const auto& [to, message] : notices) {
    BOOST_TEST((message.primary == member(9)));
    BOOST_TEST((message.nodes == std::vector<Member>{member(8), member(9)}));
  }
}

BOOST_AUTO_TEST_CASE(what_moves_is_not_healed) {
  Alone engine;
  engine.ping(3, 0);
  engine.hear(Type::proxy, 1, 1, {member(2)}, 0);
  engine.answer(0);
  const auto compare = [&](int second) {
    engine.replica.check_all();
    engine.replica.on_timer(at_second(second), engine.out);
    return engine.answer(second);
  };
  // Its own notice to the member may still be on its way.
  compare(2);
  engine.replica.on_timer(at_second(3), engine.out);
  BOOST_TEST(engine.told(Type::proxy, 3, engine.answer(3)) == 0U);
  // It has become the primary since it said that it knows nothing: it must stay that.
  compare(20);
  engine.hear(Type::proxy, 3, 3, {member(2), member(9)}, 20);
  engine.replica.on_timer(at_second(21), engine.out);
  BOOST_TEST(engine.told(Type::proxy, 3, engine.answer(21)) == 0U);
  engine.hear(Type::proxy, 1, 1, {member(2), member(9)}, 22);
  compare(40);
  engine.replica.on_timer(at_second(41), engine.out);
  BOOST_TEST(engine.told(Type::proxy, 3, engine.answer(41)) == 1U);
}

BOOST_AUTO_TEST_CASE(two_engines_end_up_both_as_backups) {
  Alone engine;
  engine.ping(1, 0);
  engine.hear(Type::proxy, 1, 1, {member(2)}, 0);
  engine.answer(0);
  // The other one did not know of this one when it enlisted itself.
  engine.hear(Type::notify_member, 8, 1, {member(2), member(8)}, 1);
  const auto notices = engine.answer(1);
  BOOST_TEST(engine.told(Type::notify_member, 1, notices) == 1U);
  BOOST_TEST(engine.told(Type::notify_member, 8, notices) == 1U);
  for (const auto& [to, message] : notices) {
    BOOST_TEST((message.primary == member(1)));
    BOOST_TEST((message.nodes == std::vector<Member>{member(2), member(8), member(9)}));
  }
  engine.hear(Type::notify_member, 8, 1, {member(2), member(9), member(8)}, 2);
  BOOST_TEST(engine.answer(2).empty());
}

BOOST_AUTO_TEST_CASE(a_replicated_map_is_kept_whole_and_given_whole) {
  Alone engine;
  Message copy{.type = static_cast<std::int32_t>(Type::copy), .map = "Catalina-SSO-cache"};
  copy.key = text_value("sso");
  copy.value = text_value("any object at all");
  copy.primary = member(1);
  copy.nodes = {member(2), member(9)};
  engine.replica.on_message({copy, {}}, member(1), at_second(0), engine.out);
  engine.answer(0);
  const Message question{.type = static_cast<std::int32_t>(Type::state_copy), .map = copy.map};
  const auto list_for = [&](std::uint8_t asker) {
    const auto reply =
        engine.replica.on_request({question, {}}, member(asker), at_second(1), engine.out);
    return *parse_list(*parse_object(*reply)->message.value);
  };
  BOOST_TEST((list_for(3) == std::vector<Message>{copy}));
  // One that lacks it is given the value itself.
  const Message ping{.type = static_cast<std::int32_t>(Type::ping), .map = copy.map};
  engine.replica.on_request({ping, {}}, member(3), at_second(30), engine.out);
  engine.answer(30);
  engine.replica.on_timer(at_second(30), engine.out);
  const auto notices = engine.answer(30);
  BOOST_TEST(engine.told(Type::copy, 3, notices) == 1U);
  for (const auto& [to, message] : notices) BOOST_TEST((message == copy));
  // All Tomcats gone: the next one gets it with the engine as its primary.
  for (std::uint8_t gone = 1; gone <= 3; ++gone) {
    engine.replica.on_gone(member(gone).identity, at_second(40), engine.out);
  }
  const auto list = list_for(4);
  BOOST_TEST(list.size() == 1U);
  BOOST_TEST((list.at(0).primary == member(9)));
  BOOST_TEST((list.at(0).value == copy.value));
  BOOST_TEST((list.at(0).nodes == std::vector<Member>{member(9)}));
}

BOOST_AUTO_TEST_CASE(members_that_are_gone_make_room_for_others) {
  Alone engine;
  for (int i = 0; i < 10'000; ++i) {
    Member tomcat = member(1);
    tomcat.identity.unique_id = {1, static_cast<std::uint8_t>(i),
                                 static_cast<std::uint8_t>(i / 256)};
    Message proxy{.type = static_cast<std::int32_t>(Type::proxy), .map = kMap};
    proxy.key = text_value("s");
    proxy.primary = tomcat;
    proxy.nodes = {member(2), member(9)};
    const Verdict verdict =
        engine.replica.on_message({proxy, {}}, tomcat, at_second(i), engine.out);
    BOOST_REQUIRE((verdict == Verdict::done));
    session::Clock later = at_second(i);  // a new one is not asked for at once
    later.now += milliseconds(500);
    engine.replica.on_timer(later, engine.out);
    engine.answer(i);
    engine.replica.on_gone(tomcat.identity, at_second(i), engine.out);
  }
  BOOST_TEST(engine.replica.find(kMap, text_value("s")).has_value());
}

BOOST_AUTO_TEST_CASE(each_tomcat_is_answered_with_its_own_classes) {
  Replica replica(member(9), {});
  Actions out;
  for (const std::uint64_t uid : {0x2e21087915506d1cULL, 0x8476f37b32953667ULL}) {
    const Versions versions = {.message = kMessageUid, .member = uid};
    const Member tomcat = member(uid == kMemberUid ? 1 : 2);
    Message ping{.type = static_cast<std::int32_t>(Type::ping), .map = kMap};
    ping.primary = tomcat;
    const auto parsed = parse_object(compose_object(ping, versions));
    BOOST_REQUIRE(parsed);
    const auto answer = replica.on_request(*parsed, tomcat, at_second(0), out);
    BOOST_REQUIRE(answer);
    const auto reply = parse_object(*answer);
    BOOST_REQUIRE(reply);
    BOOST_TEST(reply->versions.member == uid);
    BOOST_TEST((*parse_state(*reply->message.value) == State::initialized));
    BOOST_TEST((reply->message.primary == member(9)));
  }
}
