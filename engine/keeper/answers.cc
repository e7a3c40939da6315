#include "engine/keeper/answers.h"

#include <algorithm>

namespace tribecast::keeper {
namespace {

// Lists one after another that did not arrive, each after the channel's own repetition: whoever
// takes none of them is as good as gone.
constexpr unsigned kMaxFailures = 3;

}  // namespace

void Answers::ask(const tribes::OwnedMember& to, const session::Message& question,
                  const session::Store& store, session::Clock clock, channel::Outbox& out) {
  ++counters_.asked;
  if (asked_.size() < kMaxMembers) asked_[to.identity] = clock.now;
  const bool is_known = lanes_.contains(to.identity);
  if (!is_known && lanes_.size() >= kMaxMembers) {
    ++counters_.not_begun;
    return;
  }
  const auto lane = lanes_.try_emplace(to.identity).first;
  lane->second.to = to;
  std::deque<Waiting>& waiting = lane->second.waiting;
  const auto waits = [&](const Waiting& one) { return one.context == question.context; };
  if (std::ranges::any_of(waiting, waits)) return;
  if (waiting.size() >= kMaxWaiting) {
    ++counters_.not_begun;
    return;
  }
  waiting.push_back(
      {question.context, question.dialect, question.time_set ? question.time_ms : clock.wall_ms});
  if (lane->second.sent == 0) step(lane, store, clock, out);
}

Answers::Answer Answers::begin(const Waiting& asked, const session::Store& store,
                               session::Clock clock) const {
  if (asked.context == kEveryContext) {
    return session::Handover(store, asked.context, asked.dialect);
  }
  session::TransferSettings settings = settings_;
  settings.asked_ms = asked.asked_ms;
  return session::Transfer(store, asked.context, asked.dialect, clock, settings);
}

// Sends what comes next to that member, or ends its lane.
void Answers::step(Lanes::iterator lane, const session::Store& store, session::Clock clock,
                   channel::Outbox& out) {
  Lane& to = lane->second;
  std::optional<session::Message> message;
  while (!message) {
    if (!to.answer) {
      if (to.waiting.empty()) {
        lanes_.erase(lane);
        return;
      }
      to.answer.emplace(begin(to.waiting.front(), store, clock));
      to.waiting.pop_front();
    }
    message = std::visit([&](auto& answer) { return answer.next(store, clock); }, *to.answer);
    if (message) break;
    to.answer.reset();
    ++counters_.completed;
  }
  to.sent = ++last_id_;
  sent_[to.sent] = lane->first;
  out.messages.push_back({.id = to.sent,
                          .to = to.to,
                          .options = channel::option::kProcessed,
                          .body = session::compose_message(*message),
                          .unique_id = std::nullopt});
}

void Answers::on_sent(channel::SendId id, channel::SendOutcome outcome, const session::Store& store,
                      session::Clock clock, channel::Outbox& out) {
  const auto sent = sent_.find(id);
  if (sent == sent_.end()) return;
  const auto lane = lanes_.find(sent->second);
  sent_.erase(sent);
  if (lane == lanes_.end() || lane->second.sent != id) return;
  lane->second.sent = 0;
  const bool arrived = outcome == channel::SendOutcome::acknowledged ||
                       outcome == channel::SendOutcome::written ||
                       outcome == channel::SendOutcome::refused;
  // A list that is refused or lost is no reason to keep the others, and the end of its waiting,
  // from a Tomcat that starts.
  if (outcome == channel::SendOutcome::refused) ++counters_.refused;
  lane->second.failures = arrived ? 0 : lane->second.failures + 1;
  if (lane->second.failures >= kMaxFailures) {
    ++counters_.given_up;
    lanes_.erase(lane);
    return;
  }
  step(lane, store, clock, out);
}

std::optional<Instant> Answers::last_asked(const tribes::Identity& member) const {
  const auto found = asked_.find(member);
  return found == asked_.end() ? std::nullopt : std::optional(found->second);
}

void Answers::forget(const tribes::Identity& member) {
  asked_.erase(member);
  std::erase_if(sent_, [&](const auto& one) { return one.second == member; });
  counters_.given_up += lanes_.erase(member);
}

}  // namespace tribecast::keeper
