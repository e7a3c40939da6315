// Each shell's script finds the words before the cursor that are neither options nor their values,
// and offers what the tables know behind them.
#include <algorithm>
#include <vector>

#include "cli/command.h"
#include "cli/pages.h"

namespace tribecast::cli {
namespace {

constexpr std::string_view kNote = "# Generated from the tables of commands and options.\n";

bool takes_file(const Option& option) {
  return option.argument == "FILE" || option.argument == "PATH";
}

bool takes_file(const Command& command) {
  return command.arguments.find("FILE") != std::string_view::npos;
}

// The first words, or the second ones behind a first; each once.
std::vector<std::string> words_behind(std::string_view first) {
  std::vector<std::string> out;
  for (const Command& command : commands()) {
    std::string_view words = command.words;
    if (!first.empty()) {
      if (!words.starts_with(std::string(first) + " ")) continue;
      words.remove_prefix(first.size() + 1);
    }
    std::string word(words.substr(0, words.find(' ')));
    if (std::ranges::find(out, word) == out.end()) out.push_back(std::move(word));
  }
  return out;
}

std::vector<std::string> families() {
  std::vector<std::string> out = words_behind("");
  std::erase_if(out, [](const std::string& word) { return words_behind(word).empty(); });
  return out;
}

std::string summary_of(const std::string& behind, const std::string& word) {
  std::string words = behind;
  words.append(behind.empty() ? "" : " ").append(word);
  const auto found = std::ranges::find(commands(), std::string_view(words), &Command::words);
  if (found != commands().end()) return std::string(found->summary);
  std::string out;
  for (const std::string& next : words_behind(words)) out += (out.empty() ? "" : ", ") + next;
  return out;
}

template <typename Chosen>
std::string option_list(std::string_view separator, Chosen chosen) {
  std::string out;
  for (const Option& option : options()) {
    if (chosen(option)) out.append(out.empty() ? "" : separator).append("--").append(option.name);
  }
  return out;
}

std::string words_line(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : " ") + word;
  return out;
}

// 'text', as every shell reads it.
std::string quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

std::string with_values() {
  return option_list("|", [](const Option& option) { return !option.argument.empty(); });
}

std::string global_names() {
  return option_list(" ", [](const Option& option) { return option.global; });
}

// --- bash ----------------------------------------------------------------------------------------

std::string bash_words(std::string_view behind) {
  return "    " + quoted(behind) + ") COMPREPLY=($(compgen -W " +
         quoted(words_line(words_behind(behind))) + " -- \"$current\")) ;;\n";
}

std::string bash_options() {
  std::string out = "    case $words in\n";
  for (const Command& command : commands()) {
    if (command.options.empty()) continue;
    const std::string own =
        option_list(" ", [&](const Option& option) { return owns(command, option.name); });
    out += "      " + quoted(command.words) + "*) own=" + quoted(own) + " ;;\n";
  }
  return out + "    esac\n";
}

// --- zsh -----------------------------------------------------------------------------------------

// 'word:description' of _describe.
std::string zsh_choice(const std::string& word, std::string_view description) {
  std::string escaped;
  for (const char c : description) escaped += c == ':' ? std::string("\\:") : std::string(1, c);
  return quoted(word + ":" + escaped);
}

std::string zsh_words(const std::string& behind) {
  std::string out = "    (" + quoted(behind) + ") choices=(";
  for (const std::string& word : words_behind(behind)) {
    out += " " + zsh_choice(word, summary_of(behind, word));
  }
  return out + " ); _describe command choices ;;\n";
}

template <typename Chosen>
std::string zsh_options(Chosen chosen) {
  std::string out;
  for (const Option& option : options()) {
    if (chosen(option))
      out += " " + zsh_choice("--" + std::string(option.name), option.description);
  }
  return out;
}

// --- fish ----------------------------------------------------------------------------------------

std::string fish_line(const std::string& condition, const std::string& what,
                      std::string_view description) {
  return "complete -c tribecast -n " + quoted(condition) + " " + what + " -d " +
         quoted(description) + "\n";
}

std::string behind(std::string_view words) { return "__tribecast_behind " + std::string(words); }

std::string fish_option(const std::string& condition, const Option& option) {
  std::string what = "-l " + std::string(option.name);
  if (!option.argument.empty()) what += takes_file(option) ? " -r -F" : " -x";
  if (option.name == "color") what += " -a 'auto always never'";
  return fish_line(condition, what, option.description);
}

}  // namespace

