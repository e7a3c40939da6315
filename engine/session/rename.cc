// Sessions that change their id: at a login, and when another node takes over.
#include <algorithm>

#include "engine/session/store.h"

namespace tribecast::session {
namespace {

constexpr std::size_t kMaxRenames = 16;  // followed from one former id
constexpr std::size_t kFormerIdBytes = 256;

}  // namespace

// The id under which a session now is that had this one. A live session goes before a former id,
// since ids come back: with the sticky route of a node that came back.
std::string Store::current_id(const Context& context, const std::string& id) const {
  std::string current = id;
  for (std::size_t i = 0; i < kMaxRenames && !context.sessions.contains(current); ++i) {
    const auto next = context.renamed.find(current);
    if (next == context.renamed.end()) break;
    current = next->second.id;
  }
  return current;
}

// Where a change of id leads in the end: a later one may have come before, and may lead back.
std::string Store::target_of(Context& context, const std::string& from, const std::string& to,
                             std::int64_t time_ms) {
  std::string target = to;
  for (std::size_t i = 0; i < kMaxRenames && target != from; ++i) {
    const auto next = context.renamed.find(target);
    if (next == context.renamed.end()) break;
    if (next->second.time_ms < time_ms) {
      context.renamed.erase(next);  // the session has come back to this id
      memory_bytes_ -= kFormerIdBytes;
      break;
    }
    target = next->second.id;
  }
  return target;
}

void Store::rename(Context& context, const std::string& from, const std::string& to,
                   std::int64_t time_ms, Clock clock) {
  const std::string target = target_of(context, from, to, time_ms);
  if (target == from) return;
  const auto [note, is_new] = context.renamed.try_emplace(from);
  if (is_new) memory_bytes_ += kFormerIdBytes;
  if (is_new || note->second.time_ms <= time_ms) note->second = {to, time_ms};
  context.renames.push_back({from, clock.now + settings_.tombstone_age});
  if (context.sessions.contains(from)) move_session(context, from, target, clock);
}

void Store::move_session(Context& context, const std::string& from, const std::string& to,
                         Clock clock) {
  const Found old = context.sessions.find(from);
  Session session = std::move(old->second);
  old->second = {};
  memory_bytes_ -= session.memory_bytes() - old->second.memory_bytes();
  erase(context, old);
  if (context.tombstones.contains(to)) {
    ++counters_.after_end;
    return;
  }
  change(find_or_add(context, to), [&](Session& s) { s.absorb(std::move(session)); });
  hold(context, to, true, clock);
}

void Store::forget_former_ids(Context& context, Instant now) {
  while (!context.renames.empty() && (context.renames.front().until <= now ||
                                      context.renames.size() > settings_.max_tombstones)) {
    memory_bytes_ -= context.renamed.erase(context.renames.front().id) * kFormerIdBytes;
    context.renames.pop_front();
  }
}

}  // namespace tribecast::session
