#include "engine/keeper/fetches.h"

#include <algorithm>
#include <tuple>

#include "engine/keeper/answers.h"

namespace tribecast::keeper {
namespace {

// How much longer than this engine a member must have been alive to have what it lacks. Heartbeats
// are late; and of members that started together with this engine, none may take the other for the
// one that has the state: they would ask each other.
constexpr Duration kEarlier = seconds(2);
constexpr Duration kMuchEarlier = seconds(10);
constexpr Duration kMuchEarlierThanLoaded = seconds(30);

}  // namespace

void Fetches::on_came(const tribes::OwnedMember& member, Instant now) {
  const Duration age = milliseconds(static_cast<std::int64_t>(
      std::min<std::uint64_t>(member.alive_milliseconds, std::uint64_t{1} << 40U)));
  Peer& peer = peers_[member.identity];
  peer.member = member;
  peer.is_engine = is_engine(member);
  peer.longer = age - (now - started_);
  peer.is_earlier = peer.longer > kEarlier;
  // The age of an engine is that of its first start: it says nothing of who was away.
  peer.makes_young = loaded_ ? !peer.is_engine && peer.longer > kMuchEarlierThanLoaded
                             : peer.longer > kMuchEarlier;
  // One that comes back from a partition has heard what this one has not, and the other way round.
  const std::string all(kEveryContext);
  if (peer.is_engine && !knows(all)) {
    wanted_.insert(wanted_.begin() + (current_ ? 1 : 0),
                   {.context = all, .is_held = all_given_ || !peer.is_earlier});
  }
  // Those that were asked cannot know what only this one was there for.
  if (peer.is_earlier && !all_given_ && peer.longer > longest_asked_ + kEarlier) {
    for (const std::string& context : settled_) wanted_.push_back({.context = context});
    settled_.clear();
  }
}

void Fetches::on_gone(const tribes::Identity& member) {
  peers_.erase(member);
  if (current_ && current_->from == member) {
    ++counters_.failed;
    current_.reset();
  }
}

bool Fetches::knows(const std::string& context) const {
  const auto is_it = [&](const Wanted& wanted) { return wanted.context == context; };
  return settled_.contains(context) || std::ranges::any_of(wanted_, is_it);
}

void Fetches::on_context(const std::string& context) {
  if (knows(context) || settled_.size() + wanted_.size() >= kMaxContexts) return;
  const auto is_earlier = [](const auto& one) { return one.second.is_earlier; };
  if (all_given_ || std::ranges::none_of(peers_, is_earlier)) {
    settled_.insert(context);
    return;
  }
  wanted_.push_back({.context = context});
}

void Fetches::on_held(const std::string& context) {
  const auto is_it = [&](const Wanted& wanted) { return wanted.context == context; };
  if (std::ranges::any_of(wanted_, is_it) || wanted_.size() >= kMaxContexts) return;
  wanted_.push_back({.context = context, .is_held = true});
}

bool Fetches::is_current(const tribes::Identity& from, const std::string& context) const {
  return current_ && current_->from == from && wanted_.front().context == context;
}

bool Fetches::on_part(const tribes::Identity& from, const std::string& context, Instant now) {
  if (!is_current(from, context)) return false;
  current_->deadline = now + settings_.patience;
  return true;
}

void Fetches::on_end(const tribes::Identity& from, const std::string& context, bool has_context) {
  if (!is_current(from, context)) return;
  current_.reset();
  if (has_context) {
    longest_asked_ = std::max(longest_asked_, peers_.at(from).longer);
    end_first(true);
  } else {
    ++counters_.failed;  // and the next one is asked
  }
}

void Fetches::on_not_sent(const tribes::Identity& to) {
  if (!current_ || current_->from != to) return;
  ++counters_.failed;
  current_.reset();
}

void Fetches::end_first(bool completed) {
  ++(completed ? counters_.completed : counters_.given_up);
  if (wanted_.front().context == kEveryContext) {
    all_given_ = all_given_ || (completed && !wanted_.front().is_held);
  } else {
    settled_.insert(wanted_.front().context);
  }
  wanted_.pop_front();
  if (!all_given_) return;
  for (const Wanted& wanted : wanted_) settled_.insert(wanted.context);
  std::erase_if(wanted_, [](const Wanted& wanted) { return !wanted.is_held; });
}

// Engines first, then the longest alive.
const Fetches::Peer* Fetches::whom_to_ask(const Wanted& wanted) const {
  const Peer* best = nullptr;
  const auto rank = [](const Peer& peer) {
    return std::tuple(peer.is_engine, peer.member.alive_milliseconds);
  };
  for (const auto& [identity, peer] : peers_) {
    const bool may = peer.is_earlier || wanted.is_held;
    if (!may || wanted.tried.contains(identity)) continue;
    if (wanted.context == kEveryContext && !peer.is_engine) continue;
    if (best == nullptr || rank(peer) > rank(*best)) best = &peer;
  }
  return best;
}

std::optional<Fetches::Ask> Fetches::step(Instant now, const Dialects& dialects,
                                          const CountSessions& count_sessions) {
  if (current_ && now >= current_->deadline) {
    ++counters_.failed;
    Wanted& wanted = wanted_.front();
    const bool is_first_time = wanted.silent.insert(current_->from).second;
    const bool may_misunderstand = !dialects.has_heard() && !peers_.at(current_->from).is_engine;
    if (is_first_time && may_misunderstand) wanted.tried.erase(current_->from);
    current_.reset();
  }
  while (!current_ && !wanted_.empty()) {
    Wanted& wanted = wanted_.front();
    const Peer* peer = whom_to_ask(wanted);
    if (peer == nullptr) {
      end_first(false);
      continue;
    }
    wanted.tried.insert(peer->member.identity);
    if (!peer->is_engine && count_sessions(wanted.context) >= settings_.limit_sessions) {
      ++counters_.too_large;
      continue;
    }
    ++counters_.asked;
    current_ = {peer->member.identity, now + settings_.patience};
    const bool is_other = !dialects.has_heard() && wanted.silent.contains(peer->member.identity);
    return Ask{peer->member, wanted.context,
               is_other ? session::Dialect::tomcat7 : dialects.of(peer->member.identity)};
  }
  return std::nullopt;
}

bool Fetches::is_in_sync(Instant now) const {
  if (!loaded_ && now < started_ + settings_.settle) return false;
  const auto makes_young = [](const auto& one) { return one.second.makes_young; };
  if (std::ranges::none_of(peers_, makes_young)) return true;
  const auto is_missing = [](const Wanted& wanted) { return !wanted.is_held; };
  if (std::ranges::any_of(wanted_, is_missing)) return false;
  // Which contexts there are is known by hearing of them alone.
  return loaded_ || all_given_ || !settled_.empty();
}

}  // namespace tribecast::keeper
