// Bursts of injections, spread so that no listener loses any.
#define BOOST_TEST_MODULE relay_pacer
#include <boost/test/unit_test.hpp>

#include "relay/pacer.h"
#include "vectors.h"

using namespace tribecast;
using relay::PacedInjection;
using relay::Pacer;

namespace {

const Instant kStart{seconds(100)};
constexpr std::size_t kHeartbeat = 77;
// Heartbeats that a default receive buffer of 212992 bytes holds.
constexpr std::size_t kBufferHolds = 256;

PacedInjection numbered(std::uint16_t number, std::size_t size = kHeartbeat) {
  PacedInjection injection;
  injection.inject.source.port = number;
  injection.inject.payload.resize(size);
  return injection;
}

struct Released {
  Instant at;
  std::uint16_t number;
};

// `count` injections at once, then the timer at every deadline.
std::vector<Released> burst(Pacer& pacer, std::uint16_t count, Instant at) {
  std::vector<Released> released;
  for (std::uint16_t i = 0; i < count; ++i) {
    if (pacer.admit(at, kHeartbeat)) {
      released.push_back({at, i});
    } else {
      BOOST_TEST_REQUIRE(pacer.wait(numbered(i)));
    }
  }
  while (pacer.deadline() != kNever) {
    BOOST_TEST_REQUIRE((pacer.deadline() >= at));
    at = pacer.deadline();
    std::size_t at_once = 0;
    while (const auto next = pacer.next(at)) {
      released.push_back({at, next->inject.source.port});
      ++at_once;
    }
    BOOST_TEST_REQUIRE(at_once > 0U);
  }
  return released;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_burst_of_a_thousand_is_never_more_than_a_buffer_at_once) {
  Pacer pacer;
  const auto released = burst(pacer, 1000, kStart);
  BOOST_TEST_REQUIRE(released.size() == 1000U);
  for (std::size_t i = 0; i < released.size(); ++i) BOOST_TEST_REQUIRE(released[i].number == i);
  // A listener that gets the processor every two milliseconds keeps up.
  for (std::size_t first = 0; first < released.size(); ++first) {
    std::size_t last = first;
    while (last < released.size() && released[last].at - released[first].at < milliseconds(2)) {
      ++last;
    }
    BOOST_TEST_REQUIRE(last - first <= kBufferHolds);
  }
  const Duration took = released.back().at - kStart;
  BOOST_TEST((took >= milliseconds(13) && took <= milliseconds(15)));
}

BOOST_AUTO_TEST_CASE(half_a_buffer_goes_at_once_and_is_refilled) {
  Pacer pacer;
  const auto at_once = [&](Instant now) {
    std::size_t n = 0;
    while (pacer.admit(now, kHeartbeat)) ++n;
    return n;
  };
  BOOST_TEST(at_once(kStart) == 126U);
  BOOST_TEST(at_once(kStart) == 0U);
  BOOST_TEST(at_once(kStart + milliseconds(1)) == 63U);
  BOOST_TEST(at_once(kStart + seconds(10)) == 126U);
}

BOOST_AUTO_TEST_CASE(what_comes_later_does_not_overtake_what_waits) {
  Pacer pacer;
  while (pacer.admit(kStart, kHeartbeat)) {
  }
  BOOST_TEST(pacer.wait(numbered(1, 60000)));
  const Instant later = kStart + microseconds(100);
  BOOST_TEST(!pacer.admit(later, 1));  // there would be room for this small one
  BOOST_TEST(pacer.wait(numbered(2, 1)));
  BOOST_TEST(!pacer.next(later).has_value());
  const Instant due = pacer.deadline();
  BOOST_TEST((due > later));
  BOOST_TEST(pacer.next(due)->inject.source.port == 1);
}

BOOST_AUTO_TEST_CASE(the_queue_is_bounded) {
  Pacer pacer;
  for (std::size_t i = 0; i < Pacer::kMaxWaiting; ++i) {
    BOOST_TEST_REQUIRE(pacer.wait(numbered(static_cast<std::uint16_t>(i))));
  }
  BOOST_TEST(!pacer.wait(numbered(0)));
}

BOOST_AUTO_TEST_CASE(no_deadline_without_work) {
  Pacer pacer;
  BOOST_TEST((pacer.deadline() == kNever));
  BOOST_TEST(!pacer.next(kStart).has_value());
  while (pacer.admit(kStart, kHeartbeat)) {
  }
  BOOST_TEST((pacer.deadline() == kNever));
}

// Property: whatever comes when, everything leaves once, in order, and no slower than 64 a
// millisecond of heartbeat-sized datagrams.
BOOST_AUTO_TEST_CASE(any_load) {
  test::Random random;
  for (int round = 0; round < 50; ++round) {
    Pacer pacer;
    Instant now = kStart;
    std::uint16_t next_in = 0;
    std::uint16_t next_out = 0;
    for (int i = 0; i < 300; ++i) {
      now += microseconds(static_cast<int>(random.below(3000)));
      while (const auto out = pacer.next(now))
        BOOST_TEST_REQUIRE(out->inject.source.port == next_out++);
      for (std::uint64_t n = random.below(150); n > 0; --n) {
        const std::size_t size = random.below(1500);
        if (pacer.admit(now, size)) {
          BOOST_TEST_REQUIRE(next_out == next_in);
          ++next_in;
          ++next_out;
        } else if (pacer.wait(numbered(next_in, size))) {
          ++next_in;
        }
      }
    }
    while (pacer.deadline() != kNever) {
      now = std::max(now, pacer.deadline());
      const auto out = pacer.next(now);
      BOOST_TEST_REQUIRE(out.has_value());
      BOOST_TEST_REQUIRE(out->inject.source.port == next_out++);
    }
    BOOST_TEST(next_out == next_in);
  }
}
