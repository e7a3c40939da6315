// Healing, one conversation: a member's copies against what is kept, and what it gets.
#include <algorithm>

#include "engine/keeper/pushes.h"
#include "engine/session/change.h"

namespace tribecast::keeper {
namespace {

using session::Event;

// Tomcat 7.0 has another form of what a login says.
void keep_what_it_reads(std::vector<Part>& parts, session::Dialect dialect) {
  if (dialect != session::Dialect::tomcat7) return;
  std::erase_if(parts, [](const Part& p) { return p.first != session::ActionType::attribute; });
}

}  // namespace

bool Pushes::on_answer(const tribes::Identity& from, const session::Message& message,
                       session::Store& store, session::Clock clock) {
  if (!work_ || work_->is_answered || work_->member != from || work_->context != message.context) {
    return false;
  }
  if (message.is(Event::no_context_manager)) {  // not yet, or never
    if (current().is_young) current().to_look_at_again.insert(work_->context);
    drop_work();
    return true;
  }
  if (message.is(Event::transfer_complete)) {
    look_at_missing(store, clock);
    work_->is_answered = true;
    return true;
  }
  if (!message.is(Event::all_data)) return false;
  const auto copies = session::parse_list(message.content(), message.dialect);
  if (!copies) {
    end(false, clock);
    return true;
  }
  work_->deadline = clock.now + settings_.patience;
  for (const session::Record& copy : *copies) look_at(copy, store, clock);
  return true;
}

bool Pushes::was_given(const std::string& id, std::int64_t newest_ms) const {
  const auto& given = members_.at(work_->member).given;
  const auto at = given.find({work_->context, id});
  return at != given.end() && at->second == newest_ms;
}

void Pushes::lacks_nothing_of(const std::string& id) {
  missed_.remove(work_->member, work_->context, id);
  current().given.erase({work_->context, id});
}

bool Pushes::is_spared(const std::string& id, session::Clock clock) {
  const Instant since = clock.now - settings_.under_way;
  if (!missed_.was_changed_by(work_->member, work_->context, id, since)) return false;
  ++work_->done.spared;
  put_off(id, clock);
  return true;
}

// To the next look, which is to know of it.
void Pushes::put_off(const std::string& id, session::Clock clock) {
  missed_.add(work_->member, work_->context, id, clock);
  work_->look_again = true;
}

void Pushes::look_at(const session::Record& copy, session::Store& store, session::Clock clock) {
  if (!copy.is_valid) return;
  show_alive(work_->context, copy.id, clock);
  work_->seen.insert(copy.id);
  const Standing standing = standing_of(copy.id, clock);
  if (const auto ended_ms = store.ended_ms(work_->context, copy.id)) {
    // One that was made later is another session of that id. One that was used later may have ended
    // here alone, where it was not heard of any more.
    const bool is_used = std::max(copy.this_accessed_ms, copy.last_accessed_ms) > *ended_ms;
    const bool is_over = copy.created_ms <= *ended_ms && (standing.is_missed || !is_used);
    if (is_over) plan({.what = What::ended, .id = copy.id});
    return;
  }
  if (store.id_now(work_->context, copy.id) != copy.id) {
    if (standing.is_missed || !standing.is_known) work_->former.push_back(copy.id);
    return;
  }
  const session::Session* kept = store.find(work_->context, copy.id, clock.now);
  if (kept == nullptr) return take(copy, store, clock);
  Comparison found = compare(*kept, copy, standing);
  if (found.finding == Finding::newer) return take(copy, store, clock);
  keep_what_it_reads(found.parts, work_->dialect);
  const bool is_alike = found.finding == Finding::alike || found.parts.empty() ||
                        (found.may_be_alike && was_given(copy.id, kept->newest_ms()));
  if (is_alike) return lacks_nothing_of(copy.id);
  if (is_spared(copy.id, clock)) return;
  plan({.what = What::parts, .id = copy.id, .parts = std::move(found.parts)});
}

// What this member alone was told of. All others lack it.
void Pushes::take(const session::Record& copy, session::Store& store, session::Clock clock) {
  ++work_->done.taken;
  if (settings_.heal == Heal::report) return;
  session::Message record = message(Event::all_data, clock);
  record.dialect = session::Dialect::tomcat8;
  record.payload = session::compose_list(std::span(&copy, 1), record.dialect);
  static_cast<void>(store.on_message(record, clock));
  if (store.find(work_->context, copy.id, clock.now) == nullptr) return;  // it has timed out
  for (auto& [identity, member] : members_) {
    if (identity == work_->member) continue;
    missed_.add(identity, work_->context, copy.id, clock);
    if (member.is_here) want(member, work_->context, clock.now + settings_.again);
  }
  missed_.remove(work_->member, work_->context, copy.id);
}

// All its copies have been looked at.
void Pushes::look_at_missing(const session::Store& store, session::Clock clock) {
  for (const std::string& id : work_->former) {
    const std::string now = store.id_now(work_->context, id);
    const bool is_there = !work_->seen.insert(now).second;
    if (store.ended_ms(work_->context, now) || is_there) {
      plan({.what = What::ended, .id = id});
    } else if (store.find(work_->context, now, clock.now) != nullptr && !is_spared(now, clock)) {
      plan({.what = What::renamed, .id = id});
    }
  }
  const auto unsure = unsure_.find(work_->context);
  for (const std::string& id : store.ids(work_->context, clock.now)) {
    if (work_->seen.contains(id) || (is_known() && !is_missed(id))) continue;
    if (unsure != unsure_.end() && unsure->second.contains(id)) {
      ++work_->done.unsure;
      current().unsure.insert(work_->context);
      continue;
    }
    const session::Session* kept = store.find(work_->context, id, clock.now);
    if (!is_missed(id) && kept->created_ms() > clock.wall_ms - kByItselfMs) {
      put_off(id, clock);  // its creation may come
    } else if (!is_spared(id, clock)) {
      plan({.what = What::whole, .id = id});
    }
  }
  // It does not have what is not to be there.
  const Missed::Ids ids = missed_.ids_of(work_->member, work_->context);
  for (const auto& [id, until_ms] : ids) {
    const bool is_kept = store.find(work_->context, id, clock.now) != nullptr;
    if (!is_kept && !work_->seen.contains(id)) missed_.remove(work_->member, work_->context, id);
  }
}

// Without its answer: whole sessions, whatever it has of them.
void Pushes::look_at_missed(const session::Store& store, session::Clock clock) {
  const Missed::Ids ids = missed_.ids_of(work_->member, work_->context);
  for (const auto& [id, until_ms] : ids) {
    const std::string now = store.id_now(work_->context, id);
    if (store.ended_ms(work_->context, now)) {
      plan({.what = What::ended, .id = id});
    } else if (store.find(work_->context, now, clock.now) == nullptr) {
      missed_.remove(work_->member, work_->context, id);
    } else if (!is_spared(now, clock)) {
      plan({.what = now == id ? What::whole : What::renamed, .id = id});
    }
  }
}

// Changes of id first: what follows is said of the new ones.
void Pushes::plan(Push push) {
  PushCounters& done = work_->done;
  done.given += push.what == What::whole ? 1U : 0U;
  done.mended += push.what == What::parts ? 1U : 0U;
  done.ended += push.what == What::ended ? 1U : 0U;
  done.renamed += push.what == What::renamed ? 1U : 0U;
  if (settings_.heal == Heal::report) {
    return missed_.remove(work_->member, work_->context, push.id);
  }
  if (push.what == What::renamed) {
    work_->pushes.push_front(std::move(push));
  } else {
    work_->pushes.push_back(std::move(push));
  }
}

session::Message Pushes::message(Event event, session::Clock clock) const {
  session::Message made;
  made.dialect = work_->dialect;
  made.event = static_cast<std::int32_t>(event);
  made.time_ms = clock.wall_ms;
  made.context = work_->context;
  return made;
}

channel::SendId Pushes::send(const session::Message& message, std::uint32_t options,
                             channel::Outbox& out) {
  if (options != channel::option::kAsynchronous) ++work_->under_way;
  sent_.insert(++last_id_);
  out.messages.push_back({.id = last_id_,
                          .to = current().member,
                          .options = options,
                          .body = session::compose_message(message),
                          .unique_id = std::nullopt});
  return last_id_;
}

void Pushes::send_more(const session::Store& store, session::Clock clock, channel::Outbox& out) {
  while (work_->under_way < settings_.window && !work_->pushes.empty()) {
    auto message = next_message(store, clock);
    if (!message) continue;
    send(*message, channel::option::kProcessed, out);
  }
}

// Nothing when what was planned is not to be done any more.
std::optional<session::Message> Pushes::next_message(const session::Store& store,
                                                     session::Clock clock) {
  if (work_->pushes.front().what == What::whole) return whole_ones(store, clock);
  const Push push = std::move(work_->pushes.front());
  work_->pushes.pop_front();
  session::Message made = message(Event::delta, clock);
  made.session_id = push.id;
  made.unique_id = push.id + "-" + std::to_string(clock.wall_ms);
  if (push.what == What::ended) {
    made.event = static_cast<std::int32_t>(Event::expired);
    work_->given.push_back({push.id});
    return made;
  }
  const std::string now = store.id_now(work_->context, push.id);
  const session::Session* kept = store.find(work_->context, now, clock.now);
  if (kept == nullptr || is_spared(now, clock)) return std::nullopt;
  work_->given.push_back({now, kept->newest_ms()});
  if (push.what == What::renamed) {
    made.event = static_cast<std::int32_t>(Event::change_id);
    made.payload = session::compose_new_id(now);
    missed_.remove(work_->member, work_->context, push.id);
    return made;
  }
  if (now != push.id) return std::nullopt;
  made.payload = compose_parts(*kept, push.id, push.parts);
  return made;
}

std::optional<session::Message> Pushes::whole_ones(const session::Store& store,
                                                   session::Clock clock) {
  std::vector<session::Record> records;
  std::size_t bytes = 0;
  while (!work_->pushes.empty() && work_->pushes.front().what == What::whole &&
         records.size() < settings_.batch_sessions && bytes < settings_.batch_bytes) {
    const std::string id = std::move(work_->pushes.front().id);
    work_->pushes.pop_front();
    const session::Session* kept = store.find(work_->context, id, clock.now);
    if (kept == nullptr || is_spared(id, clock)) continue;
    records.push_back(kept->record(id));
    bytes += kept->memory_bytes();
    work_->given.push_back({id, kept->newest_ms()});
  }
  if (records.empty()) return std::nullopt;
  session::Message made = message(Event::all_data, clock);
  made.session_id = "SESSION-STATE";
  made.unique_id = "SESSION-STATE-" + made.context;
  made.payload = session::compose_list(records, made.dialect);
  return made;
}

}  // namespace tribecast::keeper
