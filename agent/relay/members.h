// The Tribes members that were heard, local and remote: who they are, how regularly they beat,
// which heartbeats come too late to be true, and who has to be told to have left on behalf of a
// process that cannot say so any more.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/reason.h"
#include "base/time.h"
#include "relay/actions.h"
#include "tribes/member.h"

namespace tribecast::relay {

enum class Origin : std::uint8_t { local, remote };
enum class MemberState : std::uint8_t { alive, late, left, lost };

// Where in its sender's order a datagram stands. Counters of two instances do not compare.
struct Mark {
  std::uint64_t instance = 0;
  std::uint64_t counter = 0;
};

inline constexpr std::size_t kMaxMembers = 4096;

// One heartbeat or shutdown as it was heard.
struct Sighting {
  std::string group;
  Duration drop_time{};
  const tribes::MemberView& member;
  Endpoint source;       // of the datagram
  Endpoint destination;  // group address and port
  Instant captured;      // on our clock
  Origin origin;
  std::string via;                             // the peer that relayed it, or empty
  Mark mark;                                   // remote only
  std::size_t most_of_peer = kMaxMembers + 1;  // remote only: how many its peer may have
};

// Who is spoken of, and what it takes to say goodbye in its name.
struct MemberRecord {
  std::string group;
  tribes::Identity identity;
  std::string domain;
  Duration alive{};
  Endpoint source;
  Endpoint destination;

  // Known by its name alone.
  static MemberRecord named(const std::string& group, const tribes::MemberView& member);
  // The goodbye that Tomcat itself would send. Its payload, at which Tomcat does not look, tells
  // other agents that it was said in the member's name.
  [[nodiscard]] Buffer shutdown() const;
  // Names it among all members of all groups.
  [[nodiscard]] std::string subject() const;
  // Where its receiver listens; nullopt when it announces no address or port.
  [[nodiscard]] std::optional<Endpoint> listener() const;
  bool operator==(const MemberRecord&) const = default;
};

struct MemberReport {
  std::string group;
  tribes::Identity identity;
  std::string domain;
  Origin origin = Origin::local;
  std::string via;
  MemberState state = MemberState::alive;
  Duration alive{};
  Duration since_heartbeat{};
  std::optional<Duration> interval;
  std::uint64_t gaps = 0;
};

// At most kMaxMembers; when it is full a newcomer is counted, relayed and not listed.
class Members {
 public:
  // How long one that left is still listed.
  static constexpr Duration kKeep = seconds(60);
  // One that was lost may yet prove dead or alive.
  static constexpr Duration kKeepLost = seconds(3600);

  struct Seen {
    std::optional<Reason> refused;
    bool joined = false;
    // Older members with the same address and port: a process that was killed and started again
    // has a new unique id, and its old one would stay in every other Tomcat.
    std::vector<MemberRecord> replaced;
  };

  // Only an accepted sighting changes the table.
  Seen see(Instant now, const Sighting& sighting, std::vector<Event>& events);
  // Notices who was lost and forgets who left long ago. False when nobody is alive.
  bool sweep(Instant now, std::vector<Event>& events);
  void forget_group(const std::string& group);

  // Local members as they were known to the agent's last process; not heard yet.
  void restore(Instant now, const std::vector<MemberRecord>& records);
  [[nodiscard]] std::vector<MemberRecord> local() const;
  // Local members whose heartbeat is overdue, but that are not lost yet.
  [[nodiscard]] std::vector<MemberRecord> overdue(Instant now) const;
  // Those of a peer that have not left.
  [[nodiscard]] std::vector<MemberRecord> of_peer(const std::string& peer) const;
  // Marks the local members that listen there as left; they are returned.
  std::vector<MemberRecord> listener_gone(Instant now, const Endpoint& listener);
  // Its process or host is gone. False when it is not known or has left.
  bool condemn(Instant now, const MemberRecord& record);

  // Whether its port has answered us while its peer was well: only then silence means something.
  void set_reachable(const MemberRecord& record, bool reachable);
  [[nodiscard]] bool reachable(const MemberRecord& record) const;
  // Remote ones that are heard although their port has not answered: the try itself may have been
  // lost. Each again after 5 s, and then more and more rarely; at most `limit` now.
  std::vector<MemberRecord> to_try_again(Instant now, std::size_t limit);

  [[nodiscard]] bool empty() const { return members_.empty(); }
  // How many sightings found no room in the table.
  [[nodiscard]] std::uint64_t unlisted() const { return unlisted_; }
  [[nodiscard]] std::vector<MemberReport> report(Instant now) const;

 private:
  struct Key {
    std::string group;
    tribes::Identity identity;
    auto operator<=>(const Key&) const = default;
  };
  struct Member {
    std::string domain;
    Origin origin = Origin::local;
    std::string via;
    Endpoint source;
    Endpoint destination;
    Duration drop_time{};
    Duration alive{};
    Instant last_heartbeat;
    bool settled = false;  // the first interval is over
    std::optional<Duration> interval;
    std::uint64_t gaps = 0;
    bool left = false;
    bool lost = false;
    bool dead = false;  // left, but did not say so itself
    bool reachable = false;
    Instant first_try;  // of its port: when it was heard first, or again
    Instant last_try;
    std::optional<Instant> condemned;  // told to have left, at this time
    std::optional<Mark> last;          // of the latest heartbeat let through
    std::optional<Mark> shutdown;      // of the shutdown let through
  };

  static std::optional<Reason> out_of_order(const Member& member, const Sighting& sighting);
  static std::optional<Reason> not_its_peer(Instant now, const Member& member,
                                            const Sighting& sighting);
  [[nodiscard]] bool is_one_too_many(const Sighting& sighting) const;
  static bool owns(Instant now, const Member& member, const Sighting& sighting);
  static void note(Instant now, const Sighting& sighting, Member& member);
  static void beat(Instant now, Member& member);
  std::vector<MemberRecord> replace(Instant now, const Sighting& sighting, const Key& newcomer,
                                    std::vector<Event>& events);
  static MemberRecord record_of(const Key& key, const Member& member);
  static void leave(Instant now, Member& member);

  std::map<Key, Member> members_;
  std::uint64_t unlisted_ = 0;
};

}  // namespace tribecast::relay
