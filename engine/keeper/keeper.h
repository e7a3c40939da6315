// The engine as an application of its channel: keeps the session store and gives back from it.
//
// engine/keeper joins engine/session, engine/map and engine/channel. answers.h gives members what
// they ask for, fetches.h asks for what this engine lacks, copies.h gives another engine what is
// waited for, maps.h is the part in replicated maps, keeper.h is the whole. It owns no socket, file
// or clock; what is to be kept on a disk it hands out as bytes, and is told when they are there.
//
//   Keeper keeper(settings, now);
//   keeper.begin(self, moment);                      // under which identity it is a member
//   keeper.restore(key, value, moment) ...;          // for each record of a disk
//   keeper.restored(moment, grace, false);           // then it is a channel's application
//   if (keeper.has_changes()) write(keeper.begin_commit(moment));    // about every 100 ms
//   keeper.end_commit(good, outbox);                 // and the channel carries out the outbox
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/channel/application.h"
#include "engine/keeper/answers.h"
#include "engine/keeper/copies.h"
#include "engine/keeper/dialects.h"
#include "engine/keeper/digests.h"
#include "engine/keeper/fetches.h"
#include "engine/keeper/maps.h"
#include "engine/keeper/pushes.h"
#include "engine/keeper/verify.h"
#include "engine/session/store.h"

namespace tribecast::keeper {

// Where what a message says is before a sender that waits for it is acknowledged.
enum class AckLevel : std::uint8_t {
  memory,
  disk,  // refused while nothing can be written, though it is kept in memory
  peer,  // another engine, too; refused while none takes it. What is of a map: memory
};

struct Settings {
  session::Settings store;  // tracks_changes: something is kept on a disk
  session::TransferSettings transfer;
  FetchSettings fetch;
  DigestSettings digests;
  PushSettings push;
  map::Settings maps;  // its memory limit and tracks_changes are those of `store`
  AckLevel ack = AckLevel::memory;
};

enum class NoticeKind : std::uint8_t {
  memory_alarm,  // 90 % of its limit; `count` bytes
  memory_full,   // growth is refused
  memory_fine,   // below 85 %
  answering,     // `member` asked for `context`, of which there are `count` sessions
  fetching,      // `member` is asked for `context`
  in_sync,       // it may be asked now; there are `count` sessions
  not_in_sync,
  copies_fail,  // no other engine takes what is waited for
  copies_taken,
  healing,  // `member` lacked `count` sessions of `context`, or parts of them, and was given them
  took,     // `member` alone had something newer of `count` sessions of `context`
};

// For the log.
struct Notice {
  NoticeKind kind = NoticeKind::answering;
  std::string context = {};
  std::string member = {};
  std::uint64_t count = 0;
};

struct KeeperCounters {
  std::uint64_t messages = 0;  // of DeltaManagers
  std::uint64_t others = 0;    // not of DeltaManagers
};

class Keeper : public channel::Application {
 public:
  Keeper(const Settings& settings, Instant now)
      : store_(settings.store),
        answers_(settings.transfer),
        fetches_(settings.fetch, now),
        digests_(settings.digests),
        pushes_(settings.push),
        maps_(map_settings(settings)),
        verify_({.limit_sessions = settings.fetch.limit_sessions}),
        ack_(settings.ack),
        next_second_(now) {}

  // As this engine is announced; before that nobody is healed, and no map is served.
  void begin(const tribes::OwnedMember& self, const channel::Moment& moment) {
    pushes_.set_self(self.identity);
    maps_.begin(self, moment);
  }

  channel::Receipt receive(const channel::Moment& moment, const channel::Delivery& delivery,
                           channel::Outbox& out) override;
  void on_member(const channel::Moment& moment, const channel::MemberEvent& event,
                 channel::Outbox& out) override;
  void on_sent(const channel::Moment& moment, channel::SendId id, const tribes::Identity& to,
               channel::SendOutcome outcome, channel::Outbox& out) override;
  void on_timer(const channel::Moment& moment, channel::Outbox& out) override;
  [[nodiscard]] Instant next_deadline() const override;
  [[nodiscard]] bool has_state() const override { return has_state_; }

