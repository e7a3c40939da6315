// What others ask of the links: which peers are silent, and how they all are.
#include <algorithm>

#include "relay/links.h"

namespace tribecast::relay {

std::vector<Links::Silence> Links::silences(Instant now) const {
  std::vector<Silence> all;
  for (const auto& link : links_) {
    if (!is_silent(now, *link)) continue;
    const Endpoint endpoint = link->current    ? link->current->path.remote
                              : link->moved_to ? link->moved_to->remote
                                               : link->endpoints.front();
    all.push_back({link->settings.name, endpoint, now - *link->last_heard});
  }
  return all;
}

bool Links::is_silent(Instant now, const Link& link) {
  const Duration limit = link.settings.dead_time;
  const bool reached = link.current || link.moved_to || !link.endpoints.empty();
  const bool known = !link.is_self() && link.last_heard && reached;
  return known && limit > Duration::zero() && now - *link.last_heard >= limit;
}

bool Links::is_silent(Instant now, const std::string& peer) const {
  return std::ranges::any_of(links_, [&](const auto& link) {
    return link->settings.name == peer && is_silent(now, *link);
  });
}

Instant Links::next_silence(Instant now) const {
  Instant next = kNever;
  for (const auto& link : links_) {
    if (link->is_self() || !link->last_heard || link->settings.dead_time <= Duration::zero()) {
      continue;
    }
    for (const Duration silence : {link->settings.dead_time, kSilentTime}) {
      const Instant due = *link->last_heard + silence;
      if (due > now && due <= now + kProbeInterval) next = std::min(next, due);
    }
  }
  return next;
}

// --- report --------------------------------------------------------------------------------------

std::vector<PeerReport> Links::report(Instant now) const {
  std::vector<PeerReport> reports;
  reports.reserve(links_.size());
  for (const auto& link : links_) {
    PeerReport report;
    report.name = link->settings.name;
    report.agentless = link->settings.agentless;
    report.site = link->site;
    report.version = link->version;
    report.state = state_of(now, *link);
    if (!link->endpoints.empty()) report.endpoint = link->endpoints.front();
    if (link->moved_to) report.endpoint = link->moved_to->remote;
    if (link->current) report.endpoint = link->current->path.remote;
    const bool up = report.state == PeerState::up || report.state == PeerState::lossy;
    if (up) report.round_trip = link->round_trip;
    if (up) {
      report.jitter = link->jitter;
      report.loss_in = link->history.loss();
      report.loss_out = link->loss_out;
      report.clock_offset = link->wall_offset;
      if (!settings_.max_datagram_bytes) report.path_datagram = link->path_size.proven();
    }
    if (link->last_heard) report.since_heard = now - *link->last_heard;
    report.sent = link->sent;
    report.received = link->received;
    report.rejected = link->rejected;
    if (link->current) {
      report.instance = link->current->instance;
      if (link->current->ring_id != kNoRingKey) report.ring_id = link->current->ring_id;
      if (link->heard_ring_id != kNoRingKey) report.heard_ring_id = link->heard_ring_id;
      report.ring = link->ring;
    }
    reports.push_back(std::move(report));
  }
  return reports;
}

}  // namespace tribecast::relay
