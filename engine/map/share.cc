// Being a backup of everything, and what follows when members come and go.
#include <algorithm>

#include "engine/map/replica.h"

namespace tribecast::map {
namespace {

constexpr std::size_t kSpareWanted = 1024;  // keys that may stand there without need

}  // namespace

// The entry's primary and nodes are these now, as far as they are known here.
void Replica::place(Entry& entry, MemberId primary, const std::vector<Member>& nodes, Instant now) {
  std::vector<MemberId> ids;
  for (const Member& node : nodes) {
    const MemberId id = roster_.add(node);
    if (id != kNobody && std::ranges::find(ids, id) == ids.end()) ids.push_back(id);
  }
  if (entry.primary == primary && entry.nodes == ids) return;
  entry.primary = primary;
  entry.nodes = std::move(ids);
  entry.nodes.shrink_to_fit();
  entry.moved = now;
}

// Nothing is to be done for an entry that names this engine as a backup and whose value is here.
void Replica::ensure_backup(Map& map, Found at, Clock clock, Actions& out) {
  const Entry& entry = at->second;
  const bool is_here = (entry.value.known() && !entry.doubted) || entry.fetch == Fetch::open;
  if ((has_self(entry) && is_here) || entry.newborn) return;
  at->second.tries = 0;
  want(map, at);
  start_fetches(map, clock, out);
}

void Replica::postpone(Map& map, Found at, Instant now) {
  at->second.newborn = true;
  map.newborn.push_back({at->first, now + settings_.newborn});
}

void Replica::on_newborn(Clock clock, Actions& out) {
  for (auto& [name, map] : maps_) {
    while (!map.newborn.empty() && map.newborn.front().due <= clock.now) {
      const Found at = map.entries.find(map.newborn.front().key);
      map.newborn.pop_front();
      if (at == map.entries.end() || !at->second.newborn) continue;
      at->second.newborn = false;
      ensure_backup(map, at, clock, out);
    }
  }
}

Instant Replica::next_newborn() const {
  Instant next = kNever;
  for (const auto& [name, map] : maps_) {
    if (!map.newborn.empty()) next = std::min(next, map.newborn.front().due);
  }
  return next;
}

void Replica::want(Map& map, Found at) {
  Entry& entry = at->second;
  if (entry.fetch == Fetch::wanted) return;
  // The answer that is on its way may be older than the move.
  if (entry.fetch == Fetch::open) --map.open_fetches;
  entry.fetch = Fetch::wanted;
  if (map.wanted.size() > 2 * map.entries.size() + kSpareWanted) {
    map.wanted.clear();
    for (const auto& [key, e] : map.entries) {
      if (e.fetch == Fetch::wanted) map.wanted.push_back(key);
    }
  } else {
    map.wanted.push_back(at->first);
  }
}

void Replica::start_fetches(Map& map, Clock clock, Actions& out) {
  if (clock.now < map.fetch_at) return;
  while (!map.wanted.empty() && map.open_fetches < settings_.max_open_fetches) {
    const Found at = map.entries.find(map.wanted.front());
    map.wanted.pop_front();
    if (at == map.entries.end() || at->second.fetch != Fetch::wanted) continue;
    if (start_fetch(map, at, clock, out)) continue;
    at->second.fetch = Fetch::none;
    if (at->second.value.known()) continue;
    ++counters_.lost;
    erase(map, at);
  }
}

// Notice first, question second: every change that the answer does not have comes here by itself.
bool Replica::start_fetch(Map& map, Found at, Clock clock, Actions& out) {
  const MemberId from = holder_of(map, at->second);
  if (from == kNobody) return false;
  if (!has_self(at->second)) enlist(map, at, out);
  Message question{.type = static_cast<std::int32_t>(Type::retrieve_backup), .map = map.name};
  question.key = copy_of(bytes_of(at->first));
  change(at, [](Entry& entry) { entry.value.start_fill(); });
  call(map, from, question, at->first, clock, out);
  at->second.fetch = Fetch::open;
  at->second.call = last_call_;
  ++map.open_fetches;
  return true;
}

// Who else can be asked for the value: the primary, or a backup.
MemberId Replica::holder_of(const Map& map, const Entry& entry) const {
  if (map.members.contains(entry.primary)) return entry.primary;
  for (const MemberId node : entry.nodes) {
    if (node != self_ && map.members.contains(node)) return node;
  }
  // One of which nothing has been heard in this map yet, such as another engine.
  const auto other = std::ranges::find_if(entry.nodes, [&](MemberId id) { return id != self_; });
  return other == entry.nodes.end() ? kNobody : *other;
}

void Replica::enlist(Map& map, Found at, Actions& out) {
  ++counters_.enlisted;
  change(at, [&](Entry& entry) { entry.nodes.push_back(self_); });
  const Entry& entry = at->second;
  const Message notice = entry_message(map, Type::notify_member, at->first, entry);
  if (map.members.contains(entry.primary)) send(map, entry.primary, notice, out);
  for (const MemberId member : map.members) {
    if (member != entry.primary) send(map, member, notice, out);
  }
}

// `answer` is nullptr when there was none.
void Replica::on_fetched(Map& map, const Call& call, std::uint64_t number, const Message* answer,
                         Clock clock) {
  const Found at = map.entries.find(call.key);
  if (at == map.entries.end()) return;
  if (at->second.fetch != Fetch::open || at->second.call != number) return;
  at->second.fetch = Fetch::none;
  --map.open_fetches;
  if (answer == nullptr) return retry_fetch(map, at, clock);
  if (answer->value && !has_room(*answer)) {
    ++counters_.refused;
    return retry_fetch(map, at, clock);
  }
  if (!answer->value) {
    // It is not there yet, or gone there. What is here stays, unless it is nothing.
    if (at->second.value.known()) return;
    if (at->second.moved + settings_.settled <= clock.now) {
      erase(map, at);
      return;
    }
    change(at, [&](Entry& entry) { std::erase(entry.nodes, self_); });
    return postpone(map, at, clock.now);
  }
  bool filled = false;
  change(at, [&](Entry& entry) {
    filled = entry.value.fill(*answer->value);
    entry.heard = clock.now;
  });
  if (!filled) return retry_fetch(map, at, clock);
  at->second.doubted = false;
  mark(map, at->first);
  ++counters_.fetched;
  exhume(map, at->first);
}

void Replica::retry_fetch(Map& map, Found at, Clock clock) {
  ++counters_.fetch_failed;
  Entry& entry = at->second;
  const bool goes_on = map.members.contains(holder_of(map, entry));
  if (!goes_on && ++entry.tries >= settings_.fetch_tries) return;
  map.fetch_at = clock.now + settings_.retry;
  want(map, at);
}

void Replica::join(Map& map, MemberId member, Clock clock, Actions& out) {
  if (member == self_ || !map.members.insert(member).second) return;
  map.check_at = std::min(map.check_at, clock.now + settings_.check_delay);
  ask_state(map, member, clock, out);
}

// A member that starts knows nothing of what it had, if it was here before.
void Replica::start(Map& map, MemberId member, Clock clock, Actions& out) {
  if (map.members.contains(member)) leave(map, member, clock);
  join(map, member, clock, out);
}

void Replica::on_came(const Member& member, Clock clock, Actions& out) {
  forget_members();
  const MemberId id = roster_.add(member);
  if (id == kNobody) return;
  for (auto& [name, map] : maps_) join(map, id, clock, out);
}

void Replica::on_gone(const tribes::Identity& member, Clock clock, Actions& out) {
  const MemberId id = roster_.find(member);
  if (id == kNobody || id == self_) return;
  for (auto& [name, map] : maps_) {
    leave(map, id, clock);
    start_fetches(map, clock, out);
  }
}

// It has no part in any entry any more.
void Replica::leave(Map& map, MemberId member, Clock clock) {
  map.members.erase(member);
  for (Found at = map.entries.begin(); at != map.entries.end();) {
    at = survive(map, at, member, clock) ? std::next(at) : erase(map, at);
  }
}

// False for an entry that nobody has any more.
bool Replica::survive(Map& map, Found at, MemberId gone, Clock clock) {
  Entry& entry = at->second;
  const bool was_node = std::ranges::find(entry.nodes, gone) != entry.nodes.end();
  if (entry.primary != gone && !was_node) return true;
  change(at, [&](Entry& e) { std::erase(e.nodes, gone); });
  if (entry.primary == gone) entry.primary = kNobody;
  entry.moved = clock.now;
  if (entry.fetch == Fetch::open) want(map, at);  // perhaps it was asked
  if (map.members.contains(entry.primary)) return true;
  const bool others = holder_of(map, entry) != kNobody;
  if (!entry.value.known()) {
    if (!others) ++counters_.lost;
    return others;
  }
  // A node in the list that is gone makes every fetch of the value fail, so members are told of the
  // list without it. Another backup that lives keeps the entry without being told.
  if (was_node || !others) {
    tasks_.push_back({Task::Kind::announce, map.name, at->first, kNobody, clock.now});
  }
  return true;
}

// The entry has no primary: from now on it is this engine.
void Replica::announce(Map& map, Found at, Actions& out) {
  ++counters_.announced;
  change(at, [&](Entry& entry) {
    entry.primary = self_;
    if (!has_self(entry)) entry.nodes.push_back(self_);
  });
  const Entry& entry = at->second;
  for (const MemberId member : map.members) {
    const bool has_backup = std::ranges::find(entry.nodes, member) != entry.nodes.end();
    const Type type = has_backup || entry.copied ? Type::notify_member : Type::proxy;
    send(map, member, entry_message(map, type, at->first, entry), out);
  }
}

}  // namespace tribecast::map
