#include "config/settings.h"

namespace tribecast::config {
namespace {

constexpr const char* kIntroduction =
    R"(<!-- Generated from agent/config/settings.cc by the build target `docs`. -->
# Configuration

The agent reads one text file, by default `/etc/tribecast/tribecast.conf`, then the files
`peers.d/*.conf` and `conf.d/*.conf` beside it, in order of name. One identical set of files works
on every node. `tribecast config check FILE` names every mistake by file and line without a running
agent; `tribecast config reload` applies changed files, and changes nothing when they have a mistake;
`tribecast config diff` shows before what it would change.

```
[security]
keyring = /etc/tribecast/cluster.keys     # made once with `tribecast keygen`, mode 0600
[group "tomcat"]
address = 228.0.0.4:45564
[peer "web-1"]
address = 172.16.0.11
[peer "web-2"]
address = web-2.internal
```

- `[type]` or `[type "name"]` begins a section, `key = value` sets a key in it.
- Sections may repeat, in other files too; a name may not, nor may a key that is not marked
  *repeatable*.
- `#` and `;` begin a comment at the start of a line or after white space. Values may stand in
  double quotes.
- Files are UTF-8, at most 1 MiB; lines at most 4096 bytes.
- What is unknown is an error. Keys marked *later* are known, but this version accepts only their
  default.
)";

constexpr const char* kChanges = R"(
## Changes

| command | what it does |
|---|---|
| `tribecast config check [FILE]` | names the mistakes; needs no agent |
| `tribecast config diff [FILE]` | what a reload would change; exit code 1 when there is something |
| `tribecast config reload` | reads all files again; all of it is applied, or nothing: exit code 65 |
| `tribecast config reload --confirm 60s` | the same, and goes back after 60 s unless confirmed |
| `tribecast config confirm` | keeps what is on trial |
| `tribecast config undo` | goes back to what ran before the last reload that changed something |
| `tribecast peer add NAME ADDRESS...` | writes `peers.d/NAME.conf`, then reloads |
| `tribecast peer remove NAME` | removes that file, then reloads |
| `tribecast group join NAME ADDRESS` | writes `conf.d/group-NAME.conf`, then reloads |
| `tribecast group leave NAME` | removes that file, then reloads |
| `tribecast key add`, `key use ID`, `key remove ID` | changes the keyring file, then reloads: [the steps](../SECURITY.md#changing-the-key) |
| `tribecast import aliyun FILE...` | a configuration from the files of Aliyun's multicast proxy |

What a reload does not change goes on: peers keep their sessions and counters, groups their sockets.

A reload with `--confirm` is on trial: the agent keeps what ran before, the keyring too, and goes back
to it when the time is over; so a change that cuts off who made it mends itself. `status` warns
(`config_unconfirmed`) with the seconds that are left. Meanwhile a plain reload is refused (exit code
2), SIGHUP and the live verbs too: nothing but `config confirm` makes it final. Another reload with
`--confirm` starts the time again; both go back to what was confirmed last. After an undo the files
are not what runs: `status` warns (`config_undone`) until the next reload. An agent that starts again
reads the files, whatever was on trial.

The live verbs write as the caller, into the directory of the file that the agent reads, or that
`--config FILE` names. The change is tried first: when the files would have an error, nothing is
written (exit code 65). When the agent refuses the reload, the file is put back. When no agent runs,
the file is written and read at the next start; that is said, and the exit code is 0. What the tool
did not write, it does not remove: it tells the file and line (exit code 2). The reload is an
ordinary one: what else was changed in the files is applied too.
)";

std::string cell(std::string_view text) {
  return text.empty() ? "" : "`" + std::string(text) + "`";
}

std::string row(const Setting& s) {
  std::string notes;
  if (s.repeatable) notes += "*Repeatable.* ";
  const std::string range = s.low.empty() ? "" : std::string(s.low) + " to " + std::string(s.high);
  return "| " + cell(s.key) + " | " + std::string(s.kind) + " | " + cell(s.fallback) + " | " +
         range + " | " + notes + std::string(s.description) + " |\n";
}

std::string section_text(const SectionEntry& section) {
  const std::string type(section.type);
  std::string out = "\n## [" + type + (section.named ? " \"NAME\"" : "") + "]\n\n";
  out += std::string(section.description) + "\n\n" +
         "| key | value | default | range | meaning |\n|---|---|---|---|---|\n";
  for (const Setting& s : settings()) {
    if (s.section == section.type) out += row(s);
  }
  return out;
}

}  // namespace

std::string reference_markdown() {
  std::string out = kIntroduction;
  for (const SectionEntry& section : sections()) out += section_text(section);
  out += kChanges;
  out += "\n## Values\n\n| kind | notation |\n|---|---|\n";
  for (const Kind& kind : kinds()) {
    out += "| " + std::string(kind.name) + " | " + std::string(kind.description) + " |\n";
  }
  return out;
}

}  // namespace tribecast::config
