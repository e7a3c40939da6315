// The store of DeltaManager sessions: each event, each order, each limit.
#define BOOST_TEST_MODULE session_store
#include <boost/test/unit_test.hpp>

#include "engine/session/store.h"
#include "java_fixture.h"
#include "session_fixture.h"

using namespace tribecast;
using namespace tribecast::session;
using test::at_second;
using test::change;
using test::delta;
using test::event;
using test::kContext;
using test::kStart;

namespace {

// A store with a clock that stands unless it is told.
struct Site {
  Store store;
  std::int64_t second = 0;

  explicit Site(const Settings& settings = {}) : store(settings) {}

  Outcome hear(const Message& message) { return store.on_message(message, at_second(second)); }
  void create(const std::string& id, std::int64_t time_ms = kStart) {
    hear(event(Event::created, id, time_ms));
  }
  void set(const std::string& id, const std::string& name, const std::string& text,
           std::int64_t time_ms) {
    hear(delta(id, time_ms, {test::set(name, text)}));
  }
  // Until a whole walk is over.
  void wait(std::int64_t seconds) {
    second += seconds;
    for (int i = 0; i < 100; ++i) store.on_timer(at_second(second));
  }
  const Session* find(const std::string& id) {
    return store.find(kContext, id, at_second(second).now);
  }
  // The attribute's text; `-` without it, `none` without the session.
  std::string text(const std::string& id, const std::string& name) {
    const Session* session = find(id);
    if (session == nullptr) return "none";
    for (const auto& [key, value] : session->record(id).attributes) {
      if (key != name) continue;
      const java::Graph graph = test::graph_of(value);
      return text_of(java::text_of_string(graph, graph.roots()[0]).value_or(Bytes{}));
    }
    return "-";
  }
};

}  // namespace

BOOST_AUTO_TEST_CASE(a_session_is_created_and_changed) {
  Site site;
  site.create("a");
  site.set("a", "x", "1", kStart + 1);
  site.set("a", "x", "2", kStart + 2);
  site.set("a", "y", "3", kStart + 3);
  site.hear(delta("a", kStart + 4, {test::removed("y")}));
  BOOST_TEST(site.text("a", "x") == "2");
  BOOST_TEST(site.text("a", "y") == "-");
  BOOST_TEST(site.find("a")->created_ms() == kStart);
  BOOST_TEST(site.store.session_count() == 1U);
  BOOST_TEST(site.store.counters().deltas == 4U);
}

BOOST_AUTO_TEST_CASE(properties_beside_attributes) {
  Site site;
  site.create("a");
  const auto principal =
      parse_delta(test::java_stream("10.1.60/session/delta_principal_authtype.bin"));
  std::vector<Action> actions = principal->actions;
  actions.push_back(test::set(ActionType::max_interval, "", test::integer_value(60)));
  actions.push_back(test::set(ActionType::is_new, "", test::boolean_value(false)));
  actions.push_back(test::set(ActionType::note, "org.apache.catalina.authenticator.SESSION_ID",
                              test::text_value("a")));
  actions.push_back(test::set(ActionType::listener, "l", test::text_value("listener")));
  site.hear(delta("a", kStart + 1, actions));
  const Record record = site.find("a")->record("a");
  BOOST_TEST((record.principal == principal->actions[0].value));
  BOOST_TEST(record.max_inactive_s == 60);
  BOOST_TEST((record.id_note == test::text_value("a")));
  BOOST_TEST(!record.request_note.has_value());
  BOOST_TEST(record.listeners.size() == 1U);
  BOOST_TEST(!record.is_new);
  BOOST_TEST(record.attributes.empty());
}

BOOST_AUTO_TEST_CASE(the_latest_time_wins_whatever_came_last) {
  Site site;
  site.create("a");
  site.set("a", "x", "new", kStart + 20);
  site.set("a", "x", "old", kStart + 10);
  BOOST_TEST(site.text("a", "x") == "new");
  site.hear(delta("a", kStart + 30, {test::removed("x")}));
  site.set("a", "x", "late", kStart + 25);
  BOOST_TEST(site.text("a", "x") == "-");
  site.set("a", "x", "again", kStart + 31);
  BOOST_TEST(site.text("a", "x") == "again");
}

// In one message the later action counts; of two messages of one time all keep the same.
BOOST_AUTO_TEST_CASE(equal_times) {
  Site one;
  Site other;
  for (Site* site : {&one, &other}) site->create("a");
  one.hear(delta("a", kStart + 1, {test::set("x", "1"), test::set("x", "0")}));
  BOOST_TEST(one.text("a", "x") == "0");
  const Message m = delta("a", kStart + 2, {test::set("x", "m")});
  const Message n = delta("a", kStart + 2, {test::set("x", "n")});
  one.hear(m);
  one.hear(n);
  other.hear(n);
  other.hear(m);
  BOOST_TEST(one.text("a", "x") == other.text("a", "x"));
}