  // What a disk has, before anything else; false when it is nothing that take_changes() gave.
  bool restore(Bytes key, Bytes value, const channel::Moment& moment);
  // All of it. `anew`: everything is to be written again.
  void restored(const channel::Moment& moment, Duration grace, bool anew);

  // Something is to be written; somebody waits for it.
  [[nodiscard]] bool has_changes() const { return has_unwritten() || !waiting_.empty(); }
  [[nodiscard]] bool is_awaited() const { return !waiting_.empty(); }
  // What is to be written, in one step. One commit at a time.
  std::vector<session::Saved> begin_commit(const channel::Moment& moment);
  // It is written, or could not be: then it will be in the next one again.
  void end_commit(bool good, channel::Outbox& out);

  // Compares with these members, from now on; take_verified() tells when it is done. False: one is
  // under way.
  bool begin_verify(const channel::Moment& moment,
                    const std::vector<tribes::OwnedMember>& members) {
    return verify_.begin(members, store_, maps_, moment.now);
  }
  std::optional<std::vector<CompareOutcome>> take_verified() { return verify_.take(); }

  // What happened since the last call.
  std::vector<Notice> take_notices() { return std::exchange(notices_, {}); }

  [[nodiscard]] AckLevel ack() const { return ack_; }
  [[nodiscard]] const session::Store& store() const { return store_; }
  [[nodiscard]] const Answers& answers() const { return answers_; }
  [[nodiscard]] const Fetches& fetches() const { return fetches_; }
  [[nodiscard]] const Digests& digests() const { return digests_; }
  [[nodiscard]] const Copies& copies() const { return copies_; }
  [[nodiscard]] const Pushes& pushes() const { return pushes_; }
  [[nodiscard]] const Maps& maps() const { return maps_; }
  [[nodiscard]] const KeeperCounters& counters() const { return counters_; }
  // Sessions of DeltaManagers and entries of replicated maps; what they take, of one memory limit.
  [[nodiscard]] std::size_t kept_count() const {
    return store_.session_count() + maps_.entry_count();
  }
  [[nodiscard]] std::size_t memory_bytes() const {
    return store_.memory_bytes() + maps_.memory_bytes();
  }

 private:
  channel::Receipt take_in(const channel::Moment& moment, const channel::Delivery& delivery,
                           const session::Message& message, channel::Outbox& out);
  channel::Receipt on_disk_or_pending(const channel::Delivery& delivery);
  channel::Receipt of_an_engine(const channel::Delivery& delivery, const session::Message& message,
                                session::Clock clock, channel::Outbox& out);
  void answer(const channel::Delivery& delivery, const session::Message& message,
              session::Clock clock, channel::Outbox& out);
  void go_on(const channel::Moment& moment, channel::Outbox& out);
  void fetch(const channel::Moment& moment, channel::Outbox& out);
  void heal(const channel::Moment& moment, channel::Outbox& out);
  void copy(const channel::Moment& moment, channel::Outbox& out);
  void take_compared();
  void look_at_pressure();
  [[nodiscard]] bool has_unwritten() const { return store_.has_changes() || maps_.has_changes(); }
  static map::Settings map_settings(const Settings& settings);
  void notice(Notice notice);

  session::Store store_;
  Answers answers_;
  Dialects dialects_;
  Fetches fetches_;
  Digests digests_;
  Pushes pushes_;
  Copies copies_;
  Maps maps_;
  Verify verify_;
  AckLevel ack_;
  Instant next_second_;
  session::Pressure pressure_ = session::Pressure::fine;
  bool has_state_ = false;
  bool disk_fails_ = false;
  bool copies_fail_ = false;
  bool committing_ = false;
  std::vector<Buffer> in_commit_;  // keys
  // Deliveries that are settled once the changes are written; those of the commit under way.
  std::vector<channel::DeliveryId> waiting_;
  std::vector<channel::DeliveryId> waiting_in_commit_;
  std::vector<Notice> notices_;
  KeeperCounters counters_;
};

}  // namespace tribecast::keeper
