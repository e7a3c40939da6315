#include "engine/channel/interceptor.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace tribecast::channel {

std::string_view name_of(Drop drop) {
  static constexpr std::array<std::string_view, kDropCount> kNames = {
      "bad_gzip",   "gzip_too_large", "bad_fragment", "fragments_expired", "bad_order",
      "bad_cipher", "replayed",       "stale",        "foreign_domain"};
  return kNames[static_cast<std::size_t>(drop)];
}

void Interceptor::on_timer(const Context& /*context*/, Messages& /*out*/) {}
void Interceptor::forget(const tribes::Identity& /*member*/) {}

Messages Stack::send(const Context& context, const tribes::Identity& to, Message message) {
  Messages messages;
  messages.push_back(std::move(message));
  for (const auto& interceptor : from_top_) {
    Messages next;
    for (Message& one : messages) interceptor->send(context, to, std::move(one), next);
    messages = std::move(next);
  }
  return messages;
}

Messages Stack::rise(const Context& context, std::size_t below, Messages messages) {
  for (std::size_t i = below; i > 0; --i) {
    Messages next;
    for (Message& one : messages) from_top_[i - 1]->receive(context, std::move(one), next);
    messages = std::move(next);
  }
  return messages;
}

Messages Stack::receive(const Context& context, Message message) {
  Messages messages;
  messages.push_back(std::move(message));
  return rise(context, from_top_.size(), std::move(messages));
}

Messages Stack::on_timer(const Context& context) {
  Messages all;
  for (std::size_t i = 0; i < from_top_.size(); ++i) {
    Messages held;
    from_top_[i]->on_timer(context, held);
    std::ranges::move(rise(context, i, std::move(held)), std::back_inserter(all));
  }
  return all;
}

void Stack::forget(const tribes::Identity& member) {
  for (const auto& interceptor : from_top_) interceptor->forget(member);
}

bool Stack::sends_alike() const {
  return std::ranges::all_of(from_top_, [](const auto& i) { return i->sends_alike(); });
}

}  // namespace tribecast::channel
