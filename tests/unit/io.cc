// The parts of io that need no descriptor: messages, socket addresses, when names are asked again.
#define BOOST_TEST_MODULE io
#include <sys/mman.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>

#include "io/error.h"
#include "io/fd.h"
#include "io/name_table.h"
#include "io/sockaddr.h"
#include "io/whole_file.h"

using namespace tribecast;
using namespace tribecast::io;

BOOST_AUTO_TEST_CASE(an_error_names_its_object) {
  BOOST_TEST((OsError{EADDRINUSE, "bind 0.0.0.0:45565/udp", {}}.message()) ==
             "bind 0.0.0.0:45565/udp: Address already in use");
  BOOST_TEST((OsError{0, "capture on eth0", "no such thing"}.message()) ==
             "capture on eth0: no such thing");
}

BOOST_AUTO_TEST_CASE(socket_addresses_keep_their_endpoint) {
  for (const char* text : {"10.0.0.1:45565", "0.0.0.0:1", "[2001:db8::1]:45565", "[::]:65535"}) {
    const Endpoint endpoint = *Endpoint::parse(text);
    const SockAddr raw(endpoint);
    BOOST_TEST(raw.endpoint().to_string() == text);
    BOOST_TEST(raw.size() ==
               (endpoint.address.is_v4() ? sizeof(sockaddr_in) : sizeof(sockaddr_in6)));
  }
  BOOST_TEST((SockAddr().endpoint() == Endpoint{}));
}

BOOST_AUTO_TEST_CASE(a_ttl_is_kept_within_bounds) {
  BOOST_TEST((refresh_delay(Duration(0)) == seconds(1)));
  BOOST_TEST((refresh_delay(seconds(30)) == seconds(30)));
  BOOST_TEST((refresh_delay(seconds(86400)) == seconds(300)));
}

BOOST_AUTO_TEST_CASE(failures_are_retried_with_growing_distance) {
  const std::array<int, 7> expected = {5, 5, 10, 20, 40, 60, 60};
  for (unsigned n = 0; n < expected.size(); ++n) {
    BOOST_TEST((retry_delay(n, 0) == seconds(expected[n])));
  }
  BOOST_TEST((retry_delay(4000000000U, 0) == seconds(60)));
}

BOOST_AUTO_TEST_CASE(jitter_takes_at_most_a_quarter) {
  for (std::uint32_t jitter : {0U, 1U, 1023U, 1024U, 0xffffffffU}) {
    const Duration delay = retry_delay(1, jitter);
    BOOST_TEST((delay <= seconds(5)));
    BOOST_TEST((delay > milliseconds(3749)));
  }
}

BOOST_AUTO_TEST_CASE(a_file_is_read_whole_or_seen_to_be_longer) {
  const Fd file(memfd_create("test", 0));
  BOOST_TEST_REQUIRE(write(file.get(), "0123456789", 10) == 10);
  BOOST_TEST(*read_whole(file.get(), 100) == "0123456789");
  BOOST_TEST(*read_whole(file.get(), 10) == "0123456789");
  BOOST_TEST(read_whole(file.get(), 4)->size() == 5U);
  BOOST_TEST_REQUIRE(ftruncate(file.get(), 0) == 0);
  BOOST_TEST(read_whole(file.get(), 4)->empty());
  BOOST_TEST(read_whole(-1, 4).error().message() == "cannot be read: Bad file descriptor");
}
