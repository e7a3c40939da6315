#include "cli/command.h"

#include <algorithm>
#include <boost/program_options.hpp>

#include "base/suggest.h"

namespace tribecast::cli {
namespace {

namespace po = boost::program_options;

constexpr std::size_t kHelpColumn = 24;

po::options_description describe() {
  po::options_description all;
  for (const Option& option : options()) {
    const std::string name(option.name);
    const std::string description(option.description);
    const bool no_argument = option.argument.empty();
    all.add_options()(name.c_str(), new po::untyped_value(no_argument), description.c_str());
  }
  return all;
}

const Option& option_of(std::string_view name) {
  return *std::ranges::find(options(), name, &Option::name);
}

std::string joined(std::span<const std::string> words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : " ") + word;
  return out;
}

Unexpected<UsageError> wrong(std::string what, std::string hint = {}) {
  return {{std::move(what), std::move(hint)}};
}

// The words and options, sorted apart by Program_options; which belongs to which is not asked yet.
Result<Invocation, UsageError> sorted_apart(const std::vector<std::string>& words) {
  static constexpr int kStyle =
      po::command_line_style::unix_style & ~po::command_line_style::allow_guessing;
  Invocation out;
  try {
    const po::options_description known = describe();
    const po::parsed_options parsed =
        po::command_line_parser(words).options(known).style(kStyle).run();
    for (const po::option& option : parsed.options) {
      const std::string text = option.value.empty() ? "" : option.value.front();
      if (option.position_key != -1) {
        out.arguments.push_back(text);
      } else if (!out.options.emplace(option.string_key, text).second) {
        return wrong("--" + option.string_key + " is there twice");
      }
    }
  } catch (const po::unknown_option& error) {
    std::string name = error.get_option_name();
    name.erase(0, std::min(name.find_first_not_of('-'), name.size()));
    std::vector<std::string_view> names;
    for (const Option& option : options()) names.push_back(option.name);
    const std::string_view near = closest(name, names);
    return wrong("unknown option '" + error.get_option_name() + "'",
                 near.empty() ? "" : "did you mean '--" + std::string(near) + "'?");
  } catch (const po::error& error) {
    return wrong(error.what());
  }
  return out;
}

// `config-show` is `config show` too.
void split_first_word(std::vector<std::string>& words) {
  if (words.empty()) return;
  const std::size_t dash = words.front().find('-');
  if (dash == std::string::npos) return;
  std::string spaced = words.front();
  spaced[dash] = ' ';
  if (std::ranges::find(commands(), spaced, &Command::words) == commands().end()) return;
  words.insert(words.begin() + 1, spaced.substr(dash + 1));
  words.front().resize(dash);
}

// Takes the command's words off the front; nullptr when they are none.
const Command* take_command(std::vector<std::string>& words) {
  for (const std::size_t size : {2U, 1U}) {
    if (words.size() < size) continue;
    const std::string text = joined(std::span(words).first(size));
    const auto it = std::ranges::find(commands(), text, &Command::words);
    if (it == commands().end()) continue;
    words.erase(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(size));
    return &*it;
  }
  return nullptr;
}

UsageError unknown_command(const std::vector<std::string>& words) {
  std::vector<std::string_view> known;
  std::string family;
  for (const Command& command : commands()) {
    known.push_back(command.words);
    if (!command.words.starts_with(words.front() + " ")) continue;
    family += (family.empty() ? "" : ", ") + std::string(command.words);
  }
  if (!family.empty() && words.size() == 1) return {"'" + words.front() + "' needs a word", family};
  const std::size_t size = family.empty() ? 1 : 2;
  const std::string text = joined(std::span(words).first(size));
  UsageError error{"unknown command '" + text + "'", did_you_mean(text, known)};
  // The second word may have been the right one of a family: `confg check`.
  if (error.hint.empty() && words.size() > 1) {
    error.hint = did_you_mean(joined(std::span(words).first(2)), known);
  }
  if (error.hint.empty() && !family.empty()) error.hint = family;
  return error;
}

Result<Invocation, UsageError> help_on(const std::vector<std::string>& words) {
  Invocation help;
  help.command = &*std::ranges::find(commands(), "help", &Command::words);
  help.arguments = words;
  return help;
}

Result<Invocation, UsageError> checked(Invocation in) {
  const std::string name(in.command->words);
  if (in.arguments.size() < in.command->least) {
    return wrong("'" + name + "' needs " + std::string(in.command->arguments));
  }
  if (in.arguments.size() > in.command->most) {
    return wrong("'" + name + "' takes no '" + in.arguments[in.command->most] + "'");
  }
  for (const auto& [option, text] : in.options) {
    if (option_of(option).global || owns(*in.command, option)) continue;
    return wrong(std::string("--").append(option).append(" is no option of '" + name + "'"));
  }
  const std::string color = in.text("color", "auto");
  if (color != "auto" && color != "always" && color != "never") {
    return wrong("--color: '" + color + "' is none of auto, always, never");
  }
  return in;
}

std::string in_columns(std::string left, std::string_view right) {
  left.insert(0, 2, ' ');
  if (left.size() + 2 < kHelpColumn) {
    left.resize(kHelpColumn, ' ');
  } else {
    left += "  ";
  }
  return left + std::string(right) + "\n";
}

std::string option_line(const Option& option) {
  const std::string argument = option.argument.empty() ? "" : " " + std::string(option.argument);
  return in_columns("--" + std::string(option.name) + argument, option.description);
}

std::string global_options() {
  std::string out = "\noptions, before or behind the command:\n";
  for (const Option& option : options()) {
    if (option.global) out += option_line(option);
  }
  return out;
}

std::string help_on_all() {
  std::string out =
      "tribecast lets clusters that find each other by multicast work without multicast.\n\n"
      "usage: tribecast [--socket PATH] [--json] [--color=WHEN] COMMAND ...\n\n";
  for (const Command& command : commands()) {
    std::string left(command.words);
    if (!command.arguments.empty()) left += " " + std::string(command.arguments);
    out += in_columns(left, command.summary);
  }
  out += global_options() + "\nexit codes:\n";
  for (const ExitMeaning& exit : exit_meanings()) {
    out += in_columns(std::to_string(static_cast<int>(exit.code)), exit.meaning);
  }
  return out;
}

std::string help_on_one(const Command& command) {
  std::string out =
      "usage: tribecast " + synopsis(command) + "\n\n" + std::string(command.summary) + "\n";
  if (!command.details.empty()) out += "\n" + std::string(command.details);
  if (!command.options.empty()) out += "\n";
  for (const Option& option : options()) {
    if (owns(command, option.name)) out += option_line(option);
  }
  return out + global_options();
}

}  // namespace

