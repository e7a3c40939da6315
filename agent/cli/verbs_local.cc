#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "cli/option_value.h"
#include "cli/terminal.h"
#include "cli/verbs.h"
#include "control/json.h"
#include "seal/node_key.h"

namespace tribecast::cli {

namespace {

constexpr std::size_t kMaxInput = 4096;

// A terminal or /dev/null brings no key: one is made.
bool input_may_hold_a_key() {
  struct stat info {};
  return fstat(STDIN_FILENO, &info) == 0 && !S_ISCHR(info.st_mode);
}

Result<seal::KeyPair, control::Failure> pair_of_input() {
  seal::SecretText text(kMaxInput);
  text.fill(read_input);
  const auto pair = seal::parse_private_key(text.view());
  if (pair) return *pair;
  const std::string line = pair.error().line == 0 ? "" : ":" + std::to_string(pair.error().line);
  return Unexpected<control::Failure>{
      {Exit::bad_config,
       "standard input" + line + ": " + pair.error().what + "\n    fix: " + pair.error().fix}};
}

void print_pair(const seal::KeyPair& pair, bool secret, bool open, bool named) {
  if (secret) {
    const seal::SecretText text = seal::private_key_text(pair);
    print(named ? "private-key " : "");
    print(text.view());
    print("\n");
  }
  if (open) print((named ? "public-key " : "") + seal::to_text(pair.open) + "\n");
}

// `--private-key` makes a key, `--public-key` derives from one, both make a pair.
Exit run_keygen_pair(const Invocation& in) {
  if (in.has("id")) return complain_usage({"--id is for keys of a ring", ""});
  const bool derive = !in.has("private-key") && input_may_hold_a_key();
  const auto pair =
      derive
          ? pair_of_input()
          : Result<seal::KeyPair, control::Failure>(seal::generate_key_pair(seal::system_random()));
  if (!pair) return complain(pair.error());
  const bool open = in.has("public-key");
  if (!in.has("json")) {
    print_pair(*pair, !derive, open, open && !derive);
    return Exit::good;
  }
  const seal::SecretText secret = seal::private_key_text(*pair);
  print(control::key_pair_json(derive ? std::string_view() : secret.view(),
                               seal::to_text(pair->open), timestamp()));
  return Exit::good;
}

}  // namespace

Exit run_keygen(const Invocation& in) {
  if (!seal::initialise() || !seal::forbid_core_dumps()) {
    return complain({Exit::critical, "keys cannot be handled safely here"});
  }
  if (in.has("private-key") || in.has("public-key")) return run_keygen_pair(in);
  const auto id = number_of(in, "id", 1, 1);
  if (!id) return complain_usage(id.error());
  if (*id > 255) return complain_usage({"--id is not in 1-255", ""});
  const bool primary = !in.has("id");
  const seal::SecretText line = seal::keyring_line(
      seal::generate_key(static_cast<std::uint8_t>(*id), seal::system_random()), primary);
  if (!in.has("json")) {
    print(line.view());
    print("\n");
    return Exit::good;
  }
  const std::string_view text = line.view();
  const std::size_t blank = text.find(' ');
  const std::size_t end = std::min(text.find(' ', blank + 1), text.size());
  print(control::keygen_json(text.substr(0, blank), text.substr(blank + 1, end - blank - 1),
                             primary, timestamp()));
  return Exit::good;
}

Exit run_version(const Invocation& in) {
  print(in.has("json") ? control::version_json(TRIBECAST_VERSION, timestamp())
                       : "tribecast " TRIBECAST_VERSION "\n");
  return Exit::good;
}

Exit run_help(const Invocation& in) {
  std::string words;
  for (const std::string& word : in.arguments) words += (words.empty() ? "" : " ") + word;
  std::string text = help_text(words);
  // `ping web-2 --help` asks about ping.
  while (text.empty() && words.find(' ') != words.npos) {
    words.resize(words.rfind(' '));
    text = help_text(words);
  }
  if (!text.empty()) {
    print(text);
    return Exit::good;
  }
  const auto understood = understand(in.arguments);
  return complain_usage(understood ? UsageError{"no help on '" + words + "'", ""}
                                   : understood.error());
}

}  // namespace tribecast::cli
