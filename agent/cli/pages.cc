#include "cli/pages.h"

#include <algorithm>
#include <array>

#include "cli/command.h"
#include "config/manual.h"
#include "config/settings.h"

namespace tribecast::cli {
namespace {

using config::roff;

std::string heading(std::string_view name, std::string_view section, std::string_view summary) {
  return config::roff_heading(name, section, summary, TRIBECAST_VERSION);
}

// Lines as they are: an indented one is an example.
std::string as_written(std::string_view text) {
  return ".nf\n" + roff(text) + (text.ends_with('\n') ? "" : "\n") + ".fi\n";
}

std::string option_entry(const Option& option) {
  std::string tag = "--" + std::string(option.name);
  if (!option.argument.empty()) tag += " " + std::string(option.argument);
  return config::roff_entry(tag, option.description);
}

std::string command_entry(const Command& command) {
  std::string out = ".SS " + roff(synopsis(command)) + "\n" + roff(command.summary) + ".\n";
  if (!command.details.empty()) out += ".PP\n" + as_written(command.details);
  for (const Option& option : options()) {
    if (owns(command, option.name)) out += option_entry(option);
  }
  return out;
}

std::string tool_page() {
  std::string out = heading("tribecast", "1", "asks and changes the agent tribecastd") +
                    ".SH SYNOPSIS\n.B tribecast\n[\\fIoptions\\fR] \\fIcommand\\fR ...\n"
                    ".SH DESCRIPTION\n"
                    "The agent lets clusters that find each other by multicast work on networks "
                    "that carry none.\nThis tool tells how it is, and changes what it does.\n"
                    ".SH COMMANDS\n";
  for (const Command& command : commands()) out += command_entry(command);
  out += ".SH OPTIONS\nBefore or behind the command.\n";
  for (const Option& option : options()) {
    if (option.global) out += option_entry(option);
  }
  out += ".SH EXIT STATUS\n";
  for (const ExitMeaning& exit : exit_meanings()) {
    out += config::roff_entry(std::to_string(static_cast<int>(exit.code)), exit.meaning);
  }
  return out + ".SH SEE ALSO\n.BR tribecast.conf (5),\n.BR tribecastd (8)\n";
}

std::string configuration_page() {
  return heading("tribecast.conf", "5", "configuration of the agent tribecastd") +
         ".SH DESCRIPTION\n" +
         roff(
             "The agent reads `/etc/tribecast/tribecast.conf`, then the files "
             "`peers.d/*.conf` and `conf.d/*.conf` beside it, in order of name.\n"
             "One identical set of files works on every node.\n"
             "`[type]` or `[type \"name\"]` begins a section, `key = value` sets a key "
             "in it; `#` and `;` begin a comment.\n"
             "`tribecast config check` names every mistake by file and line.\n") +
         config::roff_settings(config::agent_table(), config::kinds()) +
         ".SH SEE ALSO\n.BR tribecast (1),\n.BR tribecastd (8)\n";
}

// What a daemon's --help does not tell.
struct Daemon {
  std::string_view page;
  std::string_view name;
  std::string_view summary;
  std::string_view signals;   // roff
  std::string_view see_also;  // roff
};

constexpr std::array kDaemons = {
    Daemon{"tribecastd.8", "tribecastd", "relays cluster multicast to peers as sealed unicast",
           ".TP\n.B SIGHUP\nreads the configuration again\n"
           ".TP\n.B SIGTERM, SIGINT\nsays goodbye to the peers and ends\n",
           ".BR tribecast (1),\n.BR tribecast.conf (5)\n"},
    Daemon{"tribecast-engine.8", "tribecast-engine", "keeps the sessions of a Tomcat cluster",
           ".TP\n.B SIGTERM, SIGINT\nwrites what is not written yet, tells all members that it "
           "leaves, and ends\n",
           ".BR tribecast-engine.conf (5),\n.BR tribecastd (8)\n"},
};

}  // namespace

std::string page(std::string_view name) {
  if (name == "tribecast.1") return tool_page();
  if (name == "tribecast.conf.5") return configuration_page();
  if (name == "tribecast.bash") return bash_completion();
  if (name == "_tribecast") return zsh_completion();
  if (name == "tribecast.fish") return fish_completion();
  return {};
}

std::string daemon_page(std::string_view name, std::string_view help) {
  const auto* daemon = std::ranges::find(kDaemons, name, &Daemon::page);
  if (daemon == kDaemons.end()) return {};
  const std::string program = roff(daemon->name);
  return heading(daemon->name, "8", daemon->summary) + ".SH SYNOPSIS\n.B " + program +
         "\n[\\fIoptions\\fR]\n.SH DESCRIPTION\n" + as_written(help) + ".SH SIGNALS\n" +
         std::string(daemon->signals) + ".SH SEE ALSO\n" + std::string(daemon->see_also);
}

}  // namespace tribecast::cli
