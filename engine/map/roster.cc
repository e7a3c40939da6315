#include "engine/map/roster.h"

#include <algorithm>

namespace tribecast::map {

MemberId Roster::add(const Member& member) {
  if (const MemberId known = find(member.identity); known != kNobody) return known;
  if (size() >= kMaxMembers) return kNobody;
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

void Roster::take(Versions& kept, const Versions& seen) {
  if (seen.message != 0) kept.message = seen.message;
  if (seen.member != 0) kept.member = seen.member;
}

void Roster::learn(MemberId id, const Versions& versions) {
  take(slots_[id].versions, versions);
  take(latest_, versions);
}

Versions Roster::versions(MemberId id) const {
  Versions versions = latest_;
  take(versions, slots_[id].versions);
  return versions;
}

}  // namespace tribecast::map
