// The commands of the `tribecast` tool: one table, from which the command line is read and every
// help text is made. Boost.Program_options does the reading (command.cc is the only place).
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "control/exit_code.h"

namespace tribecast::cli {

using control::Exit;

struct Option {
  std::string_view name;
  std::string_view argument;  // its placeholder; empty = takes none
  std::string_view description;
  bool global;  // else only for the commands that name it
};

struct Invocation;

struct Command {
  std::string_view words;      // `status`, `config check`
  std::string_view arguments;  // as help shows them: `PEER`, `[FILE]`
  std::size_t least;           // how many arguments
  std::size_t most;
  std::string_view options;  // names of its own options, separated by blanks
  std::string_view summary;
  std::string_view details;
  Exit (*run)(const Invocation&);
};

std::span<const Option> options();
std::span<const Command> commands();

// Is the option one of the command's own?
bool owns(const Command& command, std::string_view option);

// The words behind `tribecast` for a command, its arguments and its own options.
std::string synopsis(const Command& command);

struct ExitMeaning {
  Exit code;
  std::string_view meaning;
};
std::span<const ExitMeaning> exit_meanings();

// A command line that was understood.
struct Invocation {
  const Command* command = nullptr;
  std::vector<std::string> arguments;
  std::map<std::string, std::string, std::less<>> options;  // those given; a flag's text is empty

  [[nodiscard]] bool has(std::string_view option) const { return options.contains(option); }
  [[nodiscard]] std::string text(std::string_view option, std::string_view fallback) const;
};

struct UsageError {
  std::string what;
  std::string hint;  // empty, or what was probably meant
};

// What the words ask for; `--help` and no words at all ask for help.
Result<Invocation, UsageError> understand(const std::vector<std::string>& words);

// Help on everything, on one command, or on all that begin with a word such as `config`; empty for
// unknown words.
std::string help_text(const std::string& words);

}  // namespace tribecast::cli
