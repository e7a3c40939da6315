// Do the engines hold the same? Every few seconds each tells the others a digest of each context.
// Where one differs, who sees it asks for the digests of the context's parts; where a part has
// differed at two comparisons in a row, for its ids and versions; and for what it lacks, or has in
// another version. What the other one has though its session ended here, or has another id, is told
// it. Merging takes the later of each value, so both have the same afterwards.
//
//   digests -->  <-- ask_parts  parts -->  <-- ask_versions  versions -->  <-- ask_records  records
//   -->
//
// What is on its way differs for a moment: it does not differ in the same part twice. Engines that
// agree send one small message each time. Lists are made in portions, one at a time for each
// engine, the next piece after the acknowledgement of the one before.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/channel/application.h"
#include "engine/keeper/digest_message.h"
#include "engine/keeper/send_ids.h"
#include "engine/session/store.h"

namespace tribecast::keeper {

struct DigestSettings {
  Duration every = seconds(3);
  Duration patience = seconds(10);      // for an answer
  std::size_t portion_sessions = 2000;  // looked at in one go
  Duration pause = milliseconds(2);     // between two goes
};

struct DigestCounters {
  std::uint64_t compared = 0;  // with what another engine told
  std::uint64_t differed = 0;  // of them: in a part that had differed at the comparison before
  std::uint64_t records = 0;   // messages of them that were taken in
  std::uint64_t malformed = 0;
};

class Digests {
 public:
  static constexpr std::size_t kMaxEngines = 16;
  static constexpr std::size_t kMaxContexts = 512;  // in one message; the others take turns
  // Answers to tickets with this bit are somebody else's.
  static constexpr std::uint64_t kForeignTicket = std::uint64_t{1} << 63U;

  explicit Digests(const DigestSettings& settings = {}) : settings_(settings) {}

  // Of engines alone.
  void on_came(const tribes::OwnedMember& engine, Instant now);
  void on_gone(const tribes::Identity& engine);
  // nullopt: it is not for this object.
  std::optional<session::Verdict> on_message(const tribes::Identity& from,
                                             const session::Message& message, session::Store& store,
                                             session::Clock clock, channel::Outbox& out);
  void on_sent(channel::SendId id, channel::SendOutcome outcome, Instant now);
  // `speaks`: this engine is in sync, so what it lacks is missing.
  void on_timer(bool speaks, const session::Store& store, session::Clock clock,
                channel::Outbox& out);
  [[nodiscard]] Instant next_deadline() const;

  // Whether that engine had the same when last compared; nullopt: not compared yet.
  [[nodiscard]] std::optional<bool> agrees(const tribes::Identity& engine) const;
  [[nodiscard]] const DigestCounters& counters() const { return counters_; }

 private:
  // What another engine is being told.
  struct Listing {
    AskVersions asked;
    session::Place place;
    bool is_anew = false;
    channel::SendId sent = 0;  // whose acknowledgement is awaited; 0 = none
    Instant next;
    Versions gathered = {};
    std::size_t gathered_bytes = 0;
  };
  struct Peer {
    tribes::OwnedMember member;
    std::optional<bool> agrees;
    std::map<std::string, std::uint64_t> differed;  // parts, at the last comparison
    std::uint64_t ticket = 0;                       // of what was asked for; 0 = nothing
    std::string context;                            // that it is about
    Instant deadline;
    std::deque<std::string> wanted;  // ids in `context`
    std::size_t told = 0;            // ids of this answer that are over here
    std::optional<Listing> listing;
  };
  using Peers = std::map<tribes::Identity, Peer>;

  channel::SendId send(const Peer& to, EngineEvent event, Buffer payload, session::Clock clock,
                       channel::Outbox& out);
  void compare(Peer& peer, const std::vector<ContextDigest>& theirs, const session::Store& store,
               session::Clock clock, channel::Outbox& out);
  void compare_parts(Peer& peer, const std::vector<ContextParts>& theirs,
                     const session::Store& store, session::Clock clock, channel::Outbox& out);
  void take_versions(Peer& peer, const Versions& versions, const session::Store& store,
                     session::Clock clock, channel::Outbox& out);
  void want_more(Peer& peer, session::Clock clock, channel::Outbox& out);
  void tell_all(const session::Store& store, session::Clock clock, channel::Outbox& out);
  void go_on(Peer& peer, const session::Store& store, session::Clock clock, channel::Outbox& out);

  DigestSettings settings_;
  Peers peers_;
  Instant next_round_ = kNever;
  std::string last_told_;  // the context that the last message ended with
  std::uint64_t last_ticket_ = 0;
  channel::SendId last_send_ = first_id_of(Sender::digests);
  DigestCounters counters_;
};

}  // namespace tribecast::keeper
