// Readers and writers of raw bytes: order, stickiness of a failure, nothing outside the span.
#define BOOST_TEST_MODULE bytes
#include "base/bytes.h"

#include <boost/test/unit_test.hpp>

#include "vectors.h"

using namespace tribecast;
using test::hex;

BOOST_AUTO_TEST_CASE(integers_are_read_big_endian) {
  const Buffer bytes = hex("01 0203 04050607 08090a0b0c0d0e0f");
  ByteReader in(bytes);
  BOOST_TEST(in.u8() == 0x01);
  BOOST_TEST(in.u16be() == 0x0203);
  BOOST_TEST(in.u32be() == 0x04050607U);
  BOOST_TEST(in.u64be() == 0x08090a0b0c0d0e0fU);
  BOOST_TEST(in.ok());
  BOOST_TEST(in.left() == 0U);
}

BOOST_AUTO_TEST_CASE(the_highest_bit_is_no_sign) {
  const Buffer bytes = hex("ff ffff ffffffff ffffffffffffffff");
  ByteReader in(bytes);
  BOOST_TEST(in.u8() == 0xffU);
  BOOST_TEST(in.u16be() == 0xffffU);
  BOOST_TEST(in.u32be() == 0xffffffffU);
  BOOST_TEST(in.u64be() == 0xffffffffffffffffU);
}

BOOST_AUTO_TEST_CASE(a_failed_reader_stays_failed) {
  const Buffer bytes = hex("0102030405");
  ByteReader in(bytes);
  in.take(6);
  BOOST_TEST(!in.ok());
  BOOST_TEST(in.left() == 0U);
  BOOST_TEST(in.u8() == 0U);
  BOOST_TEST(in.take(0).empty());
  BOOST_TEST(in.take_rest().empty());
  BOOST_TEST((in.array<4>() == std::array<std::uint8_t, 4>{}));
  BOOST_TEST(!in.ok());
}

BOOST_AUTO_TEST_CASE(a_size_that_would_wrap_is_refused) {
  const Buffer bytes(3);
  for (const std::size_t size : {std::size_t{4}, SIZE_MAX, SIZE_MAX - 2, SIZE_MAX / 2}) {
    ByteReader in(bytes);
    in.u8();
    BOOST_TEST(in.take(size).empty());
    BOOST_TEST(!in.ok());
    Buffer target(3);
    SpanWriter out(target);
    out.u8(1);
    BOOST_TEST(out.reserve(size).empty());
    BOOST_TEST(!out.ok());
  }
}

BOOST_AUTO_TEST_CASE(an_empty_reader_is_well_until_it_is_asked) {
  ByteReader in({});
  BOOST_TEST(in.take(0).empty());
  BOOST_TEST(in.take_rest().empty());
  BOOST_TEST(in.ok());
  in.u8();
  BOOST_TEST(!in.ok());
}

BOOST_AUTO_TEST_CASE(a_view_borrows_from_the_input) {
  const Buffer bytes = hex("0a0b0c0d");
  ByteReader in(bytes);
  in.u8();
  const Bytes view = in.take(2);
  BOOST_TEST(view.data() == bytes.data() + 1);
  BOOST_TEST(view.size() == 2U);
}

BOOST_AUTO_TEST_CASE(a_span_writer_fills_and_refuses_what_does_not_fit) {
  Buffer target(7, 0xee);
  SpanWriter out(target);
  out.u32be(0x01020304);
  out.u16be(0x0506);
  BOOST_TEST(out.ok());
  BOOST_TEST(out.left() == 1U);
  out.u16be(0x0708);
  BOOST_TEST(!out.ok());
  out.u8(9);
  out.put(hex("0a"));
  BOOST_TEST(to_hex(target) == "010203040506ee");
}

BOOST_AUTO_TEST_CASE(put_writes_all_or_nothing) {
  Buffer target(3, 0xee);
  SpanWriter out(target);
  out.put(hex("01020304"));
  BOOST_TEST(!out.ok());
  BOOST_TEST(to_hex(target) == "eeeeee");
}

BOOST_AUTO_TEST_CASE(a_byte_writer_grows) {
  ByteWriter out;
  out.u8(1);
  out.u16be(0x0203);
  out.u32be(0x04050607);
  out.u64be(0x08090a0b0c0d0e0fU);
  out.put(hex("1011"));
  out.put({});
  BOOST_TEST(to_hex(out.bytes()) == "0102030405060708090a0b0c0d0e0f1011");
  BOOST_TEST(to_hex(out.release()) == "0102030405060708090a0b0c0d0e0f1011");
}

BOOST_AUTO_TEST_CASE(text_and_bytes_are_the_same_characters) {
  const std::string text("a\0\xff", 3);
  BOOST_TEST(to_hex(bytes_of(text)) == "6100ff");
  BOOST_TEST(text_of(bytes_of(text)) == text);
  BOOST_TEST(same(copy_of(bytes_of(text)), bytes_of(text)));
  BOOST_TEST(!same(bytes_of("ab"), bytes_of("abc")));
  BOOST_TEST(same({}, bytes_of("")));
}

// What was written is read back, whatever the sizes, and a reader given one byte less fails.
BOOST_AUTO_TEST_CASE(whatever_is_written_is_read_back) {
  test::Random random;
  for (int round = 0; round < 2000; ++round) {
    std::vector<std::pair<unsigned, std::uint64_t>> fields(1 + random.below(20));
    ByteWriter out;
    for (auto& [kind, value] : fields) {
      kind = static_cast<unsigned>(random.below(4));
      value = random.below(UINT64_MAX) >> (64U - (8U << kind));
      if (kind == 0) out.u8(static_cast<std::uint8_t>(value));
      if (kind == 1) out.u16be(static_cast<std::uint16_t>(value));
      if (kind == 2) out.u32be(static_cast<std::uint32_t>(value));
      if (kind == 3) out.u64be(value);
    }
    const Buffer bytes = out.release();
    for (const std::size_t cut : {std::size_t{0}, std::size_t{1}}) {
      const Buffer input = copy_of(Bytes(bytes).first(bytes.size() - cut));
      ByteReader in(input);
      bool equal = true;
      for (const auto& [kind, value] : fields) {
        const std::uint64_t read = kind == 0   ? in.u8()
                                   : kind == 1 ? in.u16be()
                                   : kind == 2 ? in.u32be()
                                               : in.u64be();
        equal = equal && read == value;
      }
      BOOST_TEST(in.ok() == (cut == 0));
      if (cut == 0) BOOST_TEST(equal);
    }
  }
}
