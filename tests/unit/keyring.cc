// Keyring text: what is a ring, and every error with its line and remedy.
#define BOOST_TEST_MODULE keyring
#include "seal/keyring.h"

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

const std::string kOne(64, '1');
const std::string kTwo(64, '2');

std::string first_error(const std::string& text) {
  const auto ring = parse_keyring(text);
  if (ring) return "no error";
  const KeyringError& error = ring.error().at(0);
  BOOST_TEST(!error.fix.empty());
  return std::to_string(error.line) + ": " + error.what;
}

}  // namespace

BOOST_AUTO_TEST_CASE(one_key) {
  const auto ring = parse_keyring("1 " + kOne + " primary\n");
  BOOST_TEST_REQUIRE(static_cast<bool>(ring));
  BOOST_TEST(ring->keys.size() == 1U);
  BOOST_TEST(ring->primary_id == 1);
  BOOST_TEST((ring->primary().key == filled_key(0x11)));
  BOOST_TEST(ring->find(1) == &ring->primary());
  BOOST_TEST(ring->find(2) == nullptr);
  BOOST_TEST(ring->find(0) == nullptr);
}

BOOST_AUTO_TEST_CASE(comments_blanks_and_line_ends) {
  const auto ring = parse_keyring("# the cluster's keys\r\n\n   \t \n\t255  " + kOne + "\r\n 7\t" +
                                  kTwo + " primary # since spring\n#");
  BOOST_TEST_REQUIRE(static_cast<bool>(ring));
  BOOST_TEST(ring->keys.size() == 2U);
  BOOST_TEST(ring->primary_id == 7);
  BOOST_TEST((ring->find(255)->key == filled_key(0x11)));
  BOOST_TEST((ring->primary().key == filled_key(0x22)));
}

BOOST_AUTO_TEST_CASE(either_case_of_digits_and_no_last_line_end) {
  const std::string mixed = "aA" + std::string(62, 'B');
  const auto ring = parse_keyring("3 " + mixed + " primary");
  BOOST_TEST_REQUIRE(static_cast<bool>(ring));
  BOOST_TEST(to_hex(ring->primary().key.bytes()) == "aa" + std::string(62, 'b'));
}

BOOST_AUTO_TEST_CASE(a_ring_of_255_keys) {
  std::string text;
  for (int id = 1; id <= 255; ++id) {
    text += std::to_string(id) + " " + kOne + (id == 255 ? " primary\n" : "\n");
  }
  const auto ring = parse_keyring(text);
  BOOST_TEST_REQUIRE(static_cast<bool>(ring));
  BOOST_TEST(ring->keys.size() == 255U);
  BOOST_TEST(ring->primary().id == 255);
}

BOOST_AUTO_TEST_CASE(errors) {
  struct Row {
    std::string text, error;
  };
  const std::string id = "the key id is not in 1-255";
  const std::string digits = "the key is not 64 hexadecimal digits";
  const std::string behind = "unexpected text after the key";
  for (const Row& row : {
           Row{"", "0: the keyring holds no key"},
           Row{"# nothing\n\n", "0: the keyring holds no key"},
           Row{"1 " + kOne, "0: no key is primary"},
           Row{"0 " + kOne + " primary", "1: " + id},
           Row{"256 " + kOne + " primary", "1: " + id},
           Row{"-1 " + kOne + " primary", "1: " + id},
           Row{"+1 " + kOne + " primary", "1: " + id},
           Row{"1x " + kOne + " primary", "1: " + id},
           Row{"4294967297 " + kOne + " primary", "1: " + id},
           Row{kOne + " primary", "1: " + id},
           Row{"primary 1 " + kOne, "1: " + id},
           Row{"\n\n1", "3: " + digits},
           Row{"1 primary", "1: " + digits},
           Row{"1 " + kOne.substr(1) + " primary", "1: " + digits},
           Row{"1 " + kOne.substr(2) + " primary", "1: " + digits},
           Row{"1 " + kOne + "1 primary", "1: " + digits},
           Row{"1 " + kOne + "11 primary", "1: " + digits},
           Row{"1 g" + kOne.substr(1) + " primary", "1: " + digits},
           Row{"1 0x" + kOne.substr(2) + " primary", "1: " + digits},
           Row{"1 " + kOne + " Primary", "1: " + behind},
           Row{"1 " + kOne + " secondary", "1: " + behind},
           Row{"1 " + kOne + " primary primary", "1: " + behind},
           Row{"1 " + kOne + " primary\n1 " + kTwo, "2: key id 1 is there twice"},
           Row{"1 " + kOne + " primary\n2 " + kTwo + " primary",
               "2: a second primary key; the first is 1"},
       }) {
    BOOST_TEST(first_error(row.text) == row.error, row.text);
  }
}

