// Rates and latencies over a sliding time.
#define BOOST_TEST_MODULE relay_meters
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <vector>

#include "relay/meters.h"
#include "vectors.h"

using namespace tribecast;
using relay::LatencyMeter;
using relay::RateMeter;

namespace {

const Instant kStart{seconds(1000)};

}  // namespace

BOOST_AUTO_TEST_CASE(nothing_yet) {
  BOOST_TEST(RateMeter().per_second(kStart) == 0.0);
  BOOST_TEST(!LatencyMeter().quantiles(kStart).has_value());
}

BOOST_AUTO_TEST_CASE(rate_over_the_last_ten_whole_seconds) {
  RateMeter meter;
  for (int ms = 0; ms < 30000; ms += 250) meter.add(kStart + milliseconds(ms));
  BOOST_TEST(meter.per_second(kStart + seconds(30)) == 4.0);
  // The second that has begun does not count yet, what is older than ten does not any more.
  BOOST_TEST(meter.per_second(kStart + milliseconds(30900)) == 4.0);
  BOOST_TEST(meter.per_second(kStart + seconds(35)) == 2.0);
  BOOST_TEST(meter.per_second(kStart + seconds(40)) == 0.0);
  meter.add(kStart + seconds(1000), 50);
  BOOST_TEST(meter.per_second(kStart + seconds(1001)) == 5.0);
}

BOOST_AUTO_TEST_CASE(rate_soon_after_the_start_is_over_the_seconds_there_were) {
  RateMeter meter;
  meter.add(kStart, 8);
  BOOST_TEST(meter.per_second(kStart + milliseconds(500)) == 0.0);
  BOOST_TEST(meter.per_second(kStart + seconds(1)) == 8.0);
  BOOST_TEST(meter.per_second(kStart + seconds(2)) == 4.0);
}

BOOST_AUTO_TEST_CASE(quantiles_are_at_most_a_bucket_too_large) {
  LatencyMeter meter;
  for (int us = 1; us <= 1000; ++us) meter.add(kStart, microseconds(us));
  const auto q = meter.quantiles(kStart);
  BOOST_TEST_REQUIRE(q.has_value());
  BOOST_TEST((q->p50 >= microseconds(500) && q->p50 <= microseconds(546)));
  BOOST_TEST((q->p99 >= microseconds(990) && q->p99 <= microseconds(1000)));
  BOOST_TEST((q->max == microseconds(1000)));
}

BOOST_AUTO_TEST_CASE(extreme_latencies) {
  const Duration cases[] = {-seconds(1), Duration::zero(), Duration(1), seconds(17), seconds(1000)};
  for (const Duration latency : cases) {
    LatencyMeter meter;
    meter.add(kStart, latency);
    const auto q = meter.quantiles(kStart);
    BOOST_TEST_REQUIRE(q.has_value());
    BOOST_TEST((q->max == std::max(latency, Duration::zero())));
    BOOST_TEST((q->p50 <= q->max && q->p99 <= q->max));
  }
}

BOOST_AUTO_TEST_CASE(latencies_are_forgotten_after_a_minute) {
  LatencyMeter meter;
  meter.add(kStart, milliseconds(900));
  meter.add(kStart + seconds(30), milliseconds(1));
  BOOST_TEST((meter.quantiles(kStart + seconds(59))->max == milliseconds(900)));
  BOOST_TEST((meter.quantiles(kStart + seconds(70))->max == milliseconds(1)));
  BOOST_TEST(!meter.quantiles(kStart + seconds(100)).has_value());
  // A slot that is used again holds nothing of before.
  meter.add(kStart + seconds(600), milliseconds(2));
  BOOST_TEST((meter.quantiles(kStart + seconds(600))->max == milliseconds(2)));
}

// Property: against the sorted list, within one eighth of an octave.
BOOST_AUTO_TEST_CASE(any_latencies) {
  test::Random random;
  for (int round = 0; round < 100; ++round) {
    LatencyMeter meter;
    std::vector<Duration> all;
    const std::size_t count = 1 + random.below(400);
    for (std::size_t i = 0; i < count; ++i) {
      all.push_back(microseconds(static_cast<int>(1 + random.below(1U << (1 + random.below(23))))));
      meter.add(kStart, all.back());
    }
    std::ranges::sort(all);
    const auto q = meter.quantiles(kStart);
    BOOST_TEST_REQUIRE(q.has_value());
    const auto check = [&](Duration found, double share) {
      const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(count)));
      const Duration exact = all[rank - 1];
      BOOST_TEST_REQUIRE((found >= exact));
      BOOST_TEST_REQUIRE(static_cast<double>(found.count()) <=
                         static_cast<double>(exact.count()) * 1.065);
    };
    check(q->p50, 0.5);
    check(q->p99, 0.99);
    BOOST_TEST((q->max == all.back()));
  }
}
