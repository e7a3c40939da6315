// Healing: what running Tomcats lack they are given. A Tomcat merges nothing: what it missed while
// it was cut off, hung, or deaf when it started, it misses for good.
//
// Once such a member is back and has settled, it is asked for its state of each context, one
// conversation at a time, and its copies are compared with what is kept:
//
//   it lacks a session            all of it (Event::all_data), which a Tomcat takes at any time
//   its copy is older             a delta of the values that it missed: a request that runs in the
//                                 session keeps its object, and its own values stay
//   it has one that has ended     SESSION_EXPIRED
//   it has one under a former id  CHANGE_SESSION_ID
//   its copy is newer             taken in, and given to the others in the same way
//
// What it lacks is known (missed.h), unless this engine was away, or never saw it before: then all
// that is missing or older is given, but nothing that only a disk knows of, which may have ended.
// Of a context with too many sessions it is not asked: it gets, whole, what it is known to have
// missed. Never SESSION_CREATED, which wipes a session that is there. Nothing is given to the
// member that changed a session last while that may be under way. Each list waits for its
// acknowledgement, and what was given is looked at again, until a look finds nothing.
//
// Of several engines one heals: that of the lowest address.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "engine/channel/application.h"
#include "engine/keeper/compare.h"
#include "engine/keeper/dialects.h"
#include "engine/keeper/missed.h"
#include "engine/keeper/send_ids.h"
#include "engine/session/store.h"

namespace tribecast::keeper {

enum class Heal : std::uint8_t { yes, report, no };  // report: looks, counts, changes nothing

struct PushSettings {
  Heal heal = Heal::yes;
  std::size_t limit_sessions = 10'000;  // of a context; from there on its state is not asked for
  Duration lookback = seconds(8);       // a member's silence is noticed within that
  Duration settle = seconds(3);         // after it is back: others must see it, too
  Duration start = seconds(10);         // the same of one that has just been started
  Duration again = seconds(3);          // from a push to the next look; then twice as long, ...
  Duration under_way = seconds(3);      // what a member said last may still be under way from it
  Duration patience = seconds(10);      // for its state, and for an acknowledgement
  std::size_t batch_sessions = 100;
  std::size_t batch_bytes = 256U << 10U;  // of memory, about; one session may be larger
  std::size_t window = 8;                 // messages that are not yet acknowledged
  Missed::Limits missed = {};
};

struct PushCounters {
  std::uint64_t looks = 0;
  std::uint64_t given = 0;    // sessions that were missing
  std::uint64_t mended = 0;   // copies that were older
  std::uint64_t ended = 0;    // logged-out ones that were still there
  std::uint64_t renamed = 0;  // that were there under a former id
  std::uint64_t taken = 0;    // copies that were newer
  std::uint64_t spared = 0;   // put off, as their member had just changed them
  std::uint64_t unsure = 0;   // not given: since this engine was away nobody has shown them alive
  std::uint64_t failed = 0;   // conversations: no answer, or no acknowledgement
};

// A look at one context of a member that is over.
struct Healed {
  std::string member;
  std::string context;
  PushCounters done;  // of this look; with `report`: what would have been done
};

class Pushes {
 public:
  static constexpr unsigned kMaxLooks = 8;  // after one return
  static constexpr std::size_t kMaxMembers = 1024;

  explicit Pushes(const PushSettings& settings)
      : settings_(settings), missed_(settings.lookback, settings.missed) {}

  void set_self(const tribes::Identity& self) { self_ = self; }
  // What was loaded from a disk: others may have ended it meanwhile.
  void set_loaded(const session::Store& store, Instant now);

  void on_member(const channel::MemberEvent& event, const session::Store& store,
                 session::Clock clock);
  // A message about a session or context came from that member.
  void on_heard(const tribes::Identity& from, const session::Message& message,
                session::Clock clock);
  // It has asked for a context, and is given all of it.
  void on_asked(const tribes::Identity& from, const std::string& context);
  // True when it was part of an answer to a look, and is not for the store.
  bool on_answer(const tribes::Identity& from, const session::Message& message,
                 session::Store& store, session::Clock clock);
  void on_sent(channel::SendId id, channel::SendOutcome outcome, session::Clock clock);
  // Goes on. `may_look`: this engine is in sync, and asks nobody else just now.
  void step(session::Store& store, const Dialects& dialects, session::Clock clock, bool may_look,
            channel::Outbox& out);
  [[nodiscard]] Instant next_deadline() const;

