// What each member was not told, because it was not there.
//
// A Tomcat that is cut off or hangs misses for good what the others send meanwhile. This keeps the
// ids of what changed from shortly before its silence was noticed until it may be given them: how
// long before is `lookback`, within which a member's silence is noticed. Who said a thing knows it.
//
//   on_change() for each message of a session, whatever its sender
//   on_away(), on_back() as membership says it; ids_of() is then what it may lack
//
// Bounded: of a member that missed more, or whose silence began in a time of which not everything
// is remembered, is_complete() is false, and it must be asked what it has.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <memory_resource>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/time.h"
#include "engine/session/session.h"
#include "tribes/owned_member.h"

namespace tribecast::keeper {

class Missed {
 public:
  struct Limits {
    std::size_t ids = 20'000;       // of one member
    std::size_t recent = 100'000;   // ids that changed within a lookback
    std::size_t all_ids = 200'000;  // of all of them
  };
  // Ids of one context: what was said of one until that time, by the clocks of Tomcats, is lacking.
  using Ids = std::map<std::string, std::int64_t, std::less<>>;

  Missed(Duration lookback, const Limits& limits) : lookback_(lookback), limits_(limits) {}

  void on_change(const std::string& context, const std::string& id, const tribes::Identity& from,
                 Instant now);
  // Who lacks something of a session lacks it under its new id.
  void on_new_id(const std::string& context, const std::string& id, const std::string& new_id);
  // It is not there from now on, and was not for up to a lookback.
  void on_away(const tribes::Identity& member, Instant now);
  // What is said from now on reaches it. False when it was not away.
  bool on_back(const tribes::Identity& member, session::Clock clock);
  // It lacks what is known of this one now, for another reason.
  void add(const tribes::Identity& member, const std::string& context, const std::string& id,
           session::Clock clock);
  // It has it, or will never lack it.
  void remove(const tribes::Identity& member, const std::string& context, const std::string& id);
  void remove(const tribes::Identity& member, const std::string& context);
  void forget(const tribes::Identity& member);

  // None: it lacks nothing of that context that is known.
  [[nodiscard]] const Ids& ids_of(const tribes::Identity& member, const std::string& context) const;
  [[nodiscard]] std::size_t count(const tribes::Identity& member) const;
  [[nodiscard]] bool is_complete(const tribes::Identity& member) const;
  void set_complete(const tribes::Identity& member);
  // The last that was said of it within so long, at most the lookback, came from that member.
  [[nodiscard]] bool was_changed_by(const tribes::Identity& member, const std::string& context,
                                    const std::string& id, Instant since) const;

 private:
  struct Change {
    const tribes::Identity* from;  // one of `members` beside it
    Instant at;
  };
  // The latest change of each id. All that is kept of them lies in `memory`, the ids too: they come
  // by the hundred thousand, and go together.
  struct Changes {
    std::pmr::monotonic_buffer_resource memory;
    std::set<tribes::Identity> members;
    std::map<std::string, std::pmr::unordered_map<std::string_view, Change>> contexts;
    std::size_t count = 0;
  };
  struct Member {
    bool is_away = false;
    bool is_complete = true;
    std::size_t count = 0;
    std::map<std::string, Ids, std::less<>> contexts;
  };

  void rotate(Instant now);
  static void note(Changes& changes, const std::string& context, const std::string& id,
                   const tribes::Identity& from, Instant now);
  void clear(Member& member);
  void insert(Member& member, const std::string& context, const std::string& id,
              std::int64_t until_ms);
  [[nodiscard]] const Change* last_change(const std::string& context, const std::string& id) const;

  Duration lookback_;
  Limits limits_;
  // Of this lookback, and of the one before.
  std::unique_ptr<Changes> recent_ = std::make_unique<Changes>();
  std::unique_ptr<Changes> former_ = std::make_unique<Changes>();
  Instant recent_until_{};
  Instant complete_since_{};  // what changed since is in them
  std::map<tribes::Identity, Member> members_;
  std::size_t count_ = 0;  // of all of them
};

}  // namespace tribecast::keeper