BOOST_AUTO_TEST_CASE(a_delta_before_its_creation_is_held) {
  Site site;
  site.set("a", "x", "1", kStart + 5);
  BOOST_TEST(site.text("a", "x") == "none");
  BOOST_TEST(site.store.counters().held == 1U);
  site.create("a");
  BOOST_TEST(site.text("a", "x") == "1");
  BOOST_TEST(site.find("a")->created_ms() == kStart);
  // In a Tomcat a second creation wipes the session.
  site.create("a", kStart + 6);
  BOOST_TEST(site.text("a", "x") == "1");
  BOOST_TEST(site.find("a")->created_ms() == kStart);
}

BOOST_AUTO_TEST_CASE(the_first_delta_of_a_session_needs_no_creation) {
  Site site;
  site.hear(
      delta("a", kStart + 5,
            {test::set(ActionType::is_new, "", test::boolean_value(true)), test::set("x", "1")}));
  BOOST_TEST(site.text("a", "x") == "1");
}

BOOST_AUTO_TEST_CASE(held_sessions_are_fetched_and_bounded) {
  Site site({.max_held_sessions = 3});
  for (const std::string id : {"a", "b", "c", "d", "e"}) site.set(id, "x", "1", kStart);
  BOOST_TEST(site.store.session_count() == 3U);
  BOOST_TEST(site.store.counters().held_dropped == 2U);
  site.second = 59;
  BOOST_TEST(site.store.on_timer(at_second(59)).empty());
  const auto fetch = site.store.on_timer(at_second(60));
  BOOST_TEST_REQUIRE(fetch.size() == 1U);
  BOOST_TEST(fetch[0] == kContext);
  BOOST_TEST(site.store.on_timer(at_second(61)).empty());  // said once
  for (const std::string id : {"c", "d", "e"}) site.create(id);
  BOOST_TEST(site.text("e", "x") == "1");
  // Sessions that begin as they should are no reason to give up a held one.
  site.set("f", "x", "1", kStart);
  for (int i = 0; i < 10; ++i) site.create("s" + std::to_string(i));
  site.create("f");
  BOOST_TEST(site.text("f", "x") == "1");
}

