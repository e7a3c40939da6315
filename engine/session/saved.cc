#include "engine/session/saved.h"

#include <algorithm>
#include <limits>

#include "engine/session/store.h"

namespace tribecast::session {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::uint8_t kHasSession = 1;
constexpr std::uint8_t kHasTombstone = 2;
constexpr std::uint8_t kHasRename = 4;
constexpr std::size_t kLeastEntry = 1 + 1 + 4 + 8 + 4 + 4;
constexpr std::size_t kLeastRename = 4 + 8;
constexpr milliseconds kLongest = std::chrono::hours(24 * 365 * 10);

// Before the epoch is never.
std::int64_t take_time_or_never(ByteReader& in) {
  const auto time_ms = static_cast<std::int64_t>(in.u64be());
  return time_ms < 0 ? -1 : time_within(time_ms);
}

void write_number(ByteWriter& out, const Number& number) {
  put_saved_time(out, number.time_ms);
  out.u32be(number.order);
  out.u32be(static_cast<std::uint32_t>(number.value));
}

Number read_number(ByteReader& in) {
  Number number;
  number.time_ms = take_time_or_never(in);
  number.order = in.u32be();
  number.value = static_cast<std::int32_t>(in.u32be());
  return number;
}

}  // namespace

void put_saved_time(ByteWriter& out, std::int64_t time_ms) {
  out.u64be(static_cast<std::uint64_t>(time_ms));
}

std::int64_t take_saved_time(ByteReader& in) {
  return time_within(static_cast<std::int64_t>(in.u64be()));
}

void put_saved_text(ByteWriter& out, Bytes text) {
  out.u32be(static_cast<std::uint32_t>(text.size()));
  out.put(text);
}

Bytes take_saved_text(ByteReader& in) { return in.take(in.u32be()); }

std::int64_t wall_of(Instant at, Clock clock) {
  return clock.wall_ms + duration_cast<milliseconds>(at - clock.now).count();
}

Instant instant_of(std::int64_t wall_ms, Clock clock) {
  const std::int64_t ahead =
      std::clamp(wall_ms - clock.wall_ms, -kLongest.count(), kLongest.count());
  return clock.now + milliseconds(ahead);
}

Buffer saved_key(std::string_view context, std::string_view id) {
  ByteWriter out;
  put_saved_text(out, bytes_of(context));
  out.put(bytes_of(id));
  return out.release();
}

std::optional<std::pair<std::string, std::string>> parse_saved_key(Bytes key) {
  ByteReader in(key);
  std::string context = text_of(take_saved_text(in));
  std::string id = text_of(in.take_rest());
  if (!in.ok() || std::max(context.size(), id.size()) > kMaxNameBytes) return std::nullopt;
  return std::pair(std::move(context), std::move(id));
}

void Session::save(ByteWriter& out, Clock clock) const {
  put_saved_time(out, std::max<std::int64_t>(created_ms_, 0));
  put_saved_time(out, last_accessed_ms_);
  put_saved_time(out, this_accessed_ms_);
  put_saved_time(out, after_ms_);
  put_saved_time(out, wall_of(heard_, clock));
  write_number(out, max_inactive_s_);
  write_number(out, is_new_);
  out.u8(complete() ? 1 : 0);
  out.u32be(static_cast<std::uint32_t>(entries_.size()));
  for (const Entry& entry : entries_) {
    out.u8(static_cast<std::uint8_t>(entry.type));
    out.u8(entry.removed ? 1 : 0);
    out.u32be(entry.order);
    put_saved_time(out, entry.time_ms);
    put_saved_text(out, bytes_of(entry.content.name()));
    put_saved_text(out, entry.content.value());
  }
}

std::optional<Session> Session::load(ByteReader& in, Clock clock) {
  Session session;
  const std::int64_t created_ms = take_saved_time(in);
  session.last_accessed_ms_ = take_saved_time(in);
  session.this_accessed_ms_ = take_saved_time(in);
  session.after_ms_ = take_time_or_never(in);
  session.heard_ = std::min(instant_of(take_saved_time(in), clock), clock.now);
  session.max_inactive_s_ = read_number(in);
  session.is_new_ = read_number(in);
  session.created_ms_ = in.u8() != 0 ? created_ms : kNotSeen;
  const std::uint32_t count = in.u32be();
  if (!in.ok() || count > in.left() / kLeastEntry) return std::nullopt;
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint8_t type = in.u8();
    if (type > static_cast<std::uint8_t>(ActionType::note)) return std::nullopt;
    Entry entry;
    entry.type = static_cast<ActionType>(type);
    entry.removed = in.u8() != 0;
    entry.order = in.u32be();
    entry.time_ms = take_saved_time(in);
    const Bytes name = take_saved_text(in);
    const Bytes value = take_saved_text(in);
    if (!in.ok()) return std::nullopt;
    entry.content = NamedValue(view_of(name), value);
    session.put(std::move(entry));
  }
  return session;
}