std::string bash_completion() {
  std::string out(kNote);
  out +=
      "_tribecast() {\n"
      "  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}\n"
      "  local words= own= i\n"
      "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
      "    case ${COMP_WORDS[i]} in\n"
      "      " +
      with_values() +
      ") [[ ${COMP_WORDS[i+1]} == = ]] && ((i += 2)) || ((i += 1)) ;;\n"
      "      -*) ;;\n"
      "      *) words+=\"${words:+ }${COMP_WORDS[i]}\" ;;\n"
      "    esac\n"
      "  done\n"
      "  COMPREPLY=()\n"
      "  case $previous in\n"
      "    " +
      option_list("|", [](const Option& option) { return takes_file(option); }) +
      ") COMPREPLY=($(compgen -f -- \"$current\")); return ;;\n"
      "    --color) COMPREPLY=($(compgen -W 'auto always never' -- \"$current\")); return ;;\n"
      "    " +
      with_values() +
      ") return ;;\n"
      "  esac\n"
      "  if [[ $current == -* ]]; then\n" +
      bash_options() + "    COMPREPLY=($(compgen -W \"" + global_names() +
      " $own\" -- \"$current\"))\n"
      "    return\n"
      "  fi\n"
      "  case $words in\n" +
      bash_words("");
  for (const std::string& family : families()) out += bash_words(family);
  for (const Command& command : commands()) {
    if (!takes_file(command)) continue;
    out += "    " + quoted(command.words) + "*) COMPREPLY=($(compgen -f -- \"$current\")) ;;\n";
  }
  return out + "  esac\n}\ncomplete -o filenames -F _tribecast tribecast\n";
}

std::string zsh_completion() {
  std::string out = "#compdef tribecast\n" + std::string(kNote);
  out +=
      "_tribecast() {\n"
      "  local before='' i\n"
      "  local -a choices\n"
      "  for ((i = 2; i < CURRENT; i++)); do\n"
      "    case $words[i] in\n"
      "      (" +
      with_values() +
      ") ((i += 1)) ;;\n"
      "      (-*) ;;\n"
      "      (*) before+=\"${before:+ }$words[i]\" ;;\n"
      "    esac\n"
      "  done\n"
      "  case $words[CURRENT-1] in\n"
      "    (" +
      option_list("|", [](const Option& option) { return takes_file(option); }) +
      ") _files; return ;;\n"
      "    (--color) choices=(auto always never); _describe when choices; return ;;\n"
      "    (" +
      with_values() +
      ") return ;;\n"
      "  esac\n"
      "  if [[ $words[CURRENT] == -* ]]; then\n"
      "    choices=(" +
      zsh_options([](const Option& option) { return option.global; }) +
      " )\n"
      "    case $before in\n";
  for (const Command& command : commands()) {
    if (command.options.empty()) continue;
    out += "      (" + quoted(command.words) + "*) choices+=(" +
           zsh_options([&](const Option& option) { return owns(command, option.name); }) +
           " ) ;;\n";
  }
  out +=
      "    esac\n"
      "    _describe -o option choices\n"
      "    return\n"
      "  fi\n"
      "  case $before in\n" +
      zsh_words("");
  for (const std::string& family : families()) out += zsh_words(family);
  for (const Command& command : commands()) {
    if (takes_file(command)) out += "    (" + quoted(command.words) + "*) _files ;;\n";
  }
  return out + "  esac\n}\n_tribecast \"$@\"\n";
}

std::string fish_completion() {
  std::string out(kNote);
  out +=
      "function __tribecast_words\n"
      "  set -l skip 0\n"
      "  for token in (commandline -opc)[2..-1]\n"
      "    if test $skip = 1\n"
      "      set skip 0\n"
      "    else if string match -qr '^(" +
      with_values() +
      ")$' -- $token\n"
      "      set skip 1\n"
      "    else if not string match -q -- '-*' $token\n"
      "      echo $token\n"
      "    end\n"
      "  end\n"
      "end\n"
      "function __tribecast_at\n"
      "  set -l words (__tribecast_words)\n"
      "  test \"$words\" = \"$argv\"\n"
      "end\n"
      "function __tribecast_behind\n"
      "  set -l words (__tribecast_words)\n"
      "  set -l last (count $argv)\n"
      "  test \"$words[1..$last]\" = \"$argv\"\n"
      "end\n"
      "complete -c tribecast -f\n";
  for (const Option& option : options()) {
    if (option.global) out += fish_option("true", option);
  }
  for (const std::string& word : words_behind("")) {
    out += fish_line("__tribecast_at", "-a " + word, summary_of("", word));
  }
  for (const std::string& family : families()) {
    for (const std::string& word : words_behind(family)) {
      out += fish_line("__tribecast_at " + family, "-a " + word, summary_of(family, word));
    }
  }
  for (const Command& command : commands()) {
    for (const Option& option : options()) {
      if (owns(command, option.name)) out += fish_option(behind(command.words), option);
    }
    if (takes_file(command))
      out += "complete -c tribecast -n " + quoted(behind(command.words)) + " -F\n";
  }
  return out;
}

}  // namespace tribecast::cli