BOOST_AUTO_TEST_CASE(all_errors_in_one_run) {
  const auto ring = parse_keyring("0 x\n1 " + kOne + " primary\n1 " + kTwo + "\n2 zz\n3 " + kTwo +
                                  " old\n4 " + kTwo + " primary\n");
  BOOST_TEST_REQUIRE(!ring);
  std::vector<int> lines;
  for (const auto& error : ring.error()) lines.push_back(error.line);
  const std::vector<int> expected = {1, 3, 4, 5, 6};
  BOOST_TEST(lines == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(no_error_shows_a_part_of_a_key) {
  for (const std::string& text :
       {kOne, "1 " + kOne + "1", "1 " + kOne + " " + kTwo, kOne + " " + kTwo, "1" + kOne}) {
    const auto ring = parse_keyring(text);
    BOOST_TEST_REQUIRE(!ring);
    for (const auto& error : ring.error()) {
      const std::string shown = error.what + error.fix;
      BOOST_TEST(shown.find("1111") == std::string::npos);
      BOOST_TEST(shown.find("2222") == std::string::npos);
    }
  }
}

// BLAKE2b-256 of "tribecast psk v1", keyed with the bytes 0 to 31; from another implementation.
BOOST_AUTO_TEST_CASE(the_handshakes_key_is_derived_for_its_purpose) {
  const RingKey key{1, test::counting_key()};
  BOOST_TEST(to_hex(key.psk().bytes()) ==
             "16c8c584c6b278793d7f88c3ecce7555f5302d7168182725fb7b9da4ac51d1b9");
}

BOOST_AUTO_TEST_CASE(a_generated_line_is_a_ring) {
  const RandomSource counting = [](MutableBytes out) {
    std::uint8_t next = 0;
    for (std::uint8_t& byte : out) byte = next++;
  };
  const SecretText line = keyring_line(generate_key(1, counting), true);
  BOOST_TEST(line.view() ==
             "1 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f primary");
  const auto ring = parse_keyring(line.view());
  BOOST_TEST_REQUIRE(static_cast<bool>(ring));
  BOOST_TEST((ring->primary().key == test::counting_key()));
}

BOOST_AUTO_TEST_CASE(the_systems_random_bytes_differ) {
  BOOST_TEST((generate_key(1, system_random()) != generate_key(1, system_random())));
}

// BLAKE2b-256 of "tribecast fingerprint v1", keyed with the bytes 0 to 31; from another
// implementation.
BOOST_AUTO_TEST_CASE(a_fingerprint_tells_keys_apart) {
  const RingKey key{1, test::counting_key()};
  BOOST_TEST(key.fingerprint() == 0x11fc7ba9U);
  BOOST_TEST((RingKey{2, test::counting_key()}.fingerprint()) == key.fingerprint());
  BOOST_TEST((RingKey{1, filled_key(1)}.fingerprint()) != key.fingerprint());
}

BOOST_AUTO_TEST_CASE(changes_leave_all_other_text_as_it_is) {
  const std::string text = "# the cluster's keys\r\n\n \t7  " + kTwo +
                           "\tprimary # since spring\r\n#end\n1 " + kOne + " # old";
  const SecretText used = with_primary(text, 1);
  BOOST_TEST(used.view() == "# the cluster's keys\r\n\n \t7  " + kTwo +
                                " # since spring\r\n#end\n1 " + kOne + " primary # old");
  BOOST_TEST(parse_keyring(used.view())->primary_id == 1);
  BOOST_TEST(with_primary(text, 7).view() == "# the cluster's keys\r\n\n \t7  " + kTwo +
                                                 " primary # since spring\r\n#end\n1 " + kOne +
                                                 " # old");
  BOOST_TEST(without_key(text, 1).view() ==
             "# the cluster's keys\r\n\n \t7  " + kTwo + "\tprimary # since spring\r\n#end\n");
  BOOST_TEST(with_key(text, {3, filled_key(0x33)}).view() ==
             text + "\n3 " + std::string(64, '3') + "\n");
  BOOST_TEST(with_key("1 " + kOne + " primary\n", {3, filled_key(0x33)}).view() ==
             "1 " + kOne + " primary\n3 " + std::string(64, '3') + "\n");
  BOOST_TEST(line_of_key(text, 7) == 3);
  BOOST_TEST(line_of_key(text, 1) == 5);
  BOOST_TEST(line_of_key(text, 2) == 0);
}

BOOST_AUTO_TEST_CASE(a_rotation_of_the_text_ends_where_it_began) {
  const std::string before = "1 " + kOne + " primary\n# new ones below\n";
  const SecretText added = with_key(before, {2, filled_key(0x22)});
  const SecretText used = with_primary(added.view(), 2);
  const SecretText removed = without_key(used.view(), 1);
  BOOST_TEST(removed.view() == "# new ones below\n2 " + kTwo + " primary\n");
}

BOOST_AUTO_TEST_CASE(one_line_with_one_key) {
  const auto key = parse_keyring_line(" 2 " + kTwo + " # new\r");
  BOOST_TEST_REQUIRE(static_cast<bool>(key));
  BOOST_TEST((*key == RingKey{2, filled_key(0x22)}));
  for (const std::string& line : {std::string(), std::string("# 2"), kTwo, "0 " + kTwo,
                                  "2 " + kTwo + "2", "2 " + kTwo + " primary"}) {
    const auto bad = parse_keyring_line(line);
    BOOST_TEST_REQUIRE(!bad, line);
    BOOST_TEST((bad.error().what + bad.error().fix).find("2222") == std::string::npos);
  }
}
