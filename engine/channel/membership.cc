#include "engine/channel/membership.h"

#include <algorithm>
#include <utility>

namespace tribecast::channel {
namespace {

constexpr std::size_t kMaxGoodbyes = 4096;

bool same_place(const tribes::Identity& a, const tribes::Identity& b) {
  return a.port == b.port && a.host == b.host;
}

}  // namespace

Membership::Membership(MembershipSettings settings, tribes::Identity self)
    : settings_(std::move(settings)), self_(std::move(self)) {
  for (const StaticMember& one : settings_.static_members) {
    Entry entry;
    entry.member.identity = {copy_of(one.endpoint.address.bytes()), one.endpoint.port,
                             one.unique_id.value_or(tribes::UniqueId{})};
    entry.member.domain = one.domain;
    entry.from_list = true;
    entry.id_known = one.unique_id.has_value();
    if (same_place(entry.member.identity, self_)) continue;  // one list for all members is good
    entries_.emplace(entry.member.identity, entry);
  }
}

Refusal Membership::admits(const tribes::MemberView& sender) const {
  if (tribes::Identity::of(sender) == self_) return Refusal::own;
  const auto address = sender.address();
  if (!address || sender.port == 0 || sender.port > 65535) return Refusal::malformed;
  if (settings_.only_domain && !same(*settings_.only_domain, sender.domain)) {
    return Refusal::other_domain;
  }
  const auto& allowed = settings_.allowed;
  const auto holds = [&](const Prefix& prefix) { return prefix.contains(*address); };
  if (!allowed.empty() && std::ranges::none_of(allowed, holds)) return Refusal::not_allowed;
  return Refusal::none;
}

Refusal Membership::on_heartbeat(Instant now, const tribes::MemberView& member, News& news) {
  const Refusal refusal = admits(member);
  if (refusal != Refusal::none) return refusal;
  const tribes::Identity identity = tribes::Identity::of(member);
  if (member.is_shutdown()) {
    say_goodbye(now, identity, news);
    return Refusal::none;
  }
  if (const auto held = goodbyes_.find(identity); held != goodbyes_.end()) {
    if (now < held->second) return Refusal::held;
    goodbyes_.erase(held);
  }
  adopt_id(identity, news);
  auto it = entries_.find(identity);
  if (it == entries_.end()) {
    forget_former(identity, news);
    if (heard_members_ >= settings_.max_members) return Refusal::too_many;
    ++heard_members_;
    it = entries_.emplace(identity, Entry{}).first;
    it->second.member = tribes::OwnedMember::of(member);
    it->second.heard = now;
    probe(now, it->second, news);
    return Refusal::none;
  }
  Entry& entry = it->second;
  entry.member.alive_milliseconds = member.alive_milliseconds;
  entry.member.payload = copy_of(member.payload);
  entry.heard = now;
  if (entry.state == MemberState::suspect) {
    entry.state = MemberState::up;
    news.events.push_back({MemberChange::heard, entry.member});
  }
  return Refusal::none;
}

void Membership::say_goodbye(Instant now, const tribes::Identity& member, News& news) {
  if (goodbyes_.size() >= kMaxGoodbyes) {
    std::erase_if(goodbyes_, [&](const auto& one) { return one.second <= now; });
  }
  if (goodbyes_.size() < kMaxGoodbyes) goodbyes_[member] = now + settings_.drop_time;
  const auto it = entries_.find(member);
  if (it == entries_.end()) return;
  remove(it, MemberChange::left, news);
}

// A static member stays in the table, and is tried again.
Membership::Entries::iterator Membership::remove(Entries::iterator it, MemberChange change,
                                                 News& news) {
  Entry& entry = it->second;
  if (entry.state != MemberState::unreached) news.events.push_back({change, entry.member});
  if (entry.from_list) {
    entry.state = MemberState::unreached;
    return std::next(it);
  }
  --heard_members_;
  return entries_.erase(it);
}

// A Tomcat that was restarted announces a new unique id on the port of its former self, which will
// not come back whatever the port answers.
void Membership::forget_former(const tribes::Identity& member, News& news) {
  for (auto it = entries_.begin(); it != entries_.end();) {
    const bool former = same_place(it->first, member) && !it->second.from_list;
    it = former ? remove(it, MemberChange::replaced, news) : std::next(it);
  }
}

Membership::Entry* Membership::static_entry(const tribes::Identity& member) {
  const auto it = entries_.find(member);
  return it != entries_.end() && it->second.from_list ? &it->second : nullptr;
}

// The static member of that address whose unique id the configuration does not tell takes this one.
void Membership::adopt_id(const tribes::Identity& member, News& news) {
  if (entries_.contains(member)) return;
  for (auto it = entries_.begin(); it != entries_.end(); ++it) {
    const bool open = it->second.from_list && !it->second.id_known;
    if (!open || !same_place(it->first, member)) continue;
    auto node = entries_.extract(it);
    Entry& entry = node.mapped();
    if (entry.state != MemberState::unreached) {
      news.events.push_back({MemberChange::replaced, entry.member});
    }
    entry.state = MemberState::unreached;
    entry.probing = false;
    node.key() = member;
    entry.member.identity = member;
    entries_.insert(std::move(node));
    return;
  }
}

void Membership::on_sender(Instant now, const tribes::MemberView& member, News& news) {
  const tribes::Identity identity = tribes::Identity::of(member);
  adopt_id(identity, news);
  Entry* entry = static_entry(identity);
  if (entry == nullptr) return;
  entry->heard = now;
  entry->member.alive_milliseconds = member.alive_milliseconds;
  const bool says_more = !same(entry->member.payload, member.payload);
  if (says_more) entry->member.payload = copy_of(member.payload);
  if (entry->state != MemberState::unreached) {
    if (says_more) news.events.push_back({MemberChange::told, entry->member});
  } else if (!entry->probing) {
    probe(now, *entry, news);
  }
}

void Membership::on_static_note(Instant now, const tribes::MemberView& member, bool stops,
                                News& news) {
  on_sender(now, member, news);
  const auto it = entries_.find(tribes::Identity::of(member));
  if (it == entries_.end() || !it->second.from_list) return;
  if (!stops) return probe(now, it->second, news);  // which tells it who is here
  remove(it, MemberChange::left, news);
  it->second.next_probe = now + settings_.probe_interval;
}

void Membership::probe(Instant now, Entry& entry, News& news) const {
  entry.next_probe = now + settings_.probe_interval;
  if (std::exchange(entry.probing, true)) return;
  news.probes.push_back(entry.member.identity);
}

void Membership::on_probe(Instant now, const tribes::Identity& member, ProbeResult result,
                          News& news) {
  const auto it = entries_.find(member);
  if (it == entries_.end()) return;
  Entry& entry = it->second;
  entry.probing = false;
  if (result == ProbeResult::not_tried) return;
  if (result == ProbeResult::not_reached) {
    if (entry.state == MemberState::unreached) return;
    const bool still_heard = !entry.from_list && now - entry.heard <= settings_.drop_time;
    tribes::OwnedMember kept = entry.member;
    const Instant heard = entry.heard;
    remove(it, MemberChange::lost, news);
    if (!still_heard) return;
    // It beats and cannot be reached: looked at again, as one that is new.
    ++heard_members_;
    const Instant next = now + settings_.probe_interval;
    entries_.emplace(kept.identity,
                     Entry{kept, MemberState::unreached, heard, next, false, false, true});
    return;
  }
  if (entry.state != MemberState::unreached) return;
  entry.state = MemberState::up;
  news.events.push_back({MemberChange::came, entry.member});
}

void Membership::on_send_failed(Instant now, const tribes::Identity& member, News& news) {
  const auto it = entries_.find(member);
  if (it == entries_.end() || it->second.state == MemberState::unreached) return;
  probe(now, it->second, news);
}

void Membership::check(Instant now, News& news) {
  for (auto it = entries_.begin(); it != entries_.end();) {
    Entry& entry = it->second;
    const bool silent = !entry.from_list && now - entry.heard > settings_.drop_time;
    if (silent && entry.state == MemberState::unreached) {
      it = remove(it, MemberChange::lost, news);
      continue;
    }
    if (silent && entry.state == MemberState::up) {
      entry.state = MemberState::suspect;
      news.events.push_back({MemberChange::silent, entry.member});
      probe(now, entry, news);
    }
    const bool repeated = entry.from_list || entry.state != MemberState::up;
    if (repeated && now >= entry.next_probe) probe(now, entry, news);
    ++it;
  }
}

std::vector<const Membership::Entry*> Membership::all() const {
  std::vector<const Entry*> all;
  for (const auto& [identity, entry] : entries_) all.push_back(&entry);
  return all;
}

std::vector<const Membership::Entry*> Membership::up() const {
  std::vector<const Entry*> all;
  for (const auto& [identity, entry] : entries_) {
    if (entry.state != MemberState::unreached) all.push_back(&entry);
  }
  std::ranges::stable_sort(all, std::ranges::greater{},
                           [](const Entry* e) { return e->member.alive_milliseconds; });
  return all;
}

const Membership::Entry* Membership::find(const tribes::Identity& member) const {
  const auto it = entries_.find(member);
  return it == entries_.end() ? nullptr : &it->second;
}

}  // namespace tribecast::channel
