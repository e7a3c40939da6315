// What members lack, and the work of time.
#include <algorithm>

#include "engine/map/replica.h"

namespace tribecast::map {
namespace {

constexpr std::size_t kTasksAtOnce = 256;
constexpr std::size_t kWalkParts = 30;  // calls of on_timer for one walk over a map
constexpr std::size_t kLeastBuckets = 64;

}  // namespace

void Replica::ask_state(const Map& map, MemberId member, Clock clock, Actions& out) {
  call(map, member, {.type = static_cast<std::int32_t>(Type::state), .map = map.name}, {}, clock,
       out);
}

void Replica::check_all() {
  for (auto& [name, map] : maps_) map.check_at = Instant{};
}

// What a member knows. Of its own entries it is right; of others it may tell something new. Then it
// is told what it lacks.
void Replica::on_state(Map& map, MemberId member, const std::vector<Message>& entries,
                       Instant asked, Clock clock, Actions& out) {
  if (!map.members.contains(member)) return;  // it went while it answered
  std::set<std::string_view> has;
  for (const Message& message : entries) {
    if (!message.key || message.key->empty()) continue;
    has.insert(view_of(*message.key));
    const std::string key = text_of(*message.key);
    forget_members();
    const MemberId primary = message.primary ? roster_.add(*message.primary) : kNobody;
    // A primary that has it again is right: its notice did not come here.
    if (map.tombstones.contains(key) && !map.entries.contains(key) && primary != member) {
      if (settings_.heal) tasks_.push_back({Task::Kind::remove, map.name, key, member, asked});
      continue;
    }
    if (!has_room(message)) {
      ++counters_.refused;
      continue;
    }
    const bool is_new = !map.entries.contains(key);
    const Found at = find_or_add(map, key);
    const auto is_it = [&](const Member& node) { return roster_.find(node.identity) == member; };
    const bool has_value =
        at->second.doubted && message.nodes && std::ranges::any_of(*message.nodes, is_it);
    if (!is_new && primary != member && !has_value) continue;
    change(at, [&](Entry& entry) {
      if (is_new) entry.heard = clock.now;
      if (is_new || entry.moved <= asked) {
        place(entry, primary, message.nodes.value_or(std::vector<Member>{}), clock.now);
      }
    });
    ensure_backup(map, at, clock, out);
  }
  if (!settings_.heal) return;
  for (const auto& [key, entry] : map.entries) {
    if (has.contains(key) || !entry.value.known()) continue;
    if (entry.moved + settings_.settled > asked) continue;
    tasks_.push_back({Task::Kind::heal, map.name, key, member, asked});
  }
}

void Replica::do_task(const Task& task, Actions& out) {
  const auto found = maps_.find(task.map);
  if (found == maps_.end()) return;
  Map& map = found->second;
  const Found at = map.entries.find(task.key);
  if (task.kind == Task::Kind::remove) {
    if (at != map.entries.end() || !map.tombstones.contains(task.key)) return;
    if (!map.members.contains(task.to)) return;
    ++counters_.removed_again;
    Message message{.type = static_cast<std::int32_t>(Type::remove), .map = map.name};
    message.key = copy_of(bytes_of(task.key));
    return send(map, task.to, message, out);
  }
  if (at == map.entries.end() || !at->second.value.known()) return;
  if (task.kind == Task::Kind::announce) {
    if (!map.members.contains(at->second.primary)) announce(map, at, out);
    return;
  }
  // A primary that is told of its own entry becomes a proxy: not what has moved meanwhile.
  if (!map.members.contains(task.to) || at->second.moved + settings_.settled > task.asked) return;
  // A primary that lacks its own entry has started anew. The entry is without one.
  if (at->second.primary == task.to) at->second.primary = self_;
  ++counters_.healed;
  const bool copied = at->second.copied;
  Message message = entry_message(map, copied ? Type::copy : Type::proxy, at->first, at->second);
  if (copied) message.value = at->second.value.bytes();
  send(map, task.to, message, out);
}

void Replica::work(Actions& out) {
  for (std::size_t i = 0; i < kTasksAtOnce && !tasks_.empty(); ++i) {
    const Task task = std::move(tasks_.front());
    tasks_.pop_front();
    do_task(task, out);
  }
}

void Replica::on_timer(Clock clock, Actions& out) {
  work(out);
  on_newborn(clock, out);
  for (auto& [name, map] : maps_) {
    if (map.check_at <= clock.now) {
      map.check_at = kNever;
      for (const MemberId member : map.members) ask_state(map, member, clock, out);
    }
    start_fetches(map, clock, out);
    expire(map, clock, out);
    forget_tombstones(map, clock.now);
  }
  update_pressure();
}

// A backup's session ends after twice its time-out without a sign of use: its primary ends it after
// one. Of an entry without a Tomcat as primary, the others are told.
void Replica::expire(Map& map, Clock clock, Actions& out) {
  const std::size_t buckets = map.entries.bucket_count();
  std::size_t left = std::min(buckets, std::max(kLeastBuckets, buckets / kWalkParts + 1));
  std::vector<std::string> over;
  for (; left > 0; --left) {
    map.next_bucket = (map.next_bucket + 1) % buckets;
    for (auto at = map.entries.begin(map.next_bucket); at != map.entries.end(map.next_bucket);
         ++at) {
      const std::int32_t idle_s = at->second.value.max_inactive_s();
      if (idle_s > 0 && at->second.heard + 2 * seconds(idle_s) <= clock.now) {
        over.push_back(at->first);
      }
    }
  }
  for (const std::string& key : over) {
    const Found at = map.entries.find(key);
    const MemberId primary = at->second.primary;
    erase(map, at);
    ++counters_.timed_out;
    if (map.members.contains(primary)) continue;
    bury(map, key, clock.now);
    Message message{.type = static_cast<std::int32_t>(Type::remove), .map = map.name};
    message.key = copy_of(bytes_of(key));
    for (const MemberId member : map.members) send(map, member, message, out);
  }
}

void Replica::bury(Map& map, const std::string& key, Instant now) {
  const Instant until = now + settings_.tombstone_age;
  const auto [at, is_new] = map.tombstones.try_emplace(key, until);
  at->second = until;
  map.buried.push_back({key, until});
  mark(map, key);
  if (is_new) memory_bytes_ += kTombstoneBytes;
}

// A value came from its primary: there is such an entry again.
void Replica::exhume(Map& map, const std::string& key) {
  if (map.tombstones.erase(key) == 0) return;
  memory_bytes_ -= kTombstoneBytes;
  mark(map, key);
}

void Replica::forget_tombstones(Map& map, Instant now) {
  while (!map.buried.empty() &&
         (map.buried.front().until <= now || map.buried.size() > settings_.max_tombstones)) {
    const auto at = map.tombstones.find(map.buried.front().key);
    if (at != map.tombstones.end() && at->second <= map.buried.front().until) {
      map.tombstones.erase(at);
      memory_bytes_ -= kTombstoneBytes;
      mark(map, map.buried.front().key);
    }
    map.buried.pop_front();
  }
}

}  // namespace tribecast::map
