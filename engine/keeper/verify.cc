#include "engine/keeper/verify.h"

#include <algorithm>
#include <map>
#include <string_view>

#include "engine/keeper/answers.h"
#include "engine/keeper/clock.h"
#include "engine/keeper/compare.h"
#include "engine/keeper/fetches.h"

namespace tribecast::keeper {
namespace {

constexpr std::int64_t kSettledMs = 3000;  // older changes have arrived everywhere
constexpr std::int64_t kClockMs = 1000;    // by which the clocks of two hosts may differ

// Of attributes that one of them lacks, or that are not alike.
std::vector<std::string> unlike(const session::Record& record, const session::Session& session) {
  std::map<std::string_view, Bytes> mine;
  for (const session::Entry& entry : session.entries()) {
    if (entry.type == session::ActionType::attribute && !entry.removed) {
      mine[entry.content.name()] = entry.content.value();
    }
  }
  std::vector<std::string> names;
  for (const auto& [name, value] : record.attributes) {
    const auto found = mine.find(name);
    if (found == mine.end() || !is_alike(value, found->second)) names.push_back(name);
    if (found != mine.end()) mine.erase(found);
  }
  for (const auto& [name, value] : mine) names.emplace_back(name);
  return names;
}

// What the other one has, by the time of its last use.
Difference compared(std::int64_t theirs_ms, std::int64_t mine_ms, std::int64_t tolerance_ms) {
  if (theirs_ms + tolerance_ms < mine_ms) return Difference::older;
  return theirs_ms > mine_ms + tolerance_ms ? Difference::newer : Difference::differs;
}

}  // namespace

void CompareOutcome::add(Difference what, const std::string& id, std::vector<std::string> names) {
  ++counts.at(static_cast<std::size_t>(what));
  if (examples.size() >= kMaxExamples) return;
  if (names.size() > kMaxNames) names.resize(kMaxNames);
  examples.push_back({id, what, std::move(names)});
}

bool Verify::begin(const std::vector<tribes::OwnedMember>& members, const session::Store& store,
                   const Maps& maps, Instant now) {
  if (is_running()) return false;
  done_.clear();
  const auto names = maps.replica() ? maps.replica()->maps() : std::vector<std::string>();
  for (const tribes::OwnedMember& member : members) {
    for (const std::string& context : store.contexts()) tasks_.push_back({member, context});
    for (const std::string& map : names) tasks_.push_back({member, map, true});
    if (tasks_.size() > kMaxTasks) break;
  }
  if (tasks_.size() > kMaxTasks) tasks_.resize(kMaxTasks);
  has_result_ = tasks_.empty();
  next_ = now;
  return true;
}

std::optional<std::vector<CompareOutcome>> Verify::take() {
  if (!has_result_ || is_running()) return std::nullopt;
  has_result_ = false;
  return std::move(done_);
}

void Verify::ask(const Dialects& dialects, const session::Store& store, Maps& maps,
                 const channel::Moment& moment, channel::Outbox& out) {
  const session::Clock clock = clock_of(moment);
  Task task = std::move(tasks_.front());
  tasks_.pop_front();
  current_ = Current{};
  current_->is_engine = is_engine(task.member);
  current_->outcome.member = task.member;
  current_->outcome.context = task.context;
  current_->settled_ms = clock.wall_ms - kSettledMs;
  current_->deadline = clock.now + settings_.patience;
  current_->ticket = ++last_ticket_;
  if (task.is_map) {
    current_->is_map = true;
    current_->deadline = kNever;  // a remote call ends by itself
    return maps.compare(task.context, task.member, moment, out);
  }
  if (!current_->is_engine && store.session_count(task.context) >= settings_.limit_sessions) {
    return end(CompareOutcome::Kind::too_large);
  }
  const session::Message message =
      current_->is_engine
          ? engine_message(EngineEvent::ask_versions,
                           compose(AskVersions{current_->ticket, task.context, kAllParts}),
                           clock.wall_ms)
          : session::get_all_message(dialects.of(task.member.identity), task.context,
                                     clock.wall_ms);
  out.messages.push_back({.id = first_id_of(Sender::verify),
                          .to = std::move(task.member),
                          .options = channel::option::kAsynchronous,
                          .body = session::compose_message(message),
                          .unique_id = std::nullopt});
}

void Verify::on_compared(const map::Compared& compared) {
  if (!current_ || !current_->is_map) return;
  CompareOutcome& outcome = current_->outcome;
  outcome.here = compared.here;
  outcome.there = compared.there;
  outcome.moving = compared.moving;
  for (const std::string& key : compared.lacks) {
    outcome.add(Difference::lacks, map::key_text(key));
  }
  for (const std::string& key : compared.only_there) {
    outcome.add(Difference::only_there, map::key_text(key));
  }
  switch (compared.kind) {
    case map::Compared::Kind::compared:
      return end(CompareOutcome::Kind::compared);
    case map::Compared::Kind::no_answer:
      return end(CompareOutcome::Kind::no_answer);
    case map::Compared::Kind::no_map:
      return end(CompareOutcome::Kind::no_context);
  }
}

void Verify::end(CompareOutcome::Kind kind) {
  current_->outcome.kind = kind;
  done_.push_back(std::move(current_->outcome));
  current_.reset();
  has_result_ = tasks_.empty();
}

bool Verify::on_message(const tribes::Identity& from, const session::Message& message,
                        const session::Store& store, session::Clock clock) {
  if (!is_asking() || current_->is_map || current_->outcome.member.identity != from) return false;
  if (current_->is_engine) {
    if (message.event != static_cast<std::int32_t>(EngineEvent::versions)) return false;
    const auto versions = parse_versions(message.content());
    if (!versions || versions->ticket != current_->ticket) return false;
    current_->deadline = clock.now + settings_.patience;
    if (versions->is_anew) {
      CompareOutcome anew;
      anew.member = std::move(current_->outcome.member);
      anew.context = std::move(current_->outcome.context);
      current_->outcome = std::move(anew);
      current_->seen.clear();
    }
    for (const KnownSession& known : versions->sessions) compare(known, store);
    current_->is_answered = versions->is_last;
  } else {
    if (message.context != current_->outcome.context) return false;
    current_->deadline = clock.now + settings_.patience;
    if (message.is(session::Event::no_context_manager)) {
      end(CompareOutcome::Kind::no_context);
    } else if (message.is(session::Event::transfer_complete)) {
      current_->is_answered = true;
    } else if (message.is(session::Event::all_data)) {
      const auto records = session::parse_list(message.content(), message.dialect);
      if (!records) return end(CompareOutcome::Kind::no_answer), true;
      for (const session::Record& record : *records) compare(record, store, clock.now);
    } else {
      return false;
    }
  }
  next_ = clock.now;
  return true;
}

void Verify::compare(const KnownSession& known, const session::Store& store) {
  CompareOutcome& outcome = current_->outcome;
  ++outcome.there;
  current_->seen.insert(session::digest_of(known.id));
  const auto mine = store.version(outcome.context, known.id);
  if (mine && *mine == known.version) return;
  const std::int64_t latest = std::max(known.version.time_ms, mine ? mine->time_ms : 0);
  if (latest > current_->settled_ms) {
    ++outcome.moving;
  } else if (!mine) {
    outcome.add(Difference::only_there, known.id);
  } else {
    outcome.add(compared(known.version.time_ms, mine->time_ms, 0), known.id);
  }
}

void Verify::compare(const session::Record& record, const session::Store& store, Instant now) {
  CompareOutcome& outcome = current_->outcome;
  if (!record.is_valid) return;
  ++outcome.there;
  current_->seen.insert(session::digest_of(record.id));
  const session::Session* mine = store.find(outcome.context, record.id, now);
  std::vector<std::string> names;
  if (mine != nullptr) names = unlike(record, *mine);
  if (mine != nullptr && names.empty()) return;
  const std::int64_t theirs_ms = record.this_accessed_ms;
  const std::int64_t latest = std::max(theirs_ms, mine != nullptr ? mine->newest_ms() : 0);
  if (latest > current_->settled_ms) {
    ++outcome.moving;
  } else if (mine == nullptr) {
    outcome.add(Difference::only_there, record.id);
  } else {
    outcome.add(compared(theirs_ms, mine->newest_ms(), kClockMs), record.id, std::move(names));
  }
}

// The sessions of this engine that were not in the answer.
void Verify::walk(const session::Store& store, Instant now) {
  CompareOutcome& outcome = current_->outcome;
  const auto look = [&](const std::string& id, const session::Session& session) {
    ++outcome.here;
    if (current_->seen.contains(session::digest_of(id))) return;
    if (session.newest_ms() > current_->settled_ms) {
      ++outcome.moving;
    } else {
      outcome.add(Difference::lacks, id);
    }
  };
  const session::Walked walked =
      store.visit(outcome.context, current_->place, settings_.portion_sessions, now, look);
  if (walked == session::Walked::anew) {
    outcome.here = 0;
    outcome.counts.at(static_cast<std::size_t>(Difference::lacks)) = 0;
    std::erase_if(outcome.examples, [](const auto& one) { return one.what == Difference::lacks; });
  }
  if (walked == session::Walked::over) end(CompareOutcome::Kind::compared);
}

void Verify::on_not_sent() {
  if (is_asking()) end(CompareOutcome::Kind::no_answer);
}

void Verify::on_gone(const tribes::Identity& member) {
  if (is_asking() && !current_->is_map && current_->outcome.member.identity == member) {
    end(CompareOutcome::Kind::no_answer);
  }
}

void Verify::on_timer(bool may_ask, const Dialects& dialects, const session::Store& store,
                      Maps& maps, const channel::Moment& moment, channel::Outbox& out) {
  if (!is_running() || moment.now < next_deadline()) return;
  next_ = moment.now + settings_.pause;
  if (is_asking()) {
    if (moment.now >= current_->deadline) end(CompareOutcome::Kind::no_answer);
  } else if (current_) {
    walk(store, moment.now);
  } else if (may_ask) {
    ask(dialects, store, maps, moment, out);
  } else {
    next_ = moment.now + milliseconds(100);
  }
}

Instant Verify::next_deadline() const {
  if (!is_running()) return kNever;
  return is_asking() ? current_->deadline : next_;
}

}  // namespace tribecast::keeper
