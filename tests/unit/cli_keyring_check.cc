// What `config check` says about keyring files.
#define BOOST_TEST_MODULE cli_keyring_check
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>

#include "cli/keyring_check.h"
#include "seal/keyring.h"

using namespace tribecast;
using namespace tribecast::cli;
namespace fs = std::filesystem;

namespace {

const std::string kHex(64, 'a');

// What is said of a file with this text and mode, without the file's name.
std::string said(const std::string& text, unsigned mode,
                 void (*check)(const std::string&, config::Diagnostics&) = check_keyring) {
  const fs::path file =
      fs::temp_directory_path() / ("tribecast-keyring-" + std::to_string(getpid()));
  std::ofstream(file) << text;
  fs::permissions(file, fs::perms(mode));
  config::Diagnostics findings;
  check(file.string(), findings);
  fs::remove(file);
  std::string out;
  for (const config::Diagnostic& d : findings) {
    BOOST_TEST(d.file == file.string());
    BOOST_TEST(config::to_text(d).find(kHex.substr(0, 8)) == std::string::npos);
    out += std::to_string(d.line) + ": " + d.what + "\n";
  }
  return out;
}

}  // namespace

BOOST_AUTO_TEST_CASE(keyrings) {
  BOOST_REQUIRE(seal::initialise());
  const std::string good = "1 " + kHex + " primary\n";
  BOOST_TEST(said(good, 0600) == "");
  BOOST_TEST(said(good, 0640) == "");
  BOOST_TEST(said(good, 0644) == "0: the keyring is readable by others (mode 0644)\n");
  BOOST_TEST(said("", 0600) != "");
  BOOST_TEST(said("# x\n1 " + kHex.substr(1) + " primary\n", 0600).starts_with("2: "));
  BOOST_TEST(said("nonsense", 0604).starts_with("0: the keyring is readable by others"));
}

BOOST_AUTO_TEST_CASE(private_keys) {
  BOOST_REQUIRE(seal::initialise());
  const std::string good = std::string(42, 'a') + "Y=\n";
  BOOST_TEST(said(good, 0600, check_private_key) == "");
  BOOST_TEST(said(good, 0640, check_private_key) == "");
  BOOST_TEST(said(good, 0644, check_private_key) ==
             "0: the private key is readable by others (mode 0644)\n");
  BOOST_TEST(said("", 0600, check_private_key) == "0: the file holds no key\n");
  BOOST_TEST(said("# x\n" + good.substr(1), 0600, check_private_key) ==
             "2: the private key is not 44 characters of base64\n");
  BOOST_TEST(said("1 " + kHex + " primary\n", 0600, check_private_key) ==
             "1: the private key is not 44 characters of base64\n");
  config::Diagnostics findings;
  check_private_key("/nonexistent/key", findings);
  BOOST_REQUIRE(findings.size() == 1U);
  BOOST_TEST(findings[0].what == "the private key cannot be read: No such file or directory");
  BOOST_TEST(findings[0].fix.find("keygen --private-key") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_keyring_that_is_not_there) {
  config::Diagnostics findings;
  check_keyring("/nonexistent/keys", findings);
  BOOST_REQUIRE(findings.size() == 1U);
  BOOST_TEST((findings[0].severity == config::Severity::error));
  BOOST_TEST(findings[0].what == "the keyring cannot be read: No such file or directory");
}
