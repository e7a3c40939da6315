// The search for the largest datagram that gets through.
#define BOOST_TEST_MODULE relay_path_size
#include <boost/test/unit_test.hpp>

#include "relay/path_size.h"

using namespace tribecast;
using relay::PathSize;

namespace {

constexpr Instant kStart{seconds(1000)};

// A path that carries payloads up to `limit`; the peer answers before the next probe.
struct Path {
  std::size_t limit = 1472;
  PathSize size;
  Instant now = kStart;
  unsigned tests = 0;

  void run_for(Duration time) {
    for (const Instant end = now + time; now < end; now += milliseconds(500)) {
      const auto test = size.next_test(now);
      if (!test) continue;
      ++tests;
      if (*test <= limit) size.on_answer(now + milliseconds(1), *test);
    }
  }
};

}  // namespace

BOOST_AUTO_TEST_CASE(every_limit_is_found_within_ten_seconds) {
  for (const std::size_t limit : {576U, 1000U, 1132U, 1231U, 1232U, 1400U, 1472U, 1500U, 9000U}) {
    Path path{limit, {}, kStart, 0};
    BOOST_TEST(path.size.usable() == 1232U);
    BOOST_TEST(!path.size.proven());
    path.run_for(seconds(10));
    const auto best = std::ranges::find_if(PathSize::kSizes.rbegin(), PathSize::kSizes.rend(),
                                           [&](std::size_t size) { return size <= limit; });
    BOOST_TEST((path.size.proven() == *best), limit);
  }
}

BOOST_AUTO_TEST_CASE(a_path_that_carries_nothing_large_is_left_at_the_smallest) {
  Path path{0, {}, kStart, 0};
  path.run_for(seconds(60));
  BOOST_TEST(path.size.usable() == 576U);
  BOOST_TEST(!path.size.proven());
}

BOOST_AUTO_TEST_CASE(a_black_hole_lowers_it_and_the_end_of_one_raises_it_again) {
  Path path;
  path.run_for(seconds(20));
  BOOST_TEST(path.size.usable() == 1472U);
  path.limit = 1000;
  path.run_for(seconds(50));
  BOOST_TEST(path.size.usable() == 972U);
  path.limit = 1472;
  path.run_for(seconds(610));
  BOOST_TEST(path.size.usable() == 1472U);
}

BOOST_AUTO_TEST_CASE(two_lost_tests_are_no_black_hole) {
  Path path;
  path.run_for(seconds(20));
  path.limit = 0;
  path.run_for(seconds(1));
  path.limit = 1472;
  path.run_for(seconds(100));
  BOOST_TEST(path.size.usable() == 1472U);
}

BOOST_AUTO_TEST_CASE(what_is_found_costs_two_tests_a_minute) {
  Path path;
  path.run_for(seconds(20));
  path.tests = 0;
  path.run_for(seconds(300));
  BOOST_TEST(path.tests <= 10U);
}

BOOST_AUTO_TEST_CASE(answers_to_what_was_not_asked_are_not_believed) {
  PathSize size;
  size.on_answer(kStart, 8972);
  size.on_answer(kStart, 1232);  // nothing was sent yet
  BOOST_TEST(!size.proven());
  BOOST_TEST((size.next_test(kStart) == 1232U));
  size.on_answer(kStart, 8972);
  BOOST_TEST(!size.proven());
}
