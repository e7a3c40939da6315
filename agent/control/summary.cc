#include "control/summary.h"

#include <algorithm>

#include "control/human.h"

namespace tribecast::control {
namespace {

constexpr std::size_t kMostNamed = 3;

std::string not_up(const Status& status) {
  std::string names;
  std::size_t count = 0;
  for (const Peer& peer : status.peers) {
    if (peer.state == PeerState::up || peer.state == PeerState::lossy) continue;
    if (peer.state == PeerState::self || ++count > kMostNamed) continue;
    names += (names.empty() ? "" : ", ") + peer.name + " " + std::string(name_of(peer.state));
  }
  return count > kMostNamed ? names + ", ..." : names;
}

std::string slowest(const Status& status) {
  const Peer* worst = nullptr;
  for (const Peer& peer : status.peers) {
    if (!peer.rtt_seconds) continue;
    if (worst == nullptr || *peer.rtt_seconds > *worst->rtt_seconds) worst = &peer;
  }
  return worst == nullptr ? "" : worst->name + " " + time_text(worst->rtt_seconds);
}

// Sources that have had no peer to tell yet: all of them are more than those that are known.
std::string not_found_yet(const Status& status) {
  for (const Discovery& discovery : status.discoveries) {
    if (discovery.last_answer_seconds || discovery.peers > 0) continue;
    return "discovery " + discovery.name + " has found nothing yet";
  }
  return {};
}

}  // namespace

Summary summarize(const Status& status) {
  Summary s;
  for (const Peer& peer : status.peers) {
    if (peer.state == PeerState::self) continue;
    ++s.peers;
    if (peer.state == PeerState::up || peer.state == PeerState::lossy) ++s.peers_up;
  }
  for (const Member& member : status.members) {
    if (member.state != MemberState::alive && member.state != MemberState::late) continue;
    ++(member.origin == Origin::local ? s.members_local : s.members_remote);
  }
  return s;
}

std::string missing(const Status& status, const Goal& goal) {
  const Summary s = summarize(status);
  const std::size_t members = s.members_local + s.members_remote;
  const std::size_t wanted = goal.peers.value_or(s.peers);
  std::string out;
  if (s.peers_up < wanted) {
    out = std::to_string(s.peers_up) + " of " + counted(wanted, "peer") + " up";
    if (const std::string names = not_up(status); !names.empty()) out += " (" + names + ")";
  }
  if (const std::string later = not_found_yet(status); !goal.peers && !later.empty()) {
    out += (out.empty() ? "" : ", ") + later;
  }
  if (members < goal.members) {
    if (!out.empty()) out += ", ";
    out += std::to_string(members) + " of " + counted(goal.members, "member") + " seen";
  }
  return out;
}

Sample sample(const Status& now, const Status* before, double seconds_between) {
  Sample out;
  out.summary = summarize(now);
  out.rates = now.rates;
  out.p99_seconds = now.latency.p99;
  out.level = now.verdict.level;
  const bool comparable = before != nullptr && before->drops.total() <= now.drops.total();
  if (comparable && seconds_between > 0) {
    const auto dropped = static_cast<double>(now.drops.total() - before->drops.total());
    out.drops_per_second = dropped / seconds_between;
  }
  const bool good = out.level == Level::ok || now.verdict.reasons.empty();
  out.worst = good ? slowest(now) : now.verdict.reasons.front().text;
  return out;
}

}  // namespace tribecast::control
