// What an error says about the other side.
#define BOOST_TEST_MODULE port_probe
#include "io/port_probe.h"

#include <boost/test/unit_test.hpp>
#include <cerrno>

using namespace tribecast::io;

namespace {

bool is(int error, ProbeOutcome expected) { return probe_outcome(error, {}) == expected; }

}  // namespace

BOOST_AUTO_TEST_CASE(without_icmp_the_error_decides) {
  BOOST_TEST(is(ECONNREFUSED, ProbeOutcome::refused));
  for (const int error : {ECONNRESET, EPIPE}) BOOST_TEST(is(error, ProbeOutcome::accepted));
  for (const int error : {ETIMEDOUT, EHOSTUNREACH, ENETUNREACH, EHOSTDOWN}) {
    BOOST_TEST(is(error, ProbeOutcome::no_answer));
  }
}

BOOST_AUTO_TEST_CASE(what_is_not_known_is_not_the_other_sides_death) {
  for (int error = 1; error < 4096; ++error) {
    const ProbeOutcome outcome = probe_outcome(error, {});
    if (outcome == ProbeOutcome::refused) BOOST_TEST(error == ECONNREFUSED);
    if (outcome != ProbeOutcome::no_answer) continue;
    BOOST_TEST((error == ETIMEDOUT || error == EHOSTUNREACH || error == ENETUNREACH ||
                error == EHOSTDOWN));
  }
  for (const int error : {EPERM, EACCES, ENOBUFS, ENOMEM, ENETDOWN, EADDRNOTAVAIL, EINVAL}) {
    BOOST_TEST(is(error, ProbeOutcome::not_tried));
  }
}

BOOST_AUTO_TEST_CASE(a_refusal_by_icmp_is_a_filters) {
  const auto with = [](bool from_self, bool host_unreachable) {
    return probe_outcome(ECONNREFUSED, IcmpError{from_self, host_unreachable});
  };
  BOOST_TEST((with(false, false) == ProbeOutcome::no_answer));
  BOOST_TEST((with(false, true) == ProbeOutcome::no_answer));
  BOOST_TEST((with(true, true) == ProbeOutcome::no_answer));
  BOOST_TEST((with(true, false) == ProbeOutcome::not_tried));
}
