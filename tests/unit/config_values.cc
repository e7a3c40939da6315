// Text to values, kind by kind: what is accepted and what is said about the rest.
#define BOOST_TEST_MODULE config_values
#include <boost/test/unit_test.hpp>

#include "config/values.h"

using namespace tribecast;
using namespace tribecast::config;

namespace {

// The value by `show`, or `! ` and the error.
template <class T, class Show>
std::string outcome(const Converted<T>& value, Show show) {
  return value ? show(*value) : "! " + value.error();
}

std::string of_number(std::uint64_t n) { return std::to_string(n); }
std::string of_endpoint(const Endpoint& e) { return e.to_string(); }
std::string of_peer(const PeerAddress& a) { return a.to_string(); }
std::string of_group(const GroupAddress& g) {
  return g.address.to_string() + " " + std::to_string(g.port);
}
std::string of_list(const std::vector<std::string>& list) {
  std::string out = "[";
  for (const std::string& item : list) out += item + "|";
  return out + "]";
}

struct Row {
  std::string text;
  std::string outcome;
};

}  // namespace

BOOST_AUTO_TEST_CASE(durations) {
  struct Good {
    const char* text;
    Duration duration;
  };
  for (const Good& row :
       {Good{"250ms", milliseconds(250)}, Good{"2s", seconds(2)}, Good{"5m", seconds(300)},
        Good{"1h", seconds(3600)}, Good{"0s", seconds(0)}, Good{"007s", seconds(7)}}) {
    const auto duration = to_duration(row.text);
    BOOST_REQUIRE(bool(duration));
    BOOST_TEST((*duration == row.duration), row.text);
  }
  for (const Row& row : {
           Row{"", "'' is no duration such as 250ms, 2s or 5m"},
           Row{"5", "'5' has no unit: ms, s, m or h, as in 250ms"},
           Row{"s", "'s' is no duration such as 250ms, 2s or 5m"},
           Row{"-5s", "'-5s' is no duration such as 250ms, 2s or 5m"},
           Row{"+5s", "'+5s' is no duration such as 250ms, 2s or 5m"},
           Row{"1.5s", "'1.5s' is no duration such as 250ms, 2s or 5m"},
           Row{"5 s", "'5 s' is no duration such as 250ms, 2s or 5m"},
           Row{"5S", "'5S' is no duration such as 250ms, 2s or 5m"},
           Row{"99999999999999999999s",
               "'99999999999999999999s' is no duration such as 250ms, 2s "
               "or 5m"},
           Row{"9999999h", "'9999999h' is no duration such as 250ms, 2s or 5m"},
       }) {
    const auto duration = to_duration(row.text);
    BOOST_REQUIRE(!duration);
    BOOST_TEST(duration.error() == row.outcome);
  }
}

BOOST_AUTO_TEST_CASE(durations_are_written_as_they_are_read) {
  for (std::int64_t ms = 1; ms < 10'000'000; ms = ms * 3 + 1) {
    const auto again = to_duration(to_text(milliseconds(ms)));
    BOOST_REQUIRE(bool(again));
    BOOST_TEST((*again == milliseconds(ms)));
  }
  BOOST_TEST(to_text(milliseconds(1500)) == "1500ms");
  BOOST_TEST(to_text(seconds(90)) == "90s");
  BOOST_TEST(to_text(seconds(7200)) == "2h");
}

BOOST_AUTO_TEST_CASE(sizes_and_numbers) {
  for (const Row& row : {
           Row{"0", "0"},
           Row{"1232", "1232"},
           Row{"64k", "65536"},
           Row{"8m", "8388608"},
           Row{"1g", "1073741824"},
           Row{"64K", "! '64K' is no size such as 1232, 64k or 8m"},
           Row{"", "! '' is no size such as 1232, 64k or 8m"},
           Row{"-1", "! '-1' is no size such as 1232, 64k or 8m"},
           Row{"9999999g", "! '9999999g' is no size such as 1232, 64k or 8m"},
       }) {
    BOOST_TEST(outcome(to_size(row.text), of_number) == row.outcome);
  }
  for (const Row& row : {
           Row{"3", "3"},
           Row{"-1", "! '-1' is no number"},
           Row{"0x10", "! '0x10' is no number"},
           Row{"", "! '' is no number"},
           Row{"18446744073709551616", "! 18446744073709551616 is too large"},
       }) {
    BOOST_TEST(outcome(to_number(row.text), of_number) == row.outcome);
  }
}

