// Who is in the cluster: heartbeats and static members, verified as Tomcat's TcpFailureDetector
// does it. Pure; the caller makes the probes that are asked for and tells what came of them.
//
// A member counts once it was heard and its port was reached. One that says goodbye is gone at
// once. One that falls silent, or to which sending fails, is probed: while its port answers it
// stays, as a suspect, and is probed again; else it is lost. A static member needs no heartbeat.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/time.h"
#include "tribes/owned_member.h"

namespace tribecast::channel {

struct StaticMember {
  Endpoint endpoint;
  // As the member itself announces it; without one it is learned from the first message.
  std::optional<tribes::UniqueId> unique_id;
  Buffer domain;

  bool operator==(const StaticMember&) const = default;
};

struct MembershipSettings {
  Duration drop_time = seconds(3);
  Duration probe_interval = seconds(5);  // of static members, suspects and those not yet reached
  std::size_t max_members = 1024;        // beside the static ones
  // Members of other domains are not let in (DomainFilterInterceptor); nullopt = all are.
  std::optional<Buffer> only_domain;
  std::vector<Prefix> allowed;  // announced addresses; empty = any
  std::vector<StaticMember> static_members;
};

enum class MemberState : std::uint8_t {
  unreached,  // heard, but its port has not answered yet
  up,
  suspect,  // silent, but its port answers
};

enum class MemberChange : std::uint8_t {
  came,
  left,      // said goodbye
  lost,      // neither heard nor reached
  replaced,  // another unique id has its address and port
  told,      // a static member has said what it is (its payload), or something else than before
  silent,    // not heard for the drop time, but its port answers: it stays a member
  heard,     // again, after that
};

// It is no member any more.
constexpr bool is_gone(MemberChange change) {
  return change == MemberChange::left || change == MemberChange::lost ||
         change == MemberChange::replaced;
}

struct MemberEvent {
  MemberChange change = MemberChange::came;
  tribes::OwnedMember member;
};

enum class Refusal : std::uint8_t {
  none,
  own,
  malformed,
  other_domain,
  not_allowed,
  too_many,
  held
};

enum class ProbeResult : std::uint8_t {
  reached,
  not_reached,
  not_tried,  // for a reason of this host: says nothing about the member
};

class Membership {
 public:
  struct News {
    std::vector<MemberEvent> events;
    std::vector<tribes::Identity> probes;  // to be made now
  };

  Membership(MembershipSettings settings, tribes::Identity self);

  // A heartbeat or a goodbye that came from the group.
  Refusal on_heartbeat(Instant now, const tribes::MemberView& member, News& news);
  // A message's sender: a static member of that address is heard, and its unique id learned.
  void on_sender(Instant now, const tribes::MemberView& member, News& news);
  // What a static member says when it starts and stops.
  void on_static_note(Instant now, const tribes::MemberView& member, bool stops, News& news);
  void on_probe(Instant now, const tribes::Identity& member, ProbeResult result, News& news);
  void on_send_failed(Instant now, const tribes::Identity& member, News& news);
  // To be called about as often as heartbeats are sent.
  void check(Instant now, News& news);

  // Whether a message of this sender is let in.
  [[nodiscard]] Refusal admits(const tribes::MemberView& sender) const;

  struct Entry {
    tribes::OwnedMember member;
    MemberState state = MemberState::unreached;
    Instant heard;  // when last
    Instant next_probe;
    bool probing = false;
    bool from_list = false;  // a static member
    bool id_known = true;
  };

  // Those that count, the longest alive first: Tomcat asks the first one for the state.
  [[nodiscard]] std::vector<const Entry*> up() const;
  // Those that are not, too; by address.
  [[nodiscard]] std::vector<const Entry*> all() const;
  [[nodiscard]] const Entry* find(const tribes::Identity& member) const;
  [[nodiscard]] std::size_t size() const { return entries_.size(); }

 private:
  using Entries = std::map<tribes::Identity, Entry>;

  void probe(Instant now, Entry& entry, News& news) const;
  Entries::iterator remove(Entries::iterator it, MemberChange change, News& news);
  void forget_former(const tribes::Identity& member, News& news);
  Entry* static_entry(const tribes::Identity& member);
  void adopt_id(const tribes::Identity& member, News& news);
  void say_goodbye(Instant now, const tribes::Identity& member, News& news);

  MembershipSettings settings_;
  tribes::Identity self_;
  Entries entries_;
  std::size_t heard_members_ = 0;                 // those of entries_ that are not static
  std::map<tribes::Identity, Instant> goodbyes_;  // until when a late heartbeat brings none back
};

}  // namespace tribecast::channel
