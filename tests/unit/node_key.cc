// A node's key pair as text, every error with its line and remedy; and the mac of a handshake.
#define BOOST_TEST_MODULE node_key
#include "seal/node_key.h"

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

// RFC 7748, section 6.1: Alice.
const Key kSecret(hex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a"));
const std::string kLine = "dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo=";
const std::string kOpen = "hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo=";

std::string private_error(const std::string& text) {
  const auto pair = parse_private_key(text);
  if (pair) return "no error";
  BOOST_TEST(!pair.error().fix.empty());
  return std::to_string(pair.error().line) + ": " + pair.error().what;
}

std::string public_error(const std::string& text) {
  const auto key = parse_public_key(text);
  return key ? "no error" : key.error();
}

std::string base64_of_hex(const std::string& text) {
  return to_text(ByteReader(hex(text)).array<kPublicKeySize>());
}

}  // namespace

BOOST_AUTO_TEST_CASE(the_text_of_a_pair) {
  const auto pair = parse_private_key("# of web-1\n\n  " + kLine + "   # not to be shown\r\n");
  BOOST_TEST_REQUIRE(static_cast<bool>(pair));
  BOOST_TEST(to_hex(pair->secret.bytes()) ==
             "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a");
  BOOST_TEST(to_text(pair->open) == kOpen);
  BOOST_TEST(std::string(private_key_text(*pair).view()) == kLine);
  const auto open = parse_public_key(kOpen);
  BOOST_TEST_REQUIRE(static_cast<bool>(open));
  BOOST_TEST((*open == pair->open));
}

BOOST_AUTO_TEST_CASE(every_pair_comes_back) {
  test::Random random;
  for (int i = 0; i < 50; ++i) {
    const KeyPair pair = generate_key_pair(
        [&](MutableBytes out) { std::ranges::copy(random.bytes(32), out.begin()); });
    const auto again = parse_private_key(private_key_text(pair).view());
    BOOST_TEST_REQUIRE(static_cast<bool>(again));
    BOOST_TEST((again->secret == pair.secret));
    BOOST_TEST((again->open == pair.open));
    const auto open = parse_public_key(to_text(pair.open));
    BOOST_TEST_REQUIRE(static_cast<bool>(open));
    BOOST_TEST((*open == pair.open));
  }
}

BOOST_AUTO_TEST_CASE(what_is_no_private_key) {
  BOOST_TEST(private_error("") == "0: the file holds no key");
  BOOST_TEST(private_error("# nothing\n") == "0: the file holds no key");
  const std::string wrong = ": the private key is not 44 characters of base64";
  BOOST_TEST(private_error("\n" + kLine.substr(1)) == "2" + wrong);
  BOOST_TEST(private_error(kLine + "=") == "1" + wrong);
  BOOST_TEST(private_error(std::string(64, '1')) == "1" + wrong);
  BOOST_TEST(private_error("1 " + std::string(64, '1') + " primary\n") == "1" + wrong);
  BOOST_TEST(private_error(std::string(42, 'A') + "==") == "1" + wrong);
  BOOST_TEST(private_error(std::string(44, 'A')) == "1" + wrong);
  std::string url = kOpen;
  url[kOpen.find('/')] = '_';
  BOOST_TEST(private_error(url) == "1" + wrong);
  BOOST_TEST(private_error(kLine + "\n" + kLine + "\n") == "2: a second key; a node has one");
}

BOOST_AUTO_TEST_CASE(what_is_no_public_key) {
  const std::string wrong = "is not 44 characters of base64";
  BOOST_TEST(public_error("") == wrong);
  BOOST_TEST(public_error(kOpen.substr(0, 43)) == wrong);
  BOOST_TEST(public_error(kOpen + " ") == wrong);
  BOOST_TEST(public_error(std::string(64, 'a')) == wrong);
  // Points of low order, another writing of one of them, and the bit that no public key has.
  for (const char* point : {"0000000000000000000000000000000000000000000000000000000000000000",
                            "0100000000000000000000000000000000000000000000000000000000000000",
                            "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
                            "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                            "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4eea"}) {
    BOOST_TEST(public_error(base64_of_hex(point)) == "is no public key of anybody", point);
  }
}

BOOST_AUTO_TEST_CASE(the_mac_depends_on_all_that_goes_in) {
  const PublicKey receiver = KeyPair::of(kSecret).open;
  const PublicKey other = KeyPair::of(filled_key(1)).open;
  const Buffer header(16, 6);
  const Buffer message(148, 7);
  const HandshakeMac mac = handshake_mac(receiver, filled_key(2), header, message);
  BOOST_TEST(same_mac(mac, mac));
  BOOST_TEST(!same_mac(mac, handshake_mac(other, filled_key(2), header, message)));
  BOOST_TEST(!same_mac(mac, handshake_mac(receiver, filled_key(3), header, message)));
  BOOST_TEST(
      !same_mac(mac, handshake_mac(receiver, filled_key(2), header, Bytes(message).first(147))));
  BOOST_TEST(!same_mac(mac, handshake_mac(receiver, filled_key(2), Buffer(16, 5), message)));
  BOOST_TEST(!same_mac(mac, Bytes(mac).first(15)));
  for (std::size_t bit = 0; bit < mac.size() * 8; ++bit) {
    HandshakeMac flipped = mac;
    flipped[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    BOOST_TEST(!same_mac(mac, flipped));
  }
}
