// The mapping of a peer's clock to ours.
#define BOOST_TEST_MODULE relay_clock_map
#include <boost/test/unit_test.hpp>

#include "relay/clock_map.h"
#include "vectors.h"

using namespace tribecast;
using relay::ClockMap;
using relay::Stamp;

namespace {

const Instant kStart{seconds(5000)};
constexpr Duration kOffset = seconds(1234);  // our clock less the peer's

// What the peer's clock shows at our `t`.
Stamp peer_clock(Instant t, Duration offset = kOffset) { return relay::stamp_of(t - offset); }

// A stamp made at the peer at `sent` arrives `there` later; the round trip took `back` more.
void sample(ClockMap& map, Instant sent, Duration there, Duration back, Duration offset = kOffset) {
  map.add(sent + there, peer_clock(sent, offset), there + back);
}

}  // namespace

BOOST_AUTO_TEST_CASE(the_error_is_at_most_half_the_round_trip) {
  struct Case {
    Duration there;
    Duration back;
  };
  const Case cases[] = {{milliseconds(5), milliseconds(5)},
                        {milliseconds(0), milliseconds(10)},
                        {milliseconds(10), milliseconds(0)},
                        {microseconds(30), microseconds(70)},
                        {Duration::zero(), Duration::zero()}};
  for (const Case& c : cases) {
    ClockMap map;
    BOOST_TEST(!map.known());
    sample(map, kStart, c.there, c.back);
    BOOST_TEST_REQUIRE(map.known());
    BOOST_TEST((map.uncertainty(kStart + c.there) - (c.there + c.back) / 2 < microseconds(10)));
    const Instant then = kStart + seconds(1);
    const Duration age = map.age(then + milliseconds(300), peer_clock(then));
    const Duration error = age - milliseconds(300);
    const Duration bound = map.uncertainty(then);
    BOOST_TEST((error <= bound && -error <= bound));
  }
}

BOOST_AUTO_TEST_CASE(the_lowest_round_trip_counts) {
  ClockMap map;
  sample(map, kStart, milliseconds(40), milliseconds(2));
  sample(map, kStart + seconds(1), milliseconds(1), milliseconds(1));
  sample(map, kStart + seconds(2), milliseconds(90), milliseconds(3));
  const Instant then = kStart + seconds(3);
  BOOST_TEST((map.uncertainty(then) < milliseconds(2)));
  BOOST_TEST((map.age(then, peer_clock(then)) == Duration::zero()));
}

BOOST_AUTO_TEST_CASE(a_good_sample_is_kept_until_drift_has_made_it_worse) {
  ClockMap map;
  sample(map, kStart, milliseconds(1), milliseconds(1));
  BOOST_TEST((map.uncertainty(kStart + milliseconds(20001)) == milliseconds(2)));
  for (int i = 1; i < 170; ++i) {
    sample(map, kStart + seconds(i), milliseconds(10), milliseconds(10));
    BOOST_TEST((map.uncertainty(kStart + seconds(i)) < milliseconds(10)));
  }
  sample(map, kStart + seconds(300), milliseconds(10), milliseconds(10));
  BOOST_TEST((map.uncertainty(kStart + seconds(300) + milliseconds(10)) == milliseconds(10)));
}

// Once the last good sample was forgotten after eight seconds, and then heartbeats passed that were
// older than max-age by half of what the path had become slower.
BOOST_AUTO_TEST_CASE(a_path_that_becomes_slow_in_one_direction_is_seen_as_slow) {
  ClockMap map;
  sample(map, kStart, milliseconds(1), milliseconds(1));
  for (int i = 1; i < 3600; ++i) {
    const Instant sent = kStart + seconds(i);
    sample(map, sent, milliseconds(1500), milliseconds(1));
    const Duration age = map.age(sent + milliseconds(1500), peer_clock(sent));
    BOOST_TEST_REQUIRE((age > milliseconds(1490) && age < milliseconds(1510)));
  }
}

BOOST_AUTO_TEST_CASE(a_negative_round_trip_is_ignored) {
  ClockMap map;
  map.add(kStart, peer_clock(kStart), -microseconds(1));
  BOOST_TEST(!map.known());
}

BOOST_AUTO_TEST_CASE(a_clock_that_stood_still_is_followed_by_the_next_sample) {
  for (const Duration jump : {seconds(5), -seconds(5)}) {
    ClockMap map;
    for (int i = 0; i < 20; ++i) {
      sample(map, kStart + seconds(i), milliseconds(1), milliseconds(1));
    }
    const Instant after = kStart + seconds(30);
    sample(map, after, milliseconds(20), milliseconds(20), kOffset + jump);
    const Duration age = map.age(after, peer_clock(after, kOffset + jump));
    BOOST_TEST((age <= milliseconds(20) && age >= -milliseconds(20)));
    BOOST_TEST((map.uncertainty(after + milliseconds(20)) == milliseconds(20)));
  }
}

BOOST_AUTO_TEST_CASE(drift_below_two_milliseconds_discards_nothing) {
  ClockMap map;
  sample(map, kStart, Duration::zero(), Duration::zero());
  sample(map, kStart + seconds(1), Duration::zero(), milliseconds(3), kOffset + milliseconds(2));
  BOOST_TEST((map.uncertainty(kStart + seconds(1)) == microseconds(50)));
}

// Property: whatever the delays, the true age differs by no more than the uncertainty.
BOOST_AUTO_TEST_CASE(any_delays) {
  test::Random random;
  for (int round = 0; round < 200; ++round) {
    ClockMap map;
    Instant at = kStart;
    for (int i = 0; i < 40; ++i) {
      at += microseconds(static_cast<int>(random.below(700000)));
      const auto delay = [&] { return microseconds(static_cast<int>(random.below(80000))); };
      sample(map, at, delay(), delay());
      const Duration error = map.age(at, peer_clock(at));
      const Duration bound = map.uncertainty(at) + microseconds(1);
      BOOST_TEST_REQUIRE((error <= bound && -error <= bound));
    }
  }
}

// Stamps are a peer's to choose: none may overflow the arithmetic.
BOOST_AUTO_TEST_CASE(hostile_stamps) {
  for (const Stamp stamp : {Stamp{0}, Stamp{1} << 52U, ~Stamp{0}, Stamp{1} << 63U}) {
    ClockMap map;
    map.add(kStart, stamp, milliseconds(1));
    BOOST_TEST(map.known());
    BOOST_TEST((map.age(kStart, stamp) == milliseconds(0) + microseconds(500)));
    map.add(kStart, 0, milliseconds(1));
    map.add(kStart, ~Stamp{0}, seconds(3600));
    static_cast<void>(map.age(kStart, stamp));
  }
}
