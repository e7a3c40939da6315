// What `--json` prints: objects with `schema` = tribecast.VERB/1 and `generated_at`, then the
// fields of the contract. Numbers are SI, null is "unknown"; text that is no UTF-8 is made so.
// Everything in JSON, the socket's replies too, is written and read in json*.cc alone.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "control/key_list.h"
#include "control/reply.h"
#include "control/status.h"
#include "control/summary.h"

namespace tribecast::control {

// RFC 3339, UTC, milliseconds: `2026-11-20T08:00:00.123Z`.
std::string rfc3339(std::chrono::system_clock::time_point when);

struct PingRun {
  std::string peer;
  std::vector<Ping> probes;
};

struct Finding {
  std::string severity;  // "error", "warning"
  std::string file;
  unsigned line = 0;  // 0 = null
  unsigned column = 0;
  std::string text;
  std::string hint;
  std::string why;
  std::string fix;
};

struct ConfigCheck {
  std::string file;
  bool ok = false;
  std::size_t groups = 0;
  std::size_t peers = 0;
  std::vector<Finding> findings;
};

struct ConfigSection {
  std::string type;
  std::optional<std::string> name;
  std::vector<std::pair<std::string, std::string>> values;  // a repeated key: several times
};

struct ConfigShow {
  std::string file;
  std::string text;
  std::vector<ConfigSection> sections;
};

struct ConfigKeyChange {
  std::string change;  // "added", "removed", "changed"
  std::string key;
  std::vector<std::string> running;
  std::vector<std::string> files;
};

struct ConfigSectionChange {
  std::string change;
  std::string type;
  std::optional<std::string> name;
  std::vector<ConfigKeyChange> keys;
};

struct ConfigDiff {
  std::string file;
  std::vector<ConfigSectionChange> changes;
};

// What `peer add` and its like did.
struct LiveChange {
  std::string verb;  // "peer-add"
  std::string file;
  bool reloaded = false;  // else no agent is running
  std::string text;
  std::optional<unsigned> key_id{};  // `key add` and its like
};

// Each indented and ended by a newline, except watch_json: one line.
std::string status_json(const Status& status, std::string_view generated_at);
std::string peers_json(const Status& status, std::string_view generated_at);
std::string members_json(const Status& status, std::string_view generated_at);
std::string groups_json(const Status& status, std::string_view generated_at);
std::string ping_json(const PingRun& run, std::string_view generated_at);
std::string watch_json(const Sample& sample, std::string_view generated_at);
std::string wait_json(const WaitEnd& end, std::string_view generated_at);
std::string config_check_json(const ConfigCheck& check, std::string_view generated_at);
std::string config_show_json(const ConfigShow& show, std::string_view generated_at);
std::string config_diff_json(const ConfigDiff& diff, std::string_view generated_at);
// `config reload`, `config confirm`, `config undo`: what the agent said.
std::string text_json(std::string_view verb, std::string_view text, std::string_view generated_at);
std::string live_change_json(const LiveChange& change, std::string_view generated_at);
// What `config init` has written.
struct InitDone {
  std::string file;
  std::string keyring;
  bool key_made = false;
  std::size_t peers = 0;
};
std::string config_init_json(const InitDone& done, std::string_view generated_at);
// What `bundle` has written.
struct BundleDone {
  std::string file;
  std::size_t files = 0;
};
std::string bundle_json(const BundleDone& done, std::string_view generated_at);
std::string keygen_json(std::string_view id, std::string_view key, bool primary,
                        std::string_view generated_at);
// Of a node; without a private key only the public one is told.
std::string key_pair_json(std::string_view private_key, std::string_view public_key,
                          std::string_view generated_at);
std::string key_list_json(const KeyList& list, std::string_view generated_at);
std::string version_json(std::string_view version, std::string_view generated_at);

// The status object itself, as it lies in the reply; from_json never fails: what is missing or of
// another type keeps its default.
std::string to_json(const Status& status);
Status from_json(std::string_view text);

}  // namespace tribecast::control
