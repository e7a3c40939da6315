#include <cstdio>
#include <filesystem>
#include <optional>

#include "base/suggest.h"
#include "cli/live_file.h"
#include "cli/settle.h"
#include "cli/terminal.h"
#include "cli/verbs.h"
#include "config/config.h"
#include "config/live.h"
#include "config/values.h"
#include "control/json.h"

namespace tribecast::cli {
namespace {

namespace fs = std::filesystem;
using config::LiveKind;
using control::Failure;

// What is changed, and who is told.
struct Target {
  Client client;
  std::string file;  // the main one
  bool running = false;
};

std::string thing(LiveKind kind, const std::string& name) {
  return std::string(name_of(kind)) + " \"" + name + "\"";
}

std::string at(const config::Place& place) { return place.file + ":" + std::to_string(place.line); }

bool same_file(const std::string& a, const std::string& b) {
  std::error_code error;
  const bool same = fs::equivalent(a, b, error);
  return error ? a == b : same;
}

// The socket of an agent that reads `file`.
std::string socket_of(const Invocation& in, const std::string& file) {
  const auto outcome = config::load(file);
  return in.text("socket", outcome.config ? outcome.config->control.socket : "");
}

Result<Target, Failure> named_target(const Invocation& in) {
  const std::string file = fs::absolute(in.text("config", "")).string();
  const std::string socket = socket_of(in, file);
  Target target{Client(socket), file, false};
  if (socket.empty()) return target;  // the mistakes are told when the change is tried
  const auto agent = target.client.config();
  if (!agent && agent.error().code != Exit::unreachable) {
    return Unexpected<Failure>{agent.error()};
  }
  target.running = static_cast<bool>(agent);
  if (agent && !same_file(agent->file, file)) {
    return refused(Exit::critical,
                   "the agent at " + socket + " reads another file\n    why: " + agent->file +
                       ", not " + file + "\n    fix: leave out --config, or name its --socket");
  }
  return target;
}

// The file that --config names; else the one that the agent reads; else, when none is running, the
// default one.
Result<Target, Failure> target_of(const Invocation& in) {
  if (in.has("config")) return named_target(in);
  Target target{client_of(in), kDefaultFile, false};
  const auto agent = target.client.config();
  if (agent) {
    target.running = true;
    target.file = agent->file;
    return target;
  }
  const bool default_one = !in.has("socket") && fs::exists(kDefaultFile);
  if (agent.error().code == Exit::unreachable && default_one) return target;
  Failure failure = agent.error();
  if (failure.code == Exit::unreachable) {
    failure.error += "\n    or name the file to change: --config FILE";
  }
  return Unexpected<Failure>{failure};
}

// What the agent would say to the files after the change; a mistake means that it is not made.
Result<Done, Failure> judge(config::Files files) {
  const auto outcome = config::load(std::move(files));
  std::fputs(config::to_text(outcome.diagnostics).c_str(), stderr);
  if (outcome.config) return Done{};
  return refused(Exit::bad_config, "the configuration was not changed: it would have errors");
}

struct Deed {
  std::string verb;  // "peer-add"
  std::string done;  // "peer "web-3" added"
};

Exit tell(const Invocation& in, const Target& target, const std::string& file, const Deed& deed,
          std::string text) {
  while (text.ends_with('\n')) text.pop_back();
  if (in.has("json")) {
    print(control::live_change_json({deed.verb, file, target.running, text}, timestamp()));
    return Exit::good;
  }
  print(deed.done + ": " + file + "\n" + (text.empty() ? "" : text + "\n"));
  if (!target.running) {
    std::fputs("tribecast: the agent is not running; it reads this when it starts\n", stderr);
  }
  return Exit::good;
}

Result<Done, UsageError> check_name(const std::string& name) {
  const auto good = config::to_name(name);
  if (!good) return Unexpected<UsageError>{{"NAME: " + good.error(), ""}};
  return Done{};
}

template <class T>
Result<Done, UsageError> check_address(const config::Converted<T>& good) {
  if (!good) return Unexpected<UsageError>{{"ADDRESS: " + good.error(), ""}};
  return Done{};
}

Result<config::LiveSection, UsageError> section_of(LiveKind kind, const Invocation& in) {
  config::LiveSection section{
      kind, in.arguments.front(), {in.arguments.begin() + 1, in.arguments.end()}};
  if (const auto good = check_name(section.name); !good) {
    return Unexpected<UsageError>{good.error()};
  }
  for (const std::string& address : section.addresses) {
    const auto good = kind == LiveKind::peer ? check_address(config::to_peer_address(address))
                                             : check_address(config::to_group_address(address));
    if (!good) return Unexpected<UsageError>{good.error()};
  }
  if (in.has("key")) {
    const auto key = config::to_public_key(in.text("key", ""));
    if (!key) return Unexpected<UsageError>{{"--key: " + key.error(), ""}};
    section.public_key = *key;
  }
  return section;
}

Result<Done, Failure> check_absent(const config::Files& files, const config::LiveSection& section) {
  const auto there = find_section(files.sources, name_of(section.kind), section.name);
  if (!there) return Done{};
  return refused(Exit::bad_config,
                 thing(section.kind, section.name) + " is there already: " + at(*there));
}

// The file that holds nothing but the section, written by this tool.
Result<std::string, Failure> own_file(const config::Files& files, LiveKind kind,
                                      const std::string& name) {
  const auto there = find_section(files.sources, name_of(kind), name);
  if (!there) {
    const std::vector<std::string> names = section_names(files.sources, name_of(kind));
    const std::vector<std::string_view> known(names.begin(), names.end());
    const std::string hint = did_you_mean(name, known);
    return refused(Exit::critical,
                   "there is no " + thing(kind, name) + (hint.empty() ? "" : "\n    " + hint));
  }
  for (const config::Source& source : files.sources) {
    if (source.file == there->file && config::is_live_text(source.text)) return source.file;
  }
  return refused(Exit::critical,
                 thing(kind, name) + " was not written by this tool, and is not removed by it: " +
                     at(*there) + "\n    fix: remove it there, then: tribecast config reload");
}

Exit add(const Invocation& in, LiveKind kind, const Deed& deed) {
  const auto section = section_of(kind, in);
  if (!section) return complain_usage(section.error());
  const auto target = target_of(in);
  if (!target) return complain(target.error());
  const auto lock = FilesLock::take(target->file);
  if (!lock) return complain(lock.error());
  config::Files files = config::read_files(target->file);
  if (const auto absent = check_absent(files, *section); !absent) return complain(absent.error());
  const std::string file =
      (fs::path(target->file).parent_path() / config::live_file(kind, section->name)).string();
  const std::string text = config::live_text(*section);
  files.sources.push_back({file, text});
  if (const auto good = judge(std::move(files)); !good) return complain(good.error());
  const auto change = FileChange::write(file, text);
  if (!change) return complain(change.error());
  const auto said = settle(target->client, target->running, *change);
  if (!said) return complain(said.error());
  return tell(in, *target, file, deed, *said);
}

Exit take_away(const Invocation& in, LiveKind kind, const Deed& deed) {
  const std::string& name = in.arguments.front();
  if (const auto good = check_name(name); !good) return complain_usage(good.error());
  const auto target = target_of(in);
  if (!target) return complain(target.error());
  const auto lock = FilesLock::take(target->file);
  if (!lock) return complain(lock.error());
  config::Files files = config::read_files(target->file);
  const auto file = own_file(files, kind, name);
  if (!file) return complain(file.error());
  std::erase_if(files.sources, [&](const config::Source& s) { return s.file == *file; });
  if (const auto good = judge(std::move(files)); !good) return complain(good.error());
  const auto change = FileChange::remove(*file);
  if (!change) return complain(change.error());
  const auto said = settle(target->client, target->running, *change);
  if (!said) return complain(said.error());
  return tell(in, *target, *file, deed, *said);
}

}  // namespace

Exit run_peer_add(const Invocation& in) {
  return add(in, LiveKind::peer, {"peer-add", "peer " + in.arguments.front() + " added"});
}

Exit run_peer_remove(const Invocation& in) {
  return take_away(in, LiveKind::peer,
                   {"peer-remove", "peer " + in.arguments.front() + " removed"});
}

Exit run_group_join(const Invocation& in) {
  return add(in, LiveKind::group, {"group-join", "group " + in.arguments.front() + " joined"});
}

Exit run_group_leave(const Invocation& in) {
  return take_away(in, LiveKind::group, {"group-leave", "group " + in.arguments.front() + " left"});
}

}  // namespace tribecast::cli
