// What is in an archive, and what is never in one.
#define BOOST_TEST_MODULE control_archive
#include <boost/test/unit_test.hpp>

#include "control/archive.h"

using namespace tribecast::control;

namespace {

const std::string kHex = "a3f09c41d5e6b7082913cafe5566778899aabbccddeeff00112233445566ABCD";
const std::string kBase64 = "zkS/3Ee1Rk2pX9uQ0fVb7Yh5aTgLmN8oWcJdIiPqUsE=";

}  // namespace

BOOST_AUTO_TEST_CASE(blocks) {
  const std::string bytes = archive({{"d/a.txt", "hello\n"}, {"d/b", ""}}, 1000);
  BOOST_REQUIRE(bytes.size() == 5U * 512U);
  BOOST_TEST(bytes.substr(0, 7) == "d/a.txt");
  BOOST_TEST(bytes.substr(124, 11) == "00000000006");
  BOOST_TEST(bytes.substr(136, 11) == "00000001750");
  BOOST_TEST(bytes.substr(257, 5) == "ustar");
  BOOST_TEST(bytes.substr(512, 6) == "hello\n");
  BOOST_TEST(bytes.substr(1024, 3) == "d/b");
  BOOST_TEST(bytes.substr(1536) == std::string(1024, '\0'));
  // The sum of the header with blanks in its place.
  std::string header = bytes.substr(0, 512);
  const std::size_t told = std::stoul(header.substr(148, 6), nullptr, 8);
  header.replace(148, 8, 8, ' ');
  std::size_t sum = 0;
  for (const char c : header) sum += static_cast<unsigned char>(c);
  BOOST_TEST(told == sum);
}

BOOST_AUTO_TEST_CASE(keys_are_redacted_wherever_they_stand) {
  for (const std::string& key : {kHex, kBase64}) {
    for (const std::string& text :
         {key, "1 " + key + " primary\n", "public-key = " + key, "\"" + key + "\"",
          "a\n  key:" + key + "\nb\n", key + key, "x=" + key + ";y"}) {
      const std::string out = redacted(text);
      BOOST_TEST(out.find(key.substr(0, 43)) == out.npos, text);
      BOOST_TEST(out.find("[redacted]") != out.npos, text);
    }
  }
  BOOST_TEST(redacted("exec = /x --token abc --more d\nnext\n") ==
             "exec = /x --token [redacted]\nnext\n");
  BOOST_TEST(redacted("AccessKeySecret=abc") == "AccessKey [redacted]");
}

BOOST_AUTO_TEST_CASE(the_rest_stays) {
  for (const std::string text :
       {"", "\n", "10.0.0.1:45565", "0a0b0c0d0e0f00112233445566778899", "a\r\nb",
        "/usr/share/doc/tribecast/docs/configuration/of/peers/and/members/here",
        "keyring = /etc/tribecast/cluster.keys\n"}) {
    BOOST_TEST(redacted(text) == text);
  }
}
