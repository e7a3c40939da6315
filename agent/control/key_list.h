// The keys of a ring and which peers use them: what `key list` shows, and what stands in the way of
// a change of the ring.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "control/human.h"
#include "control/status.h"

namespace tribecast::control {

struct KeyUse {
  std::string peer;
  bool sent = false;     // our session with it was made with the key
  bool heard = false;    // it last spoke in a session that was
  bool primary = false;  // it begins its handshakes with the key
};

struct KeyRow {
  unsigned id = 0;
  std::string fingerprint;  // eight hexadecimal digits
  bool primary = false;
  std::vector<KeyUse> uses;
  std::vector<std::string> missing;    // peers that do not hold the key
  std::vector<std::string> different;  // peers that hold another one under its id
};

struct KeyList {
  std::string file;
  std::vector<KeyRow> keys;
  // Peers without a session: what they hold is not known. nullopt: no agent was asked.
  std::optional<std::vector<std::string>> unknown;

  [[nodiscard]] const KeyRow* find(unsigned id) const;
};

// `keys` come with id, fingerprint and primary; the rest is filled in from the status, when there
// is one. This node itself is no peer of it.
KeyList list_keys(std::string file, std::vector<KeyRow> keys, const Status* status);

// One sentence each; none: nothing stands in the way.
std::vector<std::string> removal_obstacles(const KeyRow& key);
std::vector<std::string> use_obstacles(const KeyRow& key);

std::string key_list_text(const KeyList& list, const Style& style);

}  // namespace tribecast::control
