// The header between agents and sealed datagrams, against the frozen files under vectors/wire.
#define BOOST_TEST_MODULE envelope
#include "seal/envelope.h"

#include <boost/test/unit_test.hpp>

#include "seal_fixture.h"
#include "vectors.h"

using namespace tribecast;
using namespace tribecast::seal;
using test::filled_key;
using test::hex;

using test::SodiumReady;
BOOST_TEST_GLOBAL_FIXTURE(SodiumReady);

namespace {

// Words 1 to 4 of a line: type, ring id, index, counter.
Header header_of(const std::vector<std::string>& words) {
  return {static_cast<Type>(std::stoul(words.at(1))),
          static_cast<std::uint8_t>(std::stoul(words.at(2))),
          static_cast<std::uint32_t>(std::stoul(words.at(3))), std::stoull(words.at(4))};
}

Buffer with_tag(Buffer header) {
  header.resize(header.size() + kTagSize);
  return header;
}

}  // namespace

BOOST_AUTO_TEST_CASE(frozen_headers) {
  int count = 0;
  for (const auto& words : test::vector_lines("wire/envelope.txt")) {
    BOOST_TEST_REQUIRE(words[0] == "header");
    const Header header = header_of(words);
    BOOST_TEST(to_hex(encode(header)) == words.at(5));
    const Buffer datagram = with_tag(hex(words.at(5)));
    const auto envelope = decode(datagram);
    BOOST_TEST_REQUIRE(envelope.has_value());
    BOOST_TEST((envelope->header == header));
    BOOST_TEST(to_hex(envelope->associated) == words.at(5));
    BOOST_TEST(envelope->body.size() == kTagSize);
    ++count;
  }
  BOOST_TEST(count == 8);
}

BOOST_AUTO_TEST_CASE(frozen_sealed_datagrams) {
  int count = 0;
  for (const auto& words : test::vector_lines("wire/sealed.txt")) {
    BOOST_TEST_REQUIRE(words[0] == "sealed");
    const Header header = header_of(words);
    const Key key(hex(words.at(5)));
    const Buffer plain = words.at(6) == "-" ? Buffer{} : hex(words.at(6));
    BOOST_TEST(to_hex(seal_datagram(key, header, plain)) == words.at(7));
    const Buffer datagram = hex(words.at(7));
    const auto envelope = decode(datagram);
    BOOST_TEST_REQUIRE(envelope.has_value());
    BOOST_TEST((envelope->header == header));
    BOOST_TEST((open_datagram(key, *envelope) == plain));
    ++count;
  }
  BOOST_TEST(count == 5);
}

BOOST_AUTO_TEST_CASE(what_is_not_version_1_is_refused) {
  for (unsigned second = 0; second < 256; ++second) {
    Buffer datagram = with_tag(hex("b714 0000 00000001 0000000000000001"));
    datagram[1] = static_cast<std::uint8_t>(second);
    const bool ours = second >= 0x11 && second <= 0x16;
    BOOST_TEST(decode(datagram).has_value() == ours, second);
  }
  for (unsigned magic = 0; magic < 256; ++magic) {
    Buffer datagram = with_tag(hex("b714 0000 00000001 0000000000000001"));
    datagram[0] = static_cast<std::uint8_t>(magic);
    BOOST_TEST(decode(datagram).has_value() == (magic == kMagic), magic);
  }
  for (unsigned zero = 1; zero < 256; ++zero) {
    Buffer datagram = with_tag(hex("b714 0000 00000001 0000000000000001"));
    datagram[2] = static_cast<std::uint8_t>(zero);
    BOOST_TEST(!decode(datagram).has_value(), zero);
  }
}

BOOST_AUTO_TEST_CASE(shorter_than_header_and_tag_is_refused) {
  const Buffer datagram = seal_datagram(filled_key(1), {Type::data, 0, 1, 1}, {});
  BOOST_TEST(datagram.size() == kOverhead);
  for (std::size_t size = 0; size < datagram.size(); ++size) {
    const Buffer cut = copy_of(Bytes(datagram).first(size));
    BOOST_TEST(!decode(cut).has_value(), size);
  }
}

BOOST_AUTO_TEST_CASE(every_bit_flip_of_a_sealed_datagram_is_refused) {
  const Key key = filled_key(1);
  for (const Type type :
       {Type::init, Type::response, Type::pair, Type::data, Type::key_init, Type::key_response}) {
    const Header header{type, 0, 0x01020304, 0x0102030405060708};
    const Buffer datagram = seal_datagram(key, header, bytes_of("captured"));
    for (std::size_t bit = 0; bit < datagram.size() * 8; ++bit) {
      Buffer flipped = datagram;
      flipped[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
      const auto envelope = decode(flipped);
      BOOST_TEST((!envelope || !open_datagram(key, *envelope)), bit);
    }
    BOOST_TEST(open_datagram(key, *decode(datagram)).has_value());
    Buffer longer = datagram;
    longer.push_back(0);
    BOOST_TEST(!open_datagram(key, *decode(longer)).has_value());
  }
}

BOOST_AUTO_TEST_CASE(any_header_and_plain_text_come_back) {
  test::Random random;
  for (int round = 0; round < 5000; ++round) {
    const Key key(random.bytes(32));
    const Header header{
        static_cast<Type>(1 + random.below(4)), static_cast<std::uint8_t>(random.below(256)),
        static_cast<std::uint32_t>(random.below(UINT64_MAX)), random.below(UINT64_MAX)};
    const Buffer plain = random.bytes(random.below(1300));
    const Buffer datagram = seal_datagram(key, header, plain);
    BOOST_TEST(datagram.size() == plain.size() + kOverhead);
    const auto envelope = decode(datagram);
    BOOST_TEST_REQUIRE(envelope.has_value());
    BOOST_TEST((envelope->header == header));
    BOOST_TEST((open_datagram(key, *envelope) == plain));
  }
}