BOOST_AUTO_TEST_CASE(words) {
  BOOST_TEST(*to_yes_no("yes"));
  BOOST_TEST(!*to_yes_no("no"));
  BOOST_TEST(to_yes_no("true").error() == "'true' is neither 'yes' nor 'no'");
  BOOST_TEST((*to_auth("keyring") == Auth::keyring));
  BOOST_TEST(to_auth("none").error() == "'none' is neither 'keyring' nor 'public-key'");
  BOOST_TEST((*to_format("raw") == Format::raw));
  BOOST_TEST(to_format("").error() == "'' is neither 'tribes' nor 'raw'");
}

BOOST_AUTO_TEST_CASE(names) {
  for (const char* good : {"a", "web-1", "web.1_x", "\xe4\xb8\x8a\xe6\xb5\xb7"}) {
    BOOST_TEST(bool(to_name(good)), good);
  }
  for (const std::string& bad :
       {std::string(), std::string("a b"), std::string("a,b"), std::string("a\"b"),
        std::string("[a"), std::string(65, 'a'), std::string("a\x1b"), std::string("\xff")}) {
    BOOST_TEST(!to_name(bad), bad);
  }
}

BOOST_AUTO_TEST_CASE(listening_endpoints) {
  for (const Row& row : {
           Row{"0.0.0.0:45565", "0.0.0.0:45565"},
           Row{"10.0.0.1", "10.0.0.1:45565"},
           Row{"[::]:7000", "[::]:7000"},
           Row{"2001:db8::1", "[2001:db8::1]:45565"},
           Row{"0.0.0.0:70000", "! port 70000 is not in 1-65535"},
           Row{"0.0.0.0:0", "! port 0 is not in 1-65535"},
           Row{"0.0.0.0:", "! port '' is no number"},
           Row{"0.0.0.0:-1", "! port '-1' is no number"},
           Row{"eth0", "! 'eth0' is no address such as 0.0.0.0 or [2001:db8::1]"},
           Row{"228.0.0.4:45564", "! 228.0.0.4 is no address of one host"},
           Row{"[::1", "! ']' is missing in '[::1'"},
           Row{"[::1]x", "! behind ']' comes ':' and a port, not 'x'"},
           Row{"", "! the address is empty"},
       }) {
    BOOST_TEST(outcome(to_listen(row.text), of_endpoint) == row.outcome);
  }
}

BOOST_AUTO_TEST_CASE(group_addresses) {
  for (const Row& row : {
           Row{"228.0.0.4:45564", "228.0.0.4 45564"},
           Row{"239.1.1.1:*", "239.1.1.1 0"},
           Row{"228.0.0.4", "! the port is missing: 228.0.0.4:45564, or :* for any port"},
           Row{"228.0.0.4:", "! port '' is no number"},
           Row{"228.0.0.4:0", "! port 0 is not in 1-65535"},
           Row{"10.0.0.1:45564",
               "! 10.0.0.1 is no multicast address (224.0.0.0 to 239.255.255.255)"},
           Row{"[ff02::1]:5000", "! IPv6 groups are not supported yet by this version"},
           Row{"name:45564", "! 'name' is no IPv4 multicast address"},
       }) {
    BOOST_TEST(outcome(to_group_address(row.text), of_group) == row.outcome);
  }
}

BOOST_AUTO_TEST_CASE(peer_addresses) {
  for (const Row& row : {
           Row{"10.0.0.1", "10.0.0.1:45565"},
           Row{"10.0.0.1:1", "10.0.0.1:1"},
           Row{"[2001:DB8:0::1]:45565", "[2001:db8::1]:45565"},
           Row{"2001:db8::1", "[2001:db8::1]:45565"},
           Row{"::ffff:10.0.0.1", "10.0.0.1:45565"},
           Row{"Web-2.Internal.", "web-2.internal:45565"},
           Row{"web_2:7", "web_2:7"},
           Row{"10.0.0.256", "! '10.0.0.256' is no IPv4 address"},
           Row{"10.0.0", "! '10.0.0' is no IPv4 address"},
           Row{"[::zz]:1", "! '::zz' is no IPv6 address"},
           Row{"228.0.0.4", "! 228.0.0.4 is no address of one host"},
           Row{"0.0.0.0:1", "! 0.0.0.0 is no address of one host"},
           Row{"255.255.255.255", "! 255.255.255.255 is no address of one host"},
           Row{"a b", "! 'a b' is neither an address nor a host name"},
           Row{"a..b", "! 'a..b' is neither an address nor a host name"},
           Row{".", "! '.' is no IPv4 address"},
           Row{":1", "! '' is neither an address nor a host name"},
           Row{"web:70000", "! port 70000 is not in 1-65535"},
           Row{"web:http", "! port 'http' is no number"},
           Row{std::string(64, 'a'),
               "! '" + std::string(64, 'a') + "' has a label of more than 63 characters"},
       }) {
    BOOST_TEST(outcome(to_peer_address(row.text), of_peer) == row.outcome);
  }
  BOOST_TEST(to_peer_address("10.0.0.1")->literal().has_value());
  BOOST_TEST(!to_peer_address("web")->literal().has_value());
}