void Session::spare(Duration grace, Instant now) {
  if (max_inactive_s_.value > 0) {
    heard_ = std::max(heard_, now + grace - 2 * seconds(max_inactive_s_.value));
  }
}

std::optional<Buffer> Store::save(const Context& context, const std::string& id,
                                  Clock clock) const {
  const auto session = context.sessions.find(id);
  const auto tombstone = context.tombstones.find(id);
  const auto renamed = context.renamed.find(id);
  const bool has_session = session != context.sessions.end();
  const bool has_tombstone = tombstone != context.tombstones.end();
  const bool has_rename = renamed != context.renamed.end();
  if (!has_session && !has_tombstone && !has_rename) return std::nullopt;
  ByteWriter out;
  out.u8(kVersion);
  out.u8(static_cast<std::uint8_t>((has_session ? kHasSession : 0) |
                                   (has_tombstone ? kHasTombstone : 0) |
                                   (has_rename ? kHasRename : 0)));
  const std::int64_t until = wall_of(clock.now + settings_.tombstone_age, clock);
  if (has_session) session->second.save(out, clock);
  if (has_tombstone) {
    put_saved_time(out, tombstone->second);
    put_saved_time(out, until);
  }
  if (has_rename) {
    out.u32be(static_cast<std::uint32_t>(renamed->second.size()));
    for (const Renamed& change : renamed->second) {
      put_saved_text(out, bytes_of(change.id));
      put_saved_time(out, change.time_ms);
    }
    put_saved_time(out, until);
  }
  return out.release();
}

std::vector<Saved> Store::take_changes(Clock clock, std::size_t max_bytes) {
  std::vector<Saved> changes;
  std::size_t bytes = 0;
  for (auto& [name, context] : contexts_) {
    while (!context.changed.empty() && bytes < max_bytes) {
      const auto id = context.changed.begin();
      Saved saved{saved_key(name, *id), save(context, *id, clock)};
      bytes += saved.key.size() + (saved.value ? saved.value->size() : 0);
      changes.push_back(std::move(saved));
      context.changed.erase(id);
      --changed_ids_;
    }
  }
  return changes;
}

Saved Store::saved(std::string_view context, const std::string& id, Clock clock) const {
  const Context* found = find_context(context);
  return {saved_key(context, id), found == nullptr ? std::nullopt : save(*found, id, clock)};
}

std::vector<std::string> Store::known_ids(std::string_view context) const {
  std::vector<std::string> ids;
  const Context* found = find_context(context);
  if (found == nullptr) return ids;
  for (const auto& [id, session] : found->sessions) ids.push_back(id.str());
  for (const auto& [id, time_ms] : found->tombstones) {
    if (!found->sessions.contains(id)) ids.push_back(id);
  }
  for (const auto& [id, renamed] : found->renamed) {
    if (!found->sessions.contains(id) && !found->tombstones.contains(id)) ids.push_back(id);
  }
  return ids;
}

void Store::put_back(const std::vector<Buffer>& keys) {
  for (const Buffer& bytes : keys) {
    if (const auto key = parse_saved_key(bytes)) mark(context_of(key->first), key->second);
  }
}

bool Store::restore_session(Context& context, const std::string& id, ByteReader& in, Clock clock) {
  auto session = Session::load(in, clock);
  if (!session) return false;
  change(context, find_or_add(context, id), [&](Session& s) { s = std::move(*session); });
  const auto at = context.sessions.find(id);
  if (!at->second.complete()) context.held.push_back({id, clock.now});
  return true;
}

bool Store::restore_tombstone(Context& context, const std::string& id, ByteReader& in,
                              Clock clock) {
  const std::int64_t time_ms = take_saved_time(in);
  const Instant until = instant_of(take_saved_time(in), clock);
  if (!in.ok() || context.tombstones.contains(id)) return false;
  bury(context, id, time_ms, clock.now);
  context.buried.back().until = std::min(context.buried.back().until, until);
  return true;
}

std::optional<std::vector<Store::Renamed>> Store::take_renames(ByteReader& in) {
  const std::uint32_t count = in.u32be();
  if (count > in.left() / kLeastRename) return std::nullopt;
  std::vector<Renamed> changes(count);
  for (Renamed& change : changes) {
    change.id = text_of(take_saved_text(in));
    change.time_ms = take_saved_time(in);
  }
  return in.ok() ? std::optional(std::move(changes)) : std::nullopt;
}

