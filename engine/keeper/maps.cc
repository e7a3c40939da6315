#include "engine/keeper/maps.h"

#include <algorithm>
#include <string_view>

#include "engine/keeper/clock.h"
#include "engine/keeper/fetches.h"

namespace tribecast::keeper {
namespace {

using channel::Moment;
using channel::Outbox;
using channel::Receipt;
using channel::RpcKind;

constexpr Duration kMapStep = seconds(1);
// Work on entries goes on once fewer messages wait.
constexpr std::size_t kMaxOpenSends = 1024;
// A change is acknowledged when it is processed, as with Tomcat's mapSendOptions 6; a remote call
// is answered, so its receipt is enough (RpcChannel).
constexpr std::uint32_t kMessageOptions = channel::option::kProcessed;
constexpr std::uint32_t kCallOptions = channel::option::kUseAck;

// Whether a stream's first object is a MapMessage, without reading all of it.
bool is_map_message(Bytes body) {
  constexpr std::string_view kClass =
      "org.apache.catalina.tribes.tipis.AbstractReplicatedMap$MapMessage";
  constexpr std::size_t kNameAt = 8;  // behind the header, the codes and the name's length
  return body.size() > kNameAt + kClass.size() &&
         view_of(body.subspan(kNameAt, kClass.size())) == kClass;
}

channel::CallNumber number_of(std::uint64_t epoch, std::uint64_t call) {
  ByteWriter out;
  out.u64be(epoch);
  out.u64be(call);
  channel::CallNumber number{};
  std::ranges::copy(out.bytes(), number.begin());
  return number;
}

std::uint64_t call_of(const channel::CallNumber& number) {
  return ByteReader(Bytes(number).subspan(sizeof(std::uint64_t))).u64be();
}

}  // namespace

void Maps::begin(const map::Member& self, const Moment& moment) {
  replica_.emplace(self, settings_);
  epoch_ = moment.wall_milliseconds;
  settled_at_ = moment.now;
  next_second_ = moment.now;
}

std::optional<Receipt> Maps::receive(const Moment& moment, const channel::Delivery& delivery,
                                     Outbox& out) {
  if (!replica_) return std::nullopt;
  if (const auto rpc = channel::parse_rpc(delivery.body)) {
    return on_call(moment, delivery, *rpc, out);
  }
  if (!is_map_message(delivery.body)) return std::nullopt;
  ++counters_.messages;
  note_sender(delivery.sender.identity, moment.now);
  const auto parsed = map::parse_message(delivery.body);
  if (!parsed) return Receipt::done;  // as Tomcat does
  const map::Verdict verdict =
      replica_->on_message(*parsed, delivery.sender, clock_of(moment), actions_);
  carry_out(moment, out);
  return verdict == map::Verdict::refused ? Receipt::refused : Receipt::done;
}

std::optional<Receipt> Maps::on_call(const Moment& moment, const channel::Delivery& delivery,
                                     const channel::RpcView& rpc, Outbox& out) {
  if (rpc.kind != RpcKind::request) {
    follow(moment, calls_.on_reply(delivery.sender.identity, rpc));
    carry_out(moment, out);
    return Receipt::done;
  }
  auto parsed = map::parse_object(rpc.object);
  if (!parsed) return std::nullopt;
  note_sender(delivery.sender.identity, moment.now);
  Postponed asked{std::move(*parsed), delivery.sender, copy_of(rpc.call), copy_of(rpc.channel)};
  if (moment.now >= settled_at_) {
    serve(moment, asked, out);
  } else if (postponed_.size() < kMaxPostponed) {
    postponed_.push_back(std::move(asked));
  } else {
    ++counters_.postponed_dropped;
  }
  return Receipt::done;
}

void Maps::serve(const Moment& moment, const Postponed& asked, Outbox& out) {
  ++counters_.requests;
  const auto object = replica_->on_request(asked.request, asked.from, clock_of(moment), actions_);
  if (object) {
    channel::Outgoing reply;
    reply.to = asked.from;
    reply.options = channel::kReplyOptions;
    reply.body = channel::compose_rpc({RpcKind::reply, asked.call, asked.channel, *object});
    out.messages.push_back(std::move(reply));
  }
  carry_out(moment, out);
}

// Every call is to one member, and ends with its answer or without one.
void Maps::follow(const Moment& moment, const channel::RpcCalls::Outcome& outcome) {
  const session::Clock clock = clock_of(moment);
  if (const auto& answer = outcome.answer) {
    const std::uint64_t call = call_of(answer->number);
    return answer->served ? replica_->on_answer(call, answer->object, clock, actions_)
                          : replica_->on_not_served(call, clock, actions_);
  }
  for (const channel::RpcCalls::Ended& ended : outcome.ended) {
    replica_->on_silence(call_of(ended.number), clock, actions_);
  }
}

// What follows from a call that cannot be made is sent, too.
void Maps::carry_out(const Moment& moment, Outbox& out) {
  while (true) {
    while (actions_.empty() && replica_->busy() && open_sends_ < kMaxOpenSends) {
      replica_->work(actions_);
    }
    if (actions_.empty()) return;
    const map::Actions batch = std::exchange(actions_, {});
    for (const map::Action& action : batch) send(action, moment, out);
  }
}

void Maps::send(const map::Action& action, const Moment& moment, Outbox& out) {
  channel::Outgoing outgoing;
  outgoing.id = first_id_of(Sender::maps);
  outgoing.to.emplace();
  outgoing.to->identity = action.to;
  outgoing.options = action.call == 0 ? kMessageOptions : kCallOptions;
  outgoing.body = action.bytes;
  if (action.call != 0) {
    const channel::CallNumber number = number_of(epoch_, action.call);
    if (!calls_.begin(moment.now + kCallTime, number, channel::RpcCalls::Wants::first_reply,
                      {action.to})) {
      return replica_->on_silence(action.call, clock_of(moment), actions_);
    }
    outgoing.body =
        channel::compose_rpc({RpcKind::request, number, bytes_of(action.map), action.bytes});
  }
  ++open_sends_;
  out.messages.push_back(std::move(outgoing));
}

void Maps::note_sender(const tribes::Identity& sender, Instant now) {
  if (!up_.contains(sender) && unlisted_.size() < kMaxUnlisted) unlisted_.try_emplace(sender, now);
}

void Maps::on_member(const Moment& moment, const channel::MemberEvent& event, Outbox& out) {
  const tribes::Identity& who = event.member.identity;
  const bool came = event.change == channel::MemberChange::came;
  const bool gone = channel::is_gone(event.change);
  if (!came && !gone) return;
  if (came) {
    up_.insert_or_assign(who, moment.now);
    unlisted_.erase(who);
  } else {
    up_.erase(who);
  }
  if (!replica_) return;
  const session::Clock clock = clock_of(moment);
  if (gone) {
    replica_->on_gone(who, clock, actions_);
    follow(moment, calls_.on_gone(who));
  } else if (!is_engine(event.member)) {
    replica_->on_came(event.member, clock, actions_);
  }
  carry_out(moment, out);
}

void Maps::on_sent(const Moment& moment, const tribes::Identity& to, channel::SendOutcome outcome,
                   Outbox& out) {
  if (open_sends_ > 0) --open_sends_;
  if (!replica_) return;
  if (outcome != channel::SendOutcome::acknowledged) {
    ++counters_.not_sent;
    replica_->on_not_sent(to, moment.now);
  }
  carry_out(moment, out);
}

void Maps::on_timer(const Moment& moment, Outbox& out) {
  if (!replica_ || moment.now < next_deadline()) return;
  if (moment.now >= settled_at_) {
    for (const Postponed& asked : std::exchange(postponed_, {})) serve(moment, asked, out);
  }
  follow(moment, calls_.on_timer(moment.now));
  for (auto it = unlisted_.begin(); it != unlisted_.end();) {
    const bool is_over = it->second + kUnlisted <= moment.now;
    if (is_over) replica_->on_gone(it->first, clock_of(moment), actions_);
    it = is_over ? unlisted_.erase(it) : std::next(it);
  }
  replica_->on_newborn(clock_of(moment), actions_);
  if (moment.now >= next_second_) {
    next_second_ = moment.now + kMapStep;
    replica_->on_timer(clock_of(moment), actions_);
  }
  carry_out(moment, out);
}

Instant Maps::next_deadline() const {
  if (!replica_) return kNever;
  Instant next = std::min({next_second_, calls_.next_deadline(), replica_->next_newborn()});
  if (!postponed_.empty()) next = std::min(next, settled_at_);
  return next;
}

bool Maps::restore(Bytes key, Bytes value, const Moment& moment) {
  return replica_ && replica_->restore(key, value, clock_of(moment));
}

void Maps::restored(const Moment& moment, Duration grace, bool write_anew) {
  if (!replica_) return;
  replica_->restored(clock_of(moment), grace, write_anew);
  if (replica_->entry_count() > 0) settled_at_ = moment.now + kSettle;
}

std::vector<session::Saved> Maps::take_changes(const Moment& moment, std::size_t max_bytes) {
  if (!replica_) return {};
  return replica_->take_changes(clock_of(moment), max_bytes);
}

void Maps::put_back(const std::vector<Buffer>& keys) {
  if (replica_) replica_->put_back(keys);
}

void Maps::compare(const std::string& map, const tribes::OwnedMember& with, const Moment& moment,
                   Outbox& out) {
  replica_->compare(map, with, clock_of(moment), actions_);
  carry_out(moment, out);
}

void Maps::set_elsewhere_bytes(std::size_t bytes) {
  if (replica_) replica_->set_elsewhere_bytes(bytes);
}

session::Pressure Maps::pressure() const {
  return replica_ ? replica_->pressure() : session::Pressure::fine;
}

}  // namespace tribecast::keeper
