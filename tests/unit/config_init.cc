// The first configuration: what is asked for is in it, and it is good as it is.
#define BOOST_TEST_MODULE config_init
#include <boost/test/unit_test.hpp>

#include "config/config.h"
#include "config/init.h"

using namespace tribecast::config;

namespace {

// `name=host:port name=host:port`, or `! ` and what is wrong.
std::string peers_of(const std::string& text) {
  const auto peers = parse_init_peers(text);
  if (!peers) return "! " + peers.error();
  std::string out;
  for (const InitPeer& peer : *peers) {
    out += (out.empty() ? "" : " ") + peer.name + "=" + peer.address;
  }
  return out;
}

}  // namespace

BOOST_AUTO_TEST_CASE(lists_of_peers) {
  struct Row {
    const char* text;
    const char* peers;
  };
  for (const Row& row : {
           Row{"", ""},
           Row{"10.0.0.1,10.0.0.2", "10.0.0.1=10.0.0.1 10.0.0.2=10.0.0.2"},
           Row{" 10.0.0.1 , web-2=10.0.0.2:7,", "10.0.0.1=10.0.0.1 web-2=10.0.0.2:7"},
           Row{"web-3.internal:7", "web-3.internal=web-3.internal:7"},
           Row{"[2001:db8::1]:7", "2001:db8::1=[2001:db8::1]:7"},
           Row{"2001:db8::1", "2001:db8::1=2001:db8::1"},
           Row{"10.0.0.1 10.0.0.1", "! peer '10.0.0.1': there is one of that name already"},
           Row{"a=", "! peer 'a=': the address is empty"},
       }) {
    BOOST_TEST(peers_of(row.text) == row.peers, row.text);
  }
  for (const char* bad : {"10.0.0", "=10.0.0.1", "a\"b=10.0.0.1", "10.0.0.1:70000", "228.0.0.4"}) {
    BOOST_TEST(peers_of(bad).starts_with("! peer '"), bad);
  }
}

BOOST_AUTO_TEST_CASE(what_is_written_is_good_without_a_warning) {
  const auto peers = parse_init_peers("10.0.0.1,web-2=10.0.0.2:7,web.internal,2001:db8::1");
  const auto outcome = parse({{"f", init_text({"/etc/x y.keys", "239.1.1.1:5000", *peers})}});
  BOOST_TEST(outcome.diagnostics.empty(), to_text(outcome.diagnostics));
  BOOST_REQUIRE(outcome.config);
  BOOST_TEST(outcome.config->security.keyring == "/etc/x y.keys");
  BOOST_TEST(outcome.config->groups.at(0).port == 5000);
  BOOST_REQUIRE(outcome.config->peers.size() == 4U);
  BOOST_TEST(outcome.config->peers[1].addresses.at(0).to_string() == "10.0.0.2:7");
}

BOOST_AUTO_TEST_CASE(without_peers_it_is_good_too) {
  const auto outcome = parse({{"f", init_text({"/k", "228.0.0.4:45564", {}})}});
  BOOST_TEST(outcome.diagnostics.empty(), to_text(outcome.diagnostics));
  BOOST_TEST(outcome.config.has_value());
}

// As a package ships the rest, beside which they are written.
BOOST_AUTO_TEST_CASE(the_peers_alone_complete_a_file_without_any) {
  const auto peers = parse_init_peers("web-1=10.0.0.1,10.0.0.2");
  const Source shipped{"tribecast.conf",
                       "[security]\nkeyring = /k\n[group \"g\"]\naddress = 228.0.0.4:45564\n"};
  const auto outcome = parse({shipped, {"peers.d/cluster.conf", init_peers_text(*peers)}});
  BOOST_TEST(outcome.diagnostics.empty(), to_text(outcome.diagnostics));
  BOOST_REQUIRE(outcome.config.has_value());
  BOOST_TEST(outcome.config->peers.size() == 2U);
  BOOST_TEST(outcome.config->groups.size() == 1U);
}
