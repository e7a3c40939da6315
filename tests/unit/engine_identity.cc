// The identity file: made once, the same again, never two engines with one.
#define BOOST_TEST_MODULE engine_identity
#include <sys/stat.h>

#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "engine/daemon/identity.h"

using namespace tribecast;
using namespace tribecast::engine;

namespace {

struct Directory {
  Directory() {
    std::string name = (std::filesystem::temp_directory_path() / "tribecast-XXXXXX").string();
    BOOST_REQUIRE(mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~Directory() { std::filesystem::remove_all(path); }
  void write(const std::string& text) const { std::ofstream(path + "/identity") << text; }

  std::string path;
};

}  // namespace

BOOST_AUTO_TEST_CASE(it_is_made_once_and_is_the_same_again) {
  const Directory directory;
  const std::string inside = directory.path + "/state";
  tribes::UniqueId id{};
  {
    const auto first = load_identity(inside, 1700000000123);
    BOOST_REQUIRE(static_cast<bool>(first));
    BOOST_TEST(first->is_new);
    BOOST_TEST((first->unique_id[6] & 0xf0U) == 0x40U);  // RFC 4122, version 4
    id = first->unique_id;
    // Another engine must not have it meanwhile.
    BOOST_TEST(load_identity(inside, 1).error().message().find("another engine") !=
               std::string::npos);
  }
  const auto second = load_identity(inside, 1800000000000);
  BOOST_REQUIRE(static_cast<bool>(second));
  BOOST_TEST(!second->is_new);
  BOOST_TEST((second->unique_id == id));
  BOOST_TEST(second->since_milliseconds == 1700000000123U);
  struct stat file {};
  BOOST_REQUIRE(stat((inside + "/identity").c_str(), &file) == 0);
  BOOST_TEST((file.st_mode & 0777U) == 0600U);
}

BOOST_AUTO_TEST_CASE(a_file_that_is_none_is_an_error_that_says_what_to_do) {
  for (const char* text : {"nonsense", "unique-id 00\nsince 1\n",
                           "unique-id 000102030405060708090a0b0c0d0e0f\nsince never\n",
                           "unique-id 000102030405060708090a0b0c0d0e0f\n"}) {
    const Directory directory;
    directory.write(text);
    const auto identity = load_identity(directory.path, 1);
    BOOST_REQUIRE(!identity);
    BOOST_TEST(identity.error().message().find("remove it") != std::string::npos, text);
  }
}

BOOST_AUTO_TEST_CASE(a_directory_that_cannot_be_made_is_an_error) {
  BOOST_TEST(!load_identity("/nonexistent/state", 1));
}
