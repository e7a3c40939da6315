// Sessions that change their id: at a login, and when another node takes over. Ids come back: with
// the route of a node that does. So a change of id counts at its time: what was said of the former
// id before belongs to the session under the new one, what is said of it later does not.
//
// Messages come in any order. A session waits under the last id that is known of it; each change
// that comes moves what lies under the former id on, as far as later changes lead.
#include <algorithm>
#include <utility>

#include "engine/session/store.h"

namespace tribecast::session {
namespace {

constexpr std::size_t kMaxHops = 64;     // changes followed at once
constexpr std::size_t kMaxChanges = 32;  // remembered of one id

}  // namespace

// The id now of the session that had `id` at `time_ms`.
std::string Store::current_id(const Context& context, const std::string& id, std::int64_t time_ms,
                              std::string before) const {
  std::string current = id;
  for (std::size_t hop = 0; hop < kMaxHops; ++hop) {
    const auto changes = context.renamed.find(current);
    if (changes == context.renamed.end()) break;
    const auto next = std::ranges::lower_bound(changes->second, time_ms, {},
                                               [](const Renamed& r) { return r.time_ms; });
    if (next == changes->second.end()) break;
    // One request may change the id twice in a millisecond, but not there and back.
    if (next->time_ms == time_ms && next->id == before) break;
    time_ms = next->time_ms;
    before = std::exchange(current, next->id);
  }
  return current;
}

// The same for what is said of a session that lives. A sender whose clock is a little ahead may say
// it of the former id: no session is begun under that one.
std::string Store::living_id(const Context& context, const std::string& id,
                             std::int64_t time_ms) const {
  const auto changes = context.renamed.find(id);
  if (changes == context.renamed.end() || changes->second.empty() ||
      context.sessions.contains(id)) {
    return current_id(context, id, time_ms);
  }
  const std::int64_t last = changes->second.back().time_ms;
  const bool is_near = time_ms <= last + settings_.clock_skew.count();
  return current_id(context, id, is_near ? std::min(time_ms, last) : time_ms);
}

// False when it is known, or too many of this id are.
bool Store::note_rename(Context& context, const std::string& from, Renamed change, Instant until) {
  std::vector<Renamed>& changes = context.renamed[from];
  const auto at = std::ranges::lower_bound(changes, change.time_ms, {},
                                           [](const Renamed& r) { return r.time_ms; });
  const bool is_known = at != changes.end() && at->time_ms == change.time_ms;
  if (is_known || changes.size() >= kMaxChanges) return false;
  mark(context, from);
  changes.insert(at, std::move(change));
  context.renames.push_back({from, until});
  memory_bytes_ += kFormerIdBytes;
  return true;
}

void Store::rename(Context& context, const std::string& from, const std::string& to,
                   std::int64_t time_ms, Clock clock) {
  if (from == to) return;
  note_rename(context, from, {to, time_ms}, clock.now + settings_.tombstone_age);
  const std::string target = current_id(context, to, time_ms, from);
  if (target != from && context.sessions.contains(from)) {
    move_session(context, from, target, time_ms, clock);
  }
}

void Store::move_session(Context& context, const std::string& from, const std::string& to,
                         std::int64_t time_ms, Clock clock) {
  const Found old = context.sessions.find(from);
  Session session;
  change(context, old, [&](Session& s) { session = std::exchange(s, {}); });
  erase(context, old);
  std::int64_t ended_ms = -1;
  if (is_buried(context, to, time_ms, ended_ms)) return;
  change(context, find_or_add(context, to), [&](Session& s) { s.absorb(std::move(session)); });
  hold(context, to, true, clock);
}

void Store::forget_former_ids(Context& context, Instant now) {
  while (!context.renames.empty() && (context.renames.front().until <= now ||
                                      context.renames.size() > settings_.max_tombstones)) {
    const std::string& id = context.renames.front().id;
    mark(context, id);
    memory_bytes_ -= kFormerIdBytes;
    const auto at = context.renamed.find(id);
    if (at != context.renamed.end()) {
      std::vector<Renamed>& changes = at->second;
      if (changes.size() > 1) {
        changes.erase(changes.begin());
      } else {
        context.renamed.erase(at);
      }
    }
    context.renames.pop_front();
  }
}

}  // namespace tribecast::session
