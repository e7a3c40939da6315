// Healing, from outside: who is there, who lacks what, whose turn it is. What a look finds and what
// is sent for it: look.cc.
#include "engine/keeper/pushes.h"

#include <algorithm>

#include "engine/keeper/fetches.h"
#include "engine/session/change.h"

namespace tribecast::keeper {
namespace {

// A Tomcat of that age may not have started its web applications.
constexpr std::uint64_t kYoungMilliseconds = 60'000;
// Before a member that was cut off is heard again, frames that its kernel kept may have come to it:
// what its sessions were used for by then is not what its own visitors did.
constexpr std::int64_t kLateFramesMs = 700;
constexpr Duration kLongGone = std::chrono::hours(1);
constexpr std::size_t kMaxHealed = 256;  // between two calls of take_healed()

bool is_of_a_session(const session::Message& message) {
  using session::Event;
  return message.is(Event::created) || message.is(Event::expired) || message.is(Event::accessed) ||
         message.is(Event::delta) || message.is(Event::change_id);
}

void add(PushCounters& all, const PushCounters& more) {
  all.looks += more.looks;
  all.given += more.given;
  all.mended += more.mended;
  all.ended += more.ended;
  all.renamed += more.renamed;
  all.taken += more.taken;
  all.spared += more.spared;
  all.unsure += more.unsure;
}

}  // namespace

void Pushes::set_loaded(const session::Store& store, Instant now) {
  if (settings_.heal == Heal::no) return;
  for (const std::string& context : store.contexts()) {
    // Of a larger one nobody is given what is not known to be missed.
    if (store.session_count(context) >= settings_.limit_sessions) continue;
    for (std::string& id : store.ids(context, now)) unsure_[context].insert(std::move(id));
  }
}

bool Pushes::leads() const {
  return self_ && std::ranges::none_of(engines_, [&](const auto& one) { return one < *self_; });
}

void Pushes::on_member(const channel::MemberEvent& event, const session::Store& store,
                       session::Clock clock) {
  using channel::MemberChange;
  if (settings_.heal == Heal::no) return;
  const tribes::Identity& identity = event.member.identity;
  if (is_engine(event.member)) {
    if (event.change == MemberChange::came) engines_.insert(identity);
    if (channel::is_gone(event.change)) engines_.erase(identity);
    if (event.change == MemberChange::told) turn_out_an_engine(identity);
    return;
  }
  if (event.change == MemberChange::told) return;
  if (event.change == MemberChange::came) {
    came(event.member, store, clock);
    return;
  }
  const auto at = members_.find(identity);
  if (at == members_.end()) return;
  if (event.change == MemberChange::heard) return back(at->second, store, clock);
  if (work_ && work_->member == identity) drop_work();
  if (event.change == MemberChange::silent || event.change == MemberChange::lost) {
    return away(at->second, event.change == MemberChange::lost, clock);
  }
  // Its process is over: the next one begins with what it asks for.
  missed_.forget(identity);
  members_.erase(at);
}

// It was taken for a Tomcat before it said what it is.
void Pushes::turn_out_an_engine(const tribes::Identity& identity) {
  engines_.insert(identity);
  if (work_ && work_->member == identity) drop_work();
  missed_.forget(identity);
  members_.erase(identity);
}

Pushes::Member& Pushes::came(const tribes::OwnedMember& member, const session::Store& store,
                             session::Clock clock) {
  const auto known = members_.find(member.identity);
  if (known != members_.end()) {
    known->second.member = member;
    back(known->second, store, clock);
    return known->second;
  }
  forget_former(member.identity, clock.now);
  if (members_.size() >= kMaxMembers) {
    const auto is_away = [](const auto& one) { return !one.second.is_here; };
    const auto oldest = std::ranges::find_if(members_, is_away);
    const auto out = oldest == members_.end() ? members_.begin() : oldest;
    if (work_ && work_->member == out->first) drop_work();
    missed_.forget(out->first);
    members_.erase(out);
  }
  Member& made = members_[member.identity];
  made.member = member;
  made.alone_to_ms = clock.wall_ms;  // so far it was not heard of here
  made.is_young = member.alive_milliseconds < kYoungMilliseconds;
  const Duration settle = made.is_young ? settings_.start : settings_.settle;
  for (const std::string& context : store.contexts()) want(made, context, clock.now + settle);
  return made;
}

// A Tomcat that was killed and started again is another member at the same place; one that is long
// gone is asked, should it come back.
void Pushes::forget_former(const tribes::Identity& of, Instant now) {
  std::erase_if(members_, [&](const auto& one) {
    const auto& [identity, member] = one;
    const bool same_place = identity.host == of.host && identity.port == of.port;
    const bool is_over = !member.is_here && (same_place || now - member.away_since > kLongGone);
    if (is_over) missed_.forget(identity);
    return is_over;
  });
}

void Pushes::away(Member& member, bool is_cut, session::Clock clock) {
  const auto lookback = duration_cast<milliseconds>(settings_.lookback).count();
  if (member.is_here) {
    member.alone_from_ms = clock.wall_ms - lookback;
    member.away_since = clock.now;
  }
  member.is_here = false;
  member.was_cut = is_cut;
  member.alone_to_ms = -1;
  member.due = kNever;
  member.to_look_at.merge(member.to_look_at_again);
  member.given.clear();
  missed_.on_away(member.member.identity, clock.now);
}

void Pushes::back(Member& member, const session::Store& store, session::Clock clock) {
  member.is_here = true;
  member.looks = 0;
  if (member.was_cut) member.alone_to_ms = clock.wall_ms - kLateFramesMs;
  for (const std::string& context : store.contexts()) {
    const bool lacks = !missed_.ids_of(member.member.identity, context).empty() ||
                       !missed_.is_complete(member.member.identity);
    if (lacks || member.was_cut || !member.known.contains(context)) {
      want(member, context, clock.now + settings_.settle);
    }
  }
  if (member.to_look_at.empty()) {  // nothing was said meanwhile
    missed_.on_back(member.member.identity, clock);
  } else if (member.due == kNever) {
    member.due = clock.now + settings_.settle;
  }
}

void Pushes::want(Member& member, const std::string& context, Instant due) {
  member.to_look_at.insert(context);
  if (member.due != kNever) return;
  member.due = due;
  member.looks = 0;
}

void Pushes::on_heard(const tribes::Identity& from, const session::Message& message,
                      session::Clock clock) {
  if (settings_.heal == Heal::no) return;
  const auto at = members_.find(from);
  if (at != members_.end()) {
    Member& member = at->second;
    if (member.is_here && !member.known.contains(message.context) &&
        !member.to_look_at.contains(message.context) &&
        !member.to_look_at_again.contains(message.context)) {
      want(member, message.context, clock.now + settings_.settle);
    }
  }
  if (!is_of_a_session(message)) return;
  missed_.on_change(message.context, message.session_id, from, clock.now);
  show_alive(message.context, message.session_id, clock);
  if (!message.is(session::Event::change_id)) return;
  const auto new_id = session::parse_new_id(message.content());
  if (!new_id) return;
  missed_.on_change(message.context, *new_id, from, clock.now);
  missed_.on_new_id(message.context, message.session_id, *new_id);
}

void Pushes::on_asked(const tribes::Identity& from, const std::string& context) {
  const auto at = members_.find(from);
  if (at == members_.end()) return;
  at->second.known.insert(context);
  at->second.to_look_at.erase(context);
  at->second.to_look_at_again.erase(context);
  missed_.remove(from, context);
}

// A session that only a disk was known to have lives on in some Tomcat: those that have been looked
// at before may lack it.
void Pushes::show_alive(const std::string& context, const std::string& id, session::Clock clock) {
  const auto ids = unsure_.find(context);
  if (ids == unsure_.end() || ids->second.erase(id) == 0) return;
  if (ids->second.empty()) unsure_.erase(ids);
  for (auto& [identity, member] : members_) {
    if (!member.unsure.contains(context)) continue;
    missed_.add(identity, context, id, clock);
    if (member.is_here) want(member, context, clock.now + settings_.again);
  }
}

bool Pushes::is_known() const {
  return members_.at(work_->member).known.contains(work_->context) &&
         missed_.is_complete(work_->member);
}

bool Pushes::is_missed(const std::string& id) const {
  return missed_.ids_of(work_->member, work_->context).contains(id);
}

Standing Pushes::standing_of(const std::string& id, session::Clock clock) const {
  const Member& member = members_.at(work_->member);
  const Missed::Ids& ids = missed_.ids_of(work_->member, work_->context);
  const auto missed = ids.find(id);
  const bool is_missed = missed != ids.end();
  return {.is_missed = is_missed,
          .until_ms = is_missed ? missed->second : clock.wall_ms - kByItselfMs,
          .is_known = is_known(),
          .alone_from_ms = member.alone_from_ms,
          .alone_to_ms = member.alone_to_ms};
}

void Pushes::begin(const tribes::Identity& identity, const session::Store& store,
                   const Dialects& dialects, session::Clock clock, channel::Outbox& out) {
  Member& member = members_.at(identity);
  missed_.on_back(identity, {clock.now, clock.wall_ms - kByItselfMs});
  if (member.to_look_at.empty()) {
    std::swap(member.to_look_at, member.to_look_at_again);
    if (member.to_look_at.empty()) missed_.set_complete(identity);
    const bool again = !member.to_look_at.empty() && member.looks < kMaxLooks;
    if (!again) member.to_look_at.clear();
    member.due = again ? clock.now + settings_.again * (1U << member.looks++) : kNever;
    return;
  }
  work_ = Work{.member = identity,
               .dialect = dialects.of(identity),
               .context = *member.to_look_at.begin(),
               .deadline = clock.now + settings_.patience};
  member.to_look_at.erase(member.to_look_at.begin());
  ++work_->done.looks;
  if (store.session_count(work_->context) >= settings_.limit_sessions) {
    look_at_missed(store, clock);
    work_->is_answered = true;
    return;
  }
  const auto question = session::get_all_message(work_->dialect, work_->context, clock.wall_ms);
  work_->asked = send(question, channel::option::kAsynchronous, out);
}

// What was given is looked at again: it may have crossed what another one said meanwhile. Of a
// conversation that failed as well: some of it may have arrived.
void Pushes::end(bool good, session::Clock clock) {
  Member& member = current();
  const bool can_look = work_->asked != 0;
  for (const auto& [id, newest_ms] : work_->given) {
    if (can_look) missed_.add(work_->member, work_->context, id, clock);
    if (good && !can_look) missed_.remove(work_->member, work_->context, id);
    if (good && can_look) member.given[{work_->context, id}] = newest_ms;
  }
  if (good) member.known.insert(work_->context);
  const bool has_pushed = can_look && !work_->given.empty();
  if (!good || work_->look_again || has_pushed) member.to_look_at_again.insert(work_->context);
  counters_.failed += good ? 0U : 1U;
  add(counters_, work_->done);
  if (healed_.size() < kMaxHealed) {
    healed_.push_back({work_->member.name(), work_->context, work_->done});
  }
  drop_work();
}

void Pushes::drop_work() {
  work_.reset();
  sent_.clear();
}

void Pushes::on_sent(channel::SendId id, channel::SendOutcome outcome, session::Clock clock) {
  if (sent_.erase(id) == 0 || !work_) return;
  const bool arrived =
      outcome == channel::SendOutcome::acknowledged || outcome == channel::SendOutcome::written;
  if (!arrived) return end(false, clock);
  work_->deadline = clock.now + settings_.patience;
  if (id != work_->asked) --work_->under_way;
}

void Pushes::step(session::Store& store, const Dialects& dialects, session::Clock clock,
                  bool may_look, channel::Outbox& out) {
  if (settings_.heal == Heal::no) return;
  for (;;) {
    if (work_ && clock.now >= work_->deadline) end(false, clock);
    if (work_ && work_->is_answered) {
      send_more(store, clock, out);
      if (work_->pushes.empty() && work_->under_way == 0) end(true, clock);
    }
    if (work_ || !may_look || !leads()) return;
    const auto is_due = [&](const auto& one) {
      return one.second.is_here && one.second.due <= clock.now;
    };
    const auto next = std::ranges::find_if(members_, is_due);
    if (next == members_.end()) return;
    begin(next->first, store, dialects, clock, out);
  }
}

// When a member is due is seen within a second, as the store's own clock work.
Instant Pushes::next_deadline() const { return work_ ? work_->deadline : kNever; }

}  // namespace tribecast::keeper
