#include "engine/report/report.h"

#include <algorithm>
#include <array>
#include <tuple>

#include "base/hex.h"
#include "engine/java/head.h"

namespace tribecast::report {
namespace {

constexpr std::size_t kMostLetters = 8;
constexpr std::size_t kMostContexts = 1000;

double since(std::int64_t time_ms, session::Clock clock) {
  return static_cast<double>(std::max<std::int64_t>(clock.wall_ms - time_ms, 0)) / 1000;
}

std::string hex_of(std::uint64_t number) {
  std::array<std::uint8_t, 8> bytes{};
  SpanWriter(bytes).u64be(number);
  return to_hex(bytes);
}

std::string_view name_of(channel::MemberState state) {
  if (state == channel::MemberState::up) return "up";
  return state == channel::MemberState::suspect ? "suspect" : "unreached";
}

std::string_view name_of(session::ActionType type) {
  switch (type) {
    case session::ActionType::attribute:
      return "attribute";
    case session::ActionType::principal:
      return "principal";
    case session::ActionType::auth_type:
      return "auth_type";
    case session::ActionType::listener:
      return "listener";
    case session::ActionType::note:
      return "note";
    default:
      break;
  }
  return "property";
}

control::EngineMember member_of(const channel::Membership::Entry& entry,
                                const keeper::Keeper& keeper, const channel::Channel& channel,
                                Instant now) {
  const tribes::OwnedMember& member = entry.member;
  const channel::Traffic traffic = channel.traffic(member.identity);
  control::EngineMember row;
  row.name = member.identity.name();
  row.kind = keeper::is_engine(member) ? "engine" : "tomcat";
  row.unique_id = to_hex(member.identity.unique_id);
  row.state = name_of(entry.state);
  row.alive_seconds = static_cast<double>(member.alive_milliseconds) / 1000;
  if (entry.heard != Instant{}) row.last_heard_seconds = to_seconds(now - entry.heard);
  row.sent = traffic.sent;
  row.failed = traffic.failed;
  row.pending = traffic.pending;
  if (const auto asked = keeper.answers().last_asked(member.identity)) {
    row.last_asked_seconds = to_seconds(now - *asked);
  }
  row.agrees = keeper.digests().agrees(member.identity);
  return row;
}

std::vector<control::EngineCounter> counters_of(const keeper::Keeper& keeper,
                                                const channel::Channel& channel) {
  const session::Counters& store = keeper.store().counters();
  const keeper::MapCounters& maps = keeper.maps().counters();
  const keeper::PushCounters& healing = keeper.pushes().counters();
  const keeper::DigestCounters& digests = keeper.digests().counters();
  const channel::ChannelCounters& sent = channel.counters();
  return {{"messages", keeper.counters().messages},
          {"created", store.created},
          {"deltas", store.deltas},
          {"accessed", store.accessed},
          {"ended", store.ended},
          {"timed_out", store.timed_out},
          {"renamed", store.renamed},
          {"records", store.records},
          {"refused", store.refused},
          {"malformed", store.malformed},
          {"lost_values", store.lost_values},
          {"asked", keeper.answers().counters().asked},
          {"answered", keeper.answers().counters().completed},
          {"fetched", keeper.fetches().counters().completed},
          {"fetch_failed", keeper.fetches().counters().failed},
          {"map_messages", maps.messages},
          {"map_requests", maps.requests},
          {"map_not_sent", maps.not_sent},
          {"healing_looks", healing.looks},
          {"healing_given", healing.given},
          {"healing_mended", healing.mended},
          {"healing_ended", healing.ended},
          {"healing_renamed", healing.renamed},
          {"healing_taken", healing.taken},
          {"healing_failed", healing.failed},
          {"digests_compared", digests.compared},
          {"digests_differed", digests.differed},
          {"copied", keeper.copies().counters().copied},
          {"not_copied", keeper.copies().counters().refused},
          {"heartbeats", sent.heartbeats},
          {"bad_datagrams", sent.bad_datagrams},
          {"bad_frames", sent.bad_frames},
          {"sent", sent.sent},
          {"send_failed", sent.send_failed}};
}

constexpr std::array<std::string_view, 5> kDifferences = {"lacks", "older", "newer", "differs",
                                                          "only_there"};

std::string_view outcome_of(const keeper::CompareOutcome& one) {
  switch (one.kind) {
    case keeper::CompareOutcome::Kind::too_large:
      return "too_large";
    case keeper::CompareOutcome::Kind::no_answer:
      return "no_answer";
    case keeper::CompareOutcome::Kind::no_context:
      return "no_context";
    case keeper::CompareOutcome::Kind::compared:
      break;
  }
  const bool differs = std::ranges::any_of(one.counts, [](std::uint64_t n) { return n > 0; });
  return differs ? "differs" : "same";
}

control::VerifyContext context_of(const keeper::CompareOutcome& one) {
  control::VerifyContext context;
  context.context = one.context;
  context.outcome = outcome_of(one);
  context.here = one.here;
  context.there = one.there;
  context.lacks = one.counts[0];
  context.older = one.counts[1];
  context.newer = one.counts[2];
  context.differs = one.counts[3];
  context.only_there = one.counts[4];
  context.moving = one.moving;
  for (const auto& example : one.examples) {
    context.examples.push_back(
        {shown(example.id).letters,
         std::string(kDifferences.at(static_cast<std::size_t>(example.what))), example.names});
  }
  return context;
}

}  // namespace

control::VerifyReport report_of(const std::vector<keeper::CompareOutcome>& outcomes,
                                Duration took) {
  control::VerifyReport report;
  report.seconds = to_seconds(took);
  for (const keeper::CompareOutcome& one : outcomes) {
    const std::string name = one.member.identity.name();
    if (report.members.empty() || report.members.back().name != name) {
      const std::string kind = keeper::is_engine(one.member) ? "engine" : "tomcat";
      report.members.push_back({name, kind, "same", {}});
    }
    control::VerifyMember& member = report.members.back();
    member.contexts.push_back(context_of(one));
    const std::string& outcome = member.contexts.back().outcome;
    if (outcome == "differs") member.outcome = "differs";
    // A web application may be deployed on some members only.
    const bool is_known = outcome == "same" || outcome == "differs" || outcome == "no_context";
    if (!is_known && member.outcome == "same") member.outcome = "unknown";
  }
  return report;
}

ShownId shown(std::string_view id) {
  const std::size_t dot = id.rfind('.');
  const bool has_route = dot != id.npos && dot > 0;
  const std::string_view secret = has_route ? id.substr(0, dot) : id;
  return {std::string(secret.substr(0, std::min(kMostLetters, secret.size() / 4))),
          has_route ? std::string(id.substr(dot + 1)) : std::string()};
}

void fill(control::EngineStatus& status, const keeper::Keeper& keeper,
          const channel::Channel& channel, const channel::Moment& moment) {
  status.in_sync = keeper.has_state();
  status.age_told_seconds = static_cast<double>(channel.alive_milliseconds(moment.now)) / 1000;
  status.sessions = keeper.store().session_count();
  status.map_entries = keeper.maps().entry_count();
  status.memory_bytes = keeper.memory_bytes();
  constexpr std::array kAckLevels = {"memory", "disk", "peer"};
  status.ack = kAckLevels.at(static_cast<std::size_t>(keeper.ack()));
  const keeper::Copies& copies = keeper.copies();
  const char* taken = copies.has_engine() && !copies.fails() ? "ok" : "failed";
  status.copies = keeper.ack() == keeper::AckLevel::peer ? taken : "none";
  for (const std::string& context : keeper.store().contexts()) {
    if (status.contexts.size() == kMostContexts) break;
    status.contexts.push_back({context, keeper.store().session_count(context)});
  }
  for (const channel::Membership::Entry* entry : channel.membership().all()) {
    status.members.push_back(member_of(*entry, keeper, channel, moment.now));
  }
  status.counters = counters_of(keeper, channel);
}

control::SessionRow row_of(const std::string& context, const std::string& id,
                           const session::Session& session, session::Clock clock) {
  const ShownId name = shown(id);
  control::SessionRow row;
  row.id = name.letters;
  row.route = name.route;
  row.context = context;
  row.bytes = session.memory_bytes();
  row.attributes = static_cast<std::uint64_t>(
      std::ranges::count_if(session.entries(), [](const session::Entry& entry) {
        return entry.type == session::ActionType::attribute && !entry.removed;
      }));
  row.last_access_seconds = since(session.newest_ms(), clock);
  if (session.expires_at() != kNever) {
    row.expires_seconds = std::max(0.0, to_seconds(session.expires_at() - clock.now));
  }
  row.version_time_ms = static_cast<std::uint64_t>(std::max<std::int64_t>(session.newest_ms(), 0));
  row.version = hex_of(session.version().digest);
  return row;
}

control::SessionDetail detail_of(const std::string& context, const std::string& id,
                                 const session::Session& session, session::Clock clock) {
  control::SessionDetail detail{row_of(context, id, session, clock), {}};
  for (const session::Entry& entry : session.entries()) {
    if (entry.removed) continue;
    const Bytes value = entry.content.value();
    detail.parts.push_back({std::string(name_of(entry.type)), std::string(entry.content.name()),
                            java::class_at_head(value), value.size(),
                            static_cast<std::uint64_t>(entry.time_ms), entry.order});
  }
  return detail;
}

Walk::Walk(const session::Store& store, const std::string& context)
    : contexts_(context.empty() ? store.contexts() : std::vector{context}) {}

bool Walk::step(const session::Store& store, Instant now, const Visitor& visitor,
                const std::function<void(const std::string& context)>& restart) {
  if (contexts_.empty()) return false;
  const std::string& context = contexts_.back();
  const auto visit = [&](const std::string& id, const session::Session& session) {
    visitor(context, id, session);
  };
  const session::Walked walked = store.visit(context, place_, kPortion, now, visit);
  if (walked == session::Walked::anew) restart(context);
  if (walked != session::Walked::over) return true;
  contexts_.pop_back();
  place_ = {};
  return !contexts_.empty();
}

bool Listing::step(const session::Store& store, Instant now) {
  const auto take = [&](const std::string& context, const std::string& id,
                        const session::Session& session) {
    ++totals_[context];
    found_.push_back({session.newest_ms(), context, id});
    if (found_.size() >= 2 * limit_ + Walk::kPortion) keep_latest();
  };
  const auto restart = [&](const std::string& context) {
    totals_[context] = 0;
    std::erase_if(found_, [&](const Found& one) { return one.context == context; });
  };
  const bool goes_on = walk_.step(store, now, take, restart);
  if (!goes_on) keep_latest();
  return goes_on;
}

void Listing::keep_latest() {
  std::ranges::sort(found_, [](const Found& a, const Found& b) {
    return std::tie(b.time_ms, a.context, a.id) < std::tie(a.time_ms, b.context, b.id);
  });
  if (found_.size() > limit_) found_.resize(limit_);
}

control::SessionList Listing::list(const session::Store& store, session::Clock clock) const {
  control::SessionList list;
  for (const auto& [context, total] : totals_) list.total += total;
  for (const Found& one : found_) {
    const session::Session* session = store.find(one.context, one.id, clock.now);
    if (session != nullptr) list.sessions.push_back(row_of(one.context, one.id, *session, clock));
  }
  return list;
}

Search::Search(const session::Store& store, std::string word, const std::string& context,
               Instant now)
    : word_(std::move(word)) {
  for (const std::string& one : context.empty() ? store.contexts() : std::vector{context}) {
    if (found_.size() < 2 && store.find(one, word_, now) != nullptr)
      found_.emplace_back(one, word_);
  }
  if (found_.empty()) walk_.emplace(store, context);
}

bool Search::step(const session::Store& store, Instant now) {
  if (!walk_ || found_.size() >= 2) return false;
  const auto take = [&](const std::string& context, const std::string& id,
                        const session::Session&) {
    if (found_.size() < 2 && id.starts_with(word_)) found_.emplace_back(context, id);
  };
  const auto restart = [&](const std::string& context) {
    std::erase_if(found_, [&](const auto& one) { return one.first == context; });
  };
  return walk_->step(store, now, take, restart);
}

}  // namespace tribecast::report
