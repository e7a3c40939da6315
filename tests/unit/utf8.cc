// What a terminal may be shown: well-formed UTF-8 (RFC 3629) without control characters.
#define BOOST_TEST_MODULE utf8
#include "base/utf8.h"

#include <boost/test/unit_test.hpp>

using namespace tribecast;

BOOST_AUTO_TEST_CASE(printable_text_and_where_it_ends) {
  static constexpr std::size_t kNone = std::string_view::npos;
  struct Row {
    std::string_view text;
    std::size_t bad;
  };
  for (const Row& row : {
           Row{"", kNone},
           Row{"plain ~", kNone},
           Row{"a\tb", kNone},
           Row{"\xe4\xb8\x8a\xe6\xb5\xb7", kNone},
           Row{"\xf0\x9f\x98\x80", kNone},
           Row{"a\x1b[31m", 1},
           Row{"ab\x7f", 2},
           Row{"a\nb", 1},
           Row{"\xc0\xaf", 0},          // not the shortest form
           Row{"\xe0\x80\xaf", 0},      // the same in three bytes
           Row{"\xed\xa0\x80", 0},      // a surrogate
           Row{"\xf4\x90\x80\x80", 0},  // beyond U+10FFFF
           Row{"\xc2\x9b", 0},          // a control sequence introducer of eight bits
           Row{"x\xe4\xb8", 1},         // cut short
           Row{"\xff", 0},
           Row{std::string_view("a\0b", 3), 1},
       }) {
    BOOST_TEST(first_unprintable(row.text) == row.bad, row.text);
  }
}

BOOST_AUTO_TEST_CASE(what_cannot_be_printed_is_replaced) {
  BOOST_TEST(printable("a\x1b[31m\tb\xff") == "a?[31m b?");
  BOOST_TEST(printable("\xe4\xb8\x8a") == "\xe4\xb8\x8a");
}

BOOST_AUTO_TEST_CASE(whatever_comes_in_what_comes_out_can_be_printed) {
  for (int first = 0; first < 256; ++first) {
    for (int second = 0; second < 256; ++second) {
      const std::string text = {static_cast<char>(first), static_cast<char>(second), 'x'};
      BOOST_REQUIRE(first_unprintable(printable(text)) == std::string::npos);
    }
  }
}

BOOST_AUTO_TEST_CASE(characters_are_counted_not_bytes) {
  BOOST_TEST(count_characters("") == 0U);
  BOOST_TEST(count_characters("abc") == 3U);
  BOOST_TEST(count_characters("\xe4\xb8\x8a\xe6\xb5\xb7") == 2U);
}
