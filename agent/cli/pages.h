// What is generated from the tables of commands and settings: man pages and shell completions.
#pragma once

#include <string>
#include <string_view>

namespace tribecast::cli {

// The text of `tribecast.1`, `tribecast.conf.5`, `tribecast.bash`, `_tribecast` (zsh) or
// `tribecast.fish`; empty for another name.
std::string page(std::string_view name);

// `tribecastd.8` or `tribecast-engine.8`, around what the daemon's --help prints; empty for another
// name.
std::string daemon_page(std::string_view name, std::string_view help);

// One for each shell (completion.cc).
std::string bash_completion();
std::string zsh_completion();
std::string fish_completion();

}  // namespace tribecast::cli
