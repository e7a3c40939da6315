#include "engine/session/store.h"

#include <algorithm>

#include "engine/session/change.h"

namespace tribecast::session {
namespace {

// What a message may add beside its payload.
constexpr std::size_t kMessageBytes = 512;
constexpr std::size_t kMaxContexts = 10'000;
constexpr milliseconds kMaxIdle = std::chrono::hours(24 * 365);

}  // namespace

Store::Context& Store::context_of(const std::string& name) { return contexts_[name]; }

const Store::Context* Store::find_context(std::string_view name) const {
  const auto at = contexts_.find(name);
  return at == contexts_.end() ? nullptr : &at->second;
}

bool Store::is_known(const Message& message) const {
  const Context* context = find_context(message.context);
  const std::string& id = message.session_id;
  return context != nullptr && (context->sessions.contains(id) ||
                                context->tombstones.contains(id) || context->renamed.contains(id));
}

// Only what can grow the store needs room; so can the end, or the new id, of a session that is not
// here: it is remembered.
bool Store::has_room(const Message& message) const {
  if (contexts_.size() >= kMaxContexts && !contexts_.contains(message.context)) return false;
  const bool is_told_of = message.is(Event::expired) || message.is(Event::change_id);
  const bool grows = message.is(Event::created) || message.is(Event::delta) ||
                     message.is(Event::all_data) || message.is(Event::accessed) ||
                     (is_told_of && !is_known(message));
  const std::size_t payload = message.payload ? message.payload->size() : 0;
  const std::size_t bytes = elsewhere_bytes_ + memory_bytes_ + payload + kMessageBytes;
  return !grows || bytes <= settings_.memory_limit_bytes;
}

void Store::update_pressure() {
  const std::size_t percent = settings_.memory_limit_bytes / 100;
  const std::size_t alarm = (pressure_ == Pressure::fine ? 90 : 85) * percent;
  const std::size_t bytes = elsewhere_bytes_ + memory_bytes_;
  if (bytes + kMessageBytes >= settings_.memory_limit_bytes) {
    pressure_ = Pressure::full;
  } else {
    pressure_ = bytes >= alarm ? Pressure::alarm : Pressure::fine;
  }
}

Outcome Store::on_message(const Message& message, Clock clock) {
  Outcome outcome{.verdict = Verdict::refused};
  if (has_room(message)) outcome = apply(message, clock);
  if (outcome.verdict == Verdict::malformed) ++counters_.malformed;
  if (outcome.verdict == Verdict::refused) ++counters_.refused;
  update_pressure();
  if (outcome.verdict == Verdict::refused) pressure_ = Pressure::full;
  return outcome;
}

Outcome Store::apply(const Message& message, Clock clock) {
  switch (static_cast<Event>(message.event)) {
    case Event::created:
      on_created(context_of(message.context), message, clock);
      return {};
    case Event::expired:
      on_expired(context_of(message.context), message, clock);
      return {};
    case Event::accessed:
      on_accessed(context_of(message.context), message, clock);
      return {};
    case Event::delta:
      return on_delta(context_of(message.context), message, clock);
    case Event::change_id:
      return on_change(context_of(message.context), message, clock);
    case Event::all_data:
      return on_records(context_of(message.context), message, clock);
    case Event::get_all:
      return {.answer = message.context};
    case Event::transfer_complete:
    case Event::no_context_manager:
      return {.complete = message.context};
  }
  ++counters_.unknown_events;
  return {};
}

// The session, or an incomplete one in its place.
Store::Found Store::find_or_add(Context& context, const std::string& id) {
  if (const Found known = context.sessions.find(id); known != context.sessions.end()) return known;
  const Found at = context.sessions.try_emplace(Text(id)).first;
  ++session_count_;
  memory_bytes_ += cost_of(at->first, at->second);
  return at;
}

// The session waits for its creation, if that has not been seen.
void Store::hold(Context& context, const std::string& id, bool is_new, Clock clock) {
  const auto at = context.sessions.find(id);
  if (at == context.sessions.end() || at->second.complete()) return;
  ++counters_.held;
  if (is_new) context.held.push_back({id, clock.now});
  drop_held(context);
}

// Gives up incomplete sessions, the oldest first, while there are too many.
void Store::drop_held(Context& context) {
  while (context.held.size() > settings_.max_held_sessions) {
    const auto at = context.sessions.find(context.held.front().id);
    if (at != context.sessions.end() && !at->second.complete()) {
      erase(context, at);
      ++counters_.held_dropped;
    }
    context.held.pop_front();
  }
}

Store::Found Store::erase(Context& context, Found at) {
  mark(context, at->first);
  const std::uint64_t id = digest_of(at->first);
  context.digests.at(id % kDigestParts) -= digest_in(id, at->second);
  memory_bytes_ -= cost_of(at->first, at->second);
  --session_count_;
  return context.sessions.erase(at);
}

// Has the session of that id ended? One that is known to begin much later is another one.
bool Store::is_buried(Context& context, const std::string& id, std::int64_t began_ms,
                      std::int64_t& ended_ms) {
  const auto tombstone = context.tombstones.find(id);
  if (tombstone == context.tombstones.end()) return false;
  if (began_ms <= tombstone->second + settings_.clock_skew.count()) {
    ++counters_.after_end;
    return true;
  }
  ended_ms = tombstone->second;
  mark(context, id);
  context.tombstones.erase(tombstone);
  memory_bytes_ -= kTombstoneBytes;
  return false;
}

void Store::on_created(Context& context, const Message& message, Clock clock) {
  ++counters_.created;
  const std::string id = living_id(context, message.session_id, message.time_ms);
  std::int64_t ended_ms = -1;
  if (is_buried(context, id, message.time_ms, ended_ms)) return;
  // Of a session that is there, a creation says nothing new. In a Tomcat it would wipe it.
  change(context, find_or_add(context, id), [&](Session& session) {
    if (ended_ms >= 0) session.set_after(ended_ms);
    if (!session.complete() || message.time_ms < session.created_ms()) {
      session.set_created(message.time_ms);
    }
    session.touch(message.time_ms, clock.now);
  });
}

Outcome Store::on_delta(Context& context, const Message& message, Clock clock) {
  const auto delta = parse_delta(message.content());
  if (!delta) return {.verdict = Verdict::malformed};
  ++counters_.deltas;
  std::size_t bytes = 0;
  for (const Action& action : delta->actions) {
    counters_.lost_values += action.lost ? 1U : 0U;
    bytes += sizeof(Entry) + (action.value ? action.value->size() : 0);
  }
  if (elsewhere_bytes_ + memory_bytes_ + bytes > settings_.memory_limit_bytes)
    return {.verdict = Verdict::refused};
  const std::string id = living_id(context, message.session_id, message.time_ms);
  if (context.tombstones.contains(id)) {
    ++counters_.after_end;
    return {};
  }
  const bool is_new = !context.sessions.contains(id);
  const Found at = find_or_add(context, id);
  if (at->second.is_of_an_earlier_one(message.time_ms)) {
    ++counters_.after_end;
    return {};
  }
  change(context, at, [&](Session& session) {
    session.apply(*delta, message.time_ms);
    session.touch(message.time_ms, clock.now);
  });
  hold(context, id, is_new, clock);
  return {};
}

void Store::on_accessed(Context& context, const Message& message, Clock clock) {
  ++counters_.accessed;
  const std::string id = living_id(context, message.session_id, message.time_ms);
  if (context.tombstones.contains(id)) {
    ++counters_.after_end;
    return;
  }
  const bool is_new = !context.sessions.contains(id);
  change(context, find_or_add(context, id),
         [&](Session& session) { session.touch(message.time_ms, clock.now); });
  hold(context, id, is_new, clock);
}

void Store::on_expired(Context& context, const Message& message, Clock clock) {
  ++counters_.ended;
  const std::string id = current_id(context, message.session_id, message.time_ms);
  const Found at = context.sessions.find(id);
  std::int64_t latest = message.time_ms;
  if (at != context.sessions.end()) {
    latest = std::max(latest, at->second.newest_ms());
    erase(context, at);
  }
  bury(context, id, latest, clock.now);
}

void Store::bury(Context& context, const std::string& id, std::int64_t time_ms, Instant now) {
  mark(context, id);
  const auto [at, is_new] = context.tombstones.try_emplace(id, time_ms);
  at->second = std::max(at->second, time_ms);
  if (!is_new) return;
  context.buried.push_back({id, now + settings_.tombstone_age});
  memory_bytes_ += kTombstoneBytes;
}

Outcome Store::on_change(Context& context, const Message& message, Clock clock) {
  const auto new_id = parse_new_id(message.content());
  if (!new_id) return {.verdict = Verdict::malformed};
  ++counters_.renamed;
  rename(context, message.session_id, *new_id, message.time_ms, clock);
  const Found at =
      context.sessions.find(current_id(context, *new_id, message.time_ms, message.session_id));
  if (at != context.sessions.end()) {
    change(context, at, [&](Session& session) { session.touch(message.time_ms, clock.now); });
  }
  return {};
}

Outcome Store::on_records(Context& context, const Message& message, Clock clock) {
  const auto records = parse_list(message.content(), message.dialect);
  if (!records) return {.verdict = Verdict::malformed};
  // How long a session was idle only its member's own clock can say.
  const std::int64_t as_of_ms = message.time_set ? message.time_ms : clock.wall_ms;
  for (const Record& record : *records) {
    if (elsewhere_bytes_ + memory_bytes_ > settings_.memory_limit_bytes)
      return {.verdict = Verdict::refused};
    on_record(context, record, as_of_ms, clock);
  }
  return {};
}

void Store::on_record(Context& context, const Record& record, std::int64_t as_of_ms, Clock clock) {
  ++counters_.records;
  counters_.lost_values += record.lost_values;
  const std::string id = living_id(context, record.id, record.this_accessed_ms);
  if (!record.is_valid || context.tombstones.contains(id)) {
    ++counters_.after_end;
    return;
  }
  const Duration idle = milliseconds(
      std::clamp<std::int64_t>(as_of_ms - record.this_accessed_ms, 0, kMaxIdle.count()));
  change(context, find_or_add(context, id), [&](Session& session) {
    session.fill(record);
    session.touch(record.this_accessed_ms, clock.now - idle);
  });
}

}  // namespace tribecast::session
