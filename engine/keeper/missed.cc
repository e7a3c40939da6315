#include "engine/keeper/missed.h"

#include <algorithm>
#include <span>
#include <utility>

namespace tribecast::keeper {
namespace {

// Of what is lacking until the member is back: that moment is not known yet.
constexpr std::int64_t kOpen = session::kLastTime;

}  // namespace

// Two halves, of which the older one goes whole: each lookback costs as much as it had changes.
void Missed::rotate(Instant now) {
  if (now < recent_until_) return;
  const bool is_long_ago = now >= recent_until_ + lookback_;
  former_ = std::exchange(recent_, std::make_unique<Changes>());
  if (is_long_ago) former_ = std::make_unique<Changes>();
  recent_until_ = now + lookback_;
}

void Missed::note(Changes& changes, const std::string& context, const std::string& id,
                  const tribes::Identity& from, Instant now) {
  const Change change{&*changes.members.insert(from).first, now};
  auto& ids = changes.contexts.try_emplace(context, &changes.memory).first->second;
  if (const auto known = ids.find(id); known != ids.end()) {
    known->second = change;
    return;
  }
  const std::span<char> kept(static_cast<char*>(changes.memory.allocate(id.size(), 1)), id.size());
  std::ranges::copy(id, kept.begin());
  ids.emplace(std::string_view(kept.data(), kept.size()), change);
  ++changes.count;
}

void Missed::on_change(const std::string& context, const std::string& id,
                       const tribes::Identity& from, Instant now) {
  rotate(now);
  if (std::max(recent_->count, recent_->members.size()) < limits_.recent) {
    note(*recent_, context, id, from, now);
  } else {
    complete_since_ = now;
  }
  for (auto& [identity, member] : members_) {
    if (member.is_away && identity != from) insert(member, context, id, kOpen);
  }
}

void Missed::clear(Member& member) {
  count_ -= std::exchange(member.count, 0);
  member.contexts.clear();
}

void Missed::forget(const tribes::Identity& identity) {
  const auto at = members_.find(identity);
  if (at == members_.end()) return;
  clear(at->second);
  members_.erase(at);
}

void Missed::insert(Member& member, const std::string& context, const std::string& id,
                    std::int64_t until_ms) {
  if (member.count >= limits_.ids || count_ >= limits_.all_ids) {
    clear(member);
    member.is_complete = false;
  }
  if (!member.is_complete) return;
  const auto [at, is_new] = member.contexts[context].try_emplace(id, until_ms);
  member.count += is_new ? 1U : 0U;
  count_ += is_new ? 1U : 0U;
  at->second = std::max(at->second, until_ms);
}

void Missed::on_away(const tribes::Identity& identity, Instant now) {
  Member& member = members_[identity];
  if (std::exchange(member.is_away, true)) return;
  rotate(now);
  const Instant since = now - lookback_;
  if (complete_since_ > since) member.is_complete = false;
  for (const Changes* changes : {former_.get(), recent_.get()}) {
    for (const auto& [context, ids] : changes->contexts) {
      for (const auto& [id, change] : ids) {
        if (change.at < since || *change.from == identity) continue;
        insert(member, context, std::string(id), kOpen);
      }
    }
  }
}

bool Missed::on_back(const tribes::Identity& identity, session::Clock clock) {
  const auto at = members_.find(identity);
  if (at == members_.end() || !std::exchange(at->second.is_away, false)) return false;
  for (auto& [context, ids] : at->second.contexts) {
    for (auto& [id, until_ms] : ids) {
      if (until_ms == kOpen) until_ms = clock.wall_ms;
    }
  }
  return true;
}

void Missed::on_new_id(const std::string& context, const std::string& id,
                       const std::string& new_id) {
  for (auto& [identity, member] : members_) {
    const Ids& ids = ids_of(identity, context);
    const auto missed = ids.find(id);
    if (missed != ids.end()) insert(member, context, new_id, missed->second);
  }
}

void Missed::add(const tribes::Identity& identity, const std::string& context,
                 const std::string& id, session::Clock clock) {
  insert(members_[identity], context, id, clock.wall_ms);
}

void Missed::remove(const tribes::Identity& identity, const std::string& context,
                    const std::string& id) {
  const auto at = members_.find(identity);
  if (at == members_.end()) return;
  const auto ids = at->second.contexts.find(context);
  if (ids == at->second.contexts.end()) return;
  const std::size_t erased = ids->second.erase(id);
  at->second.count -= erased;
  count_ -= erased;
  if (ids->second.empty()) at->second.contexts.erase(ids);
}

void Missed::remove(const tribes::Identity& identity, const std::string& context) {
  const auto at = members_.find(identity);
  if (at == members_.end()) return;
  const auto ids = at->second.contexts.find(context);
  if (ids == at->second.contexts.end()) return;
  at->second.count -= ids->second.size();
  count_ -= ids->second.size();
  at->second.contexts.erase(ids);
}

const Missed::Ids& Missed::ids_of(const tribes::Identity& identity,
                                  const std::string& context) const {
  static const Ids kNone;
  const auto at = members_.find(identity);
  if (at == members_.end()) return kNone;
  const auto ids = at->second.contexts.find(context);
  return ids == at->second.contexts.end() ? kNone : ids->second;
}

std::size_t Missed::count(const tribes::Identity& identity) const {
  const auto at = members_.find(identity);
  return at == members_.end() ? 0 : at->second.count;
}

bool Missed::is_complete(const tribes::Identity& identity) const {
  const auto at = members_.find(identity);
  return at == members_.end() || at->second.is_complete;
}

void Missed::set_complete(const tribes::Identity& identity) {
  const auto at = members_.find(identity);
  if (at != members_.end()) at->second.is_complete = true;
}

const Missed::Change* Missed::last_change(const std::string& context, const std::string& id) const {
  for (const Changes* changes : {recent_.get(), former_.get()}) {
    const auto ids = changes->contexts.find(context);
    if (ids == changes->contexts.end()) continue;
    if (const auto at = ids->second.find(id); at != ids->second.end()) return &at->second;
  }
  return nullptr;
}

bool Missed::was_changed_by(const tribes::Identity& member, const std::string& context,
                            const std::string& id, Instant since) const {
  const Change* last = last_change(context, id);
  return last != nullptr && *last->from == member && last->at >= since;
}

}  // namespace tribecast::keeper