BOOST_AUTO_TEST_CASE(a_session_that_ended_never_returns) {
  Site site;
  site.create("a");
  site.set("a", "x", "1", kStart + 1);
  site.hear(event(Event::expired, "a", kStart + 2));
  BOOST_TEST(site.store.session_count() == 0U);
  site.set("a", "x", "2", kStart + 50);
  site.create("a", kStart);
  site.create("a", kStart + 10'000);
  site.hear(event(Event::accessed, "a", kStart + 60));
  Record copy;
  copy.id = "a";
  copy.this_accessed_ms = kStart + 1'000'000;
  site.hear(test::state({copy}));
  BOOST_TEST(site.store.session_count() == 0U);
  BOOST_TEST(site.store.counters().after_end == 5U);
  // Neither when the end came first.
  site.hear(event(Event::expired, "b", kStart + 2));
  site.create("b");
  BOOST_TEST(site.text("b", "x") == "none");
}

// Tomcat gives an id again where another web application still has it.
BOOST_AUTO_TEST_CASE(a_much_later_creation_begins_anew) {
  Site site;
  site.create("a");
  site.set("a", "x", "1", kStart + 1);
  site.hear(event(Event::expired, "a", kStart + 2));
  site.create("a", kStart + 60'000);
  BOOST_TEST(site.text("a", "x") == "-");
  site.set("a", "x", "late", kStart + 1);
  BOOST_TEST(site.text("a", "x") == "-");
  site.set("a", "x", "new", kStart + 60'001);
  BOOST_TEST(site.text("a", "x") == "new");
}

BOOST_AUTO_TEST_CASE(tombstones_are_forgotten_in_time) {
  Site site({.tombstone_age = seconds(100), .max_tombstones = 2});
  const std::size_t empty = site.store.memory_bytes();
  for (const std::string id : {"a", "b", "c"}) site.hear(event(Event::expired, id, kStart));
  BOOST_TEST(site.store.memory_bytes() > empty);
  site.wait(1);
  site.create("a");  // the oldest of three
  site.create("b");
  BOOST_TEST((site.find("a") != nullptr));
  BOOST_TEST((site.find("b") == nullptr));
  site.hear(event(Event::expired, "a", kStart + 1));
  site.wait(200);
  BOOST_TEST(site.store.memory_bytes() == empty);
}

BOOST_AUTO_TEST_CASE(a_session_lives_twice_its_time_out) {
  Site site;
  site.create("a");
  site.hear(
      delta("a", kStart + 1, {test::set(ActionType::max_interval, "", test::integer_value(10))}));
  site.wait(19);
  BOOST_TEST((site.find("a") != nullptr));
  site.hear(event(Event::accessed, "a", kStart + 19'000));
  site.wait(19);
  BOOST_TEST((site.find("a") != nullptr));
  site.second += 1;
  BOOST_TEST((site.find("a") == nullptr));  // before any timer has run
  BOOST_TEST(site.store.ids(kContext, at_second(site.second).now).empty());
  site.wait(0);
  BOOST_TEST(site.store.session_count() == 0U);
  BOOST_TEST(site.store.counters().timed_out == 1U);
  site.set("a", "x", "late", kStart + 18'000);
  BOOST_TEST(site.store.session_count() == 0U);

  site.create("b", kStart + 100'000);
  site.hear(delta("b", kStart + 100'001,
                  {test::set(ActionType::max_interval, "", test::integer_value(0))}));
  site.wait(100'000'000);
  BOOST_TEST((site.find("b") != nullptr));
}

BOOST_AUTO_TEST_CASE(every_session_is_walked) {
  Site site;
  for (int i = 0; i < 5000; ++i) site.create("s" + std::to_string(i));
  site.second = 4000;
  for (int i = 0; i < 40; ++i) site.store.on_timer(at_second(site.second));
  BOOST_TEST(site.store.session_count() == 0U);
  BOOST_TEST(site.store.counters().timed_out == 5000U);
}

BOOST_AUTO_TEST_CASE(a_session_takes_another_id) {
  Site site;
  site.create("a");
  site.set("a", "x", "1", kStart + 1);
  site.hear(change("a", "b", kStart + 2));
  BOOST_TEST(site.text("b", "x") == "1");
  BOOST_TEST((site.find("a") == nullptr));
  site.set("a", "y", "late", kStart + 1);  // under the former id
  BOOST_TEST(site.text("b", "y") == "late");
  BOOST_TEST(site.store.session_count() == 1U);
  site.hear(event(Event::expired, "b", kStart + 5));
  site.set("a", "y", "later", kStart + 6);
  BOOST_TEST(site.store.session_count() == 0U);
}

// `.a` to `.b` when another node takes over, and back when it dies in turn: in every order.
BOOST_AUTO_TEST_CASE(ids_that_come_back_in_every_order) {
  const std::vector<Message> messages = {
      event(Event::created, "i.a", kStart), delta("i.a", kStart + 1, {test::set("x", "1")}),
      change("i.a", "i.b", kStart + 2),     delta("i.b", kStart + 3, {test::set("x", "2")}),
      change("i.b", "i.a", kStart + 4),     delta("i.a", kStart + 5, {test::set("y", "3")}),
  };
  std::vector<std::size_t> order = {0, 1, 2, 3, 4, 5};
  do {
    Site site;
    for (const std::size_t i : order) site.hear(messages[i]);
    BOOST_TEST(site.store.session_count() == 1U);
    BOOST_TEST(site.text("i.a", "x") == "2");
    BOOST_TEST(site.text("i.a", "y") == "3");
  } while (std::ranges::next_permutation(order).found);
}

// The route and, at a login, the whole id: both within one millisecond.
BOOST_AUTO_TEST_CASE(two_changes_of_one_moment_in_every_order) {
  const std::vector<Message> messages = {
      event(Event::created, "i.a", kStart),
      delta("i.a", kStart + 1, {test::set("x", "1")}),
      change("i.a", "i.b", kStart + 2),
      change("i.b", "j.b", kStart + 2),
      delta("j.b", kStart + 2, {test::set("y", "2")}),
  };
  std::vector<std::size_t> order = {0, 1, 2, 3, 4};
  do {
    Site site;
    for (const std::size_t i : order) site.hear(messages[i]);
    BOOST_TEST(site.store.session_count() == 1U);
    BOOST_TEST(site.text("j.b", "x") == "1");
    BOOST_TEST(site.text("j.b", "y") == "2");
  } while (std::ranges::next_permutation(order).found);
}

BOOST_AUTO_TEST_CASE(another_member_s_state_fills_gaps) {
  Site site;
  site.create("a");
  site.set("a", "newer", "here", kStart + 5000);
  site.set("a", "older", "here", kStart + 1000);
  site.set("a", "only", "here", kStart + 1000);
  Record copy;
  copy.id = "a";
  copy.created_ms = kStart;
  copy.last_accessed_ms = kStart + 2000;
  copy.this_accessed_ms = kStart + 3000;
  copy.max_inactive_s = 60;
  copy.attributes = {{"newer", test::text_value("there")},
                     {"older", test::text_value("there")},
                     {"missing", test::text_value("there")}};
  Record other = copy;
  other.id = "b";
  Record invalid = copy;
  invalid.id = "c";
  invalid.is_valid = false;
  site.hear(test::state({copy, other, invalid}));
  BOOST_TEST(site.text("a", "newer") == "here");
  BOOST_TEST(site.text("a", "older") == "there");
  BOOST_TEST(site.text("a", "missing") == "there");
  BOOST_TEST(site.text("a", "only") == "here");
  BOOST_TEST(site.text("b", "older") == "there");
  BOOST_TEST((site.find("c") == nullptr));
  // Idle since its last access, by the clocks of both.
  Record idle = copy;
  idle.id = "d";
  idle.this_accessed_ms = kStart - 120'000;
  site.hear(test::state({idle}));
  BOOST_TEST((site.find("d") == nullptr));
}

// How long a session was idle the clock says by which its last access was told.
BOOST_AUTO_TEST_CASE(a_clock_that_is_wrong_ends_no_session_of_another_member_s_state) {
  for (const std::int64_t ahead_ms : {-3'600'000, 3'600'000}) {
    Site site;
    Record record;
    record.id = "a";
    record.created_ms = kStart - 60'000;
    record.this_accessed_ms = kStart - 60'000;
    record.max_inactive_s = 600;
    const Clock clock{at_second(0).now, kStart + ahead_ms};
    site.store.on_message(test::state({record}), clock);
    BOOST_TEST((site.store.find(kContext, "a", clock.now) != nullptr));
    site.wait(20 * 60 - 61);
    BOOST_TEST((site.find("a") != nullptr));
    site.wait(2);
    BOOST_TEST((site.find("a") == nullptr));
  }
}

// What was removed stays so, whatever the engine's clock says.
BOOST_AUTO_TEST_CASE(a_late_value_of_a_removed_attribute_does_not_return) {
  Site site;
  site.create("a");
  site.hear(delta("a", kStart + 2, {test::removed("x")}));
  for (int i = 0; i < 100; ++i) {
    site.store.on_timer({at_second(0).now, kStart + 3'600'000});
  }
  site.set("a", "x", "late", kStart + 1);
  BOOST_TEST(site.text("a", "x") == "-");
}

BOOST_AUTO_TEST_CASE(golden_state_of_all_branches) {
  for (const std::string version : {"7.0.x-tip", "8.5.x-tip", "9.0.70", "10.1.60", "11.0.x-tip"}) {
    Site site;
    site.second = 2;
    const auto message =
        parse_message(test::java_stream(version + "/session/evt12_all_session_data.bin"));
    BOOST_TEST((site.hear(*message).verdict == Verdict::done));
    BOOST_TEST(site.store.session_count() == 2U);
  }
}

BOOST_AUTO_TEST_CASE(what_the_caller_is_to_do) {
  Site site;
  BOOST_TEST((site.hear(event(Event::get_all, "GET-ALL", kStart)).answer == kContext));
  BOOST_TEST((site.hear(event(Event::transfer_complete, "", kStart)).complete == kContext));
  BOOST_TEST((site.hear(event(Event::no_context_manager, "", kStart)).complete == kContext));
  BOOST_TEST((site.hear(event(Event::delta, "a", kStart)).verdict == Verdict::malformed));
  BOOST_TEST((site.hear(event(Event::change_id, "a", kStart)).verdict == Verdict::malformed));
  BOOST_TEST((site.hear(event(Event::all_data, "a", kStart)).verdict == Verdict::malformed));
  BOOST_TEST((site.hear(event(static_cast<Event>(99), "a", kStart)).verdict == Verdict::done));
  BOOST_TEST(site.store.counters().malformed == 3U);
  BOOST_TEST(site.store.counters().unknown_events == 1U);
  BOOST_TEST(site.store.session_count() == 0U);
}

BOOST_AUTO_TEST_CASE(contexts_are_apart) {
  Site site;
  site.create("a");
  Message other = delta("a", kStart + 1, {test::set("x", "1")});
  other.context = "other";
  site.hear(other);
  BOOST_TEST(site.text("a", "x") == "-");
  BOOST_TEST(site.store.contexts().size() == 2U);
}

BOOST_AUTO_TEST_CASE(memory_is_counted_and_growth_refused_at_the_limit) {
  Site site({.memory_limit_bytes = 1'000'000, .tombstone_age = seconds(1)});
  const std::string kilobyte(1000, 'x');
  int sessions = 0;
  bool alarmed = false;
  for (;; ++sessions) {
    const std::string id = "s" + std::to_string(sessions);
    if (site.hear(event(Event::created, id, kStart)).verdict == Verdict::refused) break;
    const Message m = delta(id, kStart + 1, {test::set("x", kilobyte)});
    if (site.hear(m).verdict == Verdict::refused) break;
    if (site.store.pressure() == Pressure::alarm && !alarmed) {
      alarmed = true;
      BOOST_TEST(site.store.memory_bytes() >= 900'000U);
      BOOST_TEST(site.store.memory_bytes() < 905'000U);
    }
  }
  BOOST_TEST(alarmed);
  BOOST_TEST((site.store.pressure() == Pressure::full));
  BOOST_TEST(site.store.memory_bytes() <= 1'000'000U);
  BOOST_TEST(sessions > 600);
  // What has ended elsewhere, or has another id, and is not here, would be remembered.
  int others = 0;
  const auto hear_of_another = [&] {
    return site.hear(event(Event::expired, "other" + std::to_string(others), kStart)).verdict;
  };
  while (others < 100 && hear_of_another() != Verdict::refused) ++others;
  BOOST_TEST(others < 10);
  BOOST_TEST((site.hear(change("former", "new", kStart)).verdict == Verdict::refused));
  // Nothing was evicted; what makes no more is still heard.
  BOOST_TEST(site.text("s0", "x") == kilobyte);
  for (int i = 0; i < 300; ++i) {
    const Message end = event(Event::expired, "s" + std::to_string(i), kStart + 2);
    BOOST_TEST((site.hear(end).verdict == Verdict::done));
  }
  BOOST_TEST((site.store.pressure() == Pressure::fine));
  BOOST_TEST((site.hear(event(Event::created, "new", kStart)).verdict == Verdict::done));
  // The books are right: when all is gone, nothing is left.
  site.wait(100'000);
  site.wait(100'000);
  BOOST_TEST(site.store.session_count() == 0U);
  BOOST_TEST(site.store.memory_bytes() == 0U);
}

BOOST_AUTO_TEST_CASE(a_state_for_a_starting_tomcat) {
  Site site;
  for (int i = 0; i < 2500; ++i) {
    const std::string id = "s" + std::to_string(i);
    site.create(id);
    site.set(id, "x", std::to_string(i), kStart + 1);
  }
  site.set("held", "x", "1", kStart);  // its creation has not been seen
  Transfer transfer(site.store, kContext, Dialect::tomcat8, at_second(0));
  site.hear(event(Event::expired, "s7", kStart + 2));
  std::vector<Message> messages;
  while (auto message = transfer.next(site.store, at_second(5))) messages.push_back(*message);
  BOOST_TEST_REQUIRE(messages.size() == 4U);
  Site other;
  for (const Message& message : messages) {
    const auto heard = parse_message(compose_message(message));
    BOOST_TEST_REQUIRE(static_cast<bool>(heard));
    BOOST_TEST(heard->context == kContext);
    other.hear(*heard);
  }
  BOOST_TEST(messages[0].is(Event::all_data));
  BOOST_TEST(messages[3].is(Event::transfer_complete));
  BOOST_TEST(messages[3].time_ms == kStart - 60'000);  // of the snapshot, less the margin
  BOOST_TEST(messages[3].session_id == "SESSION-STATE-TRANSFERRED");
  BOOST_TEST(other.store.session_count() == 2499U);
  BOOST_TEST(other.text("s2499", "x") == "2499");
  BOOST_TEST(other.text("s7", "x") == "none");
}

BOOST_AUTO_TEST_CASE(an_unknown_context_is_an_empty_list) {
  const Store store({});
  Transfer transfer(store, "new", Dialect::tomcat7, at_second(0));
  const auto list = transfer.next(store, at_second(0));
  BOOST_TEST_REQUIRE(list.has_value());
  BOOST_TEST((list->dialect == Dialect::tomcat7));
  BOOST_TEST(same(*list->payload, test::java_stream("7.0.x-tip/session/list_empty.bin")));
  BOOST_TEST(transfer.next(store, at_second(0))->is(Event::transfer_complete));
  BOOST_TEST(!transfer.next(store, at_second(0)).has_value());
}
