// The lines that a discovery program prints.
#define BOOST_TEST_MODULE control_found_json
#include <boost/test/unit_test.hpp>

#include "control/found_json.h"

using namespace tribecast;
using namespace tribecast::control;

BOOST_AUTO_TEST_CASE(one_object_a_line) {
  const auto lines = read_found_json(
      "{\"name\": \"a\", \"address\": \"10.0.0.1\"}\n\n \t\r\n"
      "{\"address\": [\"b.test\", \"[::1]:1\"], \"name\": \"b\", \"site\": \"s\", \"zone\": "
      "[1]}\r\n"
      "{\"name\": \"c\", \"address\": \"\", \"site\": null}");
  BOOST_REQUIRE(lines);
  const std::vector<FoundLine> expected = {
      {1, "a", {"10.0.0.1"}, ""}, {4, "b", {"b.test", "[::1]:1"}, "s"}, {5, "c", {""}, ""}};
  BOOST_TEST((*lines == expected));
  BOOST_TEST(read_found_json("")->empty());
}

BOOST_AUTO_TEST_CASE(what_is_no_such_object) {
  struct Row {
    const char* text;
    const char* what;
  };
  for (const Row& row :
       {Row{"garbage", "'garbage' is no JSON"}, Row{"[]", "'[]' is no JSON object"},
        Row{"{}", "\"name\" is no text, or missing"},
        Row{"{\"name\": 1}", "\"name\" is no text, or missing"},
        Row{"{\"name\": \"\"}", "\"name\" is no text, or missing"},
        Row{"{\"name\": \"a\"}", "\"address\" is neither a text nor a list"},
        Row{"{\"name\": \"a\", \"address\": []}", "\"address\" is neither a text nor a list"},
        Row{"{\"name\": \"a\", \"address\": [1]}", "\"address\" is neither a text nor a list"},
        Row{"{\"name\": \"a\", \"address\": \"1\", \"site\": 4}", "\"site\" is no text"},
        Row{"{\"name\": \"a\",", "is no JSON"}, Row{"{\"name\": \"\xff\"}", "is no JSON"}}) {
    const auto lines = read_found_json(std::string("\n") + row.text + "\n");
    BOOST_REQUIRE(!lines);
    BOOST_TEST(lines.error().line == 2U);
    BOOST_TEST(lines.error().what.find(row.what) != std::string::npos, lines.error().what);
  }
}

BOOST_AUTO_TEST_CASE(bounded) {
  BOOST_TEST(!read_found_json(std::string(kMaxFoundBytes + 1, '\n')));
  std::string many;
  for (std::size_t i = 0; i <= kMaxFoundLines; ++i) many += "{\"name\":\"a\",\"address\":\"b\"}\n";
  const auto lines = read_found_json(many);
  BOOST_REQUIRE(!lines);
  BOOST_TEST(lines.error().line == kMaxFoundLines + 1);
  BOOST_TEST(!read_found_json(std::string(100000, '[')));
}
