#include "relay/core.h"

#include <algorithm>
#include <string_view>

#include "base/check.h"

namespace tribecast::relay {
namespace {

constexpr Duration kSlowSweepInterval = seconds(5);  // while nobody is alive
constexpr Duration kEchoTime = milliseconds(200);
constexpr std::size_t kMaxEchoes = 4096;
// A datagram may seem to come from the future by the error of the clock map and this much more.
constexpr Duration kClockSlack = milliseconds(50);

std::size_t digest_of(const Endpoint& source, const Endpoint& group, Bytes payload) {
  const std::size_t ends = EndpointHash()(source) * 31 + EndpointHash()(group);
  return std::hash<std::string_view>()(view_of(payload)) ^ ends;
}

// What is in a raw group is nobody's.
tribes::Classified classify(const GroupSettings& group, Bytes payload) {
  return group.format == Format::tribes ? tribes::classify(payload) : tribes::Classified{};
}

Settings without_peers(Settings settings) {
  settings.peers.clear();
  return settings;
}

}  // namespace

Core::Core(RandomSource random) : links_(std::move(random)) {}

void Core::configure(Instant now, const Settings& settings, const seal::Credentials& credentials,
                     Actions& out) {
  TC_CHECK(settings.groups.size() <= kMaxGroups);
  std::erase_if(groups_, [&](const auto& entry) {
    const bool gone = std::ranges::find(settings.groups, entry.first, &GroupSettings::name) ==
                      settings.groups.end();
    if (gone) members_.forget_group(entry.first);
    return gone;
  });
  for (const GroupSettings& group : settings.groups) groups_[group.name].settings = group;
  index_groups();
  links_.configure(now, settings, credentials, out);
  settings_ = without_peers(settings);
}

void Core::index_groups() {
  by_endpoint_.clear();
  for (auto& [name, group] : groups_) {
    by_endpoint_[{group.settings.address, group.settings.port}] = &group;
  }
}

void Core::set_endpoints(Instant now, const std::string& peer, std::vector<Endpoint> endpoints) {
  links_.set_endpoints(now, peer, std::move(endpoints));
}

void Core::set_local_addresses(const std::vector<Address>& addresses) {
  local_addresses_ = addresses;
  links_.set_local_addresses(addresses);
}

void Core::set_listeners(const std::string& group, std::vector<int> interfaces) {
  const auto found = groups_.find(group);
  if (found != groups_.end()) found->second.listeners = std::move(interfaces);
}

Core::Group* Core::find_group(const Endpoint& destination) {
  auto found = by_endpoint_.find(destination);
  if (found == by_endpoint_.end()) found = by_endpoint_.find({destination.address, 0});
  return found == by_endpoint_.end() ? nullptr : found->second;
}

void Core::refuse(Group& group, Reason reason) { group.counters.dropped.add(reason); }

// --- out: captured frame to sealed datagrams -----------------------------------------------------

void Core::on_frame(Instant now, const CapturedFrame& frame, Actions& out) {
  if (frame.truncated) return refuse_frame(frame, Reason::too_large);
  const auto packet = packet::parse_frame(frame.link, frame.bytes);
  if (!packet) return refuse_frame(frame, packet.error());
  if (packet->ttl_hops == 0 || packet->protocol != packet::kProtocolUdp) return;
  if (!packet->is_fragment()) return on_packet(now, frame, *packet, out);

  const auto whole = reassembler_.add(now, *packet);
  if (!whole) return refuse_frame(frame, whole.error());
  if (!*whole) return;
  packet::Ipv4Packet joined = *packet;
  joined.body = **whole;
  on_packet(now, frame, joined, out);
}

void Core::on_packet(Instant now, const CapturedFrame& frame, const packet::Ipv4Packet& packet,
                     Actions& out) {
  const auto datagram = packet::parse_udp(packet.source, packet.destination, packet.body);
  if (!datagram) return refuse_frame(frame, datagram.error());
  on_captured(now, frame.captured, *datagram, out);
}

// Its port is not known; it counts for the first group of its address.
void Core::refuse_frame(const CapturedFrame& frame, Reason reason) {
  const auto destination = packet::destination_of(frame.link, frame.bytes);
  const auto group = std::ranges::find_if(groups_, [&](const auto& entry) {
    return destination && entry.second.settings.address == *destination;
  });
  if (group == groups_.end()) return unattributed_.add(reason);
  refuse(group->second, reason);
}

void Core::on_captured(Instant now, Instant captured, const packet::Datagram& datagram,
                       Actions& out) {
  Group* group = find_group(datagram.group);
  if (group == nullptr) return;
  if (is_echo(now, datagram)) return refuse(*group, Reason::echo);
  ++group->counters.captured;
  captured_rate_.add(now);
  const auto classified = classify(group->settings, datagram.payload);
  if (const auto reason = check_captured(now, captured, *group, datagram, classified, out)) {
    tell_captured(*group, datagram, reason, 0, out);
    return refuse(*group, *reason);
  }
  const std::size_t peers =
      relay(now, group->settings.name, classified,
            {stamp_of(captured), datagram.group, datagram.source, datagram.payload}, out);
  tell_captured(*group, datagram, std::nullopt, peers, out);
  group->counters.relayed += peers;
  relayed_rate_.add(now, peers);
}

void Core::tell_captured(const Group& group, const packet::Datagram& datagram,
                         std::optional<Reason> dropped, std::size_t peers, Actions& out) const {
  if (!observing_) return;
  out.observations.push_back({group.settings.name, "", datagram.source, datagram.group,
                              copy_of(datagram.payload), dropped, peers});
}

// A goodbye is repeated until it is acknowledged, unless its member beats again. Returns to how
// many peers.
std::size_t Core::relay(Instant now, const std::string& group, const tribes::Classified& classified,
                        const Links::Outgoing& outgoing, Actions& out) {
  const auto subject = [&] { return MemberRecord::named(group, *classified.member).subject(); };
  if (classified.kind == tribes::Kind::shutdown) {
    return links_.send_notice(now, subject(), group, outgoing, kNoticeTime, out);
  }
  const bool alive = classified.kind == tribes::Kind::heartbeat;
  if (alive && links_.has_notices()) links_.withdraw_notice(subject());
  return links_.send(now, group, outgoing, out);
}

// Why a captured datagram is not relayed, or nothing. Lists it as a local member on the way.
std::optional<Reason> Core::check_captured(Instant now, Instant captured, const Group& group,
                                           const packet::Datagram& datagram,
                                           const tribes::Classified& classified, Actions& out) {
  const bool old = now - captured > group.settings.max_age;
  if (group.settings.format == Format::raw)
    return old ? std::optional(Reason::stale) : std::nullopt;

  if (classified.kind == tribes::Kind::malformed) return Reason::malformed;
  if (!classified.member && !group.settings.broadcasts) return Reason::not_heartbeat;
  // A goodbye stays true however late it is told.
  if (old && classified.kind != tribes::Kind::shutdown) return Reason::stale;
  if (!classified.member) return std::nullopt;

  const tribes::MemberView& member = *classified.member;
  if (const auto reason = check_announced(member, &datagram.source.address)) {
    note_refusal(now, member, "", *reason, out);
    return reason;
  }
  const Sighting sighting{group.settings.name,
                          group.settings.drop_time,
                          member,
                          datagram.source,
                          datagram.group,
                          captured,
                          Origin::local,
                          "",
                          {}};
  return see(now, sighting, out);
}

// A digest excuses one frame for one injection, that is for one interface.
bool Core::is_echo(Instant now, const packet::Datagram& datagram) {
  while (!echoes_.empty() && echoes_.front().expires < now) echoes_.pop_front();
  if (echoes_.empty()) return false;
  const std::size_t digest = digest_of(datagram.source, datagram.group, datagram.payload);
  const auto found = std::ranges::find(echoes_, digest, &Echo::digest);
  if (found == echoes_.end()) return false;
  echoes_.erase(found);
  return true;
}

// --- in: sealed datagram to injections -----------------------------------------------------------

void Core::on_datagram(Instant now, const Path& from, Bytes sealed, Actions& out) {
  auto received = links_.on_datagram(now, from, sealed, out);
  if (!received) return;
  Link& link = *received->link;
  if (!link.rate.take(now, Flow::of(link.settings.max_rate)))
    return link.rejected.add(Reason::rate_limited);
  if (received->pieces == 1) return on_payload(now, link, *received, received->payload, out);

  const Parcel parcel{received->piece, received->pieces, received->captured,
                      received->group, received->source, received->payload};
  auto whole = link.pieces.add(now, received->counter, parcel);
  if (!whole) return unattributed_.add(whole.error());
  if (*whole) on_payload(now, link, *received, **whole, out);
}

void Core::on_payload(Instant now, Link& link, Received& received, Buffer& payload, Actions& out) {
  Group* group = find_group(received.group);
  if (group == nullptr) return unattributed_.add(Reason::no_listener);
  if (!link.in_group(group->settings.name)) return refuse(*group, Reason::unconfigured_peer);
  ++group->counters.received;
  if (!link.clock.known()) {
    links_.ask_clock(now, link, out);
    tell_received(*group, link, received, payload, Reason::stale, out);
    return refuse(*group, Reason::stale);
  }
  const Duration age = link.clock.age(now, received.captured);
  const auto classified = classify(group->settings, payload);
  rewrite(link, received, classified, payload);
  const bool goodbye = classified.kind == tribes::Kind::shutdown;
  if (goodbye) links_.acknowledge(link, received.counter, out);
  const auto reason = check_received(now, *group, link, received, classified, age, out);
  tell_received(*group, link, received, payload, reason, out);
  if (reason) return refuse(*group, *reason);
  const Instant captured = now - std::max(age, Duration::zero());
  // A goodbye never expires.
  const Instant expires = goodbye ? kNever : captured + group->settings.max_age;
  inject(
      now, *group,
      {{group->listeners, received.source, received.group, std::move(payload), expires}, captured},
      false, out);
}

void Core::tell_received(const Group& group, const Link& link, const Received& received,
                         Bytes payload, std::optional<Reason> dropped, Actions& out) const {
  if (!observing_) return;
  out.observations.push_back({group.settings.name, link.settings.name, received.source,
                              received.group, copy_of(payload), dropped,
                              dropped ? 0 : group.listeners.size()});
}

// What the peer's network calls its hosts becomes what they are called here: the host that a member
// announces (in the payload, so that `classified`, a view of it, follows), and the datagram's
// source.
void Core::rewrite(const Link& link, Received& received, const tribes::Classified& classified,
                   Buffer& payload) {
  if (link.settings.rewrites.empty()) return;
  if (const auto source = link.seen_from_here(received.source.address)) {
    received.source.address = *source;
  }
  if (!classified.member || !classified.member->address()) return;
  const auto host = link.seen_from_here(*classified.member->address());
  if (host && host->bytes().size() == classified.member->host.size()) {
    tribes::replace_host(payload, *classified.member, *host);
  }
}

// Why a received datagram is not injected, or nothing. Lists it as a remote member on the way.
std::optional<Reason> Core::check_received(Instant now, const Group& group, Link& link,
                                           const Received& received,
                                           const tribes::Classified& classified, Duration age,
                                           Actions& out) {
  const bool from_the_future = age < -(link.clock.uncertainty(now) + kClockSlack);
  const bool old = age > group.settings.max_age || from_the_future;
  // One of the two clocks may have stood still: the next datagram shall not suffer from it.
  if (old) links_.ask_clock(now, link, out);

  if (old && classified.kind != tribes::Kind::shutdown) return Reason::stale;
  if (group.settings.format == Format::tribes) {
    if (classified.kind == tribes::Kind::malformed) return Reason::malformed;
    if (!classified.member && !group.settings.broadcasts) return Reason::not_heartbeat;
  }
  if (classified.member) {
    const tribes::MemberView& member = *classified.member;
    auto reason = check_announced(member, nullptr);
    if (!reason && !link.may_announce(*member.address())) reason = Reason::foreign_member;
    if (reason) {
      note_refusal(now, member, link.settings.name, *reason, out);
      return reason;
    }
    const Sighting sighting{group.settings.name,
                            group.settings.drop_time,
                            member,
                            received.source,
                            received.group,
                            now - age,
                            Origin::remote,
                            link.settings.name,
                            {link.current ? link.current->instance : 0, received.counter},
                            link.settings.max_members};
    reason = see(now, sighting, out);
    if (reason == Reason::table_full) note_refusal(now, member, sighting.via, *reason, out);
    if (reason) return reason;
  }
  return group.listeners.empty() ? std::optional(Reason::no_listener) : std::nullopt;
}

void Core::inject(Instant now, Group& group, PacedInjection injection, bool paced, Actions& out) {
  if (!paced && !group.pacer.admit(now, injection.inject.payload.size())) {
    if (!group.pacer.wait(std::move(injection))) refuse(group, Reason::rate_limited);
    return;
  }
  latency_.add(now, now - injection.captured);
  group.counters.injected += injection.inject.interfaces.size();
  injected_rate_.add(now, injection.inject.interfaces.size());
  remember_echo(now, injection.inject);
  out.injects.push_back(std::move(injection.inject));
}

void Core::remember_echo(Instant now, const Inject& injection) {
  const std::size_t digest = digest_of(injection.source, injection.group, injection.payload);
  for (std::size_t i = 0; i < injection.interfaces.size(); ++i) {
    if (echoes_.size() >= kMaxEchoes) echoes_.pop_front();
    echoes_.push_back({digest, now + kEchoTime});
  }
}

// --- time ----------------------------------------------------------------------------------------

void Core::on_timer(Instant now, Actions& out) {
  links_.on_timer(now, out);
  for (auto& [name, group] : groups_) {
    while (auto next = group.pacer.next(now)) {
      if (now > next->inject.expires) {
        refuse(group, Reason::stale);
      } else {
        inject(now, group, std::move(*next), true, out);
      }
    }
  }
  if (now >= next_sweep_) sweep(now, out);
  if (now >= next_inquiry_) inquire(now, out);
}

void Core::sweep(Instant now, Actions& out) {
  const bool anybody = members_.sweep(now, out.events);
  next_sweep_ = now + (anybody ? kSweepInterval : kSlowSweepInterval);
  if (members_.empty()) next_sweep_ = kNever;
  for (const MemberRecord& member : members_.overdue(now)) {
    if (const auto listener = member.listener()) out.watches.push_back(*listener);
  }
  for (const MemberRecord& member : members_.to_try_again(now, inquests_.room_to_try())) {
    inquests_.try_port(member, out);
  }
  inquire(now, out);
}

Instant Core::next_deadline() const {
  Instant deadline = std::min({links_.next_deadline(), next_sweep_, next_inquiry_});
  for (const auto& [name, group] : groups_) deadline = std::min(deadline, group.pacer.deadline());
  return deadline;
}

std::optional<Stamp> Core::ping(Instant now, const std::string& peer, Actions& out) {
  return links_.ping(now, peer, out);
}

void Core::say_goodbye(Instant now, Actions& out) { links_.say_goodbye(now, out); }

void Core::count_drop(Reason reason, std::uint64_t n) { unattributed_.add(reason, n); }

// --- report --------------------------------------------------------------------------------------

Report Core::report(Instant now) const {
  Report report;
  report.instance = links_.instance();
  report.peers = links_.report(now);
  report.members = members_.report(now);
  report.latency = latency_.quantiles(now);
  report.rates = {captured_rate_.per_second(now), relayed_rate_.per_second(now),
                  injected_rate_.per_second(now)};
  report.drops = unattributed_;
  report.drops.add(links_.strangers());
  report.drops.add(Reason::table_full, members_.unlisted());
  for (const PeerReport& peer : report.peers) report.drops.add(peer.rejected);
  for (const auto& [name, group] : groups_) {
    report.groups.push_back({name, group.settings.address, group.settings.port, group.counters});
    report.drops.add(group.counters.dropped);
  }
  for (const Links::Silence& silence : links_.silences(now)) {
    const std::size_t answering = inquests_.answering(silence.peer);
    if (answering > 0 && silence.lasts >= kSilentTime)
      report.away.push_back({silence.peer, silence.lasts, answering});
  }
  for (const Refusal& refusal : refusals_) {
    if (now - refusal.last <= kRefusalShown) report.refusals.push_back(refusal);
  }
  return report;
}

}  // namespace tribecast::relay
