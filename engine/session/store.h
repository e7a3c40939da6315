// All sessions of all contexts, as DeltaManager's messages tell of them.
//
//   Store store(settings);
//   const Outcome outcome = store.on_message(message, clock);   // for each parsed message
//   store.on_timer(clock);                                      // about once a second
//
// The caller acknowledges as the frame's options ask, and with FAIL-ACK exactly when the verdict is
// `refused`. On `answer` it runs a Transfer (transfer.h) towards the member that asked. For a
// context that on_timer names it may ask a Tomcat with few sessions for its state (Event::get_all),
// whose answer comes in here, too; on `complete` that is all. A message must come in once: the
// channel drops frames that were sent again, though here a second one does no harm.
//
// Order of arrival does not matter, message times do. What an unknown session's message says is
// held until its creation comes. A logged-out or expired session leaves a tombstone: neither a late
// message nor another member's old copy brings it back; nothing is ever sent about it. Sessions
// that have not expired are never evicted: at the limit of memory, growth is refused.
//
// Times of messages are believed: a Tomcat whose clock is ahead wins over the others for as long.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/time.h"
#include "engine/session/digest.h"
#include "engine/session/message.h"
#include "engine/session/saved.h"
#include "engine/session/session.h"

namespace tribecast::session {

struct Settings {
  std::size_t memory_limit_bytes = std::size_t{1} << 30U;
  std::size_t max_held_sessions = 10'000;  // of which the creation has not been seen
  Duration held_age = seconds(60);         // then the state should be fetched
  Duration tombstone_age = std::chrono::hours(6);
  std::size_t max_tombstones = 200'000;  // of a context; the same for former ids
  // A creation this much later than a tombstone of its id begins a new session with it. More than
  // any difference between the clocks of two Tomcats.
  milliseconds clock_skew = seconds(30);
  // So much older than the last that is known of its session may a late value of a removed
  // attribute not be.
  milliseconds removed_age = std::chrono::minutes(10);
  bool tracks_changes = false;  // for take_changes()
};

enum class Verdict : std::uint8_t {
  done,       // applied, or held, or rightly without effect
  malformed,  // the payload is none; acknowledged all the same, as Tomcat does
  refused,    // no memory: FAIL-ACK
};

struct Outcome {
  Verdict verdict = Verdict::done;
  std::optional<std::string> answer = std::nullopt;    // a context whose state was asked for
  std::optional<std::string> complete = std::nullopt;  // a context whose fetched state has all come
};

// Of memory; `alarm` from 90 % until it falls below 85 %.
enum class Pressure : std::uint8_t { fine, alarm, full };

struct Counters {
  std::uint64_t created = 0;
  std::uint64_t deltas = 0;
  std::uint64_t accessed = 0;
  std::uint64_t ended = 0;      // logged out, or expired in a Tomcat
  std::uint64_t timed_out = 0;  // expired here
  std::uint64_t renamed = 0;
  std::uint64_t records = 0;       // of other members' states
  std::uint64_t held = 0;          // messages for sessions not yet created
  std::uint64_t held_dropped = 0;  // sessions given up because too many were held
  std::uint64_t after_end = 0;     // messages and records for sessions that are gone
  std::uint64_t lost_values = 0;   // that their sender could not write
  std::uint64_t malformed = 0;
  std::uint64_t refused = 0;
  std::uint64_t unknown_events = 0;
};

// The sessions of a context fall into so many parts, by their ids alone. Of each part the sum over
// its sessions, of id and version: equal in two stores that have the same.
inline constexpr std::size_t kDigestParts = 64;
using PartDigests = std::array<std::uint64_t, kDigestParts>;

// How far visit() has come; begin with an empty one.
struct Place {
  std::size_t bucket = 0;
  std::size_t buckets = 0;
};

enum class Walked : std::uint8_t {
  more,
  over,
  anew,  // the table has grown: it begins again, forget what was gathered
};

class Store {
 public:
  explicit Store(const Settings& settings) : settings_(settings) {}

  Outcome on_message(const Message& message, Clock clock);
  // Ends what has timed out, in small portions; returns the contexts that hold messages of
  // sessions whose creation did not come in time, each once for as long as it holds any.
  std::vector<std::string> on_timer(Clock clock);

