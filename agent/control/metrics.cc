#include "control/metrics.h"

#include <array>
#include <map>
#include <set>
#include <string_view>
#include <tuple>
#include <utility>

#include "control/metrics_page.h"

namespace tribecast::control {

using namespace metrics_page;

namespace {

bool reached(const Peer& peer) {
  return peer.state == PeerState::up || peer.state == PeerState::lossy;
}

// --- the node

void put_node(Page& page, const Status& status) {
  page.gauge({"build_info", "Always 1; the agent's version is a label."});
  page.add({{"version", status.node.version}}, 1);
  page.gauge({"uptime_seconds", "Since the agent started."});
  page.add({}, status.node.uptime_seconds);
  page.gauge({"verdict", "1 for the verdict that holds, 0 for the others."});
  for (const std::string_view level : kLevels) {
    page.add({{"level", level}}, flag(level == name_of(status.verdict.level)));
  }
  // Several may have one id: a loopback address of two members.
  page.gauge({"warnings", "Warnings that hold now, by id."});
  std::map<std::string_view, std::uint64_t> warnings;
  for (const Warning& warning : status.warnings) ++warnings[warning.id];
  for (const auto& [id, count] : warnings) page.count({{"id", id}}, count);
  page.counter({"drops_total", "Datagrams dropped, by reason."});
  for (const ReasonEntry& entry : kReasons) {
    page.count({{"reason", entry.name}}, status.drops[entry.reason]);
  }
}

// Of the last 60 s, so no summary: those never forget.
void put_latency(Page& page, const Latency& latency) {
  page.gauge({"relay_latency_p50_seconds", "Capture to injection, all peers, median of 60 s."});
  page.add({}, latency.p50);
  page.gauge({"relay_latency_p99_seconds", "Capture to injection, all peers, 99 % of 60 s."});
  page.add({}, latency.p99);
  page.gauge({"relay_latency_max_seconds", "Capture to injection, all peers, longest of 60 s."});
  page.add({}, latency.max);
}

// --- peers

struct PeerGauge {
  Family family;
  std::optional<double> Peer::*value;
};
constexpr std::array kPeerGauges = {
    PeerGauge{{"peer_rtt_seconds", "Round trip to the peer's agent."}, &Peer::rtt_seconds},
    PeerGauge{{"peer_rtt_jitter_seconds", "Variation of the round trip."}, &Peer::jitter_seconds},
    PeerGauge{{"peer_loss_in_ratio", "Lost of what the peer sends."}, &Peer::loss_in_ratio},
    PeerGauge{{"peer_loss_out_ratio", "Lost of what is sent to the peer, as it says."},
              &Peer::loss_out_ratio},
    PeerGauge{{"peer_clock_offset_seconds", "The peer's wall clock less this one's."},
              &Peer::clock_offset_seconds},
};

void put_peer_gauges(Page& page, const Status& status, double now) {
  for (const PeerGauge& gauge : kPeerGauges) {
    page.gauge(gauge.family);
    for (const Peer& peer : status.peers) page.add({{"peer", peer.name}}, peer.*gauge.value);
  }
  page.gauge({"peer_mtu_bytes", "Largest datagram that reaches the peer."});
  for (const Peer& peer : status.peers) {
    if (peer.mtu_bytes) page.count({{"peer", peer.name}}, *peer.mtu_bytes);
  }
  page.gauge({"peer_key_id", "Number of the ring key that our session was made with."});
  for (const Peer& peer : status.peers) {
    if (peer.key_id) page.count({{"peer", peer.name}}, *peer.key_id);
  }
  page.gauge({"peer_last_heard_timestamp_seconds", "When the peer was last heard, since 1970."});
  for (const Peer& peer : status.peers) {
    if (peer.last_heard_seconds) {
      page.add({{"peer", peer.name}}, now - *peer.last_heard_seconds);
    }
  }
}

void put_peers(Page& page, const Status& status, double now) {
  page.gauge({"peer_up", "1 when datagrams travel both ways, lossy peers too; not for self."});
  for (const Peer& peer : status.peers) {
    if (peer.state != PeerState::self) page.add({{"peer", peer.name}}, flag(reached(peer)));
  }
  page.gauge({"peer_state", "1 for the state that holds, 0 for the others."});
  for (const Peer& peer : status.peers) {
    for (const std::string_view state : kPeerStates) {
      page.add({{"peer", peer.name}, {"state", state}}, flag(state == name_of(peer.state)));
    }
  }
  put_peer_gauges(page, status, now);
  page.counter({"peer_datagrams_total", "Sealed datagrams, by direction."});
  for (const Peer& peer : status.peers) {
    page.count({{"peer", peer.name}, {"direction", "sent"}}, peer.datagrams.sent);
    page.count({{"peer", peer.name}, {"direction", "received"}}, peer.datagrams.received);
  }
  page.counter({"peer_rejected_total", "Datagrams of the peer that were dropped, by reason."});
  for (const Peer& peer : status.peers) {
    for (const ReasonEntry& entry : kReasons) {
      const std::uint64_t count = peer.datagrams.rejected[entry.reason];
      if (count > 0) page.count({{"peer", peer.name}, {"reason", entry.name}}, count);
    }
  }
}

// --- groups and members

struct Stage {
  std::string_view name;
  std::uint64_t Group::*count;
};
constexpr std::array kStages = {
    Stage{"captured", &Group::captured}, Stage{"relayed", &Group::relayed},
    Stage{"received", &Group::received}, Stage{"injected", &Group::injected}};

void put_groups(Page& page, const Status& status) {
  page.gauge({"group_interfaces", "Interfaces that the group is captured on; 0: none."});
  for (const Group& group : status.groups) {
    page.count({{"group", group.name}}, group.interfaces.size());
  }
  page.counter({"group_datagrams_total", "Datagrams of the group, by stage of their way."});
  for (const Group& group : status.groups) {
    for (const Stage& stage : kStages) {
      page.count({{"group", group.name}, {"stage", stage.name}}, group.*stage.count);
    }
  }
  page.counter({"group_dropped_total", "Datagrams of the group that were dropped, by reason."});
  for (const Group& group : status.groups) {
    for (const ReasonEntry& entry : kReasons) {
      page.count({{"group", group.name}, {"reason", entry.name}}, group.dropped[entry.reason]);
    }
  }
}

void put_member_counts(Page& page, const Status& status) {
  std::map<std::tuple<std::string_view, Origin, MemberState>, std::uint64_t> counts;
  std::set<std::string_view> groups;
  for (const Group& group : status.groups) groups.insert(group.name);
  for (const Member& member : status.members) {
    groups.insert(member.group);
    ++counts[{member.group, member.origin, member.state}];
  }
  page.gauge({"members", "Members of the group that are seen, by origin and state."});
  for (const std::string_view group : groups) {
    for (std::size_t origin = 0; origin < kOrigins.size(); ++origin) {
      for (std::size_t state = 0; state < kMemberStates.size(); ++state) {
        const auto key =
            std::tuple(group, static_cast<Origin>(origin), static_cast<MemberState>(state));
        const auto found = counts.find(key);
        page.count(
            {{"group", group}, {"origin", kOrigins[origin]}, {"state", kMemberStates[state]}},
            found == counts.end() ? 0 : found->second);
      }
    }
  }
}

void put_each_member(Page& page, const Status& status, double now) {
  std::map<std::pair<std::string_view, std::string>, const Member*> members;  // each address once
  for (const Member& m : status.members) {
    const std::string host = m.host.find(':') == m.host.npos ? m.host : "[" + m.host + "]";
    const Member*& slot = members[{m.group, host + ":" + std::to_string(m.port)}];
    if (slot == nullptr || m.state == MemberState::alive) slot = &m;
  }
  page.gauge({"member_up", "1 while heartbeats of the member come in time."});
  for (const auto& [key, m] : members) {
    page.add({{"group", key.first}, {"member", key.second}}, flag(m->state == MemberState::alive));
  }
  page.gauge({"member_last_heartbeat_timestamp_seconds", "When it was last heard, since 1970."});
  for (const auto& [key, m] : members) {
    if (!m->last_heartbeat_seconds) continue;
    page.add({{"group", key.first}, {"member", key.second}}, now - *m->last_heartbeat_seconds);
  }
  page.gauge({"member_heartbeat_interval_seconds", "Time between two of its heartbeats."});
  for (const auto& [key, m] : members) {
    page.add({{"group", key.first}, {"member", key.second}}, m->interval_seconds);
  }
  page.counter({"member_gaps_total", "Heartbeats that did not come in time."});
  for (const auto& [key, m] : members) {
    page.count({{"group", key.first}, {"member", key.second}}, m->gaps);
  }
}

void put_discoveries(Page& page, const Status& status, double now) {
  page.gauge({"discovery_peers", "Peers that the source told, used or not."});
  for (const Discovery& d : status.discoveries) page.count({{"discovery", d.name}}, d.peers);
  page.gauge({"discovery_missing_peers", "Of them: no longer told, but still believed."});
  for (const Discovery& d : status.discoveries) page.count({{"discovery", d.name}}, d.missing);
  page.gauge({"discovery_failed", "1 when the last answer was an error."});
  for (const Discovery& d : status.discoveries) {
    page.add({{"discovery", d.name}}, flag(d.error.has_value()));
  }
  page.gauge({"discovery_last_answer_timestamp_seconds", "The last good answer, since 1970."});
  for (const Discovery& d : status.discoveries) {
    if (d.last_answer_seconds) page.add({{"discovery", d.name}}, now - *d.last_answer_seconds);
  }
}

}  // namespace

std::string metrics_text(const Status* status, const MetricsOptions& options) {
  Page page;
  page.gauge({"up", "1 when the agent answered."});
  page.add({}, flag(status != nullptr));
  if (status == nullptr) return std::move(page).text();
  put_node(page, *status);
  put_latency(page, status->latency);
  put_peers(page, *status, options.now_seconds);
  put_groups(page, *status);
  put_member_counts(page, *status);
  if (options.per_member) put_each_member(page, *status, options.now_seconds);
  put_discoveries(page, *status, options.now_seconds);
  return std::move(page).text();
}

}  // namespace tribecast::control
