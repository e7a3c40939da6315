#include "config/roster.h"

#include <algorithm>
#include <set>
#include <utility>

namespace tribecast::config {
namespace {

const FoundPeer* find_found(const FoundPeers& peers, const std::string& name) {
  const auto it = std::ranges::lower_bound(peers, name, {}, &FoundPeer::name);
  return it == peers.end() || it->name != name ? nullptr : &*it;
}

// Those that stay although the answer lacks them, but for addresses that others have now.
FoundPeers with_missing(FoundPeers answer, const FoundPeers& before,
                        const std::vector<std::string>& missing) {
  std::set<std::string> taken;
  for (const FoundPeer& peer : answer) {
    for (const PeerAddress& address : peer.addresses) taken.insert(address.to_string());
  }
  for (const std::string& name : missing) {
    FoundPeer kept = *find_found(before, name);
    std::erase_if(kept.addresses,
                  [&](const PeerAddress& a) { return taken.contains(a.to_string()); });
    if (!kept.addresses.empty()) answer.push_back(std::move(kept));
  }
  std::ranges::sort(answer, {}, &FoundPeer::name);
  return answer;
}

// What is taken already: names, endpoints, addresses.
class Taken {
 public:
  [[nodiscard]] bool has(const std::string& name, const std::vector<Endpoint>& endpoints) const {
    if (names_.contains(name)) return true;
    return std::ranges::any_of(endpoints, [&](const Endpoint& endpoint) {
      return endpoints_.contains(endpoint) ||
             (endpoint.port == kDefaultPort && addresses_.contains(endpoint.address));
    });
  }

  void add(const std::string& name, const std::vector<Endpoint>& endpoints) {
    names_.insert(name);
    for (const Endpoint& endpoint : endpoints) {
      endpoints_.insert(endpoint);
      addresses_.insert(endpoint.address);
    }
  }

 private:
  std::set<std::string> names_;
  std::set<Endpoint> endpoints_;
  std::set<Address> addresses_;
};

std::vector<Endpoint> all_of(const std::vector<PeerAddress>& addresses, const Resolve& resolve) {
  std::vector<Endpoint> all;
  for (const PeerAddress& address : addresses) {
    std::ranges::move(resolve(address), std::back_inserter(all));
  }
  return all;
}

}  // namespace

bool Believed::believes(Instant now, std::vector<std::string> missing, const Discovery& limits,
                        Change& change) {
  if (missing.size() * 100 <= limits.shrink_limit_percent * peers_.size()) {
    doubt_.reset();
    return true;
  }
  // Who came back, or lost its address to another, takes nothing from the others' time.
  change.doubt_is_new = !doubt_ || !std::ranges::includes(doubt_->missing, missing);
  if (change.doubt_is_new) doubt_ = Doubt{{}, now, 0};
  doubt_->missing = std::move(missing);
  ++doubt_->answers;
  const bool held =
      doubt_->answers >= kShrinkAnswers && now - doubt_->since >= limits.every * kShrinkRounds;
  if (held) doubt_.reset();
  return held;
}

Believed::Change Believed::offer(Instant now, FoundPeers answer, const Discovery& limits) {
  Change change;
  std::vector<std::string> missing;
  for (const FoundPeer& peer : peers_) {
    if (find_found(answer, peer.name) == nullptr) missing.push_back(peer.name);
  }
  const bool may_go = missing.empty() || believes(now, missing, limits, change);
  if (missing.empty()) doubt_.reset();
  if (!may_go) answer = with_missing(std::move(answer), peers_, missing);
  for (const FoundPeer& peer : answer) {
    const FoundPeer* before = find_found(peers_, peer.name);
    if (before == nullptr) ++change.added;
    if (before != nullptr && *before != peer) ++change.changed;
  }
  change.removed = peers_.size() + change.added - answer.size();
  peers_ = std::move(answer);
  return change;
}

Roster merge(const std::vector<Peer>& configured, const std::vector<FoundSet>& sets,
             const Resolve& resolve) {
  Roster roster;
  roster.peers = configured;
  Taken taken;
  for (const Peer& peer : configured) taken.add(peer.name, all_of(peer.addresses, resolve));
  for (const FoundSet& set : sets) {
    for (const FoundPeer& found : set.peers) {
      const std::vector<Endpoint> endpoints = all_of(found.addresses, resolve);
      if (taken.has(found.name, endpoints)) {
        ++roster.configured_too;
      } else if (roster.peers.size() >= kMaxPeers) {
        ++roster.left_out;
      } else {
        taken.add(found.name, endpoints);
        Peer peer;
        peer.name = found.name;
        peer.addresses = found.addresses;
        roster.peers.push_back(std::move(peer));
        roster.found.emplace(found.name, Origin{set.from, found.site});
      }
    }
  }
  return roster;
}

}  // namespace tribecast::config