  // The session, unless it is incomplete or has timed out. Valid until the next call.
  [[nodiscard]] const Session* find(std::string_view context, std::string_view id,
                                    Instant now) const;
  // Ids of a context's sessions that `find` would give; none for an unknown context.
  [[nodiscard]] std::vector<std::string> ids(std::string_view context, Instant now) const;
  [[nodiscard]] std::vector<std::string> contexts() const;
  // When the last message time of the session of that id was, if that has ended and no other has
  // begun since. What a session that once had this id is called now: the same, unless changed.
  [[nodiscard]] std::optional<std::int64_t> ended_ms(std::string_view context,
                                                     std::string_view id) const;
  [[nodiscard]] std::string id_now(std::string_view context, const std::string& id) const;
  // All sessions, those of which the creation has not been seen too.
  [[nodiscard]] std::size_t session_count() const { return session_count_; }
  [[nodiscard]] std::size_t session_count(std::string_view context) const;
  [[nodiscard]] std::size_t memory_bytes() const { return memory_bytes_; }
  // So much of the limit is taken by others.
  void set_elsewhere_bytes(std::size_t bytes) { elsewhere_bytes_ = bytes; }
  [[nodiscard]] Pressure pressure() const { return pressure_; }
  [[nodiscard]] const Counters& counters() const { return counters_; }

  // Kept up with every change, so asking costs nothing. Zeros for an unknown context.
  [[nodiscard]] PartDigests digests(std::string_view context) const;
  static std::size_t digest_part(std::string_view id);
  // nullopt: it is not there, or its creation has not been seen.
  [[nodiscard]] std::optional<Version> version(std::string_view context, std::string_view id) const;
  // One of that id that was last used at `time_ms` is over, or has another id.
  [[nodiscard]] bool has_ended(std::string_view context, std::string_view id,
                               std::int64_t time_ms) const;
  // The sessions that `find` would give, in no order, about so many of them at each call. What
  // comes or goes between two calls may be missed.
  using Visitor = std::function<void(const std::string& id, const Session& session)>;
  Walked visit(std::string_view context, Place& place, std::size_t most, Instant now,
               const Visitor& visitor) const;

  // What is known of ids has changed since take_changes() gave it.
  [[nodiscard]] bool has_changes() const { return changed_ids_ > 0; }
  // What is known now of ids of which something has changed, until it is so many bytes: any number
  // of changes of one id are one.
  std::vector<Saved> take_changes(Clock clock, std::size_t max_bytes);
  // Of these keys the changes could not be written: they are changes still.
  void put_back(const std::vector<Buffer>& keys);
  // What take_changes() gave, at another time. False when it is nothing of that kind.
  bool restore(Bytes key, Bytes value, Clock clock);
  // The same of one id, with or without change; every id of which anything is known.
  [[nodiscard]] Saved saved(std::string_view context, const std::string& id, Clock clock) const;
  [[nodiscard]] std::vector<std::string> known_ids(std::string_view context) const;
  // What another store knows, the payload of a Handover's list: of each value the later one stays,
  // and what has ended in either has ended. `clock` has the other one's time, that of the message:
  // how long ago something was can only be told by the clock that it was written with.
  Verdict merge(Bytes payload, Clock clock);
  // All has been restored. No session ends before `grace` has passed; nothing counts as changed,
  // unless all is to be written anew.
  void restored(Clock clock, Duration grace, bool write_anew);

 private:
  struct Hash {
    // NOLINTNEXTLINE(readability-identifier-naming): the name that std asks for
    using is_transparent = void;
    // Never fails: so a table computes it anew instead of keeping it, eight bytes for each session.
    std::size_t operator()(std::string_view text) const noexcept {
      return std::hash<std::string_view>{}(text);
    }
  };
  template <class T>
  using ById = std::unordered_map<std::string, T, Hash, std::equal_to<>>;
  using Sessions = std::unordered_map<Text, Session, Hash, std::equal_to<>>;
  struct Renamed {
    std::string id;
    std::int64_t time_ms = 0;
  };
  struct Held {
    std::string id;
    Instant since{};
  };
  struct Buried {
    std::string id;
    Instant until{};
  };
  struct Context {
    Sessions sessions;
    ById<std::int64_t> tombstones;       // id -> latest message time of the session that ended
    std::deque<Buried> buried;           // the same, oldest first
    ById<std::vector<Renamed>> renamed;  // by former id, in order of time
    std::deque<Buried> renames;          // the same, oldest first
    std::unordered_set<std::string, Hash, std::equal_to<>> changed;  // ids
    std::deque<Held> held;  // incomplete sessions, oldest first; may name completed ones
    PartDigests digests{};
    std::size_t next_bucket = 0;  // of on_timer's walk
    bool fetch_wanted = false;
  };
  using Found = Sessions::iterator;

