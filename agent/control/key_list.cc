#include "control/key_list.h"

#include <algorithm>

#include "base/utf8.h"

namespace tribecast::control {
namespace {

// Says nothing while the peer does not say what it holds.
void note_held(const Peer& peer, KeyRow& row) {
  if (!peer.keys) return;
  const auto held = std::ranges::find(*peer.keys, std::uint64_t{row.id}, &PeerKey::id);
  if (held == peer.keys->end()) {
    row.missing.push_back(peer.name);
  } else if (held->fingerprint != row.fingerprint) {
    row.different.push_back(peer.name);
  }
}

void note_use(const Peer& peer, KeyRow& row) {
  KeyUse use{peer.name, peer.key_id == row.id, peer.heard_key_id == row.id, false};
  if (peer.keys) {
    use.primary = std::ranges::any_of(
        *peer.keys, [&](const PeerKey& key) { return key.primary && key.id == row.id; });
  }
  if (use.sent || use.heard || use.primary) row.uses.push_back(std::move(use));
}

std::string use_text(const KeyUse& use) {
  if (use.sent && use.heard) return use.peer;
  if (use.sent) return use.peer + " (sent)";
  return use.peer + (use.heard ? " (heard)" : " (primary there)");
}

std::string joined(const std::vector<std::string>& texts) {
  std::string out;
  for (const std::string& text : texts) out += (out.empty() ? "" : ", ") + text;
  return out;
}

}  // namespace

const KeyRow* KeyList::find(unsigned id) const {
  const auto found = std::ranges::find(keys, id, &KeyRow::id);
  return found == keys.end() ? nullptr : &*found;
}

KeyList list_keys(std::string file, std::vector<KeyRow> keys, const Status* status) {
  KeyList list{std::move(file), std::move(keys), std::nullopt};
  if (status == nullptr) return list;
  list.unknown.emplace();
  for (const Peer& peer : status->peers) {
    if (peer.state == PeerState::self || peer.state == PeerState::disabled) continue;
    if (!peer.keys) list.unknown->push_back(peer.name);
    for (KeyRow& row : list.keys) {
      note_held(peer, row);
      note_use(peer, row);
    }
  }
  return list;
}

std::vector<std::string> removal_obstacles(const KeyRow& key) {
  std::vector<std::string> out;
  for (const KeyUse& use : key.uses) {
    const std::string peer = "peer " + printable(use.peer);
    if (use.sent) {
      out.push_back(peer + ": the session with it was made with this key");
    } else if (use.heard) {
      out.push_back(peer + " still sends in a session that was made with this key");
    } else {
      out.push_back(peer + " has it as its primary key");
    }
  }
  return out;
}

std::vector<std::string> use_obstacles(const KeyRow& key) {
  std::vector<std::string> out;
  for (const std::string& name : key.missing) {
    out.push_back("peer " + printable(name) + " does not hold this key");
  }
  for (const std::string& name : key.different) {
    out.push_back("peer " + printable(name) + " holds another key under this id");
  }
  return out;
}

std::string key_list_text(const KeyList& list, const Style& style) {
  Table table({{"KEY", true}, {"PRIMARY"}, {"FINGERPRINT"}, {"USED BY", false, 40}});
  std::string below;
  for (const KeyRow& row : list.keys) {
    std::vector<std::string> uses;
    for (const KeyUse& use : row.uses) uses.push_back(use_text(use));
    const bool asked = list.unknown.has_value();
    const std::string users = uses.empty() ? (asked ? "nobody" : "-") : joined(uses);
    table.add({std::to_string(row.id),
               {row.primary ? "primary" : "", Tone::good},
               row.fingerprint,
               {users, uses.empty() ? Tone::faint : Tone::plain}});
    for (const std::string& obstacle : use_obstacles(row)) {
      below += "key " + std::to_string(row.id) + ": " + obstacle + "\n";
    }
  }
  for (const std::string& name : list.unknown.value_or(std::vector<std::string>{})) {
    below += "what peer " + printable(name) + " holds is not known\n";
  }
  return table.text(style) + (below.empty() ? "" : "\n") + below;
}

}  // namespace tribecast::control