BOOST_AUTO_TEST_CASE(lists) {
  for (const Row& row : {
           Row{"auto", "[]"},
           Row{"eth0", "[eth0|]"},
           Row{"eth0, eth1\teth2", "[eth0|eth1|eth2|]"},
           Row{"", "! the list is empty; 'auto' is the default"},
           Row{",", "! the list is empty; 'auto' is the default"},
           Row{"eth0 auto", "! 'auto' stands alone or not at all"},
           Row{"eth0 eth0", "! 'eth0' occurs twice in the list"},
           Row{"../eth0", "! '../eth0' is no interface name"},
           Row{"abcdefghijklmnop", "! 'abcdefghijklmnop' is no interface name"},
       }) {
    BOOST_TEST(outcome(to_interfaces(row.text), of_list) == row.outcome);
  }
  BOOST_TEST(outcome(to_names("all"), of_list) == "[]");
  BOOST_TEST(outcome(to_names("a b"), of_list) == "[a|b|]");
  BOOST_TEST(to_prefixes("any")->empty());
  BOOST_TEST(to_prefixes("10.0.0.0/8, 172.16.0.11")->size() == 2U);
  BOOST_TEST(to_prefixes("10.0.0.0/33").error() == "'10.0.0.0/33' is no prefix such as 10.0.0.0/8");
}

BOOST_AUTO_TEST_CASE(rewrites) {
  const auto two = to_rewrites(" 10.0.0.0/16->172.31.0.0/16 ,10.1.0.5 -> 172.30.0.5");
  BOOST_TEST_REQUIRE(two->size() == 2U);
  BOOST_TEST(two->front().to_string() == "10.0.0.0/16 -> 172.31.0.0/16");
  BOOST_TEST(two->back().to_string() == "10.1.0.5/32 -> 172.30.0.5/32");
  for (const Row& row : {
           Row{"", "! '' is not of the form 10.0.0.0/16 -> 172.31.0.0/16"},
           Row{"10.0.0.0/16", "! '10.0.0.0/16' is not of the form 10.0.0.0/16 -> 172.31.0.0/16"},
           Row{"10.0.0.1 -> b",
               "! '10.0.0.1 -> b' is not of the form 10.0.0.0/16 -> 172.31.0.0/16"},
           Row{"10.0.0.1 -> 10.0.0.2,", "! '' is not of the form 10.0.0.0/16 -> 172.31.0.0/16"},
           Row{"10.0.0.0/16 -> 10.1.0.0/17",
               "! '10.0.0.0/16 -> 10.1.0.0/17': the two prefixes are not of one length"},
           Row{"10.0.0.1 -> fd00::1",
               "! '10.0.0.1 -> fd00::1': the two prefixes are not of one length"},
           Row{"127.0.1.1 -> 10.0.0.1",
               "! '127.0.1.1 -> 10.0.0.1': only addresses of hosts can be translated"},
           Row{"10.0.0.1 -> 228.0.0.4",
               "! '10.0.0.1 -> 228.0.0.4': only addresses of hosts can be translated"},
           Row{"0.0.0.0/0 -> 0.0.0.0/0",
               "! '0.0.0.0/0 -> 0.0.0.0/0': only addresses of hosts can be translated"},
           Row{"10.0.0.0/16 -> 10.8.0.0/16, 10.0.1.0/24 -> 10.9.0.0/24",
               "! '10.0.0.0/16 -> 10.8.0.0/16' and '10.0.1.0/24 -> 10.9.0.0/24' overlap: it would "
               "not be one to one"},
           Row{"10.0.0.1 -> 10.8.0.1, 10.0.0.2 -> 10.8.0.1",
               "! '10.0.0.1/32 -> 10.8.0.1/32' and '10.0.0.2/32 -> 10.8.0.1/32' overlap: it would "
               "not be one to one"},
       }) {
    BOOST_TEST("! " + to_rewrites(row.text).error() == row.outcome);
  }
}
