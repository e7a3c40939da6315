// "Did you mean": distances by hand, and which word is near enough.
#define BOOST_TEST_MODULE suggest
#include "base/suggest.h"

#include <boost/test/unit_test.hpp>
#include <string>

using namespace tribecast;

BOOST_AUTO_TEST_CASE(distances) {
  struct Row {
    std::string_view a, b;
    std::size_t distance;
  };
  for (const Row& row : {
           Row{"", "", 0},
           Row{"", "abc", 3},
           Row{"abc", "", 3},
           Row{"address", "address", 0},
           Row{"adress", "address", 1},
           Row{"addresss", "address", 1},
           Row{"addrezs", "address", 1},
           Row{"adrdess", "address", 1},  // neighbours swapped
           Row{"ba", "ab", 1},
           Row{"peer", "group", 5},
       }) {
    BOOST_TEST(edit_distance(row.a, row.b) == row.distance, row.a << " " << row.b);
    BOOST_TEST(edit_distance(row.b, row.a) == row.distance, row.b << " " << row.a);
  }
}

BOOST_AUTO_TEST_CASE(long_words_are_compared_by_their_beginning) {
  const std::string word(kMaxSuggestBytes, 'a');
  BOOST_TEST(edit_distance(word + "xyz", word) == 0U);
  BOOST_TEST(edit_distance(std::string(5000, 'a'), std::string(5000, 'b')) == kMaxSuggestBytes);
}

BOOST_AUTO_TEST_CASE(the_nearest_known_word) {
  const std::array<std::string_view, 4> known = {"address", "interface", "peer", "up"};
  BOOST_TEST(closest("adress", known) == "address");
  BOOST_TEST(closest("intreface", known) == "interface");
  BOOST_TEST(closest("pear", known) == "peer");
  BOOST_TEST(closest("keyring", known).empty());
  BOOST_TEST(closest("", known).empty());
  BOOST_TEST(closest("xy", known).empty());
  BOOST_TEST(did_you_mean("adress", known) == "did you mean 'address'?");
  BOOST_TEST(did_you_mean("keyring", known).empty());
  BOOST_TEST(did_you_mean("anything", {}).empty());
}
