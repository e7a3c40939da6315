// Datagrams are kept while somebody asks, bounded, and nothing is kept else.
#define BOOST_TEST_MODULE daemon_capture_tap
#include <boost/test/unit_test.hpp>

#include "daemon/capture_tap.h"

using namespace tribecast;
using namespace tribecast::daemon;

namespace {

struct Fixture {
  void pass(const std::string& member, std::size_t size = 1) {
    control::Seen seen;
    seen.member = member;
    seen.payload = Buffer(size, 7);
    tap.add(now, std::move(seen));
  }
  void ask(std::optional<std::uint64_t> after) {
    tap.ask(now, after, [this](const std::string& text) { answers.push_back(text); });
  }
  void later(Duration time) {
    now += time;
    tap.on_timer(now);
  }
  // The answers' members, `-` when there was none; `|` between answers, then the last sequence.
  std::string said() {
    std::string out = answers.empty() ? "-" : "";
    for (const std::string& answer : answers) {
      const auto list = control::read_capture_reply(answer);
      BOOST_REQUIRE(bool(list));
      for (const control::Seen& seen : list->seen) out += seen.member + " ";
      out += "|" + std::to_string(list->last);
    }
    answers.clear();
    return out;
  }

  CaptureTap tap;
  Instant now = Instant(seconds(100));
  std::vector<std::string> answers;
};

}  // namespace

BOOST_FIXTURE_TEST_CASE(off_until_somebody_asks, Fixture) {
  pass("a");
  BOOST_TEST(!tap.on());
  BOOST_TEST((tap.deadline() == kNever));
  ask(std::nullopt);
  BOOST_TEST(said() == "|0");
  BOOST_TEST(tap.on());
}

BOOST_FIXTURE_TEST_CASE(news_come_in_batches, Fixture) {
  ask(std::nullopt);
  ask(0);
  BOOST_TEST(said() == "|0");
  pass("a");
  BOOST_TEST((tap.deadline() == now + CaptureTap::kBatch));
  now += milliseconds(20);
  pass("b");
  BOOST_TEST(said() == "-");
  later(milliseconds(30));
  BOOST_TEST(said() == "a b |2");
  ask(1);  // one that asks late gets it at once
  BOOST_TEST(said() == "b |2");
}

BOOST_FIXTURE_TEST_CASE(who_waits_in_vain_is_answered, Fixture) {
  ask(0);
  later(CaptureTap::kPatience);
  BOOST_TEST(said() == "|0");
}

BOOST_FIXTURE_TEST_CASE(it_goes_off_and_forgets, Fixture) {
  ask(std::nullopt);
  pass("a");
  later(CaptureTap::kInterest - milliseconds(1));
  BOOST_TEST(tap.on());
  later(milliseconds(1));
  BOOST_TEST(!tap.on());
  pass("b");
  answers.clear();
  ask(0);
  BOOST_TEST(said() == "|1");
  BOOST_TEST((tap.deadline() == now + CaptureTap::kInterest));
}

BOOST_FIXTURE_TEST_CASE(bounded_in_number_and_bytes, Fixture) {
  ask(std::nullopt);
  answers.clear();
  for (std::size_t i = 0; i < CaptureTap::kKept + 10; ++i) pass("m");
  ask(0);
  const auto list = control::read_capture_reply(answers.back());
  BOOST_REQUIRE(bool(list));
  BOOST_TEST(list->seen.size() == CaptureTap::kMostInAnswer);
  BOOST_TEST(list->seen.front().sequence == 11U);  // ten went: the reader sees how many
  answers.clear();
  for (int i = 0; i < 100; ++i) pass("large", 60000);
  ask(1);
  const auto large = control::read_capture_reply(answers.back());
  BOOST_REQUIRE(bool(large));
  BOOST_TEST(large->seen.size() == CaptureTap::kKeptBytes / 60000);
}

BOOST_FIXTURE_TEST_CASE(who_waits_longest_goes_when_there_are_too_many, Fixture) {
  for (std::size_t i = 0; i < CaptureTap::kMaxWaiting + 3; ++i) ask(0);
  pass("a");
  later(CaptureTap::kBatch);
  BOOST_TEST(answers.size() == CaptureTap::kMaxWaiting);
}
