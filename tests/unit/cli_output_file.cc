// Files that are written whole or not at all.
#define BOOST_TEST_MODULE cli_output_file
#include <sys/stat.h>

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "cli/output_file.h"

using namespace tribecast::cli;
namespace fs = std::filesystem;

namespace {

struct Directory {
  Directory() {
    std::string name = (fs::temp_directory_path() / "tribecast-output.XXXXXX").string();
    BOOST_REQUIRE(mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~Directory() { fs::remove_all(path); }
  [[nodiscard]] std::string operator/(const char* name) const { return (path / name).string(); }
  [[nodiscard]] std::size_t files() const {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(path), fs::directory_iterator()));
  }
  fs::path path;
};

std::string content_of(const std::string& path) {
  std::ostringstream out;
  out << std::ifstream(path).rdbuf();
  return out.str();
}

unsigned mode_of(const std::string& path) {
  struct stat info {};
  return stat(path.c_str(), &info) == 0 ? info.st_mode & 07777U : 0;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_new_file_has_its_mode_whatever_the_umask) {
  const Directory dir;
  umask(0077);
  BOOST_TEST(static_cast<bool>(create_file(dir / "a", "one", {})));
  BOOST_TEST(static_cast<bool>(create_file(dir / "b", "two", {0600, {}})));
  BOOST_TEST(mode_of(dir / "a") == 0644U);
  BOOST_TEST(mode_of(dir / "b") == 0600U);
  BOOST_TEST(content_of(dir / "b") == "two");
  BOOST_TEST(dir.files() == 2U);
}

BOOST_AUTO_TEST_CASE(create_never_overwrites) {
  const Directory dir;
  BOOST_TEST(static_cast<bool>(create_file(dir / "a", "one", {})));
  const auto again = create_file(dir / "a", "two", {});
  BOOST_REQUIRE(!again);
  BOOST_TEST(again.error().error.find("it was not touched") != std::string::npos);
  fs::create_symlink("/nowhere", dir.path / "link");
  BOOST_TEST(!create_file(dir / "link", "two", {}));
  BOOST_TEST(content_of(dir / "a") == "one");
  BOOST_TEST(dir.files() == 2U);
}

BOOST_AUTO_TEST_CASE(replace_takes_the_place_of_what_is_there) {
  const Directory dir;
  BOOST_TEST(static_cast<bool>(replace_file(dir / "a", "one", {})));
  std::ifstream before(dir / "a");
  BOOST_TEST(static_cast<bool>(replace_file(dir / "a", "two", {})));
  std::string seen;
  before >> seen;
  BOOST_TEST(seen == "one");  // a reader keeps what it has opened
  BOOST_TEST(content_of(dir / "a") == "two");
  BOOST_TEST(dir.files() == 1U);
}

BOOST_AUTO_TEST_CASE(a_failure_leaves_nothing) {
  const Directory dir;
  fs::create_directory(dir.path / "taken");
  BOOST_TEST(!replace_file(dir / "taken", "x", {}));
  BOOST_TEST(!replace_file(dir / "none/a", "x", {}));
  BOOST_TEST(dir.files() == 1U);
}