bool Store::restore_renames(Context& context, const std::string& id, ByteReader& in, Clock clock) {
  auto changes = take_renames(in);
  const Instant until = instant_of(take_saved_time(in), clock);
  if (!changes || !in.ok()) return false;
  const Instant latest = std::min(until, clock.now + settings_.tombstone_age);
  return std::ranges::all_of(*changes, [&](Renamed& change) {
    return note_rename(context, id, std::move(change), latest);
  });
}

bool Store::restore(Bytes key, Bytes value, Clock clock) {
  restoring_ = true;
  const auto name = parse_saved_key(key);
  ByteReader in(value);
  if (!name || in.u8() != kVersion) return false;
  const std::uint8_t parts = in.u8();
  Context& context = context_of(name->first);
  const std::string& id = name->second;
  if ((parts & kHasSession) != 0 && !restore_session(context, id, in, clock)) return false;
  if ((parts & kHasTombstone) != 0 && !restore_tombstone(context, id, in, clock)) return false;
  if ((parts & kHasRename) != 0 && !restore_renames(context, id, in, clock)) return false;
  return in.ok() && in.left() == 0;
}

Verdict Store::merge(Bytes payload, Clock clock) {
  if (elsewhere_bytes_ + memory_bytes_ + payload.size() > settings_.memory_limit_bytes) {
    ++counters_.refused;
    return Verdict::refused;
  }
  ByteReader in(payload);
  bool good = true;
  while (good && in.left() > 0) {
    const Bytes key = take_saved_text(in);
    const Bytes value = take_saved_text(in);
    good = in.ok() && merge_one(key, value, clock);
  }
  update_pressure();
  if (good) return Verdict::done;
  ++counters_.malformed;
  return Verdict::malformed;
}

bool Store::merge_one(Bytes key, Bytes value, Clock clock) {
  const auto name = parse_saved_key(key);
  ByteReader in(value);
  if (!name || in.u8() != kVersion) return false;
  const std::uint8_t parts = in.u8();
  std::optional<Session> session;
  if ((parts & kHasSession) != 0) {
    session = Session::load(in, clock);
    if (!session) return false;
  }
  const bool has_ended = (parts & kHasTombstone) != 0;
  const std::int64_t ended_ms = has_ended ? take_saved_time(in) : 0;
  if (has_ended) static_cast<void>(take_saved_time(in));
  const bool was_renamed = (parts & kHasRename) != 0;
  const auto changes = was_renamed ? take_renames(in) : std::vector<Renamed>();
  if (was_renamed) static_cast<void>(take_saved_time(in));
  if (!changes || !in.ok() || in.left() > 0) return false;
  Context& context = context_of(name->first);
  if (has_ended) merge_end(context, name->second, ended_ms, clock);
  for (const Renamed& change : *changes) {
    rename(context, name->second, change.id, change.time_ms, clock);
  }
  if (session) merge_session(context, name->second, std::move(*session), clock);
  return true;
}

void Store::merge_end(Context& context, const std::string& id, std::int64_t time_ms, Clock clock) {
  const Found at = context.sessions.find(id);
  if (at != context.sessions.end()) {
    // Used long after that: whoever says so has not heard of it for long, and timed it out.
    const bool is_later =
        at->second.complete() && at->second.newest_ms() > time_ms + settings_.clock_skew.count();
    if (is_later) return;
    erase(context, at);
  }
  bury(context, id, time_ms, clock.now);
}

void Store::merge_session(Context& context, const std::string& id, Session session, Clock clock) {
  const std::string current = living_id(context, id, session.newest_ms());
  std::int64_t ended_ms = -1;
  if (is_buried(context, current, session.newest_ms(), ended_ms)) return;
  ++counters_.records;
  const bool is_new = !context.sessions.contains(current);
  change(context, find_or_add(context, current),
         [&](Session& here) { here.absorb(std::move(session)); });
  hold(context, current, is_new, clock);
}

void Store::restored(Clock clock, Duration grace, bool write_anew) {
  restoring_ = false;
  const auto earlier = [](const Buried& a, const Buried& b) { return a.until < b.until; };
  for (auto& [name, context] : contexts_) {
    std::ranges::sort(context.buried, earlier);
    std::ranges::sort(context.renames, earlier);
    for (auto& [id, session] : context.sessions) session.spare(grace, clock.now);
    if (!write_anew) continue;
    for (const std::string& id : known_ids(name)) mark(context, id);
  }
  update_pressure();
}

}  // namespace tribecast::session
