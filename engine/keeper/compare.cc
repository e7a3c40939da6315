#include "engine/keeper/compare.h"

#include <algorithm>
#include <map>
#include <string_view>

#include "engine/session/delta.h"

namespace tribecast::keeper {
namespace {

using session::ActionType;
using session::Entry;
using session::Record;
using session::Session;

// A copy that was told of a change counts it as an access when the message comes, not when it was
// sent. And clocks differ a little.
constexpr std::int64_t kSlackMs = 250;

// As DeltaRequest calls what a session has once.
std::string name_of(ActionType type, const std::string& name) {
  if (type == ActionType::principal) return "__SET__PRINCIPAL__";
  if (type == ActionType::auth_type) return "__SET__AUTHTYPE__";
  return name;
}

// HashMap, HashSet, Hashtable and what is made of them.
bool has_hash_table(Bytes value) {
  return view_of(value).find("java.util.Hash") != std::string_view::npos;
}

using Values = std::map<std::string_view, const session::Value*>;

Values values_of(const Record& record) {
  Values values;
  for (const auto& [name, value] : record.attributes) values[name] = &value;
  return values;
}

bool differs(const Entry& entry, const Values& attributes, const Record& copy) {
  if (entry.type == ActionType::principal) {
    if (entry.removed) return copy.principal.has_value();
    return !copy.principal || !same(*copy.principal, entry.content.value());
  }
  if (entry.type != ActionType::attribute) return false;
  const auto there = attributes.find(entry.content.name());
  if (entry.removed) return there != attributes.end();
  return there == attributes.end() || !same(*there->second, entry.content.value());
}

// What was said until then and is not so in the copy.
std::vector<Part> difference(const Session& kept, const Record& copy, const Standing& standing) {
  std::vector<Part> parts;
  const Values attributes = values_of(copy);
  Values unknown = attributes;
  bool logged_in = false;
  for (const Entry& entry : kept.entries()) {
    unknown.erase(entry.content.name());
    if (entry.time_ms > standing.until_ms || !differs(entry, attributes, copy)) continue;
    parts.emplace_back(entry.type, entry.content.name());
    logged_in = logged_in || entry.type == ActionType::principal;
  }
  // The copy of a session that is missed was told nothing since: what is not kept was removed.
  for (const auto& [name, value] : unknown) {
    if (standing.is_missed) parts.emplace_back(ActionType::attribute, std::string(name));
  }
  // A record does not say by which way somebody logged in.
  if (logged_in) parts.emplace_back(ActionType::auth_type, std::string());
  return parts;
}

bool is_alike_in(const Session& kept, const Values& copy, const Part& part) {
  const auto& [type, name] = part;
  const auto is_it = [&, &of = type, &called = name](const Entry& entry) {
    return entry.type == of && entry.content.name() == called && !entry.removed;
  };
  const auto mine = std::ranges::find_if(kept.entries(), is_it);
  const auto theirs = copy.find(name);
  return type == ActionType::attribute && mine != kept.entries().end() && theirs != copy.end() &&
         is_alike(mine->content.value(), *theirs->second);
}

}  // namespace

bool is_alike(Bytes a, Bytes b) {
  return same(a, b) || (a.size() == b.size() && has_hash_table(a) && has_hash_table(b));
}

Comparison compare(const Session& kept, const Record& copy, const Standing& standing) {
  Comparison result;
  const std::int64_t seen_ms = std::max(copy.this_accessed_ms, copy.last_accessed_ms);
  const bool alone = standing.alone_from_ms <= seen_ms && seen_ms <= standing.alone_to_ms;
  std::vector<Part> parts = difference(kept, copy, standing);
  if (alone && seen_ms > kept.newest_ms() + kSlackMs) {
    Standing all = standing;
    all.until_ms = session::kLastTime;
    all.is_missed = true;
    if (!difference(kept, copy, all).empty()) result.finding = Finding::newer;
    return result;
  }
  const bool is_older = standing.is_missed || seen_ms + kSlackMs < kept.newest_ms();
  if (!is_older || parts.empty()) return result;
  const Values theirs = values_of(copy);
  const bool may_be_alike =
      std::ranges::all_of(parts, [&](const Part& part) { return is_alike_in(kept, theirs, part); });
  return {Finding::older, std::move(parts), may_be_alike};
}

Buffer compose_parts(const Session& kept, const std::string& id, const std::vector<Part>& parts) {
  session::Delta delta;
  delta.session_id = id;
  for (const auto& [type, name] : parts) {
    const auto is_it = [&, &of = type, &called = name](const Entry& entry) {
      return entry.type == of && entry.content.name() == called;
    };
    const auto entry = std::ranges::find_if(kept.entries(), is_it);
    const bool is_there = entry != kept.entries().end() && !entry->removed;
    if (!is_there && type != ActionType::attribute) continue;
    session::Action action{.type = static_cast<std::int32_t>(type),
                           .action = is_there ? 0 : 1,
                           .name = name_of(type, name)};
    if (is_there) action.value = copy_of(entry->content.value());
    delta.actions.push_back(std::move(action));
  }
  return session::compose_delta(delta);
}

}  // namespace tribecast::keeper
