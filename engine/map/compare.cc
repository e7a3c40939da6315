// Who has what: beside healing, which tells members what they lack, and changes nothing.
#include <unordered_set>

#include "engine/java/head.h"
#include "engine/map/replica.h"

namespace tribecast::map {

std::string key_text(std::string_view key) {
  constexpr std::string_view kText("\xac\xed\x00\x05t", 5);  // a stream with one TC_STRING
  constexpr std::size_t kHeadBytes = kText.size() + 2;
  if (key.starts_with(kText) && key.size() > kHeadBytes) return std::string(key.substr(kHeadBytes));
  return java::class_at_head(bytes_of(key));
}

void Replica::compare(std::string_view map, const Member& with, Clock clock, Actions& out) {
  forget_members();
  const auto found = maps_.find(map);
  const MemberId id = roster_.add(with);
  if (found == maps_.end() || id == kNobody) return end_compare({.kind = Compared::Kind::no_map});
  ask_state(found->second, id, clock, out);
  comparing_ = last_call_;
}

void Replica::end_compare(Compared compared) {
  comparing_ = 0;
  compared_ = std::move(compared);
}

Compared Replica::compared_with(const Map& map, const std::vector<Message>& entries,
                                Instant asked) const {
  Compared compared;
  std::unordered_set<std::string_view> there;
  for (const Message& entry : entries) {
    if (!entry.key || entry.key->empty()) continue;
    const std::string_view key = view_of(*entry.key);
    there.insert(key);
    const auto here = map.entries.find(key);
    if (here == map.entries.end()) {
      compared.only_there.emplace_back(key);
    } else if (!here->second.value.known()) {
      ++compared.moving;
    }
  }
  compared.there = there.size();
  for (const auto& [key, entry] : map.entries) {
    if (!entry.value.known()) continue;
    ++compared.here;
    if (there.contains(key)) continue;
    if (entry.moved + settings_.settled > asked) {
      ++compared.moving;
    } else {
      compared.lacks.push_back(key);
    }
  }
  return compared;
}

}  // namespace tribecast::map
