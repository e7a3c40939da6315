#include "engine/keeper/copies.h"

#include <algorithm>
#include <array>
#include <set>

#include "engine/keeper/digest_message.h"
#include "engine/session/handover.h"

namespace tribecast::keeper {
namespace {

// The others speak of a whole context.
bool is_of_a_session(const session::Message& message) {
  using session::Event;
  constexpr std::array kEvents = {Event::created, Event::expired, Event::accessed, Event::delta,
                                  Event::change_id};
  return std::ranges::any_of(kEvents, [&](Event event) { return message.is(event); });
}

}  // namespace

void Copies::on_came(const tribes::OwnedMember& engine) {
  const bool is_known = std::ranges::any_of(engines_, [&](const tribes::OwnedMember& known) {
    return known.identity == engine.identity;
  });
  if (is_known) return;
  engines_.push_back(engine);
  fails_ = false;
}

// What is under way to it comes back as failed.
void Copies::on_gone(const tribes::Identity& engine) {
  std::erase_if(engines_, [&](const auto& known) { return known.identity == engine; });
}

channel::Receipt Copies::add(channel::DeliveryId delivery, const session::Message& message,
                             const session::Store& store) {
  if (!is_of_a_session(message)) return channel::Receipt::done;
  if (engines_.empty()) {
    ++counters_.refused;
    fails_ = true;
    return channel::Receipt::refused;
  }
  Waiting waiting{delivery, message.context, {message.session_id}};
  // The message may have given it another id.
  const std::string id_now = store.id_now(message.context, message.session_id);
  if (id_now != message.session_id) waiting.ids.push_back(id_now);
  waiting_.push_back(std::move(waiting));
  return channel::Receipt::pending;
}

// As much as one message should have. A session of which several wait goes once.
void Copies::fill(Batch& batch, const session::Store& store, session::Clock clock) {
  Buffer records;
  std::set<std::pair<std::string, std::string>> taken;
  while (!waiting_.empty() && records.size() < kBatchBytes) {
    const Waiting next = std::move(waiting_.front());
    waiting_.pop_front();
    batch.deliveries.push_back(next.delivery);
    for (const std::string& id : next.ids) {
      if (!taken.emplace(next.context, id).second) continue;
      const Buffer record = session::saved_list(store, next.context, {id}, clock, kBatchBytes);
      records.insert(records.end(), record.begin(), record.end());
    }
  }
  if (records.empty()) return;
  batch.body = session::compose_message(
      engine_message(EngineEvent::records, std::move(records), clock.wall_ms));
}

void Copies::step(const session::Store& store, session::Clock clock, channel::Outbox& out) {
  while (!under_way_ && !waiting_.empty()) {
    under_way_ = Batch{};
    fill(*under_way_, store, clock);
    if (under_way_->body.empty()) {
      settle(true, out);  // they changed nothing
    } else {
      send(out);
    }
  }
}

void Copies::send(channel::Outbox& out) {
  if (under_way_->tries >= engines_.size()) {
    fails_ = true;
    return settle(false, out);
  }
  under_way_->sent = ++last_send_;
  out.messages.push_back({.id = under_way_->sent,
                          .to = engines_.front(),
                          .options = channel::option::kProcessed,
                          .body = under_way_->body,
                          .unique_id = std::nullopt});
}

void Copies::on_sent(channel::SendId id, channel::SendOutcome outcome, channel::Outbox& out) {
  if (!under_way_ || under_way_->sent != id) return;
  if (outcome == channel::SendOutcome::acknowledged) {
    fails_ = false;
    return settle(true, out);
  }
  ++under_way_->tries;
  if (!engines_.empty()) std::rotate(engines_.begin(), engines_.begin() + 1, engines_.end());
  send(out);
}

void Copies::settle(bool good, channel::Outbox& out) {
  for (const channel::DeliveryId id : under_way_->deliveries) out.settled.push_back({id, good});
  (good ? counters_.copied : counters_.refused) += under_way_->deliveries.size();
  under_way_.reset();
}

}  // namespace tribecast::keeper
