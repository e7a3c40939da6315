// The command line: understood, refused with a suggestion, explained.
#define BOOST_TEST_MODULE cli_command
#include <boost/test/unit_test.hpp>
#include <set>
#include <sstream>

#include "cli/command.h"

using namespace tribecast::cli;

namespace {

std::vector<std::string> words_of(const std::string& line) {
  std::istringstream in(line);
  std::vector<std::string> words;
  for (std::string word; in >> word;) words.push_back(word);
  return words;
}

// `status (a b) json= socket=/s`, or `! ` and what is said.
std::string understood(const std::string& line) {
  const auto result = understand(words_of(line));
  if (!result) {
    const std::string& hint = result.error().hint;
    return "! " + result.error().what + (hint.empty() ? "" : " | " + hint);
  }
  std::string out(result->command->words);
  for (const std::string& argument : result->arguments) out += " (" + argument + ")";
  for (const auto& [name, text] : result->options) out += " " + name + "=" + text;
  return out;
}

}  // namespace

BOOST_AUTO_TEST_CASE(command_lines) {
  struct Row {
    const char* line;
    const char* understood;
  };
  for (const Row& row : {
           Row{"status", "status"},
           Row{"--json status", "status json="},
           Row{"status --json", "status json="},
           Row{"--socket /s status --color=never", "status color=never socket=/s"},
           Row{"--socket=/s status", "status socket=/s"},
           Row{"ping web-2 --count 3", "ping (web-2) count=3"},
           Row{"--count 3 ping web-2", "ping (web-2) count=3"},
           Row{"ping -- --odd", "ping (--odd)"},
           Row{"config check", "config check"},
           Row{"config check a.conf --json", "config check (a.conf) json="},
           Row{"config --json show", "config show json="},
           Row{"config-show", "config show"},
           Row{"config diff", "config diff"},
           Row{"config-diff a.conf", "config diff (a.conf)"},
           Row{"config-check a.conf", "config check (a.conf)"},
           Row{"events --follow --count 3", "events count=3 follow="},
           Row{"config reload --confirm 60s", "config reload confirm=60s"},
           Row{"config undo", "config undo"},
           Row{"config init --peers a,b --output f", "config init output=f peers=a,b"},
           Row{"check --warning 1 --critical 50%", "check critical=50% warning=1"},
           Row{"firewall-print --format nft", "firewall print format=nft"},
           Row{"import aliyun a b --output c", "import aliyun (a) (b) output=c"},
           Row{"peer add b 10.0.0.1 web", "peer add (b) (10.0.0.1) (web)"},
           Row{"peer-remove b --config /f", "peer remove (b) config=/f"},
           Row{"group join t 239.1.1.1:*", "group join (t) (239.1.1.1:*)"},
           Row{"wait --peers all --members 3 --timeout 5s", "wait members=3 peers=all timeout=5s"},
           Row{"key list --keyring /k", "key list keyring=/k"},
           Row{"key add", "key add"},
           Row{"key add -", "key add (-)"},
           Row{"key-use 2", "key use (2)"},
           Row{"key remove 1 --force", "key remove (1) force="},
           Row{"keygen --id 2", "keygen id=2"},
           Row{"keygen --public-key", "keygen public-key="},
           Row{"keygen --private-key --json", "keygen json= private-key="},
           Row{"peer add b 10.0.0.1 --key K", "peer add (b) (10.0.0.1) key=K"},
           Row{"--help", "help"},
           Row{"help", "help"},
           Row{"help ping", "help (ping)"},
           Row{"ping --help", "help (ping)"},
           Row{"config check --help", "help (config) (check)"},
       }) {
    BOOST_TEST(understood(row.line) == row.understood, row.line);
  }
}

BOOST_AUTO_TEST_CASE(command_lines_that_are_refused) {
  struct Row {
    const char* line;
    const char* said;
  };
  for (const Row& row : {
           Row{"", "! no command"},
           Row{"--json", "! no command"},
           Row{"stauts", "! unknown command 'stauts' | did you mean 'status'?"},
           Row{"xyzzy", "! unknown command 'xyzzy'"},
           Row{"config",
               "! 'config' needs a word | config check, config show, config diff, config reload, "
               "config confirm, config undo, config init"},
           Row{"config chek a", "! unknown command 'config chek' | did you mean 'config check'?"},
           Row{"config xyzzyxyzzy",
               "! unknown command 'config xyzzyxyzzy' | config check, config show, config diff, "
               "config reload, config confirm, config undo, config init"},
           Row{"confg check", "! unknown command 'confg' | did you mean 'config check'?"},
           Row{"peer", "! 'peer' needs a word | peer add, peer remove"},
           Row{"peer ad b 10.0.0.1", "! unknown command 'peer ad' | did you mean 'peer add'?"},
           Row{"peer add b", "! 'peer add' needs NAME ADDRESS..."},
           Row{"group join t a b", "! 'group join' takes no 'b'"},
           Row{"group leav t", "! unknown command 'group leav' | did you mean 'group leave'?"},
           Row{"key use", "! 'key use' needs ID"},
           Row{"key add 2 00", "! 'key add' takes no '00'"},
           Row{"key add --force", "! --force is no option of 'key add'"},
           Row{"status now", "! 'status' takes no 'now'"},
           Row{"ping", "! 'ping' needs PEER"},
           Row{"ping a b", "! 'ping' takes no 'b'"},
           Row{"--jsn status", "! unknown option '--jsn' | did you mean '--json'?"},
           Row{"--xyzzy status", "! unknown option '--xyzzy'"},
           Row{"--js status", "! unknown option '--js'"},
           Row{"status --count 3", "! --count is no option of 'status'"},
           Row{"status --json --json", "! --json is there twice"},
           Row{"status --color=blue", "! --color: 'blue' is none of auto, always, never"},
           Row{"status --socket", "! the required argument for option '--socket' is missing"},
       }) {
    BOOST_TEST(understood(row.line) == row.said, row.line);
  }
}

BOOST_AUTO_TEST_CASE(the_table_is_whole) {
  std::set<std::string_view> seen;
  for (const Command& command : commands()) {
    BOOST_TEST(seen.insert(command.words).second, command.words);
    BOOST_TEST(command.run != nullptr, command.words);
    BOOST_TEST(command.least <= command.most, command.words);
    BOOST_TEST((command.most == 0) == command.arguments.empty(), command.words);
    BOOST_TEST(!command.summary.empty(), command.words);
    for (const std::string& name : words_of(std::string(command.options))) {
      const bool known = std::ranges::find(options(), name, &Option::name) != options().end();
      BOOST_TEST(known, name);
    }
  }
}

BOOST_AUTO_TEST_CASE(each_command_is_explained) {
  const std::string all = help_text("");
  for (const Command& command : commands()) {
    const std::string words(command.words);
    BOOST_TEST(all.find("\n  " + words) != all.npos, words);
    const std::string one = help_text(words);
    BOOST_TEST(one.starts_with("usage: tribecast " + words), words);
    for (const std::string& name : words_of(std::string(command.options))) {
      BOOST_TEST(one.find("\n  --" + name) != one.npos, words);
    }
    std::istringstream lines(all + one);
    for (std::string line; std::getline(lines, line);) BOOST_TEST(line.size() <= 100U, line);
  }
  BOOST_TEST(help_text("config").find("config reload") != std::string::npos);
  BOOST_TEST(help_text("xyzzy").empty());
}
