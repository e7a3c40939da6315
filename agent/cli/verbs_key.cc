#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <optional>

#include "cli/settle.h"
#include "cli/terminal.h"
#include "cli/verbs.h"
#include "config/config.h"
#include "config/keyring_file.h"
#include "control/json.h"

namespace tribecast::cli {
namespace {

namespace fs = std::filesystem;
using control::Failure;

constexpr std::size_t kMaxLine = 4096;

struct RingTarget {
  Client client;
  std::string file;
  bool running = false;  // an agent reads the file
};

// Where a rename may replace it.
std::string real_path(const std::string& path) {
  std::error_code error;
  const fs::path real = fs::canonical(path, error);
  return error ? path : real.string();
}

// The keyring that the agent reads.
Result<std::string, Failure> agents_keyring(const Client& client) {
  auto running = client.config();
  if (!running) return Unexpected<Failure>{running.error()};
  config::Files files;
  files.sources.push_back({running->file, std::move(running->text)});
  const auto outcome = config::load(std::move(files));
  if (!outcome.config)
    return refused(Exit::critical, "the agent's configuration is not understood");
  const std::string& keyring = outcome.config->security.keyring;
  if (keyring.empty()) return refused(Exit::critical, "the agent has no keyring");
  if (!fs::path(keyring).is_absolute()) {
    return refused(Exit::critical, "the agent's keyring is a relative path: " + keyring +
                                       "\n    fix: name it: --keyring FILE");
  }
  return real_path(keyring);
}

Result<RingTarget, Failure> ring_target_of(const Invocation& in) {
  RingTarget target{client_of(in), "", false};
  const auto agents = agents_keyring(target.client);
  const bool unreachable = !agents && agents.error().code == Exit::unreachable;
  if (!in.has("keyring")) {
    if (!agents) {
      Failure failure = agents.error();
      if (unreachable) failure.error += "\n    or name the file: --keyring FILE";
      return Unexpected<Failure>{failure};
    }
    target.file = *agents;
    target.running = true;
    return target;
  }
  target.file = real_path(fs::absolute(in.text("keyring", "")).string());
  if (!agents && agents.error().code == Exit::no_permission) {
    return Unexpected<Failure>{agents.error()};
  }
  target.running = agents && *agents == target.file;
  return target;
}

Result<config::KeyringText, Failure> read_keyring(const std::string& file) {
  auto read = config::load_keyring_text(file);
  if (read.file.ring) return read;
  std::fputs(config::to_text(read.file.findings).c_str(), stderr);
  return refused(read.file.denied ? Exit::no_permission : Exit::bad_config,
                 "the keyring cannot be used");
}

Result<control::KeyList, Failure> list_of(const RingTarget& target, const seal::Keyring& ring) {
  std::vector<control::KeyRow> rows;
  for (const seal::RingKey& key : ring.keys) {
    control::KeyRow row;
    row.id = key.id;
    row.fingerprint = fmt::format("{:08x}", key.fingerprint());
    row.primary = key.id == ring.primary_id;
    rows.push_back(std::move(row));
  }
  if (!target.running) return control::list_keys(target.file, std::move(rows), nullptr);
  const auto status = target.client.status();
  if (!status) return Unexpected<Failure>{status.error()};
  return control::list_keys(target.file, std::move(rows), &*status);
}

Result<std::uint8_t, UsageError> to_id(std::string_view text) {
  unsigned id = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, id);
  if (error == std::errc{} && stop == end && id >= 1 && id <= 255) {
    return static_cast<std::uint8_t>(id);
  }
  return Unexpected<UsageError>{{"ID: '" + std::string(text) + "' is not in 1-255", ""}};
}

// Behind the largest, else the smallest that is free.
std::optional<std::uint8_t> free_id(const seal::Keyring& ring) {
  unsigned largest = 0;
  for (const seal::RingKey& key : ring.keys) largest = std::max<unsigned>(largest, key.id);
  if (largest < 255) return static_cast<std::uint8_t>(largest + 1);
  for (unsigned id = 1; id < 255; ++id) {
    if (ring.find(static_cast<std::uint8_t>(id)) == nullptr) return static_cast<std::uint8_t>(id);
  }
  return std::nullopt;
}

// The one line of standard input.
Result<seal::RingKey, Failure> key_of_input() {
  seal::SecretText text(kMaxLine);
  text.fill(read_input);
  std::string_view line = text.view();
  if (line.ends_with('\n')) line.remove_suffix(1);
  if (line.find('\n') != line.npos) {
    return refused(Exit::bad_config,
                   "standard input: more than one line\n    fix: tribecast keygen --id ID prints "
                   "the line that is expected");
  }
  const auto key = seal::parse_keyring_line(line);
  if (key) return *key;
  return refused(Exit::bad_config,
                 "standard input:1: " + key.error().what + "\n    fix: " + key.error().fix);
}

Result<seal::RingKey, Failure> new_key(const std::string& argument, const seal::Keyring& ring) {
  if (argument == "-") return key_of_input();
  const auto id = argument.empty() ? free_id(ring) : std::optional(*to_id(argument));
  if (!id) return refused(Exit::critical, "the ring is full: all ids from 1 to 255 are taken");
  return seal::generate_key(*id, seal::system_random());
}

// One change of the keyring: read under the lock, edited, written, read by the agent.
struct RingDeed {
  std::string verb;
  std::uint8_t id = 0;
  std::string done;  // empty: nothing is to be done
  std::string advice;
  seal::SecretText text{0};
};

using Edit = Result<RingDeed, Failure> (*)(const Invocation&, const RingTarget&,
                                           const config::KeyringText&);

Exit tell(const Invocation& in, const RingTarget& target, const RingDeed& deed, std::string said) {
  while (said.ends_with('\n')) said.pop_back();
  if (in.has("json")) {
    print(control::live_change_json({deed.verb, target.file, target.running, said, deed.id},
                                    timestamp()));
    return Exit::good;
  }
  print(deed.done + ": " + target.file + "\n" + (said.empty() ? "" : said + "\n") + deed.advice);
  if (!target.running) {
    std::fputs("tribecast: no agent that reads this file is running; it is read at the start\n",
               stderr);
  }
  return Exit::good;
}

Exit change(const Invocation& in, Edit edit) {
  if (!seal::initialise() || !seal::forbid_core_dumps()) {
    return complain({Exit::critical, "keys cannot be handled safely here"});
  }
  const auto target = ring_target_of(in);
  if (!target) return complain(target.error());
  const auto lock = FilesLock::take(target->file);
  if (!lock) return complain(lock.error());
  const auto before = read_keyring(target->file);
  if (!before) return complain(before.error());
  const auto deed = edit(in, *target, *before);
  if (!deed) return complain(deed.error());
  if (deed->text.view().empty()) return tell(in, *target, *deed, "");
  const auto changed = FileChange::replace(target->file, deed->text.view());
  if (!changed) return complain(changed.error());
  const auto said = settle(target->client, target->running, *changed);
  if (!said) return complain(said.error());
  return tell(in, *target, *deed, *said);
}

std::string place_of(const RingTarget& target, std::string_view text, std::uint8_t id) {
  return target.file + ":" + std::to_string(seal::line_of_key(text, id));
}

std::string key_name(unsigned id) { return "key " + std::to_string(id); }

Result<RingDeed, Failure> edit_add(const Invocation& in, const RingTarget& target,
                                   const config::KeyringText& before) {
  const std::string argument = in.arguments.empty() ? "" : in.arguments.front();
  const auto key = new_key(argument, *before.file.ring);
  if (!key) return Unexpected<Failure>{key.error()};
  if (before.file.ring->find(key->id) != nullptr) {
    return refused(Exit::bad_config, key_name(key->id) + " is there already: " +
                                         place_of(target, before.text.view(), key->id));
  }
  RingDeed deed;
  deed.verb = "key-add";
  deed.id = key->id;
  deed.done = fmt::format("{} added, fingerprint {:08x}", key_name(key->id), key->fingerprint());
  deed.advice = "when every node holds it: tribecast key use " + std::to_string(key->id) + "\n";
  deed.text = seal::with_key(before.text.view(), *key);
  return deed;
}

Result<std::uint8_t, Failure> id_in(const Invocation& in, const seal::Keyring& ring) {
  const std::uint8_t id = *to_id(in.arguments.front());
  if (ring.find(id) != nullptr) return id;
  std::string ids;
  for (const seal::RingKey& key : ring.keys) {
    ids += (ids.empty() ? "" : ", ") + std::to_string(key.id);
  }
  return refused(Exit::critical, "there is no " + key_name(id) + "; the ring has " + ids);
}

using Obstacles = std::vector<std::string> (*)(const control::KeyRow&);

// The peers that would be cut off are named.
Result<Done, Failure> check_peers(const Invocation& in, const RingTarget& target,
                                  const config::KeyringText& before, std::uint8_t id,
                                  Obstacles obstacles) {
  const auto list = list_of(target, *before.file.ring);
  if (!list) return Unexpected<Failure>{list.error()};
  for (const std::string& name : list->unknown.value_or(std::vector<std::string>{})) {
    std::fprintf(stderr, "tribecast: what peer %s holds is not known\n",
                 control::toned(name, control::Tone::plain, {}).c_str());
  }
  const auto found = obstacles(*list->find(id));
  if (found.empty() || in.has("force")) return Done{};
  std::string text = key_name(id) + " stays as it is";
  for (const std::string& obstacle : found) text += "\n    why: " + obstacle;
  return refused(Exit::critical, text + "\n    fix: see tribecast key list; or --force");
}

Result<RingDeed, Failure> edit_use(const Invocation& in, const RingTarget& target,
                                   const config::KeyringText& before) {
  const auto id = id_in(in, *before.file.ring);
  if (!id) return Unexpected<Failure>{id.error()};
  RingDeed deed;
  deed.verb = "key-use";
  deed.id = *id;
  if (before.file.ring->primary_id == *id) {
    deed.done = key_name(*id) + " is primary already";
    return deed;
  }
  const auto good = check_peers(in, target, before, *id, control::use_obstacles);
  if (!good) return Unexpected<Failure>{good.error()};
  deed.done = key_name(*id) + " is primary";
  deed.advice = "sessions are renewed with it within seconds; see: tribecast key list\n";
  deed.text = seal::with_primary(before.text.view(), *id);
  return deed;
}

Result<RingDeed, Failure> edit_remove(const Invocation& in, const RingTarget& target,
                                      const config::KeyringText& before) {
  const auto id = id_in(in, *before.file.ring);
  if (!id) return Unexpected<Failure>{id.error()};
  if (before.file.ring->primary_id == *id) {
    return refused(Exit::critical, key_name(*id) + " is the primary key: " +
                                       place_of(target, before.text.view(), *id) +
                                       "\n    fix: tribecast key use another one first");
  }
  const auto good = check_peers(in, target, before, *id, control::removal_obstacles);
  if (!good) return Unexpected<Failure>{good.error()};
  RingDeed deed;
  deed.verb = "key-remove";
  deed.id = *id;
  deed.done = key_name(*id) + " removed";
  deed.text = seal::without_key(before.text.view(), *id);
  return deed;
}

// The id is judged before anybody is asked.
Exit change_by_id(const Invocation& in, Edit edit) {
  if (const auto id = to_id(in.arguments.front()); !id) return complain_usage(id.error());
  return change(in, edit);
}

}  // namespace

Exit run_key_list(const Invocation& in) {
  if (!seal::initialise() || !seal::forbid_core_dumps()) {
    return complain({Exit::critical, "keys cannot be handled safely here"});
  }
  const auto target = ring_target_of(in);
  if (!target) return complain(target.error());
  const auto read = read_keyring(target->file);
  if (!read) return complain(read.error());
  const auto list = list_of(*target, *read->file.ring);
  if (!list) return complain(list.error());
  print(in.has("json") ? control::key_list_json(*list, timestamp())
                       : control::key_list_text(*list, style_of(in)));
  return Exit::good;
}

Exit run_key_add(const Invocation& in) {
  const bool named = !in.arguments.empty() && in.arguments.front() != "-";
  return named ? change_by_id(in, edit_add) : change(in, edit_add);
}

Exit run_key_use(const Invocation& in) { return change_by_id(in, edit_use); }
Exit run_key_remove(const Invocation& in) { return change_by_id(in, edit_remove); }

}  // namespace tribecast::cli
