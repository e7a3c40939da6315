#include "engine/channel/order.h"

#include <utility>

namespace tribecast::channel {
namespace {

constexpr std::size_t kNumberBytes = 4;

}  // namespace

void Order::send(const Context& /*context*/, const tribes::Identity& to, Message message,
                 Messages& out) {
  if (is_numbered(message.options)) {
    const std::uint32_t number = ++sent_[to];
    ByteWriter tail;
    tail.u32be(number);
    message.body.insert(message.body.end(), tail.bytes().begin(), tail.bytes().end());
  }
  out.push_back(std::move(message));
}

void Order::receive(const Context& context, Message message, Messages& out) {
  if (!is_numbered(message.options)) {
    out.push_back(std::move(message));
    return;
  }
  if (message.body.size() < kNumberBytes) return context.drops.count(Drop::bad_order);
  const std::uint32_t number = ByteReader(Bytes(message.body).last(kNumberBytes)).u32be();
  message.body.resize(message.body.size() - kNumberBytes);
  const bool is_new = !received_.contains(message.sender.identity);
  if (is_new && received_.size() >= settings_.max_members) {
    return context.drops.count(Drop::bad_order);
  }
  Incoming& from = received_[message.sender.identity];
  from.gone = false;
  if (number < from.expected) {  // late, or its sender began anew
    out.push_back(std::move(message));
    return;
  }
  const std::size_t size = message.body.size();
  if (!from.held.emplace(number, Held{context.moment.now, std::move(message)}).second) return;
  held_bytes_ += size;
  release(from, out);
  const auto too_many = [&] {
    return from.held.size() > settings_.max_held || held_bytes_ > settings_.max_held_bytes;
  };
  while (!from.held.empty() && too_many()) release_first(from, out);
}

// Gives up what is next, one after the other.
void Order::release(Incoming& from, Messages& out) {
  while (!from.held.empty() && from.held.begin()->first == from.expected) release_first(from, out);
}

// Gives up the lowest number that is held, whatever is missing before it.
void Order::release_first(Incoming& from, Messages& out) {
  auto first = from.held.extract(from.held.begin());
  from.expected = first.key() + 1;
  held_bytes_ -= first.mapped().message.body.size();
  out.push_back(std::move(first.mapped().message));
}

void Order::on_timer(const Context& context, Messages& out) {
  for (auto it = received_.begin(); it != received_.end();) {
    Incoming& from = it->second;
    const auto waited = [&] {
      return from.gone || context.moment.now - from.held.begin()->second.since >= settings_.expiry;
    };
    while (!from.held.empty() && waited()) {
      release_first(from, out);
      release(from, out);
    }
    it = from.gone ? received_.erase(it) : std::next(it);
  }
}

void Order::forget(const tribes::Identity& member) {
  sent_.erase(member);
  const auto it = received_.find(member);
  if (it != received_.end()) it->second.gone = true;
}

}  // namespace tribecast::channel
