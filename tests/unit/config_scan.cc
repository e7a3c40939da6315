// The line scanner: sections, keys, values, and where they stand.
#define BOOST_TEST_MODULE config_scan
#include <boost/test/unit_test.hpp>

#include "config/scan.h"

using namespace tribecast::config;

namespace {

// `type|name|key=value,...` for each section; a section without a name has `-`.
std::string shape(const Scan& scan) {
  std::string out;
  for (const Section& section : scan.sections) {
    out += section.type + "|" + section.name.value_or("-") + "|";
    for (const Entry& entry : section.entries) out += entry.key + "=" + entry.value + ",";
    out += "\n";
  }
  return out;
}

Scan scanned(std::string text) { return scan({"t.conf", std::move(text)}); }

}  // namespace

BOOST_AUTO_TEST_CASE(lines_that_are_understood) {
  struct Row {
    const char* text;
    const char* shape;
  };
  for (const Row& row : {
           Row{"", ""},
           Row{"\n\n# only\n  ; comments\n", ""},
           Row{"[relay]", "relay|-|\n"},
           Row{"[ relay ]\r\na = b\r\n", "relay|-|a=b,\n"},
           Row{"[peer \"web-1\"]", "peer|web-1|\n"},
           Row{"[peer\"web-1\"] # one", "peer|web-1|\n"},
           Row{"[peer \"a # b\"]", "peer|a # b|\n"},
           Row{"[peer \"\"]", "peer||\n"},
           Row{"[n]\na=b", "n|-|a=b,\n"},
           Row{"[n]\n\ta \t=\t b c \t", "n|-|a=b c,\n"},
           Row{"[n]\na =", "n|-|a=,\n"},
           Row{"[n]\na = b=c", "n|-|a=b=c,\n"},
           Row{"[n]\na = b#c;d # e", "n|-|a=b#c;d,\n"},
           Row{"[n]\na = b ; c", "n|-|a=b,\n"},
           Row{"[n]\na = #b", "n|-|a=,\n"},
           Row{"[n]\na = \" b # c \" ; d", "n|-|a= b # c ,\n"},
           Row{"[n]\na = \"\"", "n|-|a=,\n"},
           Row{"[n]\na = 1\n[n]\na = 2\na = 3", "n|-|a=1,\nn|-|a=2,a=3,\n"},
           Row{"\xef\xbb\xbf[n]\na = \xe4\xb8\x8a", "n|-|a=\xe4\xb8\x8a,\n"},
       }) {
    const Scan result = scanned(row.text);
    BOOST_TEST(shape(result) == row.shape, row.text);
    BOOST_TEST(result.diagnostics.empty(), row.text);
  }
}

BOOST_AUTO_TEST_CASE(lines_that_are_not) {
  struct Row {
    std::string text;
    unsigned line;
    const char* what;
  };
  for (const Row& row : {
           Row{"a = b", 1, "a key before the first [section]"},
           Row{"[n]\nabc", 2, "neither 'key = value' nor a [section]"},
           Row{"[n]\n= b", 2, "the key before '=' is missing"},
           Row{"[n", 1, "']' is missing at the end"},
           Row{"[n] x", 1, "']' is missing at the end"},
           Row{"[]", 1, "the section has no type"},
           Row{"[\"a\"]", 1, "the section has no type"},
           Row{"[n a]", 1, "the name is not in double quotes"},
           Row{"[n \"a]", 1, "the name is not in double quotes"},
           Row{"[n]\na = \"b", 2, "a quoted value begins and ends with '\"', and has none in it"},
           Row{"[n]\na = \"b\" c", 2,
               "a quoted value begins and ends with '\"', and has none in it"},
           Row{"[n]\na = b\"c", 2, "a quoted value begins and ends with '\"', and has none in it"},
           Row{"[n]\n\na = \x1b[0m", 3, "here is no printable UTF-8 text"},
           Row{"[n]\na = " + std::string(4093, 'x'), 2, "the line is longer than 4096 bytes"},
       }) {
    const Scan result = scanned(row.text);
    BOOST_REQUIRE_MESSAGE(result.diagnostics.size() == 1U, row.text);
    BOOST_TEST(result.diagnostics[0].what == row.what, row.text);
    BOOST_TEST(result.diagnostics[0].line == row.line, row.text);
    BOOST_TEST(result.diagnostics[0].file == "t.conf");
  }
}

BOOST_AUTO_TEST_CASE(the_longest_line_is_read) {
  const Scan result = scanned("[n]\na = " + std::string(4092, 'x'));
  BOOST_TEST(result.diagnostics.empty());
}

BOOST_AUTO_TEST_CASE(keys_behind_a_broken_header_say_nothing) {
  const Scan result = scanned("[a]\nx = 1\n[broken\ny = 2\nz = 3\n[b]\nw = 4\n");
  BOOST_TEST(shape(result) == "a|-|x=1,\nb|-|w=4,\n");
  BOOST_TEST(result.diagnostics.size() == 1U);
  BOOST_TEST(scanned("[broken\ny = 2\n").diagnostics.size() == 1U);
}

BOOST_AUTO_TEST_CASE(places_point_at_the_words) {
  const Scan result = scanned("# first\n[peer \"b\"]\n  port = \"70000\"  # x\n");
  BOOST_REQUIRE(result.sections.size() == 1U);
  const Section& section = result.sections[0];
  BOOST_TEST(section.at.line == 2U);
  BOOST_TEST(section.at.source.substr(section.at.column, section.at.width) == "[peer \"b\"]");
  BOOST_REQUIRE(section.entries.size() == 1U);
  const Entry& entry = section.entries[0];
  BOOST_TEST(entry.key_at.line == 3U);
  BOOST_TEST(entry.key_at.source.substr(entry.key_at.column, entry.key_at.width) == "port");
  BOOST_TEST(entry.value_at.source.substr(entry.value_at.column, entry.value_at.width) == "70000");
}
