// Hexadecimal text there and back.
#define BOOST_TEST_MODULE hex
#include "base/hex.h"

#include <boost/test/unit_test.hpp>

#include "vectors.h"

using namespace tribecast;

BOOST_AUTO_TEST_CASE(two_lower_case_digits_a_byte) {
  BOOST_TEST(to_hex({}).empty());
  BOOST_TEST(to_hex(bytes_of(std::string_view("\x00\x09\x0a\x7f\x80\xff", 6))) == "00090a7f80ff");
}

BOOST_AUTO_TEST_CASE(either_case_is_read) {
  BOOST_TEST((from_hex("") == Buffer{}));
  BOOST_TEST((from_hex("0aFf") == Buffer{0x0a, 0xff}));
}

BOOST_AUTO_TEST_CASE(what_is_no_digit_or_odd_is_refused) {
  for (const std::string_view bad :
       {"0", "abc", "0g", "g0", "0x", " 00", "00 ", "-1", "/0", ":0", "@0", "`0", "\xc3\xa4"}) {
    BOOST_TEST(!from_hex(bad).has_value(), bad);
  }
  BOOST_TEST(!from_hex(std::string_view("\0\0", 2)).has_value());
}

BOOST_AUTO_TEST_CASE(any_bytes_come_back) {
  test::Random random;
  for (std::size_t size = 0; size < 300; ++size) {
    const Buffer bytes = random.bytes(size);
    BOOST_TEST((from_hex(to_hex(bytes)) == bytes));
  }
}
