// Man pages and completions hold what the tables hold.
#define BOOST_TEST_MODULE cli_pages
#include <boost/test/unit_test.hpp>

#include "cli/command.h"
#include "cli/pages.h"
#include "config/settings.h"

using namespace tribecast;

namespace {

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::string dashed(std::string_view text) {
  std::string out;
  for (const char c : text) out += c == '-' ? std::string("\\-") : std::string(1, c);
  return out;
}

}  // namespace

BOOST_AUTO_TEST_CASE(the_tool_page_has_every_command_option_and_exit_code) {
  const std::string page = cli::page("tribecast.1");
  for (const cli::Command& command : cli::commands()) {
    BOOST_TEST(holds(page, ".SS " + dashed(command.words)), command.words);
  }
  for (const cli::Option& option : cli::options()) {
    BOOST_TEST(holds(page, ".B \\-\\-" + dashed(option.name)), option.name);
  }
  for (const cli::ExitMeaning& exit : cli::exit_meanings()) {
    BOOST_TEST(holds(page, ".B " + std::to_string(static_cast<int>(exit.code)) + "\n"));
  }
}

BOOST_AUTO_TEST_CASE(the_configuration_page_has_every_key) {
  const std::string page = cli::page("tribecast.conf.5");
  for (const config::Setting& setting : config::settings()) {
    BOOST_TEST(holds(page, ".B " + dashed(setting.key) + "\n"), setting.key);
  }
}

BOOST_AUTO_TEST_CASE(completions_have_every_word_and_option) {
  for (const char* name : {"tribecast.bash", "_tribecast", "tribecast.fish"}) {
    const std::string page = cli::page(name);
    for (const cli::Command& command : cli::commands()) {
      const std::string words(command.words);
      BOOST_TEST(holds(page, words.substr(words.find(' ') + 1)), name << " " << words);
    }
    for (const cli::Option& option : cli::options()) {
      BOOST_TEST(holds(page, std::string(option.name)), name << " " << option.name);
    }
  }
}

BOOST_AUTO_TEST_CASE(no_line_of_a_page_is_a_command_by_chance) {
  const std::string page =
      cli::daemon_page("tribecastd.8", "usage\n.so /etc/passwd\n'quoted' \\n --help\n");
  BOOST_TEST(holds(page, "\n\\&.so /etc/passwd\n"));
  BOOST_TEST(holds(page, "\n\\&'quoted' \\en \\-\\-help\n"));
}

BOOST_AUTO_TEST_CASE(other_pages_do_not_exist) {
  BOOST_TEST(cli::page("tribecast.2").empty());
  BOOST_TEST(cli::daemon_page("tribecast.8", "help").empty());
}
