// What sources of peers say: the text file, the lines of a program, and the list that is kept.
#define BOOST_TEST_MODULE config_found
#include <boost/test/unit_test.hpp>

#include "config/found.h"
#include "config/found_list.h"

using namespace tribecast;
using namespace tribecast::config;

namespace {

FoundOutcome read(const std::string& text) { return parse_found({"/x/peers", text}); }

FoundList example() {
  FoundList list;
  list.generation = 7;
  list.records.push_back({"web", SourceKind::exec, "/x/ecs tag  two", {}});
  list.records[0].peers = {{"a", "", {{"10.0.0.1", 45565}}},
                           {"b", "hall 3", {{"2001:db8::1", 1}, {"b.test", 45565}}}};
  list.records.push_back({"dns", SourceKind::dns, "_t._udp.test", {}});
  return list;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_file_of_peers) {
  const auto outcome = read(
      "# all of them\r\n\n"
      "web-2 10.0.0.2 10.1.0.2:1234 site=shanghai  ; and a comment\n"
      "  10.0.0.3\n"
      "web-1.test:99\n"
      "[2001:db8::1]:7 # six\n"
      "web-2 10.0.0.2 10.1.0.2:1234 site=shanghai\n"
      "web-4 Web-4.Test.");
  BOOST_REQUIRE_MESSAGE(outcome.peers.has_value(), to_text(outcome.diagnostics));
  const FoundPeers expected = {{"10.0.0.3", "", {{"10.0.0.3", 45565}}},
                               {"2001:db8::1/7", "", {{"2001:db8::1", 7}}},
                               {"web-1.test:99", "", {{"web-1.test", 99}}},
                               {"web-2", "shanghai", {{"10.0.0.2", 45565}, {"10.1.0.2", 1234}}},
                               {"web-4", "", {{"web-4.test", 45565}}}};
  BOOST_TEST((*outcome.peers == expected));
  BOOST_TEST(read("").peers->empty());
}

BOOST_AUTO_TEST_CASE(mistakes_of_a_file) {
  struct Row {
    const char* text;
    const char* what;
  };
  for (const Row& row : {
           Row{"a 10.0.0.1\nb 10.0.0.300\n", "/x/peers:2: '10.0.0.300' is no IPv4 address"},
           Row{"10.0.0.1:0\n", "/x/peers:1: port 0 is not in 1-65535"},
           Row{"\n\n\"a\" 10.0.0.1\n", "/x/peers:3: name '\"a\"': a name has no blanks"},
           Row{"a 10.0.0.1\na 10.0.0.2\n", "/x/peers:2: peer \"a\" is there already: line 1"},
           Row{"a 10.0.0.1\nb 10.0.0.1:45565\n",
               "/x/peers:2: 10.0.0.1:45565 is there already: line 1"},
           Row{"a 239.1.1.1\n", "/x/peers:1: 239.1.1.1 is no address of one host"},
           Row{"a 1.1.1.1 1.1.1.2 1.1.1.3 1.1.1.4 1.1.1.5 1.1.1.6 1.1.1.7 1.1.1.8 1.1.1.9 1.1.1.10 "
               "1.1.1.11 1.1.1.12 1.1.1.13 1.1.1.14 1.1.1.15 1.1.1.16 1.1.1.17",
               "/x/peers:1: 17 addresses, not 1 to 16"},
           Row{"{\"name\": \"a\"}\n", "/x/peers:1: "},
       }) {
    const auto outcome = read(row.text);
    BOOST_TEST(!outcome.peers.has_value(), row.text);
    BOOST_TEST(in_short(outcome.diagnostics).starts_with(row.what), in_short(outcome.diagnostics));
  }
  BOOST_TEST(in_short(read("a 1\nb 2\nc 3\n").diagnostics).ends_with("; and 2 more"));
  BOOST_TEST(!read(std::string(kMaxFoundBytes + 1, '\n')).peers.has_value());
  BOOST_TEST(!read(std::string(5000, 'a')).peers.has_value());
}

BOOST_AUTO_TEST_CASE(a_thousand_mistakes_are_a_few_findings) {
  std::string text;
  for (int i = 0; i < 5000; ++i) text += "x 300.1.1.1\n";
  BOOST_TEST(read(text).diagnostics.size() <= 20U);
}

BOOST_AUTO_TEST_CASE(too_many_lines) {
  std::string text;
  for (unsigned i = 0; i <= kMaxFoundLines; ++i) {
    text += "10." + std::to_string(i / 65536) + "." + std::to_string(i / 256 % 256) + "." +
            std::to_string(i % 256 == 0 ? 0 : i % 256) + "\n";
  }
  BOOST_TEST(in_short(read(text).diagnostics).find("more than 4096 peers") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(the_list_is_read_as_it_was_written) {
  const std::string text = to_text(example());
  BOOST_TEST(text ==
             "tribecast discovered 1 7\n"
             "from web exec /x/ecs tag  two\n"
             "peer a - 10.0.0.1:45565\n"
             "peer b 68616c6c2033 [2001:db8::1]:1 b.test:45565\n"
             "from dns dns _t._udp.test\n"
             "end 4\n");
  const auto list = parse_found_list(text + "left over\n");
  BOOST_REQUIRE_MESSAGE(list, (list ? "" : list.error()));
  BOOST_TEST((*list == example()));
}

BOOST_AUTO_TEST_CASE(a_list_that_is_not_whole_is_none) {
  const std::string text = to_text(example());
  for (std::size_t size = 0; size < text.size() - 1; ++size) {
    BOOST_TEST(!parse_found_list(std::string_view(text).substr(0, size)), size);
  }
  for (const char* bad :
       {"tribecast discovered 2 7\nend 0\n", "tribecast discovered 1 x\nend 0\n",
        "tribecast discovered 1 7\npeer a - 10.0.0.1\nend 1\n",
        "tribecast discovered 1 7\nfrom a web x\nend 1\n",
        "tribecast discovered 1 7\nfrom a dns x\npeer a - 10.0.0.1\npeer a - 10.0.0.2\nend 3\n",
        "tribecast discovered 1 7\nfrom a dns x\npeer a zz 10.0.0.1\nend 2\n",
        "tribecast discovered 1 7\nend 1\n"}) {
    BOOST_TEST(!parse_found_list(bad), bad);
  }
}