  Context& context_of(const std::string& name);
  [[nodiscard]] const Context* find_context(std::string_view name) const;
  Outcome apply(const Message& message, Clock clock);
  void on_created(Context& context, const Message& message, Clock clock);
  Outcome on_delta(Context& context, const Message& message, Clock clock);
  void on_accessed(Context& context, const Message& message, Clock clock);
  void on_expired(Context& context, const Message& message, Clock clock);
  Outcome on_change(Context& context, const Message& message, Clock clock);
  Outcome on_records(Context& context, const Message& message, Clock clock);
  void on_record(Context& context, const Record& record, std::int64_t as_of_ms, Clock clock);

  // `before`: the id that it had until that very moment.
  [[nodiscard]] std::string current_id(const Context& context, const std::string& id,
                                       std::int64_t time_ms, std::string before = {}) const;
  [[nodiscard]] std::string living_id(const Context& context, const std::string& id,
                                      std::int64_t time_ms) const;
  Found find_or_add(Context& context, const std::string& id);
  void hold(Context& context, const std::string& id, bool is_new, Clock clock);
  bool is_buried(Context& context, const std::string& id, std::int64_t began_ms,
                 std::int64_t& ended_ms);
  void drop_held(Context& context);
  bool note_rename(Context& context, const std::string& from, Renamed change, Instant until);
  void rename(Context& context, const std::string& from, const std::string& to,
              std::int64_t time_ms, Clock clock);
  void move_session(Context& context, const std::string& from, const std::string& to,
                    std::int64_t time_ms, Clock clock);
  void forget_former_ids(Context& context, Instant now);
  void bury(Context& context, const std::string& id, std::int64_t time_ms, Instant now);
  Found erase(Context& context, Found at);
  [[nodiscard]] bool is_known(const Message& message) const;
  [[nodiscard]] bool has_room(const Message& message) const;
  void update_pressure();
  void walk(Context& context, Clock clock);
  void forget_tombstones(Context& context, Instant now);
  bool is_fetch_due(Context& context, Instant now);

  // What a session costs: itself, its place in the table, its id.
  static std::size_t cost_of(std::string_view id, const Session& session) {
    return 64 + id.size() + session.memory_bytes();
  }
  void mark(Context& context, std::string_view id) {
    if (!settings_.tracks_changes || restoring_ || context.changed.contains(id)) return;
    context.changed.emplace(id);
    ++changed_ids_;
  }
  [[nodiscard]] std::optional<Buffer> save(const Context& context, const std::string& id,
                                           Clock clock) const;
  bool merge_one(Bytes key, Bytes value, Clock clock);
  void merge_end(Context& context, const std::string& id, std::int64_t time_ms, Clock clock);
  void merge_session(Context& context, const std::string& id, Session session, Clock clock);
  bool restore_tombstone(Context& context, const std::string& id, ByteReader& in, Clock clock);
  bool restore_renames(Context& context, const std::string& id, ByteReader& in, Clock clock);
  static std::optional<std::vector<Renamed>> take_renames(ByteReader& in);
  bool restore_session(Context& context, const std::string& id, ByteReader& in, Clock clock);

  // Runs `change` on the session and keeps the books.
  template <class Change>
  void change(Context& context, Found at, Change&& change) {
    mark(context, at->first);
    const std::uint64_t id = digest_of(at->first);
    std::uint64_t& digest = context.digests.at(id % kDigestParts);
    digest -= digest_in(id, at->second);
    memory_bytes_ -= cost_of(at->first, at->second);
    change(at->second);
    memory_bytes_ += cost_of(at->first, at->second);
    digest += digest_in(id, at->second);
  }

  static std::uint64_t digest_in(std::uint64_t id_digest, const Session& session);

  static constexpr std::size_t kTombstoneBytes = 192;
  static constexpr std::size_t kFormerIdBytes = 256;

  Settings settings_;
  std::map<std::string, Context, std::less<>> contexts_;
  std::size_t session_count_ = 0;
  std::size_t memory_bytes_ = 0;
  std::size_t elsewhere_bytes_ = 0;
  std::size_t changed_ids_ = 0;
  bool restoring_ = false;  // what comes is on the disk
  Pressure pressure_ = Pressure::fine;
  Counters counters_;
};

}  // namespace tribecast::session
