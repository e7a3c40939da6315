// A screen never scrolls: no more lines, and no wider ones, than it has.
#define BOOST_TEST_MODULE control_screen
#include <boost/test/unit_test.hpp>
#include <regex>

#include "base/utf8.h"
#include "control/screen.h"

using namespace tribecast;
using namespace tribecast::control;

namespace {

// The lines without their ends and colours.
std::vector<std::string> lines_of(std::string screen) {
  BOOST_TEST(screen.starts_with("\033[H"));
  BOOST_TEST(screen.ends_with("\033[K\033[J"));
  screen = std::regex_replace(screen, std::regex("\033\\[[0-9;]*[a-zA-Z]"), "");
  std::vector<std::string> lines(1);
  for (const char c : screen) {
    if (c == '\n') {
      lines.emplace_back();
    } else if (c != '\r') {
      lines.back() += c;
    }
  }
  return lines;
}

std::string numbered(std::size_t count) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) out += "line " + std::to_string(i) + "\n";
  return out;
}

using Lines = std::vector<std::string>;

}  // namespace

BOOST_AUTO_TEST_CASE(what_fits_is_there) {
  const Lines lines = lines_of(screen_text({"a\nb\n", "", "c\n"}, {80, 24}));
  BOOST_TEST(lines == (Lines{"a", "b", "", "c"}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(small_sections_are_whole_and_large_ones_share_the_rest) {
  const Lines lines = lines_of(screen_text({numbered(100), numbered(2), numbered(50)}, {80, 14}));
  BOOST_TEST(lines.size() == 14U);
  BOOST_TEST(lines[4] == "... 96 more lines");
  BOOST_TEST(lines[6] == "line 0");
  BOOST_TEST(lines[7] == "line 1");
  BOOST_TEST(lines[13] == "... 46 more lines");
}

BOOST_AUTO_TEST_CASE(on_a_small_screen_the_first_is_what_is_shown) {
  const Lines lines = lines_of(screen_text({numbered(4), numbered(9), "q\n"}, {80, 4}));
  BOOST_TEST(lines == (Lines{"line 0", "line 1", "line 2", "line 3"}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(any_size_holds_it) {
  const std::string colored = "\033[31mred \u2026 wide\033[0m and a tail\n";
  for (std::size_t rows = 1; rows < 12; ++rows) {
    for (std::size_t columns = 1; columns < 24; ++columns) {
      const Lines lines =
          lines_of(screen_text({numbered(5), colored + colored, numbered(3)}, {columns, rows}));
      BOOST_TEST(lines.size() <= rows);
      for (const std::string& line : lines) BOOST_TEST(count_characters(line) <= columns, line);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_cut_colour_ends) {
  const std::string screen = screen_text({"\033[31mred and more\033[0m\n"}, {3, 2});
  BOOST_TEST(screen == "\033[H\033[31mred\033[0m\033[K\033[J");
}
