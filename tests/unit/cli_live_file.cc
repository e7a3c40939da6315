// Files of the configuration that appear and go, and are put back.
#define BOOST_TEST_MODULE cli_live_file
#include <sys/stat.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <set>

#include "cli/live_file.h"

using namespace tribecast::cli;
namespace fs = std::filesystem;

namespace {

struct Fixture {
  Fixture() {
    std::string pattern = (fs::temp_directory_path() / "tribecast-live.XXXXXX").string();
    BOOST_REQUIRE(mkdtemp(pattern.data()) != nullptr);
    top = pattern;
  }
  ~Fixture() { fs::remove_all(top); }

  [[nodiscard]] std::string path(const char* name) const { return (top / name).string(); }
  // All files below, hidden ones too.
  [[nodiscard]] std::set<std::string> files() const {
    std::set<std::string> names;
    for (const auto& entry : fs::recursive_directory_iterator(top)) {
      names.insert(entry.path().lexically_relative(top).string());
    }
    return names;
  }
  static std::string text(const std::string& file) {
    std::ifstream in(file);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  fs::path top;
};

using Names = std::set<std::string>;

}  // namespace

BOOST_FIXTURE_TEST_CASE(written_and_put_back, Fixture) {
  const mode_t mask = umask(0077);
  const auto change = FileChange::write(path("peers.d/a.conf"), "x\n");
  umask(mask);
  BOOST_REQUIRE(bool(change));
  BOOST_TEST(text(path("peers.d/a.conf")) == "x\n");
  BOOST_TEST((files() == Names{"peers.d", "peers.d/a.conf"}));
  struct stat info {};
  BOOST_REQUIRE(stat(path("peers.d/a.conf").c_str(), &info) == 0);
  BOOST_TEST((info.st_mode & 0777U) == 0644U);
  BOOST_REQUIRE(stat(path("peers.d").c_str(), &info) == 0);
  BOOST_TEST((info.st_mode & 0777U) == 0755U);
  BOOST_TEST(bool(change->put_back()));
  BOOST_TEST(files().empty());
}

BOOST_FIXTURE_TEST_CASE(written_and_kept, Fixture) {
  fs::create_directory(top / "peers.d");
  const auto first = FileChange::write(path("peers.d/a.conf"), "x\n");
  BOOST_REQUIRE(bool(first));
  first->keep();
  const auto second = FileChange::write(path("peers.d/b.conf"), "y\n");
  BOOST_REQUIRE(bool(second));
  BOOST_TEST(bool(second->put_back()));
  BOOST_TEST((files() == Names{"peers.d", "peers.d/a.conf"}));
}

BOOST_FIXTURE_TEST_CASE(nothing_is_overwritten, Fixture) {
  std::ofstream(path("a.conf")) << "mine\n";
  const auto change = FileChange::write(path("a.conf"), "x\n");
  BOOST_REQUIRE(!change);
  BOOST_TEST((change.error().code == tribecast::control::Exit::critical));
  BOOST_TEST(change.error().error.find("File exists") != std::string::npos);
  BOOST_TEST(text(path("a.conf")) == "mine\n");
}

BOOST_FIXTURE_TEST_CASE(what_a_tool_that_was_killed_left_is_no_obstacle, Fixture) {
  std::ofstream(path(".a.conf.new")) << "half";
  BOOST_REQUIRE(bool(FileChange::write(path("a.conf"), "x\n")));
  BOOST_TEST((files() == Names{"a.conf"}));
  BOOST_TEST(text(path("a.conf")) == "x\n");
}

BOOST_FIXTURE_TEST_CASE(removed_and_put_back_as_it_was, Fixture) {
  std::ofstream(path("a.conf")) << "mine\n";
  BOOST_REQUIRE(chmod(path("a.conf").c_str(), 0600) == 0);
  const auto change = FileChange::remove(path("a.conf"));
  BOOST_REQUIRE(bool(change));
  BOOST_TEST((files() == Names{".a.conf.removed"}));
  BOOST_TEST(bool(change->put_back()));
  BOOST_TEST((files() == Names{"a.conf"}));
  struct stat info {};
  BOOST_REQUIRE(stat(path("a.conf").c_str(), &info) == 0);
  BOOST_TEST((info.st_mode & 0777U) == 0600U);
}

BOOST_FIXTURE_TEST_CASE(replaced_with_its_mode_and_owner, Fixture) {
  std::ofstream(path("a.keys")) << "old\n";
  BOOST_REQUIRE(chmod(path("a.keys").c_str(), 0640) == 0);
  const bool root = geteuid() == 0;
  if (root) BOOST_REQUIRE(chown(path("a.keys").c_str(), 12, 34) == 0);
  const auto check = [&](const char* wanted) {
    BOOST_TEST(text(path("a.keys")) == wanted);
    struct stat info {};
    BOOST_REQUIRE(stat(path("a.keys").c_str(), &info) == 0);
    BOOST_TEST((info.st_mode & 0777U) == 0640U);
    BOOST_TEST((!root || (info.st_uid == 12 && info.st_gid == 34)));
  };
  std::ofstream(path(".a.keys.before")) << "left by a tool that was killed";
  const auto first = FileChange::replace(path("a.keys"), "new\n");
  BOOST_REQUIRE(bool(first));
  check("new\n");
  BOOST_TEST(bool(first->put_back()));
  check("old\n");
  BOOST_TEST((files() == Names{"a.keys"}));
  const auto second = FileChange::replace(path("a.keys"), "new\n");
  BOOST_REQUIRE(bool(second));
  second->keep();
  check("new\n");
  BOOST_TEST((files() == Names{"a.keys"}));
  BOOST_TEST(!FileChange::replace(path("none"), "x"));
}

BOOST_FIXTURE_TEST_CASE(removed_for_good, Fixture) {
  std::ofstream(path("a.conf")) << "mine\n";
  const auto change = FileChange::remove(path("a.conf"));
  BOOST_REQUIRE(bool(change));
  change->keep();
  BOOST_TEST(files().empty());
  BOOST_TEST(!FileChange::remove(path("a.conf")));
}

BOOST_FIXTURE_TEST_CASE(one_at_a_time, Fixture) {
  BOOST_TEST(!FilesLock::take(path("none/main.conf")));
  { BOOST_TEST(bool(FilesLock::take(path("main.conf")))); }
  BOOST_TEST(bool(FilesLock::take(path("main.conf"))));
}
