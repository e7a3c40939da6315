#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <optional>

#include "base/check.h"
#include "cli/output_file.h"
#include "cli/terminal.h"
#include "cli/verbs.h"
#include "config/config.h"
#include "config/init.h"
#include "config/values.h"
#include "control/json.h"
#include "seal/keyring.h"

namespace tribecast::cli {
namespace {

namespace fs = std::filesystem;
using control::Failure;

constexpr const char* kPeersFile = "peers.d/cluster.conf";
constexpr mode_t kKeyMode = 0600;
constexpr mode_t kGroupKeyMode = 0640;

// A question, its default, and what is wrong with an answer.
struct Question {
  std::string text;
  std::string fallback;
  std::function<std::string(const std::string&)> wrong;
};

// nullopt: standard input has ended.
std::optional<std::string> ask(const Question& question) {
  while (true) {
    print(question.text + (question.fallback.empty() ? "" : " [" + question.fallback + "]") + ": ");
    std::string answer;
    if (!std::getline(std::cin, answer)) return std::nullopt;
    if (answer.empty()) answer = question.fallback;
    const std::string wrong = question.wrong(answer);
    if (wrong.empty()) return answer;
    print("  " + wrong + "\n");
  }
}

std::string wrong_peers(const std::string& text) {
  const auto peers = config::parse_init_peers(text);
  return peers ? "" : peers.error();
}
std::string wrong_group(const std::string& text) {
  const auto group = config::to_group_address(text);
  return group ? "" : group.error();
}
std::string wrong_path(const std::string& text) {
  const auto path = config::to_absolute_path(text);
  return path ? "" : path.error();
}

Unexpected<Failure> refuse(Exit code, std::string text) { return {{code, std::move(text)}}; }

struct Answers {
  std::string peers;
  std::string group;
  std::string keyring;
};

Question about_peers() {
  return {"The nodes, this one too, by address or name, with commas", "", wrong_peers};
}

// Without --peers they are asked for.
Result<bool, Failure> asks_of(const Invocation& in) {
  const bool asks = !in.has("peers") && isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1;
  if (!in.has("peers") && !asks) {
    return refuse(Exit::usage, "'config init' needs --peers A,B,C, or a terminal to ask on");
  }
  return asks;
}

// The option is the answer; what it leaves open is asked for, or else the default.
Result<std::string, Failure> answer_of(const Invocation& in, bool asks, const char* option,
                                       const Question& question) {
  const std::string given = in.text(option, question.fallback);
  const std::string wrong = question.wrong(given);
  if (!wrong.empty()) return refuse(Exit::usage, "--" + std::string(option) + ": " + wrong);
  if (!asks || in.has(option)) return given;
  const auto answer = ask(question);
  if (!answer) return refuse(Exit::critical, "no answer; nothing was written");
  return *answer;
}

Result<Answers, Failure> answers_of(const Invocation& in, const std::string& file) {
  const auto asks = asks_of(in);
  if (!asks) return Unexpected<Failure>{asks.error()};
  const std::string beside = (fs::absolute(file).parent_path() / "cluster.keys").string();
  Answers out;
  struct Row {
    const char* option;
    Question question;
    std::string* answer;
  };
  const std::array rows = {
      Row{"peers", about_peers(), &out.peers},
      Row{"group", {"Multicast group and port", config::Init{}.group, wrong_group}, &out.group},
      Row{"keyring", {"File of the cluster's key", beside, wrong_path}, &out.keyring}};
  for (const Row& row : rows) {
    const auto answer = answer_of(in, *asks, row.option, row.question);
    if (!answer) return Unexpected<Failure>{answer.error()};
    *row.answer = *answer;
  }
  return out;
}

// The service's group, when there is one and the file can be given to it. Read from the file: a
// static program has no other way.
std::optional<gid_t> service_group() {
  if (geteuid() != 0) return std::nullopt;
  std::ifstream file("/etc/group");
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("tribecast:")) continue;
    const std::size_t begin = line.find(':', line.find(':') + 1) + 1;
    const auto id = config::to_number(line.substr(begin, line.find(':', begin) - begin));
    if (id) return static_cast<gid_t>(*id);
  }
  return std::nullopt;
}

