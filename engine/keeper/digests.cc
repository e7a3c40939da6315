#include "engine/keeper/digests.h"

#include <algorithm>
#include <numeric>

#include "engine/keeper/answers.h"
#include "engine/session/handover.h"

namespace tribecast::keeper {
namespace {

constexpr std::size_t kMaxAsked = 16;            // contexts whose parts are asked for at once
constexpr std::size_t kListBytes = 64U << 10U;   // of one message of versions, about
constexpr std::size_t kKnownBytes = 2 + 8 + 8;   // beside the id
constexpr std::size_t kMaxWanted = 100'000;      // the rest differs next time still
constexpr std::size_t kBatch = 256;              // ids in one message
constexpr std::size_t kRecordBytes = 4U << 20U;  // of one message of records, about

std::uint64_t sum_of(const session::PartDigests& parts) {
  return std::accumulate(parts.begin(), parts.end(), std::uint64_t{0});
}

// Records may be what somebody waits for (copies.h).
session::Verdict verdict_if_left(EngineEvent event) {
  return event == EngineEvent::records ? session::Verdict::refused : session::Verdict::done;
}

}  // namespace

void Digests::on_came(const tribes::OwnedMember& engine, Instant now) {
  if (peers_.size() >= kMaxEngines && !peers_.contains(engine.identity)) return;
  Peer& peer = peers_[engine.identity];
  peer = {};
  peer.member = engine;
  if (next_round_ == kNever) next_round_ = now + settings_.every;
}

void Digests::on_gone(const tribes::Identity& engine) {
  peers_.erase(engine);
  if (peers_.empty()) next_round_ = kNever;
}

std::optional<bool> Digests::agrees(const tribes::Identity& engine) const {
  const auto peer = peers_.find(engine);
  return peer == peers_.end() ? std::nullopt : peer->second.agrees;
}

// Its id.
channel::SendId Digests::send(const Peer& to, EngineEvent event, Buffer payload,
                              session::Clock clock, channel::Outbox& out) {
  const bool in_pieces = event == EngineEvent::versions;
  const channel::SendId id = ++last_send_;
  out.messages.push_back(
      {.id = id,
       .to = to.member,
       .options = in_pieces ? channel::option::kProcessed : channel::option::kAsynchronous,
       .body = session::compose_message(engine_message(event, std::move(payload), clock.wall_ms)),
       .unique_id = std::nullopt});
  return id;
}

std::optional<session::Verdict> Digests::on_message(const tribes::Identity& from,
                                                    const session::Message& message,
                                                    session::Store& store, session::Clock clock,
                                                    channel::Outbox& out) {
  const auto event = static_cast<EngineEvent>(message.event);
  const auto found = peers_.find(from);
  if (event < EngineEvent::digests || event > EngineEvent::records) return std::nullopt;
  if (found == peers_.end() || !message.payload) return verdict_if_left(event);
  Peer& peer = found->second;
  const Bytes payload = *message.payload;
  bool good = true;
  // Whether it was something, and if so does that.
  const auto with = [&](const auto& parsed, const auto& use) {
    good = parsed.has_value();
    if (parsed) use(*parsed);
  };
  switch (event) {
    case EngineEvent::digests:
      with(parse_digests(payload), [&](const auto& all) { compare(peer, all, store, clock, out); });
      break;
    case EngineEvent::ask_parts:
      with(parse_contexts(payload), [&](const std::vector<std::string>& contexts) {
        std::vector<ContextParts> parts;
        for (std::size_t i = 0; i < std::min(contexts.size(), kMaxAsked); ++i) {
          parts.push_back({contexts[i], store.digests(contexts[i])});
        }
        send(peer, EngineEvent::parts, compose(parts), clock, out);
      });
      break;
    case EngineEvent::parts:
      with(parse_parts(payload),
           [&](const auto& all) { compare_parts(peer, all, store, clock, out); });
      break;
    case EngineEvent::ask_versions:
      with(parse_ask_versions(payload), [&](const AskVersions& ask) {
        peer.listing = Listing{.asked = ask, .place = {}, .next = clock.now};
      });
      break;
    case EngineEvent::versions:
      with(parse_versions(payload),
           [&](const auto& all) { take_versions(peer, all, store, clock, out); });
      break;
    case EngineEvent::ask_records:
      with(parse_ask_records(payload), [&](const AskRecords& ask) {
        send(peer, EngineEvent::records,
             session::saved_list(store, ask.context, ask.ids, clock, kRecordBytes), clock, out);
      });
      break;
    case EngineEvent::records: {
      ++counters_.records;
      const session::Verdict verdict = store.merge(payload, {clock.now, message.time_ms});
      if (verdict != session::Verdict::done) peer.wanted.clear();
      want_more(peer, clock, out);
      return verdict == session::Verdict::done ? verdict : verdict_if_left(event);
    }
  }
  if (!good) ++counters_.malformed;
  return good ? session::Verdict::done : session::Verdict::malformed;
}

void Digests::compare(Peer& peer, const std::vector<ContextDigest>& theirs,
                      const session::Store& store, session::Clock clock, channel::Outbox& out) {
  ++counters_.compared;
  std::vector<std::string> differ;
  for (const ContextDigest& one : theirs) {
    if (one.digest == sum_of(store.digests(one.context))) {
      peer.differed.erase(one.context);
    } else if (differ.size() < kMaxAsked) {
      differ.push_back(one.context);
    }
  }
  if (differ.empty()) {
    if (peer.differed.empty()) peer.agrees = true;
    return;
  }
  send(peer, EngineEvent::ask_parts, compose(differ), clock, out);
}

void Digests::compare_parts(Peer& peer, const std::vector<ContextParts>& theirs,
                            const session::Store& store, session::Clock clock,
                            channel::Outbox& out) {
  for (const ContextParts& one : theirs) {
    const session::PartDigests mine = store.digests(one.context);
    std::uint64_t now = 0;
    for (std::size_t part = 0; part < mine.size(); ++part) {
      if (mine.at(part) != one.parts.at(part)) now |= std::uint64_t{1} << part;
    }
    const auto before = peer.differed.find(one.context);
    const std::uint64_t again = before == peer.differed.end() ? 0 : now & before->second;
    if (now != 0 && peer.differed.size() < kMaxContexts) peer.differed[one.context] = now;
    if (now == 0) peer.differed.erase(one.context);
    if (again == 0) continue;
    ++counters_.differed;
    peer.agrees = false;
    const bool is_busy = peer.ticket != 0 && clock.now < peer.deadline;
    if (is_busy) continue;
    peer.ticket = ++last_ticket_;
    peer.context = one.context;
    peer.deadline = clock.now + settings_.patience;
    peer.wanted.clear();
    peer.told = 0;
    send(peer, EngineEvent::ask_versions, compose(AskVersions{peer.ticket, one.context, again}),
         clock, out);
  }
}

void Digests::take_versions(Peer& peer, const Versions& versions, const session::Store& store,
                            session::Clock clock, channel::Outbox& out) {
  if (peer.ticket == 0 || versions.ticket != peer.ticket) return;
  peer.deadline = clock.now + settings_.patience;
  std::vector<std::string> over;
  for (const KnownSession& known : versions.sessions) {
    const auto mine = store.version(peer.context, known.id);
    if (mine && *mine == known.version) continue;
    if (store.has_ended(peer.context, known.id, known.version.time_ms)) {
      if (peer.told++ < kBatch) over.push_back(known.id);
    } else if (peer.wanted.size() < kMaxWanted) {
      peer.wanted.push_back(known.id);
    }
  }
  if (!over.empty()) {
    send(peer, EngineEvent::records,
         session::saved_list(store, peer.context, over, clock, kRecordBytes), clock, out);
  }
  if (versions.is_last) want_more(peer, clock, out);
}

// What was asked for has come, as much as was.
void Digests::want_more(Peer& peer, session::Clock clock, channel::Outbox& out) {
  if (peer.ticket == 0) return;
  if (peer.wanted.empty()) {
    peer.ticket = 0;
    return;
  }
  peer.deadline = clock.now + settings_.patience;
  AskRecords ask{peer.context, {}};
  while (!peer.wanted.empty() && ask.ids.size() < kBatch) {
    ask.ids.push_back(std::move(peer.wanted.front()));
    peer.wanted.pop_front();
  }
  send(peer, EngineEvent::ask_records, compose(ask), clock, out);
}

void Digests::tell_all(const session::Store& store, session::Clock clock, channel::Outbox& out) {
  const std::vector<std::string> contexts = store.contexts();
  std::vector<ContextDigest> digests;
  auto at = std::ranges::upper_bound(contexts, last_told_);
  for (std::size_t i = 0; i < std::min(contexts.size(), kMaxContexts); ++i, ++at) {
    if (at == contexts.end()) at = contexts.begin();
    const std::uint64_t digest = sum_of(store.digests(*at));
    if (digest != 0) digests.push_back({*at, digest});
    last_told_ = *at;
  }
  const Buffer payload = compose(digests);
  for (const auto& [identity, peer] : peers_) {
    send(peer, EngineEvent::digests, payload, clock, out);
  }
}

// The next portion of a list, unless an acknowledgement is awaited.
void Digests::go_on(Peer& peer, const session::Store& store, session::Clock clock,
                    channel::Outbox& out) {
  Listing& list = *peer.listing;
  const auto gather = [&](const std::string& id, const session::Session& session) {
    if ((list.asked.parts >> session::Store::digest_part(id) & 1U) == 0) return;
    list.gathered.sessions.push_back({id, session.version()});
    list.gathered_bytes += id.size() + kKnownBytes;
  };
  const session::Walked walked =
      store.visit(list.asked.context, list.place, settings_.portion_sessions, clock.now, gather);
  if (walked == session::Walked::anew) {
    list.gathered = {.is_anew = true, .sessions = {}};
    list.gathered_bytes = 0;
  }
  list.next = clock.now + settings_.pause;
  list.gathered.is_last = walked == session::Walked::over;
  if (!list.gathered.is_last && list.gathered_bytes < kListBytes) return;
  list.gathered.ticket = list.asked.ticket;
  list.sent = send(peer, EngineEvent::versions, compose(list.gathered), clock, out);
  if (list.gathered.is_last) {
    peer.listing.reset();
  } else {
    list.gathered = {};
    list.gathered_bytes = 0;
  }
}

void Digests::on_sent(channel::SendId id, channel::SendOutcome outcome, Instant now) {
  for (auto& [identity, peer] : peers_) {
    if (!peer.listing || peer.listing->sent != id) continue;
    peer.listing->sent = 0;
    peer.listing->next = now;
    if (outcome != channel::SendOutcome::acknowledged) peer.listing.reset();
  }
}

void Digests::on_timer(bool speaks, const session::Store& store, session::Clock clock,
                       channel::Outbox& out) {
  for (auto& [identity, peer] : peers_) {
    const bool is_due = peer.listing && peer.listing->sent == 0 && peer.listing->next <= clock.now;
    if (is_due) go_on(peer, store, clock, out);
  }
  if (clock.now < next_round_) return;
  next_round_ = clock.now + settings_.every;
  if (speaks) tell_all(store, clock, out);
}

Instant Digests::next_deadline() const {
  Instant next = next_round_;
  for (const auto& [identity, peer] : peers_) {
    if (peer.listing && peer.listing->sent == 0) next = std::min(next, peer.listing->next);
  }
  return next;
}

}  // namespace tribecast::keeper
