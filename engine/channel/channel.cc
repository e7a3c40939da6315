#include "engine/channel/channel.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace tribecast::channel {
namespace {

constexpr std::size_t kMaxDatagram = 65535;

}  // namespace

Channel::Channel(ChannelSettings settings, Stack stack, Application& application,
                 RandomSource random, Instant now)
    : settings_(std::move(settings)),
      stack_(std::move(stack)),
      application_(application),
      random_(std::move(random)),
      membership_(settings_.membership, settings_.self.identity),
      made_(now),
      next_beat_(now) {}

std::uint64_t Channel::alive_milliseconds(Instant now) const {
  // Young, but not without change: receivers take up what changes only.
  if (settings_.stays_young || !application_.has_state()) return 1 + beats_;
  const auto elapsed = duration_cast<milliseconds>(now - made_).count();
  return settings_.self.alive_milliseconds + static_cast<std::uint64_t>(elapsed);
}

tribes::OwnedMember Channel::self_now(Instant now) const {
  tribes::OwnedMember self = settings_.self;
  self.alive_milliseconds = alive_milliseconds(now);
  return self;
}

void Channel::start(const Moment& moment, Actions& out) {
  beat(moment, {}, out);
  Membership::News news;
  membership_.check(moment.now, news);
  follow(moment, std::move(news), out);
  tell_static(moment, Note::static_start, out);
}

void Channel::stop(const Moment& moment, Actions& out) {
  tell_static(moment, Note::static_stop, out);
  beat(moment, tribes::shutdown_command(), out);
}

void Channel::beat(const Moment& moment, Bytes command, Actions& out) {
  ++beats_;
  next_beat_ = moment.now + settings_.frequency;
  if (!settings_.multicast) return;
  tribes::OwnedMember self = self_now(moment.now);
  self.command = copy_of(command);
  out.datagrams.push_back(tribes::compose_member(self.view()));
}

// StaticMembershipInterceptor sends these below all others, and asks for no acknowledgement.
void Channel::tell_static(const Moment& moment, Note note, Actions& out) {
  for (const StaticMember& member : settings_.membership.static_members) {
    tribes::OwnedMember to;
    to.identity = {copy_of(member.endpoint.address.bytes()), member.endpoint.port,
                   member.unique_id.value_or(tribes::UniqueId{})};
    Buffer unique_id(16);
    random_(unique_id);
    const tribes::OwnedMember self = self_now(moment.now);
    const MessageView view{0, moment.wall_milliseconds, unique_id, self.view(), note_body(note)};
    auto frames = std::make_shared<std::vector<Buffer>>();
    frames->push_back(compose_frame(compose_message(view)));
    transmit(moment, to, 0, std::move(frames), false, out);
  }
}

void Channel::on_datagram(const Moment& moment, Bytes datagram, Actions& out) {
  const tribes::Classified what = tribes::classify(datagram);
  if (what.kind == tribes::Kind::broadcast) {
    FrameDecoder decoder(kMaxDatagram);
    decoder.feed(datagram);
    const auto data = decoder.next();
    const auto message = data ? parse_message(*data) : Unexpected{MessageError::too_short};
    if (!message) {
      ++counters_.bad_datagrams;
      return;
    }
    const Refusal refusal = membership_.admits(message->sender);
    if (refusal != Refusal::none) {
      if (refusal != Refusal::own) ++counters_.refused_senders;
      return;
    }
    deliver_all(moment, 0, stack_.receive(context(moment), Message::of(*message)), out);
    return;
  }
  if (!what.member) {
    ++counters_.bad_datagrams;
    return;
  }
  Membership::News news;
  const Refusal refusal = membership_.on_heartbeat(moment.now, *what.member, news);
  if (refusal == Refusal::none) ++counters_.heartbeats;
  if (refusal != Refusal::none && refusal != Refusal::own) ++counters_.refused_senders;
  follow(moment, std::move(news), out);
}

