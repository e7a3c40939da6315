// The checks themselves, for the table alone (checks.cc), and what they share.
#pragma once

#include <algorithm>
#include <string>

#include "doctor/checks.h"

namespace tribecast::doctor {

// After this time without heartbeats a Tomcat no longer asks whether a member still answers
// (TcpFailureDetector; removeSuspectsTimeout).
inline constexpr double kBlindSeconds = 300;

inline Finding good(std::string text, std::string subject = {}) {
  return {Health::good, std::move(subject), std::move(text), {}};
}
inline Finding warning(std::string subject, std::string text, std::string fix) {
  return {Health::warning, std::move(subject), std::move(text), std::move(fix)};
}
inline Finding failure(std::string subject, std::string text, std::string fix) {
  return {Health::failure, std::move(subject), std::move(text), std::move(fix)};
}
// `needed`: what would make the check possible.
inline Finding unknown(std::string text, std::string needed) {
  return {Health::unknown, {}, std::move(text), std::move(needed)};
}

inline bool is_up(const control::Peer& peer) {
  return peer.state == control::PeerState::up || peer.state == control::PeerState::lossy;
}
// Neither this node itself, nor left out by --peer.
inline bool is_wanted(const Facts& facts, const control::Peer& peer) {
  if (peer.state == control::PeerState::self) return false;
  return facts.only_peer.empty() || facts.only_peer == peer.name;
}

// `a, b and c`.
std::string listed(const std::vector<std::string>& words);

struct PacketFilter;
// All that is in force (judge_filter.cc).
PacketFilter packet_filter_of(const Facts& facts);

// Agent and configuration (judge_agent.cc).
Findings judge_configuration(const Facts& facts);
Findings judge_keys(const Facts& facts);
Findings judge_agent(const Facts& facts);
Findings judge_running(const Facts& facts);
Findings judge_rights(const Facts& facts);

// The host's network (judge_host.cc).
Findings judge_route(const Facts& facts);
Findings judge_interface(const Facts& facts);
Findings judge_joined(const Facts& facts);
Findings judge_reverse_path(const Facts& facts);
Findings judge_packet_filter(const Facts& facts);
Findings judge_delivery(const Facts& facts);
Findings judge_buffers(const Facts& facts);

// Members of the cluster (judge_members.cc).
Findings judge_heartbeats(const Facts& facts);
Findings judge_announced(const Facts& facts);
Findings judge_host_name(const Facts& facts);
Findings judge_twins(const Facts& facts);
Findings judge_domains(const Facts& facts);
Findings judge_native(const Facts& facts);
Findings judge_reachable(const Facts& facts);

// Tomcats of this host (judge_tomcats.cc).
Findings judge_bind(const Facts& facts);
Findings judge_send_options(const Facts& facts);
// (judge_strangers.cc)
Findings judge_open_ports(const Facts& facts);

// Peers (judge_peers.cc).
Findings judge_peer_names(const Facts& facts);
Findings judge_peer_answers(const Facts& facts);
Findings judge_peer_keys(const Facts& facts);
Findings judge_peer_versions(const Facts& facts);
Findings judge_peer_sizes(const Facts& facts);  // judge_sizes.cc
Findings judge_peer_loss(const Facts& facts);
Findings judge_peer_round_trips(const Facts& facts);
Findings judge_peer_clocks(const Facts& facts);
Findings judge_peer_absence(const Facts& facts);

// What all agents say together (judge_cluster.cc).
Findings judge_agents(const Facts& facts);
Findings judge_directions(const Facts& facts);
Findings judge_seen(const Facts& facts);

}  // namespace tribecast::doctor