  [[nodiscard]] bool is_busy() const { return work_.has_value(); }
  [[nodiscard]] const PushCounters& counters() const { return counters_; }
  [[nodiscard]] const Missed& missed() const { return missed_; }
  std::vector<Healed> take_healed() { return std::exchange(healed_, {}); }

 private:
  // What was said that shortly before a look comes to the member by itself, since it is back.
  static constexpr std::int64_t kByItselfMs = 1000;

  struct Member {
    tribes::OwnedMember member;
    bool is_here = true;
    bool is_young = false;  // its web applications may still start
    bool was_cut = false;   // it was no member, and served alone
    Instant away_since{};
    std::int64_t alone_from_ms = 0;  // of the last time that it was
    std::int64_t alone_to_ms = -1;
    std::set<std::string> known;   // contexts of which what it lacks is known
    std::set<std::string> unsure;  // in which not all was given
    // By context and id, the newest_ms() of what it was given and has not been found to have.
    std::map<std::pair<std::string, std::string>, std::int64_t> given;
    std::set<std::string> to_look_at;
    std::set<std::string> to_look_at_again;
    Instant due = kNever;
    unsigned looks = 0;
  };
  using Members = std::map<tribes::Identity, Member>;
  struct Given {
    std::string id;
    std::int64_t newest_ms = session::kLastTime;  // of what was given of it; kLastTime: its end
  };
  enum class What : std::uint8_t { whole, parts, ended, renamed };
  struct Push {
    What what = What::whole;
    std::string id;
    std::vector<Part> parts = {};
  };
  // A conversation with one member about one context.
  struct Work {
    tribes::Identity member;
    session::Dialect dialect = session::Dialect::tomcat8;  // of the member
    std::string context;
    channel::SendId asked = 0;  // 0: it was not asked for its state
    bool is_answered = false;   // or will not be
    Instant deadline;
    std::set<std::string> seen = {};       // ids of its copies
    std::vector<std::string> former = {};  // those of them that were changed
    std::deque<Push> pushes = {};
    std::vector<Given> given = {};
    std::size_t under_way = 0;  // messages
    PushCounters done = {};
    bool look_again = false;
  };

  [[nodiscard]] bool leads() const;
  Member& came(const tribes::OwnedMember& member, const session::Store& store,
               session::Clock clock);
  void turn_out_an_engine(const tribes::Identity& identity);
  void forget_former(const tribes::Identity& of, Instant now);
  void away(Member& member, bool is_cut, session::Clock clock);
  void back(Member& member, const session::Store& store, session::Clock clock);
  void want(Member& member, const std::string& context, Instant due);
  void begin(const tribes::Identity& identity, const session::Store& store,
             const Dialects& dialects, session::Clock clock, channel::Outbox& out);
  void end(bool good, session::Clock clock);
  void drop_work();
  void look_at(const session::Record& copy, session::Store& store, session::Clock clock);
  void look_at_missing(const session::Store& store, session::Clock clock);
  void look_at_missed(const session::Store& store, session::Clock clock);
  void take(const session::Record& copy, session::Store& store, session::Clock clock);
  void show_alive(const std::string& context, const std::string& id, session::Clock clock);
  [[nodiscard]] bool was_given(const std::string& id, std::int64_t newest_ms) const;
  void lacks_nothing_of(const std::string& id);
  bool is_spared(const std::string& id, session::Clock clock);
  void put_off(const std::string& id, session::Clock clock);
  [[nodiscard]] bool is_missed(const std::string& id) const;
  [[nodiscard]] bool is_known() const;
  [[nodiscard]] Standing standing_of(const std::string& id, session::Clock clock) const;
  void plan(Push push);
  void send_more(const session::Store& store, session::Clock clock, channel::Outbox& out);
  std::optional<session::Message> next_message(const session::Store& store, session::Clock clock);
  std::optional<session::Message> whole_ones(const session::Store& store, session::Clock clock);
  [[nodiscard]] session::Message message(session::Event event, session::Clock clock) const;
  channel::SendId send(const session::Message& message, std::uint32_t options,
                       channel::Outbox& out);
  [[nodiscard]] Member& current() { return members_.at(work_->member); }

  PushSettings settings_;
  std::optional<tribes::Identity> self_;
  Missed missed_;
  Members members_;
  std::set<tribes::Identity> engines_;
  std::map<std::string, std::set<std::string, std::less<>>, std::less<>> unsure_;  // ids
  std::optional<Work> work_;
  std::set<channel::SendId> sent_;
  channel::SendId last_id_ = first_id_of(Sender::pushes);
  PushCounters counters_;
  std::vector<Healed> healed_;
};

}  // namespace tribecast::keeper