bool Channel::on_frame(const Moment& moment, ConnectionId connection, Bytes data, Actions& out) {
  ++counters_.frames;
  const auto message = parse_message(data);
  if (!message) {
    ++counters_.bad_frames;
    return false;
  }
  AckRule rule = ack_rule(message->options);
  if (rule == AckRule::on_receipt && settings_.acknowledges_when_done) {
    rule = AckRule::after_processing;
  }
  // A probe may name the one that is probed as its sender (Tomcat 7.0): looked at before all else.
  const Note note = note_in(message->body);
  const bool admitted = membership_.admits(message->sender) == Refusal::none;
  const bool wants_message = note == Note::none && admitted;
  if (!wants_message || rule != AckRule::after_processing) {
    const bool replies = rule != AckRule::never;
    out.done.push_back({connection, replies ? std::optional(Acknowledgement::good) : std::nullopt});
  }
  if (note != Note::none) {
    on_note(moment, note, message->sender, out);
    return true;
  }
  if (!admitted) {
    ++counters_.refused_senders;
    return true;
  }
  Membership::News news;
  membership_.on_sender(moment.now, message->sender, news);
  follow(moment, std::move(news), out);
  Messages messages = stack_.receive(context(moment), Message::of(*message));
  FrameId frame = 0;
  if (rule == AckRule::after_processing) {
    frame = ++last_id_;
    open_frames_[frame] = {connection, 1, true};
  }
  deliver_all(moment, frame, std::move(messages), out);
  if (frame != 0) release(frame, true, out);
  return true;
}

void Channel::on_note(const Moment& moment, Note note, const tribes::MemberView& sender,
                      Actions& out) {
  ++counters_.notes;
  if (membership_.admits(sender) != Refusal::none) return;
  Membership::News news;
  if (note == Note::static_start || note == Note::static_stop) {
    membership_.on_static_note(moment.now, sender, note == Note::static_stop, news);
  } else {
    membership_.on_sender(moment.now, sender, news);
  }
  follow(moment, std::move(news), out);
}

void Channel::deliver_all(const Moment& moment, FrameId frame, Messages messages, Actions& out) {
  for (Message& message : messages) deliver(moment, frame, std::move(message), out);
}

Channel::MessageKey Channel::key_of(const Message& message) {
  const tribes::Identity& sender = message.sender.identity;
  Buffer key(2 * sizeof(std::uint32_t) + sender.unique_id.size() + sender.host.size() +
             message.unique_id.size());
  SpanWriter out(key);
  out.u32be(sender.port);
  out.put(sender.unique_id);
  out.u32be(static_cast<std::uint32_t>(sender.host.size()));
  out.put(sender.host);
  out.put(message.unique_id);
  return text_of(key);
}

// The frame, if it is one that waits, gets its share of what is settled.
bool Channel::is_repeated(FrameId frame, const MessageKey& key) {
  if (known_.contains(key)) return true;
  const auto pending = pending_keys_.find(key);
  if (pending == pending_keys_.end()) return false;
  if (frame != 0) {
    open_deliveries_.at(pending->second).frames.push_back(frame);
    ++open_frames_.at(frame).waits_for;
  }
  return true;
}

void Channel::deliver(const Moment& moment, FrameId frame, Message message, Actions& out) {
  if (note_in(message.body) != Note::none) {  // a ping that came through interceptors
    ++counters_.notes;
    return;
  }
  MessageKey key = key_of(message);
  if (is_repeated(frame, key)) {
    ++counters_.repeated;
    return;
  }
  if (open_deliveries_.size() >= kMaxPending) {
    ++counters_.pending_dropped;
    if (frame != 0) open_frames_.at(frame).good = false;
    return;
  }
  ++counters_.delivered;
  const DeliveryId id = ++last_id_;
  Outbox outbox;
  const Receipt receipt =
      application_.receive(moment,
                           {id, message.sender, message.options, message.timestamp_milliseconds,
                            message.unique_id, message.body},
                           outbox);
  if (receipt == Receipt::pending) {
    keep_open(id, frame, std::move(key));
  } else if (receipt == Receipt::refused) {
    ++counters_.refused;
    if (frame != 0) open_frames_.at(frame).good = false;
  } else {
    remember(std::move(key));
  }
  carry_out(moment, std::move(outbox), out);
  if (receipt == Receipt::not_served) refuse_call(moment, message, out);
}

