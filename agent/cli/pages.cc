#include "cli/pages.h"

#include "cli/command.h"
#include "config/settings.h"

namespace tribecast::cli {
namespace {

// Text as roff wants it: no line begins with a control character, and no hyphen becomes a dash.
// Words between backquotes are bold.
std::string roff(std::string_view text) {
  std::string out;
  bool line_begins = true;
  bool bold = false;
  for (const char c : text) {
    if (line_begins && (c == '.' || c == '\'')) out += "\\&";
    line_begins = c == '\n';
    if (c == '`') {
      bold = !bold;
      out += bold ? "\\fB" : "\\fR";
    } else if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else {
      out += c;
    }
  }
  return out;
}

std::string heading(std::string_view name, std::string_view section, std::string_view summary) {
  return ".\\\" Generated from the tables of the program.\n.TH \"" + roff(name) + "\" " +
         std::string(section) + " \"\" \"tribecast " TRIBECAST_VERSION "\"\n.SH NAME\n" +
         roff(name) + " \\- " + roff(summary) + "\n";
}

std::string tagged(std::string_view tag, std::string_view text) {
  return ".TP\n.B " + roff(tag) + "\n" + roff(text) + "\n";
}

// Lines as they are: an indented one is an example.
std::string as_written(std::string_view text) {
  return ".nf\n" + roff(text) + (text.ends_with('\n') ? "" : "\n") + ".fi\n";
}

std::string option_entry(const Option& option) {
  std::string tag = "--" + std::string(option.name);
  if (!option.argument.empty()) tag += " " + std::string(option.argument);
  return tagged(tag, option.description);
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
    out += tagged(std::to_string(static_cast<int>(exit.code)), exit.meaning);
  }
  return out + ".SH SEE ALSO\n.BR tribecast.conf (5),\n.BR tribecastd (8)\n";
}

std::string setting_entry(const config::Setting& setting) {
  std::string text(setting.description);
  text += " Value: " + std::string(setting.kind);
  if (!setting.low.empty()) {
    text += ", " + std::string(setting.low) + " to " + std::string(setting.high);
  }
  if (!setting.fallback.empty()) text += "; default `" + std::string(setting.fallback) + "`";
  text += setting.repeatable ? ". Repeatable." : ".";
  return tagged(setting.key, text);
}

std::string configuration_page() {
  std::string out = heading("tribecast.conf", "5", "configuration of the agent tribecastd") +
                    ".SH DESCRIPTION\n" +
                    roff(
                        "The agent reads `/etc/tribecast/tribecast.conf`, then the files "
                        "`peers.d/*.conf` and `conf.d/*.conf` beside it, in order of name.\n"
                        "One identical set of files works on every node.\n"
                        "`[type]` or `[type \"name\"]` begins a section, `key = value` sets a key "
                        "in it; `#` and `;` begin a comment.\n"
                        "`tribecast config check` names every mistake by file and line.\n");
  for (const config::SectionEntry& section : config::sections()) {
    out += ".SH \"[" + roff(section.type) + (section.named ? " \\(dqNAME\\(dq" : "") + "]\"\n";
    out += roff(section.description) + "\n";
    for (const config::Setting& setting : config::settings()) {
      if (setting.section == section.type) out += setting_entry(setting);
    }
  }
  out += ".SH VALUES\n";
  for (const config::Kind& kind : config::kinds()) out += tagged(kind.name, kind.description);
  return out + ".SH SEE ALSO\n.BR tribecast (1),\n.BR tribecastd (8)\n";
}

}  // namespace

std::string page(std::string_view name) {
  if (name == "tribecast.1") return tool_page();
  if (name == "tribecast.conf.5") return configuration_page();
  if (name == "tribecast.bash") return bash_completion();
  if (name == "_tribecast") return zsh_completion();
  if (name == "tribecast.fish") return fish_completion();
  return {};
}

std::string agent_page(std::string_view help) {
  return heading("tribecastd", "8", "relays cluster multicast to peers as sealed unicast") +
         ".SH SYNOPSIS\n.B tribecastd\n[\\fIoptions\\fR]\n.SH DESCRIPTION\n" + as_written(help) +
         ".SH SIGNALS\n" + tagged("SIGHUP", "reads the configuration again") +
         tagged("SIGTERM, SIGINT", "says goodbye to the peers and ends") +
         ".SH SEE ALSO\n.BR tribecast (1),\n.BR tribecast.conf (5)\n";
}

}  // namespace tribecast::cli
