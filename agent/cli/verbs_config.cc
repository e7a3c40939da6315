#include <algorithm>
#include <cstdio>

#include "cli/keyring_check.h"
#include "cli/option_value.h"
#include "cli/terminal.h"
#include "cli/verbs.h"
#include "config/compare.h"
#include "config/config.h"
#include "config/scan.h"
#include "config/values.h"
#include "control/json.h"

namespace tribecast::cli {
namespace {

control::ConfigCheck report(const std::string& file, const config::Outcome& outcome) {
  control::ConfigCheck check;
  check.file = file;
  check.ok = !config::has_errors(outcome.diagnostics);
  if (outcome.config) {
    check.groups = outcome.config->groups.size();
    check.peers = outcome.config->peers.size();
  }
  for (const config::Diagnostic& d : outcome.diagnostics) {
    control::Finding finding;
    finding.severity = d.severity == config::Severity::error ? "error" : "warning";
    finding.file = d.file;
    finding.line = d.line;
    if (!d.source.empty()) finding.column = static_cast<unsigned>(d.column) + 1;
    finding.text = d.what;
    finding.hint = d.hint;
    finding.why = d.why;
    finding.fix = d.fix;
    check.findings.push_back(std::move(finding));
  }
  return check;
}

control::ConfigShow structured(control::RunningConfig running) {
  control::ConfigShow show;
  for (const config::Section& section : config::scan({"", running.text}).sections) {
    control::ConfigSection out{section.type, section.name, {}};
    for (const config::Entry& entry : section.entries) {
      out.values.emplace_back(entry.key, entry.value);
    }
    show.sections.push_back(std::move(out));
  }
  show.file = std::move(running.file);
  show.text = std::move(running.text);
  return show;
}

// As the agent would read them, the keys too.
config::Outcome load_files(const std::string& file) {
  config::Outcome outcome = config::load(file);
  if (outcome.config && !outcome.config->security.keyring.empty()) {
    check_keyring(outcome.config->security.keyring, outcome.diagnostics);
  }
  if (outcome.config && !outcome.config->security.private_key.empty()) {
    check_private_key(outcome.config->security.private_key, outcome.diagnostics);
  }
  return outcome;
}

control::ConfigDiff to_json_form(const std::string& file,
                                 const std::vector<config::SectionChange>& changes) {
  control::ConfigDiff diff{file, {}};
  for (const config::SectionChange& section : changes) {
    control::ConfigSectionChange out{
        std::string(name_of(section.change)), section.type, section.name, {}};
    for (const config::KeyChange& key : section.keys) {
      out.keys.push_back({std::string(name_of(key.change)), key.key, key.running, key.files});
    }
    diff.changes.push_back(std::move(out));
  }
  return diff;
}

// A change, and what the agent says to it.
Exit ask_for(const Invocation& in, control::Verb verb, const std::string& argument) {
  const auto text = client_of(in).text(verb, argument);
  if (!text) return complain(text.error());
  std::string schema(in.command->words);
  std::ranges::replace(schema, ' ', '-');
  print(in.has("json") ? control::text_json(schema, *text, timestamp())
                       : *text + (text->ends_with('\n') ? "" : "\n"));
  return Exit::good;
}

}  // namespace

Exit run_config_check(const Invocation& in) {
  const std::string file = in.arguments.empty() ? kDefaultFile : in.arguments.front();
  const config::Outcome outcome = load_files(file);
  const control::ConfigCheck check = report(file, outcome);
  if (in.has("json")) {
    print(control::config_check_json(check, timestamp()));
  } else {
    std::fputs(config::to_text(outcome.diagnostics).c_str(), stderr);
    if (check.ok) {
      print(file + ": ok, " + control::counted(check.groups, "group") + ", " +
            control::counted(check.peers, "peer") + "\n");
    }
  }
  return check.ok ? Exit::good : Exit::bad_config;
}

Exit run_config_show(const Invocation& in) {
  auto running = client_of(in).config();
  if (!running) return complain(running.error());
  print(in.has("json") ? control::config_show_json(structured(std::move(*running)), timestamp())
                       : running->text);
  return Exit::good;
}

Exit run_config_diff(const Invocation& in) {
  const auto running = client_of(in).config();
  if (!running) return complain(running.error());
  const std::string file = in.arguments.empty() ? running->file : in.arguments.front();
  const config::Outcome outcome = load_files(file);
  std::fputs(config::to_text(outcome.diagnostics).c_str(), stderr);
  if (!outcome.config || config::has_errors(outcome.diagnostics)) return Exit::bad_config;
  const auto changes = config::compare(running->text, config::to_text(*outcome.config));
  if (in.has("json")) {
    print(control::config_diff_json(to_json_form(file, changes), timestamp()));
  } else {
    print(changes.empty() ? "no difference: the agent runs what " + file + " says\n"
                          : config::to_text(changes));
    for (const std::string& text : config::consequences(changes)) print("note: " + text + "\n");
  }
  return changes.empty() ? Exit::good : Exit::degraded;
}

Exit run_config_reload(const Invocation& in) {
  std::string trial;
  if (in.has("confirm")) {
    const auto time = time_of(in, "confirm", "");
    if (!time) return complain_usage(time.error());
    if (*time < control::kLeastTrial || *time > control::kMostTrial) {
      return complain_usage({"--confirm: " + in.text("confirm", "") + " is not in 1s-24h", ""});
    }
    trial = config::to_text(*time);
  }
  return ask_for(in, control::Verb::reload, trial);
}

Exit run_config_confirm(const Invocation& in) { return ask_for(in, control::Verb::confirm, ""); }

Exit run_config_undo(const Invocation& in) { return ask_for(in, control::Verb::undo, ""); }

}  // namespace tribecast::cli