// True when it was made here.
Result<bool, Failure> make_key(const std::string& path) {
  std::error_code error;
  if (fs::exists(path, error)) return false;
  const seal::SecretText line =
      seal::keyring_line(seal::generate_key(1, seal::system_random()), true);
  seal::SecretText text(line.view().size() + 1);
  text.append(line.view());
  text.append("\n");
  const auto group = service_group();
  const auto made = create_file(path, text.view(), {group ? kGroupKeyMode : kKeyMode, group});
  if (!made) return Unexpected<Failure>{made.error()};
  return true;
}

Exit tell(const Invocation& in, const control::InitDone& done, const std::string& main_file) {
  if (in.has("json")) {
    print(control::config_init_json(done, timestamp()));
    return Exit::good;
  }
  print(done.file + " written, " + control::counted(done.peers, "peer") + "\n" + done.keyring +
        (done.key_made ? " made: copy it to the other nodes, it is the cluster's only key\n"
                       : " was there and is used: all nodes need the same\n") +
        "next: tribecast config check " + main_file + "; then start or reload the agent\n");
  return Exit::good;
}

// Writes a file and the key that it names, or nothing.
Exit write_both(const Invocation& in, const std::string& file, const std::string& text,
                const std::string& keyring, std::size_t peers, const std::string& main_file) {
  const auto key = make_key(keyring);
  if (!key) return complain(key.error());
  if (const auto written = create_file(file, text, {}); !written) {
    if (*key) unlink(keyring.c_str());
    return complain(written.error());
  }
  return tell(in, {file, keyring, *key, peers}, main_file);
}

Exit is_there(const std::string& file, const std::string& why) {
  return complain({Exit::critical, file + " is there already" + why +
                                       " and was not touched\n    fix: add to it (tribecast peer "
                                       "add NAME ADDRESS), or write another one: --output FILE"});
}

// The agent's file is there, as a package ships it: it gets its peers from a file in peers.d.
Exit add_first_peers(const Invocation& in, const std::string& file) {
  config::Files files = config::read_files(file);
  const auto before = config::load(files);
  if (!before.config) {
    return complain({Exit::bad_config, "nothing was written\n" + to_text(before.diagnostics)});
  }
  if (!before.config->peers.empty() || !before.config->discoveries.empty()) {
    return is_there(file, ", has peers,");
  }
  if (in.has("group") || in.has("keyring")) return is_there(file, ", says group and keyring,");
  const auto asks = asks_of(in);
  if (!asks) return complain(asks.error());
  const auto answer = answer_of(in, *asks, "peers", about_peers());
  if (!answer) return complain(answer.error());
  const auto peers = config::parse_init_peers(*answer);
  TC_CHECK(static_cast<bool>(peers));
  const std::string path = (fs::path(file).parent_path() / kPeersFile).string();
  files.sources.push_back({path, config::init_peers_text(*peers)});
  const auto after = config::parse(files.sources);
  if (!after.config) {
    return complain({Exit::bad_config, "nothing was written\n" + to_text(after.diagnostics)});
  }
  return write_both(in, path, files.sources.back().text, before.config->security.keyring,
                    peers->size(), file);
}

}  // namespace

Exit run_config_init(const Invocation& in) {
  if (!seal::initialise() || !seal::forbid_core_dumps()) {
    return complain({Exit::critical, "keys cannot be handled safely here"});
  }
  const std::string file = in.text("output", kDefaultFile);
  std::error_code error;
  if (fs::exists(fs::symlink_status(file, error))) {
    return in.has("output") ? is_there(file, "") : add_first_peers(in, file);
  }
  const auto answers = answers_of(in, file);
  if (!answers) return complain(answers.error());
  const auto peers = config::parse_init_peers(answers->peers);
  TC_CHECK(static_cast<bool>(peers));
  const std::string text = config::init_text({answers->keyring, answers->group, *peers});
  const auto outcome = config::parse({{file, text}});
  if (!outcome.config) {
    return complain({Exit::bad_config, "nothing was written\n" + to_text(outcome.diagnostics)});
  }
  return write_both(in, file, text, answers->keyring, peers->size(), file);
}

}  // namespace tribecast::cli
