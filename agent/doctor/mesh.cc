#include "doctor/mesh.h"

#include <algorithm>
#include <tuple>

namespace tribecast::doctor {
namespace {

using control::PeerState;

bool is_listed(const control::Member& member) {
  return member.state == control::MemberState::alive || member.state == control::MemberState::late;
}

bool is_of_mesh(const control::Peer& peer) {
  return !peer.agentless && peer.state != PeerState::self && peer.state != PeerState::disabled;
}

// Of one group and process, wherever it is seen: an address may be translated on the way.
using MemberKey = std::tuple<std::string, std::string>;

std::string group_key(const control::View& view, const std::string& name) {
  const auto group = std::ranges::find(view.groups, name, &control::ViewGroup::name);
  return group == view.groups.end() ? name : group->endpoint.to_string();
}

std::string place_name(const control::Member& member) {
  return member.host + ":" + std::to_string(member.port);
}

MemberKey key_of(const control::View& view, const control::Member& member) {
  return {group_key(view, member.group),
          member.unique_id.empty() ? place_name(member) : member.unique_id};
}

bool has_group(const control::View& view, const std::string& key) {
  return std::ranges::any_of(view.groups, [&](const control::ViewGroup& group) {
    return group.endpoint.to_string() == key;
  });
}

}  // namespace

Mesh::Mesh(const std::vector<AskedAgent>& asked) {
  add_asked(asked);
  learn_endpoints(asked);
  for (const AskedAgent& agent : asked) {
    if (!agent.view) continue;
    const auto from = static_cast<std::size_t>(&agent - asked.data());
    for (const control::Peer& peer : agent.view->status.peers) {
      if (!is_of_mesh(peer)) continue;
      const std::size_t of = resolve(peer);
      if (of != from) nodes_[from].sights.emplace(of, &peer);
    }
  }
}

void Mesh::add_asked(const std::vector<AskedAgent>& asked) {
  for (const AskedAgent& agent : asked) {
    const std::size_t number = nodes_.size();
    const control::View* view = agent.view ? &*agent.view : nullptr;
    nodes_.push_back({view == nullptr ? agent.peer : view->status.node.name, &agent, view, {}});
    by_name_.emplace(nodes_.back().name, number);
    if (view != nullptr) by_instance_.emplace(view->status.node.instance, number);
    if (asked.front().view && !agent.peer.empty()) {
      const auto& peers = asked.front().view->status.peers;
      const auto peer = std::ranges::find(peers, agent.peer, &control::Peer::name);
      by_name_.emplace(agent.peer, number);
      if (peer != peers.end() && peer->endpoint) by_endpoint_.emplace(*peer->endpoint, number);
    }
  }
}

// Where somebody has a session with it, there it is.
void Mesh::learn_endpoints(const std::vector<AskedAgent>& asked) {
  for (const AskedAgent& agent : asked) {
    if (!agent.view) continue;
    for (const control::Peer& peer : agent.view->status.peers) {
      if (!peer.instance || !peer.endpoint) continue;
      const auto found = by_instance_.find(*peer.instance);
      if (found != by_instance_.end()) by_endpoint_.emplace(*peer.endpoint, found->second);
    }
  }
}

std::size_t Mesh::resolve(const control::Peer& peer) {
  if (peer.instance) {
    const auto found = by_instance_.find(*peer.instance);
    if (found != by_instance_.end()) return found->second;
  }
  if (peer.endpoint) {
    const auto found = by_endpoint_.find(*peer.endpoint);
    if (found != by_endpoint_.end()) return found->second;
  }
  const auto found = by_name_.find(peer.name);
  if (found != by_name_.end()) return found->second;
  const std::size_t number = nodes_.size();
  nodes_.push_back({peer.name, nullptr, nullptr, {}});
  by_name_.emplace(peer.name, number);
  if (peer.endpoint) by_endpoint_.emplace(*peer.endpoint, number);
  return number;
}

const control::Peer* Mesh::sight(std::size_t from, std::size_t of) const {
  const auto found = nodes_[from].sights.find(of);
  return found == nodes_[from].sights.end() ? nullptr : found->second;
}

bool Mesh::reaches(std::size_t from, std::size_t to) const {
  const control::Peer* there = sight(to, from);
  const control::Peer* here = sight(from, to);
  const auto is_shut = [](PeerState state) {
    return state == PeerState::silent || state == PeerState::half_open_in ||
           state == PeerState::key_rejected || state == PeerState::stopped;
  };
  const bool unheard = there != nullptr && is_shut(there->state);
  const bool in_vain = here != nullptr && here->state == PeerState::half_open_out;
  const bool unknown = nodes_[to].view != nullptr && there == nullptr;  // no peer of it
  return !unheard && !in_vain && !unknown;
}

std::size_t Mesh::find(std::size_t from, const std::string& peer) const {
  for (const auto& [number, sight] : nodes_[from].sights) {
    if (sight->name == peer) return number;
  }
  return nodes_.size();
}

std::vector<MeshMember> members_of(const Mesh& mesh) {
  const auto& nodes = mesh.nodes();
  std::map<MemberKey, MeshMember> all;
  for (std::size_t at = 0; at < nodes.size(); ++at) {
    if (nodes[at].view == nullptr) continue;
    const control::View& view = *nodes[at].view;
    for (const control::Member& member : view.status.members) {
      if (!is_listed(member)) continue;
      const bool local = member.origin == control::Origin::local;
      const auto [entry, first] = all.try_emplace(key_of(view, member));
      MeshMember& known = entry->second;
      if (first) known = {place_name(member), member.group, nodes.size(), {}, {}, {}};
      if (local) known.home = at;
      if (!local && known.home == nodes.size()) known.home = mesh.find(at, member.via);
      if (known.seen_at.empty() || known.seen_at.back() != at) known.seen_at.push_back(at);
      const auto port = std::ranges::find_if(view.ports, [&](const PortTry& tried) {
        return tried.endpoint.to_string() == place_name(member);
      });
      if (!local && port != view.ports.end()) known.ports.emplace_back(at, port->outcome);
    }
  }
  std::vector<MeshMember> members;
  for (auto& [key, member] : all) {
    for (std::size_t at = 0; at < nodes.size(); ++at) {
      const bool seen = std::ranges::find(member.seen_at, at) != member.seen_at.end();
      const bool complete = nodes[at].view != nullptr && nodes[at].view->members_left_out == 0;
      if (seen || !complete || !has_group(*nodes[at].view, std::get<0>(key))) continue;
      member.missing_at.push_back(at);
    }
    members.push_back(std::move(member));
  }
  return members;
}

}  // namespace tribecast::doctor
