// The store's clock work, and what it is asked.
#include <algorithm>

#include "engine/session/store.h"

namespace tribecast::session {
namespace {

constexpr std::size_t kWalkParts = 30;  // calls of on_timer for one walk over all sessions
constexpr std::size_t kLeastBuckets = 64;

}  // namespace

std::vector<std::string> Store::on_timer(Clock clock) {
  std::vector<std::string> fetch;
  for (auto& [name, context] : contexts_) {
    walk(context, clock);
    forget_tombstones(context, clock.now);
    forget_former_ids(context, clock.now);
    if (is_fetch_due(context, clock.now)) fetch.push_back(name);
  }
  update_pressure();
  return fetch;
}

// The next buckets of the table.
void Store::walk(Context& context, Clock clock) {
  const std::size_t buckets = context.sessions.bucket_count();
  std::size_t left = std::min(buckets, std::max(kLeastBuckets, buckets / kWalkParts + 1));
  std::vector<std::string> over;
  for (; left > 0; --left) {
    context.next_bucket = (context.next_bucket + 1) % buckets;
    for (auto at = context.sessions.begin(context.next_bucket);
         at != context.sessions.end(context.next_bucket); ++at) {
      memory_bytes_ -= at->second.memory_bytes();
      at->second.forget_removed(at->second.newest_ms() - settings_.removed_age.count());
      memory_bytes_ += at->second.memory_bytes();
      if (at->second.expires_at() <= clock.now) over.push_back(at->first.str());
    }
  }
  for (const std::string& id : over) {
    const Found at = context.sessions.find(id);
    const std::int64_t latest = at->second.newest_ms();
    erase(context, at);
    bury(context, id, latest, clock.now);
    ++counters_.timed_out;
  }
}

void Store::forget_tombstones(Context& context, Instant now) {
  while (!context.buried.empty() && (context.buried.front().until <= now ||
                                     context.buried.size() > settings_.max_tombstones)) {
    const auto at = context.tombstones.find(context.buried.front().id);
    if (at != context.tombstones.end()) {
      mark(context, at->first);
      context.tombstones.erase(at);
      memory_bytes_ -= kTombstoneBytes;
    }
    context.buried.pop_front();
  }
}

bool Store::is_fetch_due(Context& context, Instant now) {
  const auto is_settled = [&](const Held& held) {
    const auto at = context.sessions.find(held.id);
    return at == context.sessions.end() || at->second.complete();
  };
  while (!context.held.empty() && is_settled(context.held.front())) context.held.pop_front();
  if (context.held.empty()) context.fetch_wanted = false;
  if (context.held.empty() || context.fetch_wanted) return false;
  context.fetch_wanted = context.held.front().since + settings_.held_age <= now;
  return context.fetch_wanted;
}

const Session* Store::find(std::string_view context, std::string_view id, Instant now) const {
  const Context* found = find_context(context);
  if (found == nullptr) return nullptr;
  const auto at = found->sessions.find(id);
  if (at == found->sessions.end()) return nullptr;
  const bool is_there = at->second.complete() && at->second.expires_at() > now;
  return is_there ? &at->second : nullptr;
}

std::vector<std::string> Store::ids(std::string_view context, Instant now) const {
  std::vector<std::string> ids;
  const Context* found = find_context(context);
  if (found == nullptr) return ids;
  for (const auto& [id, session] : found->sessions) {
    if (session.complete() && session.expires_at() > now) ids.push_back(id.str());
  }
  return ids;
}

std::optional<std::int64_t> Store::ended_ms(std::string_view context, std::string_view id) const {
  const Context* found = find_context(context);
  if (found == nullptr) return std::nullopt;
  const auto tombstone = found->tombstones.find(id);
  if (tombstone == found->tombstones.end()) return std::nullopt;
  return tombstone->second;
}

std::string Store::id_now(std::string_view context, const std::string& id) const {
  const Context* found = find_context(context);
  if (found == nullptr || found->sessions.contains(id)) return id;
  const auto changes = found->renamed.find(id);
  if (changes == found->renamed.end() || changes->second.empty()) return id;
  return current_id(*found, id, changes->second.back().time_ms);
}

std::size_t Store::session_count(std::string_view context) const {
  const Context* found = find_context(context);
  return found == nullptr ? 0 : found->sessions.size();
}

std::vector<std::string> Store::contexts() const {
  std::vector<std::string> names;
  for (const auto& [name, context] : contexts_) names.push_back(name);
  return names;
}

}  // namespace tribecast::session
