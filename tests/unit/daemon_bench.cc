// A second of probes: as many as the rate says, each answer counted once, an end whatever happens.
#define BOOST_TEST_MODULE daemon_bench
#include <boost/test/unit_test.hpp>

#include "daemon/bench.h"

using namespace tribecast;
using namespace tribecast::daemon;

namespace {

struct Fixture {
  void start(std::uint64_t rate) {
    bench.start(now, milliseconds(10), {rate, "b"}, [this](const std::string& text) {
      const auto result = control::read_bench_reply(text);
      BOOST_REQUIRE(bool(result));
      ended = *result;
    });
  }
  // Each probe is answered, except each `lost`th.
  void run(Duration time, std::size_t lost) {
    for (const Instant end = now + time; now < end; now += milliseconds(1)) {
      for (std::size_t due = bench.due(now); due > 0; --due) {
        bench.sent(now, ++stamp);
        if (lost == 0 || stamp % lost != 0) {
          BOOST_TEST(bench.answered("b", stamp, microseconds(stamp)));
        }
      }
      bench.on_timer(now, milliseconds(60));
    }
  }

  Bench bench;
  Instant now = Instant(seconds(100));
  relay::Stamp stamp = 0;
  std::optional<control::BenchResult> ended;
};

}  // namespace

BOOST_FIXTURE_TEST_CASE(one_second_at_the_rate, Fixture) {
  start(1000);
  BOOST_TEST(bench.running());
  run(seconds(2), 0);
  BOOST_REQUIRE(ended.has_value());
  BOOST_TEST(ended->sent == 1000U);
  BOOST_TEST(ended->round_trips_us.size() == 1000U);
  BOOST_TEST(*ended->quantile_seconds(0.5) == 0.0005);
  BOOST_TEST(*ended->quantile_seconds(0.99) == 0.00099);
  BOOST_TEST(*ended->quantile_seconds(1) == 0.001);
  BOOST_TEST(ended->cpu_seconds == 0.05);
  BOOST_TEST(!bench.running());
  BOOST_TEST((bench.deadline(now) == kNever));
}

BOOST_FIXTURE_TEST_CASE(who_was_held_up_sends_the_rest_in_pieces_and_says_how_long_it_took,
                        Fixture) {
  start(1000);
  now += seconds(1);
  BOOST_TEST(bench.due(now) == Bench::kAtOnce);
  run(milliseconds(20), 0);
  BOOST_REQUIRE(ended.has_value());
  BOOST_TEST(ended->sent == 1000U);
  BOOST_TEST(ended->seconds > 1.01);
}

BOOST_FIXTURE_TEST_CASE(what_is_not_answered_is_lost_after_the_grace, Fixture) {
  start(100);
  run(seconds(1) + Bench::kGrace, 10);
  BOOST_TEST(!ended);
  run(milliseconds(2), 0);
  BOOST_REQUIRE(ended.has_value());
  BOOST_TEST(ended->sent == 100U);
  BOOST_TEST(ended->round_trips_us.size() == 90U);
  BOOST_TEST(control::bench_text("b", *ended).find("loss 10.0 %") != std::string::npos);
}

BOOST_FIXTURE_TEST_CASE(answers_of_others_are_not_its_own, Fixture) {
  BOOST_TEST(!bench.answered("b", 1, microseconds(1)));
  start(10);
  bench.sent(now, 7);
  BOOST_TEST(!bench.answered("c", 7, microseconds(1)));
  BOOST_TEST(!bench.answered("b", 8, microseconds(1)));
  BOOST_TEST(bench.answered("b", 7, microseconds(1)));
  BOOST_TEST(!bench.answered("b", 7, microseconds(1)));
}

BOOST_AUTO_TEST_CASE(requests) {
  const auto good = control::parse_bench_request(control::to_argument({50, "web-2"}));
  BOOST_REQUIRE(bool(good));
  BOOST_TEST(good->rate == 50U);
  BOOST_TEST(good->peer == "web-2");
  for (const char* bad : {"", "5", "5 ", "x b", "0 b", "10001 b", "-1 b", "5x b"}) {
    BOOST_TEST(!control::parse_bench_request(bad), bad);
  }
}
