#include <algorithm>

#include "cli/option_value.h"
#include "cli/terminal.h"
#include "cli/verbs.h"
#include "control/json.h"
#include "seal/keyring.h"

namespace tribecast::cli {

Exit run_keygen(const Invocation& in) {
  if (!seal::initialise() || !seal::forbid_core_dumps()) {
    return complain({Exit::critical, "keys cannot be handled safely here"});
  }
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
