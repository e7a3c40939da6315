#include "relay/members.h"

#include <algorithm>
#include <utility>

#include "base/hex.h"

namespace tribecast::relay {
namespace {

// A member is late after this many of its own intervals.
constexpr int kLateIntervals = 2;
constexpr Duration kUsualInterval = milliseconds(500);

// Before a port that has not answered is tried again.
constexpr Duration kShortestPause = seconds(5);
constexpr Duration kLongestPause = seconds(60);

bool earlier(const Mark& a, const Mark& b) {
  return a.instance == b.instance && a.counter < b.counter;
}

// What was overtaken on the way does not turn the order back.
void advance(std::optional<Mark>& mark, const Mark& to) {
  if (!mark || !earlier(to, *mark)) mark = to;
}

constexpr std::uint32_t kNoPort = 0xffffffff;
constexpr std::string_view kSaidForIt = "tribecast: dead";

}  // namespace

MemberRecord MemberRecord::named(const std::string& group, const tribes::MemberView& member) {
  return {group, tribes::Identity::of(member), {}, {}, {}, {}};
}

Buffer MemberRecord::shutdown() const {
  tribes::MemberView view;
  view.alive_milliseconds = static_cast<std::uint64_t>(duration_cast<milliseconds>(alive).count());
  view.port = identity.port;
  view.secure_port = kNoPort;
  view.udp_port = kNoPort;
  view.host = identity.host;
  view.command = tribes::shutdown_command();
  view.domain = bytes_of(domain);
  view.unique_id = identity.unique_id;
  view.payload = bytes_of(kSaidForIt);
  return tribes::compose_member(view);
}

std::string MemberRecord::subject() const {
  return group + " " + identity.name() + " " + to_hex(identity.unique_id);
}

std::optional<Endpoint> MemberRecord::listener() const {
  const auto address = Address::from_bytes(identity.host);
  if (!address || identity.port == 0 || identity.port > 0xffff) return std::nullopt;
  return Endpoint{*address, static_cast<std::uint16_t>(identity.port)};
}

// --- what may be believed ------------------------------------------------------------------------

// A heartbeat that was captured before its member was told to have left says nothing new.
std::optional<Reason> Members::out_of_order(const Member& member, const Sighting& sighting) {
  const bool told_before = member.condemned && sighting.captured <= *member.condemned;
  if (told_before && !sighting.member.is_shutdown()) return Reason::held_after_shutdown;
  if (sighting.origin == Origin::local) return std::nullopt;
  if (sighting.member.is_shutdown()) {
    // The member beat again after it had said goodbye: the goodbye is no longer true.
    const bool overtaken = member.last && earlier(sighting.mark, *member.last);
    return overtaken ? std::optional(Reason::stale) : std::nullopt;
  }
  const bool before_goodbye = member.shutdown && earlier(sighting.mark, *member.shutdown);
  return before_goodbye ? std::optional(Reason::held_after_shutdown) : std::nullopt;
}

// A member belongs to where it was heard first, until it has been silent there for the drop time.
bool Members::owns(Instant now, const Member& member, const Sighting& sighting) {
  if (member.left || now - member.last_heartbeat > member.drop_time) return true;
  return member.origin == sighting.origin && member.via == sighting.via;
}

// Nobody but its own peer may say goodbye in a member's name, and nobody at all in a local one's.
std::optional<Reason> Members::not_its_peer(Instant now, const Member& member,
                                            const Sighting& sighting) {
  if (sighting.origin == Origin::local || owns(now, member, sighting)) return std::nullopt;
  const bool refuse = member.origin == Origin::local || sighting.member.is_shutdown();
  return refuse ? std::optional(Reason::foreign_member) : std::nullopt;
}

// Those that have left are counted until they are forgotten.
bool Members::is_one_too_many(const Sighting& sighting) const {
  if (sighting.origin == Origin::local) return false;
  const auto theirs = std::ranges::count_if(members_, [&](const auto& entry) {
    return entry.second.origin == Origin::remote && entry.second.via == sighting.via;
  });
  return static_cast<std::size_t>(theirs) >= sighting.most_of_peer;
}

// --- what was heard ------------------------------------------------------------------------------

// The first interval says nothing: a Tomcat that starts beats twice within milliseconds.
void Members::beat(Instant now, Member& member) {
  const Duration gap = now - member.last_heartbeat;
  if (!std::exchange(member.settled, true)) return;
  if (!member.interval) {
    member.interval = gap;
    return;
  }
  const Duration expected = *member.interval * kLateIntervals;
  if (gap > expected) ++member.gaps;
  // Clipped, so that one gap tells little; moved all the same, so that a new pace is learned.
  member.interval = (*member.interval * 7 + std::min(gap, expected)) / 8;
}

// What every heartbeat and goodbye says anew.
void Members::note(Instant now, const Sighting& sighting, Member& member) {
  if (owns(now, member, sighting)) {
    member.origin = sighting.origin;
    member.via = sighting.via;
  }
  member.source = sighting.source;
  member.destination = sighting.destination;
  member.drop_time = sighting.drop_time;
  member.domain = text_of(sighting.member.domain);
  member.alive = milliseconds(static_cast<std::int64_t>(
      std::min<std::uint64_t>(sighting.member.alive_milliseconds, std::uint64_t{1} << 42U)));
}

Members::Seen Members::see(Instant now, const Sighting& sighting, std::vector<Event>& events) {
  Seen seen;
  const Key key{sighting.group, tribes::Identity::of(sighting.member)};
  auto found = members_.find(key);
  if (found != members_.end()) {
    seen.refused = out_of_order(found->second, sighting);
    if (!seen.refused) seen.refused = not_its_peer(now, found->second, sighting);
    if (seen.refused) return seen;
  } else if (is_one_too_many(sighting)) {
    seen.refused = Reason::table_full;
    return seen;
  } else {
    if (!sighting.member.is_shutdown()) seen.replaced = replace(now, sighting, key, events);
    if (members_.size() >= kMaxMembers) {
      ++unlisted_;
      return seen;
    }
    found = members_.try_emplace(key).first;
    found->second.last_heartbeat = now;
    found->second.left = true;
  }

  Member& member = found->second;
  const auto tell = [&](EventKind kind, const std::string& what) {
    const std::string where =
        sighting.origin == Origin::local ? "on this host" : "through peer " + sighting.via;
    events.push_back({kind, key.identity.name(), what + where});
  };
  note(now, sighting, member);
  if (sighting.member.is_shutdown()) {
    member.dead = same(sighting.member.payload, bytes_of(kSaidForIt));
    if (!member.left && member.dead) tell(EventKind::member_dead, "died, says its agent ");
    if (!member.left && !member.dead) tell(EventKind::member_left, "said goodbye ");
    member.left = true;
    member.lost = false;
    advance(member.shutdown, sighting.mark);
    return seen;
  }
  seen.joined = member.left || member.lost;
  if (seen.joined) {
    tell(EventKind::member_joined, "heard ");
    member.first_try = member.last_try = now;
  } else {
    beat(now, member);
  }
  member.left = false;
  member.lost = false;
  member.dead = false;
  member.condemned.reset();
  advance(member.last, sighting.mark);
  member.last_heartbeat = now;
  return seen;
}

// A port has one listener: who announces it now has taken the place of who did before.
std::vector<MemberRecord> Members::replace(Instant now, const Sighting& sighting,
                                           const Key& newcomer, std::vector<Event>& events) {
  std::vector<MemberRecord> replaced;
  for (auto& [key, member] : members_) {
    const bool same_place = key.group == newcomer.group &&
                            key.identity.host == newcomer.identity.host &&
                            key.identity.port == newcomer.identity.port;
    if (!same_place || member.left || !owns(now, member, sighting)) continue;
    leave(now, member);
    replaced.push_back(record_of(key, member));
    events.push_back({EventKind::member_replaced, key.identity.name(),
                      "was started again: its old identity is told to have left"});
  }
  return replaced;
}

void Members::leave(Instant now, Member& member) {
  member.left = true;
  member.lost = false;
  member.dead = true;
  member.condemned = now;
}

MemberRecord Members::record_of(const Key& key, const Member& member) {
  return {key.group, key.identity, member.domain, member.alive, member.source, member.destination};
}

// --- verdicts ------------------------------------------------------------------------------------

void Members::restore(Instant now, const std::vector<MemberRecord>& records) {
  for (const MemberRecord& record : records) {
    if (members_.size() >= kMaxMembers) return;
    const auto [entry, fresh] = members_.try_emplace({record.group, record.identity});
    if (!fresh) continue;
    Member& member = entry->second;
    member.domain = record.domain;
    member.alive = record.alive;
    member.source = record.source;
    member.destination = record.destination;
    member.last_heartbeat = now;
    member.lost = true;
  }
}

std::vector<MemberRecord> Members::local() const {
  std::vector<MemberRecord> records;
  for (const auto& [key, member] : members_) {
    if (member.origin == Origin::local && !member.left) records.push_back(record_of(key, member));
  }
  return records;
}

std::vector<MemberRecord> Members::overdue(Instant now) const {
  std::vector<MemberRecord> records;
  for (const auto& [key, member] : members_) {
    if (member.origin != Origin::local || member.left || member.lost) continue;
    const Duration expected = member.interval.value_or(kUsualInterval) * kLateIntervals;
    if (now - member.last_heartbeat > expected) records.push_back(record_of(key, member));
  }
  return records;
}

std::vector<MemberRecord> Members::of_peer(const std::string& peer) const {
  std::vector<MemberRecord> records;
  for (const auto& [key, member] : members_) {
    if (member.via == peer && !member.left) records.push_back(record_of(key, member));
  }
  return records;
}

std::vector<MemberRecord> Members::listener_gone(Instant now, const Endpoint& listener) {
  std::vector<MemberRecord> gone;
  for (auto& [key, member] : members_) {
    if (member.origin != Origin::local || member.left) continue;
    const MemberRecord record = record_of(key, member);
    if (record.listener() != listener) continue;
    leave(now, member);
    gone.push_back(record);
  }
  return gone;
}

bool Members::condemn(Instant now, const MemberRecord& record) {
  const auto found = members_.find({record.group, record.identity});
  if (found == members_.end() || found->second.left) return false;
  leave(now, found->second);
  return true;
}

void Members::set_reachable(const MemberRecord& record, bool reachable) {
  const auto found = members_.find({record.group, record.identity});
  if (found != members_.end()) found->second.reachable = reachable;
}

bool Members::reachable(const MemberRecord& record) const {
  const auto found = members_.find({record.group, record.identity});
  return found != members_.end() && found->second.reachable;
}

std::vector<MemberRecord> Members::to_try_again(Instant now, std::size_t limit) {
  std::vector<MemberRecord> records;
  for (auto& [key, member] : members_) {
    if (records.size() == limit) break;
    if (member.origin != Origin::remote || member.left || member.reachable) continue;
    if (now - member.last_heartbeat > kUsualInterval * kLateIntervals) continue;
    const Duration pause =
        std::clamp<Duration>(member.last_try - member.first_try, kShortestPause, kLongestPause);
    if (now - member.last_try < pause) continue;
    member.last_try = now;
    records.push_back(record_of(key, member));
  }
  return records;
}

// --- time ----------------------------------------------------------------------------------------

bool Members::sweep(Instant now, std::vector<Event>& events) {
  for (auto& [key, member] : members_) {
    if (member.left || member.lost || now - member.last_heartbeat <= member.drop_time) continue;
    member.lost = true;
    events.push_back(
        {EventKind::member_lost, key.identity.name(), "no heartbeat for the drop time"});
  }
  std::erase_if(members_, [&](const auto& entry) {
    const Member& member = entry.second;
    const Duration age = now - member.last_heartbeat;
    return (member.left && age > kKeep) || (member.lost && age > kKeepLost);
  });
  return std::ranges::any_of(
      members_, [](const auto& entry) { return !entry.second.left && !entry.second.lost; });
}

void Members::forget_group(const std::string& group) {
  std::erase_if(members_, [&](const auto& entry) { return entry.first.group == group; });
}

std::vector<MemberReport> Members::report(Instant now) const {
  std::vector<MemberReport> reports;
  reports.reserve(members_.size());
  for (const auto& [key, member] : members_) {
    const Duration age = now - member.last_heartbeat;
    MemberState state = MemberState::alive;
    if (age > member.interval.value_or(kUsualInterval) * kLateIntervals) state = MemberState::late;
    if (member.lost || age > member.drop_time) state = MemberState::lost;
    if (member.left) state = member.dead ? MemberState::lost : MemberState::left;
    reports.push_back({key.group, key.identity, member.domain, member.origin, member.via, state,
                       member.alive, age, member.interval, member.gaps});
  }
  return reports;
}

}  // namespace tribecast::relay
