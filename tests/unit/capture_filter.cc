// Which frames are asked for, and what age a captured frame is believed to have.
#define BOOST_TEST_MODULE capture_filter
#include "host/capture_filter.h"

#include <boost/test/unit_test.hpp>
#include <vector>

using namespace tribecast;
using namespace tribecast::host;

namespace {

CaptureTarget target(const char* group, std::uint16_t port) {
  return {*Address::parse(group), port};
}

ClockPair at(Duration monotonic, Duration wall) { return {Instant(monotonic), wall}; }

}  // namespace

BOOST_AUTO_TEST_CASE(one_group_with_a_port) {
  const std::vector targets = {target("228.0.0.4", 45564)};
  BOOST_TEST(capture_filter(targets) ==
             "ip proto 17 and ip[8] != 0 and ("
             "(dst host 228.0.0.4 and (udp dst port 45564 or ip[6:2] & 0x1fff != 0)))");
}

BOOST_AUTO_TEST_CASE(any_port_needs_no_port_test) {
  const std::vector targets = {target("239.1.2.3", 0)};
  BOOST_TEST(capture_filter(targets) == "ip proto 17 and ip[8] != 0 and ((dst host 239.1.2.3))");
}

BOOST_AUTO_TEST_CASE(several_groups_are_alternatives) {
  const std::vector targets = {target("228.0.0.4", 1), target("228.0.0.5", 2)};
  BOOST_TEST(capture_filter(targets) ==
             "ip proto 17 and ip[8] != 0 and ("
             "(dst host 228.0.0.4 and (udp dst port 1 or ip[6:2] & 0x1fff != 0)) or "
             "(dst host 228.0.0.5 and (udp dst port 2 or ip[6:2] & 0x1fff != 0)))");
}

BOOST_AUTO_TEST_CASE(no_group_matches_nothing) { BOOST_TEST(capture_filter({}) == "ip[0] = 0"); }

BOOST_AUTO_TEST_CASE(the_stamp_is_believed_within_the_time_since_the_queue_was_empty) {
  const ClockPair now = at(seconds(100), seconds(5000));
  const Instant empty(seconds(90));
  BOOST_TEST((captured_at(now, seconds(5000) - milliseconds(3), empty) ==
              Instant(seconds(100) - milliseconds(3))));
  BOOST_TEST((captured_at(now, seconds(4990), empty) == empty));
}

BOOST_AUTO_TEST_CASE(a_stepped_wall_clock_does_no_harm) {
  const ClockPair now = at(seconds(100), seconds(5000));
  const Instant empty(seconds(100) - milliseconds(20));
  // Stepped forward by an hour after the stamp, or back.
  BOOST_TEST((captured_at(now, seconds(1400), empty) == empty));
  BOOST_TEST((captured_at(now, seconds(8600), empty) == now.monotonic));
  // The queue cannot have been empty in the future.
  BOOST_TEST((captured_at(now, seconds(4999), Instant(seconds(101))) == now.monotonic));
}
