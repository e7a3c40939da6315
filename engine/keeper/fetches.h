// What this engine may lack, and whom it asks for it.
//
// A member that was alive before this engine may have sessions that the engine was never told of.
// It is asked for each context that is heard of, once; another engine is asked for all contexts at
// once, whenever it comes. One member is asked at a time, and none for a context in which this
// engine already knows more than a number of sessions: a Tomcat serialises the whole answer into
// one array, and a large one is an OutOfMemoryError there.
//
// While something is missing that only such members have, the engine is not in sync, and announces
// that it is young: starting Tomcats then ask somebody who has it. What was loaded from a disk is
// complete enough to be given at once, unless others lived on while this engine was away.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "base/time.h"
#include "engine/channel/application.h"
#include "engine/keeper/dialects.h"
#include "engine/session/value.h"

namespace tribecast::keeper {

// The payload of an engine's member block, by which engines know each other.
inline constexpr std::string_view kEnginePayload = "tribecast-engine 1";

inline bool is_engine(const tribes::OwnedMember& member) {
  return same(member.payload, bytes_of(kEnginePayload));
}

struct FetchSettings {
  std::size_t limit_sessions = 10'000;  // of a context; 0 = no Tomcat is asked for any
  Duration patience = seconds(10);      // for the answer, and between two of its parts
  Duration settle = seconds(1);         // in which the members that are there have been heard
};

struct FetchCounters {
  std::uint64_t asked = 0;
  std::uint64_t completed = 0;
  std::uint64_t failed = 0;     // not answered, not sent, or the member has no such context
  std::uint64_t too_large = 0;  // not asked for: more sessions than the limit
  std::uint64_t given_up = 0;   // contexts that nobody gave
};

class Fetches {
 public:
  static constexpr std::size_t kMaxContexts = 10'001;

  struct Ask {
    tribes::OwnedMember to;
    std::string context;
    session::Dialect dialect;
  };
  using CountSessions = std::function<std::size_t(const std::string& context)>;

  Fetches(const FetchSettings& settings, Instant started)
      : settings_(settings), started_(started) {}

  // Sessions were loaded from a disk.
  void set_loaded() { loaded_ = true; }

  void on_came(const tribes::OwnedMember& member, Instant now);
  void on_gone(const tribes::Identity& member);
  // There is that context.
  void on_context(const std::string& context);
  // Sessions of that context wait for what has not come.
  void on_held(const std::string& context);
  // A part of what was asked for; false when it was not. Its end.
  bool on_part(const tribes::Identity& from, const std::string& context, Instant now);
  void on_end(const tribes::Identity& from, const std::string& context, bool has_context);
  void on_not_sent(const tribes::Identity& to);

  // Whom to ask for what now, if anybody. Who does not answer is asked in the other form as well
  // while it is not known which one anybody reads.
  std::optional<Ask> step(Instant now, const Dialects& dialects,
                          const CountSessions& count_sessions);
  [[nodiscard]] Instant next_deadline() const { return current_ ? current_->deadline : kNever; }

  [[nodiscard]] bool is_in_sync(Instant now) const;
  // Waiting or under way.
  [[nodiscard]] bool is_busy() const { return current_ || !wanted_.empty(); }
  [[nodiscard]] const FetchCounters& counters() const { return counters_; }

 private:
  struct Peer {
    tribes::OwnedMember member;
    Duration longer{};  // than this engine it has been alive
    bool is_engine = false;
    bool is_earlier = false;   // may know what this engine does not
    bool makes_young = false;  // and surely does, if there is anything
  };
  struct Wanted {
    std::string context;
    bool is_held = false;  // does not keep this engine from being in sync
    std::set<tribes::Identity> tried = {};
    std::set<tribes::Identity> silent = {};  // they may not have understood
  };
  struct Current {
    tribes::Identity from;
    Instant deadline;
  };

  [[nodiscard]] bool knows(const std::string& context) const;
  [[nodiscard]] const Peer* whom_to_ask(const Wanted& wanted) const;
  [[nodiscard]] bool is_current(const tribes::Identity& from, const std::string& context) const;
  void end_first(bool completed);

  FetchSettings settings_;
  Instant started_;
  bool loaded_ = false;
  bool all_given_ = false;    // by another engine
  Duration longest_asked_{};  // Peer::longer of those that have given a context
  std::map<tribes::Identity, Peer> peers_;
  std::set<std::string> settled_;  // contexts that are in sync, or that nobody gave
  std::deque<Wanted> wanted_;      // the first one is the current one's
  std::optional<Current> current_;
  FetchCounters counters_;
};

}  // namespace tribecast::keeper