bool owns(const Command& command, std::string_view option) {
  return (" " + std::string(command.options) + " ").find(" " + std::string(option) + " ") !=
         std::string::npos;
}

std::string synopsis(const Command& command) {
  std::string out(command.words);
  if (!command.arguments.empty()) out += " " + std::string(command.arguments);
  for (const Option& option : options()) {
    if (!owns(command, option.name)) continue;
    out += " [--" + std::string(option.name);
    if (!option.argument.empty()) out += " " + std::string(option.argument);
    out += "]";
  }
  return out;
}

std::string Invocation::text(std::string_view option, std::string_view fallback) const {
  const auto it = options.find(option);
  return it == options.end() ? std::string(fallback) : it->second;
}

Result<Invocation, UsageError> understand(const std::vector<std::string>& words) {
  auto apart = sorted_apart(words);
  if (!apart) return apart;
  Invocation in = std::move(*apart);
  split_first_word(in.arguments);
  if (in.has("help")) return help_on(in.arguments);
  if (in.arguments.empty()) return wrong("no command");
  in.command = take_command(in.arguments);
  if (in.command == nullptr) return Unexpected<UsageError>{unknown_command(in.arguments)};
  return checked(std::move(in));
}

std::string help_text(const std::string& words) {
  if (words.empty()) return help_on_all();
  std::string family;
  for (const Command& command : commands()) {
    if (command.words == words) return help_on_one(command);
    if (!command.words.starts_with(words + " ")) continue;
    family += in_columns(std::string(command.words) + " " + std::string(command.arguments),
                         command.summary);
  }
  return family;
}

}  // namespace tribecast::cli
