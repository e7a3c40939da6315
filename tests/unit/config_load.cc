// Reading files: the main one, then peers.d/ and conf.d/ beside it.
#define BOOST_TEST_MODULE config_load
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>

#include "config/config.h"

using namespace tribecast::config;
namespace fs = std::filesystem;

namespace {

// A folder of its own, removed at the end.
class Folder {
 public:
  Folder() : path_(fs::temp_directory_path() / ("tribecast-load-" + std::to_string(getpid()))) {
    fs::create_directories(path_);
  }
  ~Folder() { fs::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  std::string put(const std::string& name, const std::string& text) const {
    const fs::path file = path_ / name;
    fs::create_directories(file.parent_path());
    std::ofstream(file) << text;
    fs::permissions(file, fs::perms(0644));
    return file.string();
  }
  [[nodiscard]] std::string at(const std::string& name) const { return (path_ / name).string(); }

 private:
  fs::path path_;
};

constexpr const char* kMain =
    "[security]\nkeyring = /k\n[group \"g\"]\naddress = 228.0.0.4:45564\n";

}  // namespace

BOOST_AUTO_TEST_CASE(files_beside_the_main_one_are_read_in_order_of_name) {
  const Folder folder;
  const std::string main = folder.put("t.conf", kMain);
  folder.put("peers.d/b.conf", "[peer \"b\"]\naddress = 10.0.0.2\n");
  folder.put("peers.d/a.conf", "[peer \"a\"]\naddress = 10.0.0.1\n");
  folder.put("peers.d/README", "not read");
  folder.put("peers.d/.hidden.conf", "not read");
  folder.put("conf.d/x.conf", "[node]\nname = n\n");
  const Outcome outcome = load(main);
  BOOST_REQUIRE_MESSAGE(outcome.config.has_value(), to_text(outcome.diagnostics));
  BOOST_TEST(outcome.diagnostics.empty());
  BOOST_REQUIRE(outcome.config->peers.size() == 2U);
  BOOST_TEST(outcome.config->peers[0].name == "a");
  BOOST_TEST(outcome.config->node.name == "n");
}

BOOST_AUTO_TEST_CASE(the_host_name_is_the_name_when_there_is_none) {
  const Folder folder;
  const Outcome outcome = load(folder.put("t.conf", kMain));
  BOOST_REQUIRE(outcome.config.has_value());
  BOOST_TEST(!outcome.config->node.name.empty());
}

BOOST_AUTO_TEST_CASE(a_small_file_takes_little_memory) {
  const Folder folder;
  const Files files = read_files(folder.put("t.conf", kMain));
  BOOST_REQUIRE(files.sources.size() == 1U);
  BOOST_TEST(files.sources[0].text.capacity() < 4096U);
}

BOOST_AUTO_TEST_CASE(files_that_cannot_be_read) {
  const Folder folder;
  const Outcome missing = load(folder.at("none.conf"));
  BOOST_TEST(!missing.config.has_value());
  BOOST_REQUIRE(missing.diagnostics.size() == 1U);
  BOOST_TEST(missing.diagnostics[0].file == folder.at("none.conf"));
  BOOST_TEST(missing.diagnostics[0].what == "cannot be read: No such file or directory");

  const std::string large = folder.put("large.conf", std::string(kMaxFileBytes + 1, '#'));
  BOOST_TEST(load(large).diagnostics.at(0).what == "larger than 1 MiB");
  const std::string fits = folder.put("fits.conf", std::string(kMaxFileBytes, '\n'));
  BOOST_TEST(load(fits).config.has_value());
  BOOST_TEST(load(folder.at("")).diagnostics.at(0).what == "cannot be read: it is no file");
}

BOOST_AUTO_TEST_CASE(a_mistake_in_any_file_refuses_all) {
  const Folder folder;
  const std::string main = folder.put("t.conf", kMain);
  const std::string other = folder.put("peers.d/a.conf", "[peer \"a\"]\nx = 1\n");
  const Outcome outcome = load(main);
  BOOST_TEST(!outcome.config.has_value());
  BOOST_TEST(outcome.diagnostics.at(0).file == other);
}

BOOST_AUTO_TEST_CASE(what_everybody_can_write_is_warned_of) {
  const Folder folder;
  const std::string main = folder.put("t.conf", kMain);
  fs::permissions(main, fs::perms(0666));
  const Outcome outcome = load(main);
  BOOST_TEST(outcome.config.has_value());
  BOOST_REQUIRE(outcome.diagnostics.size() == 1U);
  BOOST_TEST((outcome.diagnostics[0].severity == Severity::warning));
}

BOOST_AUTO_TEST_CASE(what_everybody_may_change_is_told) {
  const Folder folder;
  const std::string list = folder.put("list", "a 10.0.0.1\n");
  const std::string program = folder.put("program", "#!/bin/sh\n");
  const std::string main =
      folder.put("t.conf", std::string(kMain) + "[discovery \"a\"]\nfile = " + list +
                               "\n[discovery \"b\"]\nexec = " + program +
                               " word\n[discovery \"c\"]\nfile = " + folder.at("none") +
                               "\n[discovery \"d\"]\ndns = d.test\n");
  BOOST_TEST(load(main).diagnostics.empty());
  fs::permissions(list, fs::perms(0666));
  fs::permissions(program, fs::perms(0757));
  const Outcome outcome = load(main);
  BOOST_TEST(outcome.config.has_value());
  BOOST_REQUIRE(outcome.diagnostics.size() == 2U);
  BOOST_TEST(outcome.diagnostics[0].file == list);
  BOOST_TEST(outcome.diagnostics[1].file == program);
  BOOST_TEST(outcome.diagnostics[1].what == "the file can be written by everybody on this host");
}
