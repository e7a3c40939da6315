// Java's modified UTF-8.
#define BOOST_TEST_MODULE java_utf
#include <boost/test/unit_test.hpp>

#include "engine/java/utf.h"
#include "vectors.h"

using namespace tribecast;
using namespace tribecast::java;
using test::hex;

BOOST_AUTO_TEST_CASE(texts_both_ways) {
  struct Row {
    std::string utf8, modified;  // hexadecimal
  };
  for (const Row& row : {
           Row{"", ""}, Row{"61627f", "61627f"}, Row{"00", "c080"}, Row{"610062", "61c08062"},
           Row{"c3a9", "c3a9"},              // U+00E9
           Row{"e282ac", "e282ac"},          // U+20AC
           Row{"efbfbf", "efbfbf"},          // U+FFFF
           Row{"f0908080", "eda080edb080"},  // U+10000
           Row{"f09f9880", "eda0bdedb880"},  // U+1F600
           Row{"f48fbfbf", "edafbfedbfbf"},  // U+10FFFF
       }) {
    BOOST_TEST(to_hex(bytes_of(from_utf8(text_of(hex(row.utf8))))) == row.modified);
    BOOST_TEST(to_hex(bytes_of(to_utf8(hex(row.modified)))) == row.utf8);
    BOOST_TEST(is_utf(hex(row.modified)));
  }
}

BOOST_AUTO_TEST_CASE(what_java_refuses) {
  for (const std::string bad :
       {"80", "bf", "c3", "c361", "e282", "e28261", "e2", "f0908080", "ff", "61c3", "e2c3a9"}) {
    BOOST_TEST(!is_utf(hex(bad)), bad);
  }
  // It looks at neither the order of surrogates nor the shortest form.
  for (const std::string good : {"00", "c0af", "e08080", "eda080", "edb080", "edb080eda080"}) {
    BOOST_TEST(is_utf(hex(good)), good);
  }
}

BOOST_AUTO_TEST_CASE(what_has_no_character_is_replaced) {
  struct Row {
    std::string modified, utf8;
  };
  for (const Row& row : {
           Row{"eda080", "efbfbd"},
           Row{"eda08061", "efbfbd61"},
           Row{"edb080", "efbfbd"},
           Row{"eda080eda080edb080", "efbfbdf0908080"},
           Row{"80", "efbfbd"},
           Row{"f0908080", "efbfbdefbfbdefbfbdefbfbd"},
       }) {
    BOOST_TEST(to_hex(bytes_of(to_utf8(hex(row.modified)))) == row.utf8);
  }
  // Surrogates, overlong forms and what is above U+10FFFF are no UTF-8.
  for (const std::string bad :
       {"eda080", "c080", "e08080", "f0808080", "f4908080", "80", "f09080"}) {
    const std::string text = from_utf8(text_of(hex(bad)));
    BOOST_TEST(text.substr(0, 3) == "\xef\xbf\xbd", bad);
  }
}

BOOST_AUTO_TEST_CASE(any_bytes_become_text_that_both_sides_take) {
  test::Random random;
  for (int round = 0; round < 20000; ++round) {
    const Buffer bytes = random.bytes(random.below(12));
    const std::string modified = from_utf8(view_of(bytes));
    BOOST_TEST(is_utf(bytes_of(modified)));
    const std::string utf8 = to_utf8(bytes_of(modified));
    BOOST_TEST(from_utf8(utf8) == modified);
    BOOST_TEST(to_utf8(bytes_of(from_utf8(to_utf8(bytes)))) == to_utf8(bytes));
  }
}
