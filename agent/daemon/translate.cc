#include "daemon/translate.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "base/check.h"
#include "base/hex.h"
#include "seal/node_key.h"

namespace tribecast::daemon {
namespace {

std::optional<double> in_seconds(const std::optional<Duration>& duration) {
  if (!duration) return std::nullopt;
  return to_seconds(*duration);
}

template <class To, class From>
constexpr bool same_place(To to, From from) {
  return static_cast<int>(to) == static_cast<int>(from);
}

// The two enumerations of each are one list; a change of either must be made in both.
static_assert(same_place(control::PeerState::half_open_out, relay::PeerState::half_open_out));
static_assert(same_place(control::PeerState::self, relay::PeerState::self));
static_assert(same_place(control::MemberState::lost, relay::MemberState::lost));
static_assert(same_place(control::Origin::remote, relay::Origin::remote));
static_assert(same_place(control::CallAnswer::none, relay::ViewAnswer::none));
static_assert(same_place(control::CallAnswer::whole, relay::ViewAnswer::whole));

control::Peer to_peer(const relay::PeerReport& report) {
  control::Peer peer;
  peer.name = report.name;
  peer.site = report.site;
  peer.version = report.version;
  peer.state = static_cast<control::PeerState>(report.state);
  if (report.instance) peer.instance = fmt::format("{:016x}", *report.instance);
  peer.agentless = report.agentless;
  if (report.endpoint) peer.endpoint = report.endpoint->to_string();
  peer.rtt_seconds = in_seconds(report.round_trip);
  peer.jitter_seconds = in_seconds(report.jitter);
  peer.loss_in_ratio = report.loss_in;
  peer.loss_out_ratio = report.loss_out;
  peer.loss_ratio = std::max(report.loss_in, report.loss_out);
  if (report.path_datagram && report.endpoint) {
    const std::size_t headers = report.endpoint->address.is_v4() ? 28 : 48;  // IP and UDP
    peer.mtu_bytes = *report.path_datagram + headers;
  }
  peer.clock_offset_seconds = in_seconds(report.clock_offset);
  peer.last_heard_seconds = in_seconds(report.since_heard);
  peer.key_id = report.ring_id;
  peer.heard_key_id = report.heard_ring_id;
  if (!report.ring.empty()) {
    peer.keys.emplace();
    for (const relay::RingEntry& key : report.ring) {
      peer.keys->push_back({key.id, fmt::format("{:08x}", key.fingerprint), peer.keys->empty()});
    }
  }
  peer.datagrams = {report.sent, report.received, report.rejected};
  return peer;
}

control::Member to_member(const relay::MemberReport& report) {
  control::Member member;
  const auto address = Address::from_bytes(report.identity.host);
  member.group = report.group;
  member.host = address ? address->to_string() : to_hex(report.identity.host);
  member.port = static_cast<std::uint16_t>(std::min<std::uint32_t>(report.identity.port, 65535));
  member.unique_id = to_hex(report.identity.unique_id);
  member.domain = report.domain;
  member.origin = static_cast<control::Origin>(report.origin);
  member.via = report.via;
  member.state = static_cast<control::MemberState>(report.state);
  member.alive_seconds = to_seconds(report.alive);
  member.last_heartbeat_seconds = to_seconds(report.since_heartbeat);
  member.interval_seconds = in_seconds(report.interval);
  member.gaps = report.gaps;
  return member;
}

control::Group to_group(const relay::GroupReport& report) {
  control::Group group;
  const std::string port = report.port == 0 ? "*" : std::to_string(report.port);
  group.name = report.name;
  group.address = report.address.to_string() + ":" + port;
  group.captured = report.counters.captured;
  group.relayed = report.counters.relayed;
  group.received = report.counters.received;
  group.injected = report.counters.injected;
  group.dropped = report.counters.dropped;
  return group;
}

control::Warning to_warning(const relay::Refusal& refusal) {
  const std::string where =
      refusal.via.empty() ? "a local member" : fmt::format("a member of peer {}", refusal.via);
  const std::string_view advice =
      refusal.reason == Reason::loopback_member
          ? "its host name leads to a loopback address (Debian's 127.0.1.1): mend /etc/hosts or "
            "set address= on the Receiver"
          : "the address is not that of its host: set address= on the Receiver";
  return {std::string(name_of(refusal.reason)),
          fmt::format("{} announces {} and is not relayed: {}", where, refusal.member, advice)};
}

// Tomcat's sessions expire by wall clock.
constexpr double kClockOffsetSeconds = 0.5;

control::Warning clock_warning(const control::Peer& peer) {
  return {"clock_offset",
          fmt::format("the clock of peer {} is {:.1f} s {} of this one's: sessions expire by wall "
                      "clock; run NTP on both",
                      peer.name, std::abs(*peer.clock_offset_seconds),
                      *peer.clock_offset_seconds > 0 ? "ahead" : "behind")};
}

constexpr double kTomcatBlindSeconds = 300;

control::Warning to_warning(const relay::Away& away) {
  const double silent = to_seconds(away.silent_for);
  return {"agent_away",
          fmt::format("the agent of peer {} has been silent for {:.0f} s while {} of its members "
                      "answer: {}",
                      away.peer, silent, away.answering,
                      silent < kTomcatBlindSeconds
                          ? "start it again; after 300 s Tomcat no longer notices by itself when "
                            "one of them dies"
                          : "Tomcat no longer notices by itself when one of them dies; start the "
                            "agent again")};
}

}  // namespace

relay::Settings to_settings(const config::Config& config, const std::vector<config::Peer>& peers) {
  relay::Settings settings;
  settings.node_name = config.node.name;
  settings.site = config.node.site;
  settings.version = TRIBECAST_VERSION;
  settings.max_datagram_bytes = config.relay.max_datagram_bytes;
  for (const config::Group& group : config.groups) {
    settings.groups.push_back(
        {group.name, group.address, group.port,
         group.format == config::Format::tribes ? relay::Format::tribes : relay::Format::raw,
         group.broadcasts, group.max_age, group.drop_time});
  }
  for (const config::Peer& peer : peers) {
    settings.peers.push_back({.name = peer.name,
                              .groups = peer.groups,
                              .members = peer.members,
                              .rewrites = peer.rewrites,
                              .max_members = peer.max_members,
                              .max_rate = peer.max_rate,
                              .agentless = peer.agentless,
                              .copies = peer.copies,
                              .dead_time = peer.peer_dead_time.value_or(Duration::zero()),
                              .roaming = peer.roaming});
    if (config.security.auth != config::Auth::public_key || peer.agentless) continue;
    const auto key = seal::parse_public_key(peer.public_key);
    TC_CHECK(static_cast<bool>(key));  // judged with the configuration
    settings.peers.back().public_key = *key;
  }
  return settings;
}

control::Status to_status(const relay::Report& report, const config::Config& config) {
  control::Status status;
  status.node.name = config.node.name;
  status.node.site = config.node.site;
  status.node.version = TRIBECAST_VERSION;
  status.node.instance = fmt::format("{:016x}", report.instance);
  for (const relay::PeerReport& peer : report.peers) {
    status.peers.push_back(to_peer(peer));
    const auto offset = status.peers.back().clock_offset_seconds;
    if (offset && std::abs(*offset) > kClockOffsetSeconds) {
      status.warnings.push_back(clock_warning(status.peers.back()));
    }
  }
  for (const relay::GroupReport& group : report.groups) status.groups.push_back(to_group(group));
  for (const relay::MemberReport& member : report.members) {
    status.members.push_back(to_member(member));
  }
  for (const relay::Refusal& refusal : report.refusals) {
    status.warnings.push_back(to_warning(refusal));
  }
  for (const relay::Away& away : report.away) status.warnings.push_back(to_warning(away));
  if (report.latency) {
    status.latency = {to_seconds(report.latency->p50), to_seconds(report.latency->p99),
                      to_seconds(report.latency->max)};
  }
  status.rates = {report.rates.captured_per_second, report.rates.relayed_per_second,
                  report.rates.injected_per_second};
  status.drops = report.drops;
  return status;
}

bool needs_programs(const config::Config& config) {
  return std::ranges::any_of(config.discoveries, [](const config::Discovery& discovery) {
    return discovery.kind == config::SourceKind::exec;
  });
}

control::CalledAgent to_called_agent(relay::PeerView&& view) {
  return {std::move(view.peer), static_cast<control::CallAnswer>(view.answer),
          std::move(view.bytes), to_seconds(view.age)};
}

}  // namespace tribecast::daemon
