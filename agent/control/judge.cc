#include <algorithm>

#include "control/human.h"
#include "control/status.h"

namespace tribecast::control {
namespace {

std::string said(const Peer& peer) {
  switch (peer.state) {
    case PeerState::lossy:
      return " loses " + percent_text(peer.loss_ratio) + " of its datagrams";
    case PeerState::half_open_in:
      return " hears us, but is not heard";
    case PeerState::half_open_out:
      return " is heard, but does not hear us";
    case PeerState::silent:
      return peer.last_heard_seconds ? " silent for " + age_text(peer.last_heard_seconds)
                                     : " was never heard";
    case PeerState::key_rejected:
      return " and this node have no key in common";
    case PeerState::stopped:
      return " was stopped";
    case PeerState::disabled:
      return " is disabled";
    case PeerState::up:
    case PeerState::self:
      break;
  }
  return " is up";
}

bool reachable(const Peer& peer) {
  return peer.state == PeerState::up || peer.state == PeerState::lossy;
}

Level level_of(const Status& status) {
  std::size_t others = 0;
  std::size_t reached = 0;
  bool all_up = true;
  for (const Peer& peer : status.peers) {
    if (peer.state == PeerState::self) continue;
    ++others;
    if (reachable(peer)) ++reached;
    if (peer.state != PeerState::up) all_up = false;
  }
  if (status.peers.empty() && status.discoveries.empty()) return Level::idle;
  if (others > 0 && reached == 0) return Level::critical;
  return all_up && status.warnings.empty() ? Level::ok : Level::degraded;
}

}  // namespace

Verdict judge(const Status& status) {
  Verdict verdict;
  verdict.level = level_of(status);
  if (verdict.level == Level::idle) {
    verdict.reasons.push_back({"no_peers", "no peer is configured yet", std::nullopt});
  }
  for (const Peer& peer : status.peers) {
    if (peer.state == PeerState::up || peer.state == PeerState::self) continue;
    verdict.reasons.push_back(
        {"peer_" + std::string(name_of(peer.state)), peer.name + said(peer), peer.name});
  }
  for (const Warning& warning : status.warnings) {
    verdict.reasons.push_back({warning.id, warning.text, std::nullopt});
  }
  return verdict;
}

}  // namespace tribecast::control
