// ChaCha20-Poly1305 with Noise's nonce, against RFC 8439, and keys as values.
#define BOOST_TEST_MODULE aead
#include "seal/aead.h"

#include <boost/test/unit_test.hpp>

#include "seal_fixture.h"
#include "vectors.h"

using namespace tribecast;
using namespace tribecast::seal;
using test::filled_key;
using test::hex;

using test::SodiumReady;
BOOST_TEST_GLOBAL_FIXTURE(SodiumReady);

// RFC 8439, appendix A.5. Its nonce 0000000001020304 05060708 is the counter 0807060504030201.
BOOST_AUTO_TEST_CASE(the_published_vector_opens) {
  const Key key(hex("1c9240a5eb55d38af333888604f6b5f0473917c1402b80099dca5cbc207075c0"));
  const Buffer associated = hex("f33388860000000000004e91");
  const Buffer sealed =
      hex("64a0861575861af460f062c79be643bd5e805cfd345cf389f108670ac76c8cb2"
          "4c6cfc18755d43eea09ee94e382d26b0bdb7b73c321b0100d4f03b7f355894cf"
          "332f830e710b97ce98c8a84abd0b948114ad176e008d33bd60f982b1ff37c855"
          "9797a06ef4f0ef61c186324e2b3506383606907b6a7c02b0f9f6157b53c867e4"
          "b9166c767b804d46a59b5216cde7a4e99040c5a40433225ee282a1b0a06c523e"
          "af4534d7f83fa1155b0047718cbc546a0d072b04b3564eea1b422273f548271a"
          "0bb2316053fa76991955ebd63159434ecebb4e466dae5a1073a6727627097a10"
          "49e617d91d361094fa68f0ff77987130305beaba2eda04df997b714d6c6f2c29"
          "a6ad5cb4022b02709b"
          "eead9d67890cbb22392336fea1851f38");
  const auto plain = aead_open(key, 0x0807060504030201, associated, sealed);
  BOOST_TEST_REQUIRE(plain.has_value());
  BOOST_TEST(text_of(*plain).starts_with("Internet-Drafts are draft documents valid for"));
  Buffer again(plain->size() + kTagSize);
  aead_seal(key, 0x0807060504030201, associated, *plain, again);
  BOOST_TEST(to_hex(again) == to_hex(sealed));
}

BOOST_AUTO_TEST_CASE(every_size_comes_back_and_every_truncation_is_refused) {
  test::Random random;
  for (std::size_t size = 0; size < 130; ++size) {
    const Buffer plain = random.bytes(size);
    const Buffer associated = random.bytes(random.below(40));
    Buffer sealed(size + kTagSize);
    aead_seal(filled_key(1), size, associated, plain, sealed);
    BOOST_TEST((aead_open(filled_key(1), size, associated, sealed) == plain));
    for (std::size_t cut = 0; cut < sealed.size(); ++cut) {
      const Buffer shorter = copy_of(Bytes(sealed).first(cut));
      BOOST_TEST(!aead_open(filled_key(1), size, associated, shorter).has_value());
    }
  }
}

BOOST_AUTO_TEST_CASE(another_key_counter_or_header_does_not_open) {
  const Buffer associated = hex("0102");
  const Buffer plain = hex("030405");
  Buffer sealed(plain.size() + kTagSize);
  aead_seal(filled_key(1), 7, associated, plain, sealed);
  BOOST_TEST(aead_open(filled_key(1), 7, associated, sealed).has_value());
  BOOST_TEST(!aead_open(filled_key(2), 7, associated, sealed).has_value());
  BOOST_TEST(!aead_open(filled_key(1), 7, hex("0103"), sealed).has_value());
  BOOST_TEST(!aead_open(filled_key(1), 7, {}, sealed).has_value());
  for (int bit = 0; bit < 64; ++bit) {
    const std::uint64_t counter = 7U ^ std::uint64_t{1} << bit;
    BOOST_TEST(!aead_open(filled_key(1), counter, associated, sealed).has_value());
  }
}

BOOST_AUTO_TEST_CASE(sealing_in_place) {
  const Buffer plain = hex("0102030405060708");
  Buffer apart(plain.size() + kTagSize);
  aead_seal(filled_key(1), 1, {}, plain, apart);
  Buffer place = plain;
  place.resize(plain.size() + kTagSize);
  aead_seal(filled_key(1), 1, {}, Bytes(place).first(plain.size()), place);
  BOOST_TEST(to_hex(place) == to_hex(apart));
}

BOOST_AUTO_TEST_CASE(keys_are_values) {
  BOOST_TEST((Key() == filled_key(0)));
  BOOST_TEST((filled_key(1) == filled_key(1)));
  BOOST_TEST((filled_key(1) != filled_key(2)));
  // The first 32 of more bytes.
  BOOST_TEST((Key(Buffer(40, 3)) == filled_key(3)));
  Buffer secret(5, 0xaa);
  wipe(secret);
  BOOST_TEST(to_hex(secret) == "0000000000");
}
