#include "engine/keeper/keeper.h"

#include <algorithm>

#include "base/check.h"
#include "engine/keeper/clock.h"
#include "engine/keeper/send_ids.h"
#include "engine/session/message.h"

namespace tribecast::keeper {
namespace {

constexpr Duration kStep = seconds(1);
constexpr std::size_t kMaxCommitBytes = 32U << 20U;  // at once, and one session may be larger
constexpr std::size_t kMaxNotices = 256;             // between two calls of take_notices()

}  // namespace

map::Settings Keeper::map_settings(const Settings& settings) {
  map::Settings maps = settings.maps;
  maps.memory_limit_bytes = settings.store.memory_limit_bytes;
  maps.tracks_changes = settings.store.tracks_changes;
  return maps;
}

channel::Receipt Keeper::receive(const channel::Moment& moment, const channel::Delivery& delivery,
                                 channel::Outbox& out) {
  if ((delivery.options & channel::option::kByteMessage) != 0) {
    ++counters_.others;
    return channel::Receipt::not_served;
  }
  if (const auto message = session::parse_message(delivery.body)) {
    ++counters_.messages;
    const channel::Receipt receipt = take_in(moment, delivery, *message, out);
    go_on(moment, out);
    return receipt;
  }
  maps_.set_elsewhere_bytes(store_.memory_bytes());
  if (const auto receipt = maps_.receive(moment, delivery, out)) {
    look_at_pressure();
    take_compared();
    return *receipt == channel::Receipt::done ? on_disk_or_pending(delivery) : *receipt;
  }
  ++counters_.others;
  return channel::Receipt::not_served;
}

channel::Receipt Keeper::take_in(const channel::Moment& moment, const channel::Delivery& delivery,
                                 const session::Message& message, channel::Outbox& out) {
  const session::Clock clock = clock_of(moment);
  const tribes::Identity& from = delivery.sender.identity;
  if (message.context != kEveryContext) dialects_.on_heard(from, message.dialect);
  if (verify_.on_message(from, message, store_, clock)) return channel::Receipt::done;
  if (message.context == kEveryContext) return of_an_engine(delivery, message, clock, out);
  fetches_.on_context(message.context);
  if (pushes_.on_answer(from, message, store_, clock)) return channel::Receipt::done;
  pushes_.on_heard(from, message, clock);
  const session::Outcome outcome = store_.on_message(message, clock);
  if (outcome.answer) {
    answer(delivery, message, clock, out);
    pushes_.on_asked(from, message.context);
  }
  if (message.is(session::Event::all_data)) fetches_.on_part(from, message.context, moment.now);
  if (outcome.complete) {
    fetches_.on_end(from, *outcome.complete, message.is(session::Event::transfer_complete));
  }
  look_at_pressure();
  if (outcome.verdict == session::Verdict::refused) return channel::Receipt::refused;
  const bool waits = (delivery.options & channel::option::kUseAck) != 0;
  if (waits && ack_ == AckLevel::peer) return copies_.add(delivery.id, message, store_);
  return on_disk_or_pending(delivery);
}

// With the disk as its word: what is taken in is acknowledged once it is written.
channel::Receipt Keeper::on_disk_or_pending(const channel::Delivery& delivery) {
  const bool waits = ack_ == AckLevel::disk && (delivery.options & channel::option::kUseAck) != 0;
  const bool is_written = !has_unwritten() && !committing_;
  if (!waits || is_written) return channel::Receipt::done;
  if (disk_fails_) return channel::Receipt::refused;
  waiting_.push_back(delivery.id);
  return channel::Receipt::pending;
}

channel::Receipt Keeper::of_an_engine(const channel::Delivery& delivery,
                                      const session::Message& message, session::Clock clock,
                                      channel::Outbox& out) {
  const tribes::Identity& from = delivery.sender.identity;
  if (const auto compared = digests_.on_message(from, message, store_, clock, out)) {
    look_at_pressure();
    return *compared == session::Verdict::refused ? channel::Receipt::refused
                                                  : channel::Receipt::done;
  }
  if (message.is(session::Event::get_all)) answer(delivery, message, clock, out);
  if (message.is(session::Event::transfer_complete)) fetches_.on_end(from, message.context, true);
  // Only what was asked for is taken.
  if (!message.is(session::Event::all_data) ||
      !fetches_.on_part(from, message.context, clock.now)) {
    return channel::Receipt::done;
  }
  const auto verdict = store_.merge(message.content(), {clock.now, message.time_ms});
  look_at_pressure();
  return verdict == session::Verdict::refused ? channel::Receipt::refused : channel::Receipt::done;
}

bool Keeper::restore(Bytes key, Bytes value, const channel::Moment& moment) {
  if (map::Replica::is_saved_key(key)) return maps_.restore(key, value, moment);
  return store_.restore(key, value, clock_of(moment));
}

void Keeper::restored(const channel::Moment& moment, Duration grace, bool anew) {
  store_.restored(clock_of(moment), grace, anew);
  maps_.restored(moment, grace, anew);
  if (store_.session_count() > 0) fetches_.set_loaded();
  pushes_.set_loaded(store_, moment.now);
  has_state_ = fetches_.is_in_sync(moment.now);
  look_at_pressure();
}

std::vector<session::Saved> Keeper::begin_commit(const channel::Moment& moment) {
  TC_CHECK(!committing_);
  committing_ = true;
  // Half of it for each, so that neither keeps the other waiting.
  std::vector<session::Saved> changes = store_.take_changes(clock_of(moment), kMaxCommitBytes / 2);
  std::ranges::move(maps_.take_changes(moment, kMaxCommitBytes / 2), std::back_inserter(changes));
  for (const session::Saved& saved : changes) in_commit_.push_back(saved.key);
  // Nobody is told before everything that had changed is written.
  if (!has_unwritten()) std::swap(waiting_, waiting_in_commit_);
  return changes;
}

void Keeper::end_commit(bool good, channel::Outbox& out) {
  committing_ = false;
  disk_fails_ = !good;
  if (!good) {
    store_.put_back(in_commit_);
    maps_.put_back(in_commit_);
    waiting_in_commit_.insert(waiting_in_commit_.end(), waiting_.begin(), waiting_.end());
    waiting_.clear();
  }
  in_commit_.clear();
  for (const channel::DeliveryId id : waiting_in_commit_) out.settled.push_back({id, good});
  waiting_in_commit_.clear();
}

void Keeper::answer(const channel::Delivery& delivery, const session::Message& message,
                    session::Clock clock, channel::Outbox& out) {
  notice({NoticeKind::answering, message.context, delivery.sender.identity.name(),
          message.context == kEveryContext ? store_.session_count()
                                           : store_.session_count(message.context)});
  answers_.ask(delivery.sender, message, store_, clock, out);
}

// Asks for what is missing, if it is time, and sees what that makes of this engine.
void Keeper::fetch(const channel::Moment& moment, channel::Outbox& out) {
  const auto count = [&](const std::string& context) { return store_.session_count(context); };
  auto ask = verify_.is_asking() ? std::nullopt : fetches_.step(moment.now, dialects_, count);
  if (ask) {
    notice({NoticeKind::fetching, ask->context, ask->to.identity.name()});
    const auto question =
        session::get_all_message(ask->dialect, ask->context, clock_of(moment).wall_ms);
    out.messages.push_back({.id = first_id_of(Sender::fetches),
                            .to = std::move(ask->to),
                            .options = channel::option::kAsynchronous,
                            .body = session::compose_message(question),
                            .unique_id = std::nullopt});
  }
  const bool is_in_sync = fetches_.is_in_sync(moment.now);
  if (is_in_sync == has_state_) return;
  has_state_ = is_in_sync;
  notice({.kind = has_state_ ? NoticeKind::in_sync : NoticeKind::not_in_sync,
          .count = store_.session_count()});
}

// What members lack they are given while this engine itself lacks nothing.
void Keeper::heal(const channel::Moment& moment, channel::Outbox& out) {
  pushes_.step(store_, dialects_, clock_of(moment),
               has_state_ && !fetches_.is_busy() && !verify_.is_asking(), out);
  for (const Healed& healed : pushes_.take_healed()) {
    const PushCounters& done = healed.done;
    const std::uint64_t pushed = done.given + done.mended + done.ended + done.renamed;
    if (pushed > 0) notice({NoticeKind::healing, healed.context, healed.member, pushed});
    if (done.taken > 0) notice({NoticeKind::took, healed.context, healed.member, done.taken});
  }
}

void Keeper::go_on(const channel::Moment& moment, channel::Outbox& out) {
  fetch(moment, out);
  heal(moment, out);
  copy(moment, out);
}

void Keeper::copy(const channel::Moment& moment, channel::Outbox& out) {
  if (ack_ != AckLevel::peer) return;
  copies_.step(store_, clock_of(moment), out);
  if (copies_.fails() == copies_fail_) return;
  copies_fail_ = copies_.fails();
  notice({.kind = copies_fail_ ? NoticeKind::copies_fail : NoticeKind::copies_taken});
}

void Keeper::on_member(const channel::Moment& moment, const channel::MemberEvent& event,
                       channel::Outbox& out) {
  pushes_.on_member(event, store_, clock_of(moment));
  if (event.change == channel::MemberChange::came || event.change == channel::MemberChange::told) {
    dialects_.on_came(event.member.identity);
    fetches_.on_came(event.member, moment.now);
    if (is_engine(event.member)) {
      digests_.on_came(event.member, moment.now);
      copies_.on_came(event.member);
    }
    for (const std::string& context : store_.contexts()) {
      fetches_.on_context(context);
    }
  } else if (channel::is_gone(event.change)) {
    answers_.forget(event.member.identity);
    dialects_.on_gone(event.member.identity);
    fetches_.on_gone(event.member.identity);
    digests_.on_gone(event.member.identity);
    copies_.on_gone(event.member.identity);
    verify_.on_gone(event.member.identity);
  }
  maps_.on_member(moment, event, out);
  go_on(moment, out);
}

void Keeper::on_sent(const channel::Moment& moment, channel::SendId id, const tribes::Identity& to,
                     channel::SendOutcome outcome, channel::Outbox& out) {
  const bool is_lost =
      outcome == channel::SendOutcome::failed || outcome == channel::SendOutcome::no_room;
  switch (sender_of(id)) {
    case Sender::answers:
      return answers_.on_sent(id, outcome, store_, clock_of(moment), out);
    case Sender::fetches:
      if (is_lost) fetches_.on_not_sent(to);
      break;
    case Sender::pushes:
      pushes_.on_sent(id, outcome, clock_of(moment));
      break;
    case Sender::maps:
      return maps_.on_sent(moment, to, outcome, out);
    case Sender::digests:
      return digests_.on_sent(id, outcome, moment.now);
    case Sender::copies:
      copies_.on_sent(id, outcome, out);
      break;
    case Sender::verify:
      return is_lost ? verify_.on_not_sent() : void();
  }
  go_on(moment, out);
}

void Keeper::on_timer(const channel::Moment& moment, channel::Outbox& out) {
  if (moment.now >= next_second_) {
    next_second_ = moment.now + kStep;
    for (const std::string& context : store_.on_timer(clock_of(moment))) fetches_.on_held(context);
  }
  maps_.on_timer(moment, out);
  digests_.on_timer(has_state_, store_, clock_of(moment), out);
  take_compared();
  verify_.on_timer(!fetches_.is_busy() && !pushes_.is_busy(), dialects_, store_, maps_, moment,
                   out);
  look_at_pressure();
  go_on(moment, out);
}

Instant Keeper::next_deadline() const {
  return std::min({next_second_, fetches_.next_deadline(), pushes_.next_deadline(),
                   maps_.next_deadline(), digests_.next_deadline(), verify_.next_deadline()});
}

void Keeper::take_compared() {
  if (const auto compared = maps_.take_compared()) verify_.on_compared(*compared);
}

void Keeper::look_at_pressure() {
  store_.set_elsewhere_bytes(maps_.memory_bytes());
  const session::Pressure pressure = std::max(store_.pressure(), maps_.pressure());
  if (pressure == pressure_) return;
  pressure_ = pressure;
  constexpr std::array kKinds = {NoticeKind::memory_fine, NoticeKind::memory_alarm,
                                 NoticeKind::memory_full};
  notice({.kind = kKinds.at(static_cast<std::size_t>(pressure_)), .count = memory_bytes()});
}

void Keeper::notice(Notice notice) {
  if (notices_.size() < kMaxNotices) notices_.push_back(std::move(notice));
}

}  // namespace tribecast::keeper