// Until settle() is told.
void Channel::keep_open(DeliveryId id, FrameId frame, MessageKey key) {
  pending_keys_[key] = id;
  OpenDelivery& delivery = open_deliveries_[id];
  delivery.key = std::move(key);
  if (frame == 0) return;
  delivery.frames.push_back(frame);
  ++open_frames_.at(frame).waits_for;
}

void Channel::refuse_call(const Moment& moment, const Message& message, Actions& out) {
  const auto call = parse_rpc(message.body);
  if (!call || call->kind != RpcKind::request) return;
  ++counters_.not_served;
  Outgoing reply;
  reply.to = message.sender;
  reply.options = option::kAsynchronous;
  reply.body = compose_rpc({RpcKind::not_served, call->call, call->channel, {}});
  send(moment, std::move(reply), out);
}

// A refused message may come again, and is then looked at again.
void Channel::settle(const Settlement& settlement, Actions& out) {
  const auto it = open_deliveries_.find(settlement.id);
  if (it == open_deliveries_.end()) return;
  OpenDelivery delivery = std::move(it->second);
  open_deliveries_.erase(it);
  pending_keys_.erase(delivery.key);
  if (settlement.good) remember(std::move(delivery.key));
  for (const FrameId frame : delivery.frames) release(frame, settlement.good, out);
}

void Channel::remember(MessageKey key) {
  const auto [it, is_new] = known_.insert(std::move(key));
  if (!is_new) return;
  known_in_order_.push_back(&*it);
  if (known_in_order_.size() <= kRemembered) return;
  const auto oldest = known_.find(*known_in_order_.front());
  if (oldest != known_.end()) known_.erase(oldest);
  known_in_order_.pop_front();
}

void Channel::release(FrameId frame, bool good, Actions& out) {
  const auto it = open_frames_.find(frame);
  if (it == open_frames_.end()) return;  // its connection is gone
  it->second.good = it->second.good && good;
  if (--it->second.waits_for > 0) return;
  out.done.push_back(
      {it->second.connection, it->second.good ? Acknowledgement::good : Acknowledgement::failed});
  open_frames_.erase(it);
}

void Channel::on_disconnected(ConnectionId connection) {
  std::erase_if(open_frames_, [&](const auto& one) { return one.second.connection == connection; });
}

void Channel::carry_out(const Moment& moment, Outbox outbox, Actions& out) {
  for (const Settlement& settlement : outbox.settled) settle(settlement, out);
  for (Outgoing& outgoing : outbox.messages) send(moment, std::move(outgoing), out);
}

Frames Channel::frames_for(const Moment& moment, const tribes::Identity& to,
                           const Message& message) {
  auto frames = std::make_shared<std::vector<Buffer>>();
  for (const Message& piece : stack_.send(context(moment), to, message)) {
    frames->push_back(compose_frame(compose_message(piece.view())));
  }
  return frames;
}

void Channel::send(const Moment& moment, Outgoing outgoing, Actions& out) {
  Message message;
  message.options = outgoing.options;
  message.timestamp_milliseconds = moment.wall_milliseconds;
  message.unique_id = outgoing.unique_id.value_or(Buffer(16));
  if (!outgoing.unique_id) random_(message.unique_id);
  message.sender = self_now(moment.now);
  message.body = std::move(outgoing.body);
  const bool wants_ack = ack_rule(outgoing.options) != AckRule::never;
  if (outgoing.to) {
    Frames frames = frames_for(moment, outgoing.to->identity, message);
    return transmit(moment, *outgoing.to, outgoing.id, std::move(frames), wants_ack, out);
  }
  Frames shared;
  for (const Membership::Entry* entry : membership_.up()) {
    if (!shared || !stack_.sends_alike()) {
      shared = frames_for(moment, entry->member.identity, message);
    }
    transmit(moment, entry->member, outgoing.id, shared, wants_ack, out);
  }
}

