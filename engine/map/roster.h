// The members that maps speak of, each kept once, under a small number.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "engine/map/message.h"

namespace tribecast::map {

using MemberId = std::uint16_t;
inline constexpr MemberId kNobody = 0xffff;

class Roster {
 public:
  static constexpr std::size_t kMaxMembers = 4096;

  // kNobody when there are too many.
  MemberId add(const Member& member);
  // kNobody for one that is not known.
  [[nodiscard]] MemberId find(const tribes::Identity& identity) const;
  // Borrowed until a member is added.
  [[nodiscard]] const Member& member(MemberId id) const { return *slots_[id].member; }
  [[nodiscard]] std::size_t size() const { return ids_.size(); }
  // Forgets all whose number is not marked.
  void keep(const std::vector<bool>& used);

  void learn(MemberId id, const Versions& versions);
  // Its own, as far as they have been seen, for the rest those that were seen last.
  [[nodiscard]] Versions versions(MemberId id) const;

 private:
  struct Slot {
    std::optional<Member> member;
    Versions versions;
  };
  static void take(Versions& kept, const Versions& seen);

  std::vector<Slot> slots_;
  std::map<tribes::Identity, MemberId> ids_;
  Versions latest_;
};

}  // namespace tribecast::map
