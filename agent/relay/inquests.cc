#include "relay/inquests.h"

#include <algorithm>
#include <utility>

namespace tribecast::relay {

Verdict judge(bool answered_before, KnockResult now, bool host_answers) {
  if (now == KnockResult::accepted) return Verdict::alive;
  if (!answered_before || now == KnockResult::not_tried) return Verdict::unknown;
  if (now == KnockResult::refused) return Verdict::process_gone;
  return host_answers ? Verdict::unknown : Verdict::host_gone;
}

// Where there is no room or no address, the question is not asked and its answer is not_tried.
void Inquests::ask(Question question, const std::optional<Endpoint>& at, Actions& out) {
  if (!at || questions_.size() >= kMaxKnocks) return;
  ++(question.tried ? tries_ : inquests_[question.peer].open);
  out.knocks.push_back({next_token_, *at});
  questions_.emplace(next_token_++, std::move(question));
}

void Inquests::try_port(const MemberRecord& member, Actions& out) {
  if (room_to_try() > 0) ask({member, {}, {}}, member.listener(), out);
}

bool Inquests::is_due(Instant now, const std::string& peer, Duration silent_for) const {
  const auto found = inquests_.find(peer);
  if (found == inquests_.end()) return true;
  const Duration pause = std::clamp<Duration>(silent_for / 2, kShortestPause, kLongestPause);
  return found->second.open == 0 && now - found->second.held >= pause;
}

void Inquests::hold(Instant now, const std::string& peer, const Endpoint& host,
                    std::vector<Suspect> suspects, Actions& out) {
  Inquest& inquest = inquests_[peer];
  inquest.suspects = std::move(suspects);
  inquest.results.assign(inquest.suspects.size(), KnockResult::not_tried);
  inquest.host_answers = false;
  inquest.held = now;
  for (std::size_t i = 0; i < inquest.suspects.size(); ++i) {
    ask({{}, peer, i}, inquest.suspects[i].member.listener(), out);
  }
  if (inquest.open > 0) ask({{}, peer, {}}, host, out);
}

Inquests::Outcome Inquests::on_knock(Instant now, std::uint64_t token, KnockResult result) {
  const auto found = questions_.find(token);
  if (found == questions_.end()) return {};
  const Question question = std::move(found->second);
  questions_.erase(found);
  if (question.tried) {
    --tries_;
    return {question.tried, result == KnockResult::accepted, {}, {}};
  }

  const auto entry = inquests_.find(question.peer);
  if (entry == inquests_.end()) return {};
  Inquest& inquest = entry->second;
  if (question.suspect) inquest.results[*question.suspect] = result;
  if (result == KnockResult::accepted || result == KnockResult::refused) {
    inquest.host_answers = true;
  }
  if (--inquest.open > 0) return {};

  inquest.held = now;
  inquest.answering =
      static_cast<std::size_t>(std::ranges::count(inquest.results, KnockResult::accepted));
  Outcome outcome;
  outcome.peer = question.peer;
  for (std::size_t i = 0; i < inquest.suspects.size(); ++i) {
    const Suspect& suspect = inquest.suspects[i];
    outcome.judged.push_back(
        {suspect.member, judge(suspect.answered_before, inquest.results[i], inquest.host_answers)});
  }
  return outcome;
}

void Inquests::keep_only(const std::set<std::string>& silent_peers) {
  std::erase_if(inquests_, [&](const auto& entry) { return !silent_peers.contains(entry.first); });
  std::erase_if(questions_, [&](const auto& entry) {
    return !entry.second.tried && !silent_peers.contains(entry.second.peer);
  });
}

std::size_t Inquests::answering(const std::string& peer) const {
  const auto found = inquests_.find(peer);
  return found == inquests_.end() ? 0 : found->second.answering;
}

std::size_t Inquests::tell_answering(const std::string& peer) {
  const auto found = inquests_.find(peer);
  if (found == inquests_.end() || found->second.answering == 0) return 0;
  return std::exchange(found->second.told, true) ? 0 : found->second.answering;
}

}  // namespace tribecast::relay
