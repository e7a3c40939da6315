// The replicated maps of the cluster (sessions of BackupManagers, attributes of ReplicatedContexts,
// single sign-on) as an application of the channel: what comes for map::Replica goes there, and
// what it wants sent goes out, to each member in order, each acknowledged before the next.
//
//   Maps maps(settings);
//   maps.begin(self, moment);                       // before that nothing is served
//   maps.restore(key, value, moment) ...; maps.restored(moment, grace, false);
//   maps.receive(moment, delivery, out);            // nullopt: it is no message of a map
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/channel/application.h"
#include "engine/channel/rpc.h"
#include "engine/keeper/send_ids.h"
#include "engine/map/replica.h"

namespace tribecast::keeper {

struct MapCounters {
  std::uint64_t messages = 0;
  std::uint64_t requests = 0;  // remote calls, served
  std::uint64_t not_sent = 0;  // messages and calls that were not delivered
  std::uint64_t postponed_dropped = 0;
};

class Maps {
 public:
  // Remote calls that may wait for the end of kSettle.
  static constexpr std::size_t kMaxPostponed = 10'000;
  // Senders that are not members: who does not become one in kUnlisted had sent its last words.
  static constexpr std::size_t kMaxUnlisted = 1024;
  // After a start with entries from a disk, in which members that lived on are heard and say what
  // they know; so long remote calls wait.
  static constexpr Duration kSettle = seconds(1);
  static constexpr Duration kUnlisted = seconds(10);
  static constexpr Duration kCallTime = seconds(15);  // as Tomcat's own

  explicit Maps(const map::Settings& settings) : settings_(settings) {}

  void begin(const map::Member& self, const channel::Moment& moment);

  std::optional<channel::Receipt> receive(const channel::Moment& moment,
                                          const channel::Delivery& delivery, channel::Outbox& out);
  void on_member(const channel::Moment& moment, const channel::MemberEvent& event,
                 channel::Outbox& out);
  // Of what it has sent.
  void on_sent(const channel::Moment& moment, const tribes::Identity& to,
               channel::SendOutcome outcome, channel::Outbox& out);
  void on_timer(const channel::Moment& moment, channel::Outbox& out);
  [[nodiscard]] Instant next_deadline() const;

  // As Replica's; false and nothing before begin().
  bool restore(Bytes key, Bytes value, const channel::Moment& moment);
  void restored(const channel::Moment& moment, Duration grace, bool write_anew);
  [[nodiscard]] bool has_changes() const { return replica_ && replica_->has_changes(); }
  std::vector<session::Saved> take_changes(const channel::Moment& moment, std::size_t max_bytes);
  void put_back(const std::vector<Buffer>& keys);

  // As Replica's.
  void compare(const std::string& map, const tribes::OwnedMember& with,
               const channel::Moment& moment, channel::Outbox& out);
  std::optional<map::Compared> take_compared() {
    return replica_ ? replica_->take_compared() : std::nullopt;
  }

  void set_elsewhere_bytes(std::size_t bytes);
  [[nodiscard]] std::size_t memory_bytes() const { return replica_ ? replica_->memory_bytes() : 0; }
  [[nodiscard]] session::Pressure pressure() const;
  [[nodiscard]] std::size_t entry_count() const { return replica_ ? replica_->entry_count() : 0; }
  // Nullptr before begin().
  [[nodiscard]] const map::Replica* replica() const { return replica_ ? &*replica_ : nullptr; }
  [[nodiscard]] const MapCounters& counters() const { return counters_; }

 private:
  struct Postponed {
    map::Parsed request;
    tribes::OwnedMember from;
    Buffer call;
    Buffer channel;
  };

  std::optional<channel::Receipt> on_call(const channel::Moment& moment,
                                          const channel::Delivery& delivery,
                                          const channel::RpcView& rpc, channel::Outbox& out);
  void serve(const channel::Moment& moment, const Postponed& asked, channel::Outbox& out);
  void follow(const channel::Moment& moment, const channel::RpcCalls::Outcome& outcome);
  void carry_out(const channel::Moment& moment, channel::Outbox& out);
  void send(const map::Action& action, const channel::Moment& moment, channel::Outbox& out);
  void note_sender(const tribes::Identity& sender, Instant now);

  map::Settings settings_;
  std::optional<map::Replica> replica_;
  channel::RpcCalls calls_;
  std::uint64_t epoch_ = 0;  // of call numbers: those of an earlier process are not taken for ours
  map::Actions actions_;     // of the replica, not sent yet
  std::size_t open_sends_ = 0;
  std::map<tribes::Identity, Instant> up_;        // members, with when they came
  std::map<tribes::Identity, Instant> unlisted_;  // senders that are none, since when
  std::vector<Postponed> postponed_;
  Instant settled_at_{};
  Instant next_second_{};
  MapCounters counters_;
};

}  // namespace tribecast::keeper