void Channel::transmit(const Moment& moment, const tribes::OwnedMember& to, SendId id,
                       Frames frames, bool wants_ack, Actions& out) {
  ++counters_.sent;
  const TransmitId transmit = ++last_id_;
  open_sends_[transmit] = {id, to.identity};
  if (membership_.find(to.identity) != nullptr) ++traffic_[to.identity].pending;
  // Only the application can name one without; admits() lets no such sender in.
  const auto endpoint = to.endpoint();
  if (!endpoint) return on_transmitted(moment, transmit, SendOutcome::failed, out);
  out.transmits.push_back({transmit, to.identity, *endpoint, std::move(frames), wants_ack});
}

void Channel::on_transmitted(const Moment& moment, TransmitId id, SendOutcome outcome,
                             Actions& out) {
  const auto it = open_sends_.find(id);
  TC_CHECK(it != open_sends_.end());
  const OpenSend sent = std::move(it->second);
  open_sends_.erase(it);
  if (const auto traffic = traffic_.find(sent.to); traffic != traffic_.end()) {
    const bool failed = outcome == SendOutcome::failed || outcome == SendOutcome::no_room;
    traffic->second.pending -= std::min<std::uint64_t>(traffic->second.pending, 1);
    ++(failed ? traffic->second.failed : traffic->second.sent);
  }
  if (outcome == SendOutcome::failed) {
    ++counters_.send_failed;
    Membership::News news;
    membership_.on_send_failed(moment.now, sent.to, news);
    follow(moment, std::move(news), out);
  }
  if (sent.id == 0) return;
  Outbox outbox;
  application_.on_sent(moment, sent.id, sent.to, outcome, outbox);
  carry_out(moment, std::move(outbox), out);
}

void Channel::on_probed(const Moment& moment, const tribes::Identity& member, ProbeResult result,
                        Actions& out) {
  Membership::News news;
  membership_.on_probe(moment.now, member, result, news);
  follow(moment, std::move(news), out);
}

void Channel::follow(const Moment& moment, Membership::News news, Actions& out) {
  for (const tribes::Identity& member : news.probes) {
    const Membership::Entry* entry = membership_.find(member);
    const auto endpoint = entry == nullptr ? std::nullopt : entry->member.endpoint();
    if (!endpoint) continue;
    Buffer unique_id(16);
    random_(unique_id);
    const tribes::OwnedMember self = self_now(moment.now);
    const MessageView view{option::kByteMessage, moment.wall_milliseconds, unique_id, self.view(),
                           note_body(Note::probe)};
    out.probes.push_back({member, *endpoint, compose_frame(compose_message(view))});
  }
  for (MemberEvent& event : news.events) {
    if (is_gone(event.change)) {
      out.disconnect.push_back(event.member.identity);
      stack_.forget(event.member.identity);
      traffic_.erase(event.member.identity);
    }
    Outbox outbox;
    application_.on_member(moment, event, outbox);
    out.events.push_back(std::move(event));
    carry_out(moment, std::move(outbox), out);
  }
}

void Channel::on_timer(const Moment& moment, Actions& out) {
  if (moment.now >= next_beat_) {
    beat(moment, {}, out);
    Membership::News news;
    membership_.check(moment.now, news);
    follow(moment, std::move(news), out);
    deliver_all(moment, 0, stack_.on_timer(context(moment)), out);
  }
  if (moment.now >= application_.next_deadline()) {
    Outbox outbox;
    application_.on_timer(moment, outbox);
    carry_out(moment, std::move(outbox), out);
  }
}

Traffic Channel::traffic(const tribes::Identity& member) const {
  const auto found = traffic_.find(member);
  return found == traffic_.end() ? Traffic{} : found->second;
}

Instant Channel::next_deadline() const {
  return std::min(next_beat_, application_.next_deadline());
}

}  // namespace tribecast::channel
