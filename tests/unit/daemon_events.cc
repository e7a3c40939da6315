// The ring of events, and those who wait.
#define BOOST_TEST_MODULE daemon_events
#include <boost/test/unit_test.hpp>
#include <memory>
#include <vector>

#include "daemon/events.h"

using namespace tribecast;
using namespace tribecast::daemon;

namespace {

struct Fixture {
  Fixture() { events.set_instance("ab"); }

  void happen(const std::string& text) { events.add({0, "t", "notice", "x", "s", text}); }
  // The texts of an answer, `-` when there was none.
  [[nodiscard]] std::string ask(std::optional<std::uint64_t> after) {
    events.ask(after, [this](const std::string& line) { answers.push_back(line); });
    return last_answer();
  }
  [[nodiscard]] std::string last_answer() {
    if (answers.empty()) return "-";
    const auto list = control::read_events_reply(answers.back());
    answers.clear();
    BOOST_REQUIRE(bool(list));
    BOOST_TEST(list->instance == "ab");
    std::string out;
    for (const control::Event& event : list->events) out += event.text + " ";
    return out + "last " + std::to_string(list->last);
  }

  Events events;
  std::vector<std::string> answers;
};

}  // namespace

BOOST_FIXTURE_TEST_CASE(all_or_what_came_after, Fixture) {
  BOOST_TEST(ask(std::nullopt) == "last 0");
  happen("a");
  happen("b");
  BOOST_TEST(ask(std::nullopt) == "a b last 2");
  BOOST_TEST(ask(0) == "a b last 2");
  BOOST_TEST(ask(1) == "b last 2");
}

BOOST_FIXTURE_TEST_CASE(who_knows_all_waits_for_the_next, Fixture) {
  happen("a");
  BOOST_TEST(ask(1) == "-");
  BOOST_TEST(events.anybody_waits());
  events.answer();
  BOOST_TEST(last_answer() == "-");
  happen("b");
  happen("c");
  events.answer();
  BOOST_TEST(last_answer() == "b c last 3");
  BOOST_TEST(!events.anybody_waits());
}

BOOST_FIXTURE_TEST_CASE(sequences_of_another_agent_are_answered_at_once, Fixture) {
  happen("a");
  BOOST_TEST(ask(70) == "a last 1");
}

BOOST_FIXTURE_TEST_CASE(the_oldest_go, Fixture) {
  for (std::size_t i = 0; i < Events::kKept + 44; ++i) happen("x");
  events.ask(std::nullopt, [this](const std::string& line) { answers.push_back(line); });
  const auto list = control::read_events_reply(answers.back());
  BOOST_REQUIRE(bool(list));
  BOOST_TEST(list->events.size() == Events::kKept);
  BOOST_TEST(list->events.front().sequence == 45U);
  BOOST_TEST(list->last == 300U);
}

BOOST_FIXTURE_TEST_CASE(who_waits_longest_goes_when_there_are_too_many, Fixture) {
  auto alive = std::make_shared<int>();
  events.ask(0, [alive](const std::string&) {});
  BOOST_TEST(alive.use_count() == 2);
  for (std::size_t i = 0; i < Events::kMaxWaiting; ++i) {
    events.ask(0, [this](const std::string& line) { answers.push_back(line); });
  }
  BOOST_TEST(alive.use_count() == 1);
  happen("a");
  events.answer();
  BOOST_TEST(answers.size() == Events::kMaxWaiting);
}

BOOST_FIXTURE_TEST_CASE(a_text_is_one_line, Fixture) {
  happen("one:\n    two\n\nthree\n");
  happen("\x1b[31m");
  BOOST_TEST(ask(std::nullopt) == "one: two three ?[31m last 2");
  happen(std::string(5000, 'y'));
  BOOST_TEST(ask(2) == std::string(Events::kMaxText, 'y') + " ... last 3");
}

BOOST_AUTO_TEST_CASE(an_event_in_words_and_in_json) {
  const control::Event event{7, "2026-11-20T08:00:00.000Z", "notice", "peer_up", "b", "is up"};
  BOOST_TEST(control::event_text(event, {}) ==
             "2026-11-20T08:00:00.000Z notice peer_up: b is up\n");
  BOOST_TEST(control::event_json(event, "ab", "t") ==
             "{\"schema\":\"tribecast.events/1\",\"generated_at\":\"t\",\"instance\":\"ab\","
             "\"sequence\":7,\"time\":\"2026-11-20T08:00:00.000Z\",\"level\":\"notice\","
             "\"id\":\"peer_up\",\"subject\":\"b\",\"text\":\"is up\"}\n");
  const auto list = control::read_events_reply(control::events_reply({"ab", 7, {event}}));
  BOOST_REQUIRE(bool(list));
  BOOST_TEST((list->events == std::vector<control::Event>{event}));
}
