#include "engine/map/roster.h"

#include <algorithm>

namespace tribecast::map {

MemberId Roster::add(const Member& member) {
  if (const MemberId known = find(member.identity); known != kNobody) return known;
  if (is_full()) return kNobody;
  auto slot = std::ranges::find_if(slots_, [](const Slot& s) { return !s.member; });
  if (slot == slots_.end()) slot = slots_.insert(slot, Slot{});
  *slot = {member, {}};
  const auto id = static_cast<MemberId>(slot - slots_.begin());
  ids_.emplace(member.identity, id);
  return id;
}

MemberId Roster::find(const tribes::Identity& identity) const {
  const auto at = ids_.find(identity);
  return at == ids_.end() ? kNobody : at->second;
}

void Roster::keep(const std::vector<bool>& used) {
  for (std::size_t id = 0; id < slots_.size(); ++id) {
    if (!slots_[id].member || (id < used.size() && used[id])) continue;
    ids_.erase(slots_[id].member->identity);
    slots_[id] = {};
  }
}

void Roster::take(Shapes& kept, const Shapes& seen) {
  if (!seen.message.empty()) kept.message = seen.message;
  if (!seen.member.empty()) kept.member = seen.member;
}

void Roster::learn(MemberId id, const Shapes& shapes) {
  take(slots_[id].shapes, shapes);
  take(latest_, shapes);
}

Shapes Roster::shapes(MemberId id) const {
  Shapes shapes = latest_;
  take(shapes, slots_[id].shapes);
  return shapes;
}

}  // namespace tribecast::map
