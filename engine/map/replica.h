// The engine as a member of every replicated map: a further backup of every entry.
//
// A Tomcat gives each session of a BackupManager one backup, and tells the other members only that
// there is a session (proxy). Of those that it does not back up by itself the engine makes itself
// one more backup: it tells the primary and every other member that it is one (notify_member), then
// fetches the value (retrieve_backup), and applies the changes that come meanwhile. After every
// move of a session it looks whether it is still a backup. When primary and backups of a session
// are gone, it says that it is the primary itself; it answers whoever then asks for the value. A
// ReplicatedMap gives everything to everybody, so to the engine too.
//
//   Replica replica(self, settings);
//   replica.on_message(parsed, sender, clock, actions);         // a MapMessage as channel message
//   answer = replica.on_request(parsed, sender, clock, actions);  // as a remote call
//   replica.on_gone(identity, clock, actions);                  // it left the channel
//   replica.on_timer(clock, actions);                           // once a second
//   replica.on_newborn(clock, actions);                         // at next_newborn()
//   if (replica.busy()) replica.work(actions);                  // as soon as there is room to send
//
// What the caller does:
// - It sends actions in their order, towards one member one after another on one connection, each
//   acknowledged (options 6) before the next: the notice before the question.
// - Action::call is 0 for a channel message (`bytes` is its body). Any other is the number of a
//   remote call: `bytes` is its object, `map` its channel (channel::compose_rpc, RpcCalls with
//   Wants::first_reply and 15 s). Every such call ends with on_answer or on_silence, once; a member
//   that does not serve the channel is silent, too.
// - on_request: nullopt means no reply at all, now or later; another member has the value.
// - It acknowledges with FAIL-ACK exactly when the verdict is `refused`.
// - It calls check_all when it may have missed messages (its own network was cut, a disk was old).
// - A member that is heard again after on_gone needs no call: its ping brings it back.
//
// What is kept on a disk is taken by take_changes() and given back by restore() (saved.cc has the
// layout), before anything else. Values that were restored are doubted: others may have lived on
// and changed them. A member that has a doubted value is asked for it; who asks for one that nobody
// else has is given it, and the members that lack it are told that the engine has it.
//
// A removed key leaves a tombstone. A late notice of it, or the list of a member that missed the
// removal, do not bring it back (the member is told again); its primary does, since a Tomcat that
// replaces a value removes the key first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/time.h"
#include "engine/map/roster.h"
#include "engine/map/value.h"
#include "engine/session/saved.h"
#include "engine/session/store.h"

namespace tribecast::map {

using session::Clock;
using session::Pressure;

struct Settings {
  std::size_t memory_limit_bytes = std::size_t{1} << 30U;
  std::size_t max_open_fetches = 64;  // of a map; more keys wait
  unsigned fetch_tries = 3;  // with who is not known to be a member; with others it goes on
  Duration retry = seconds(5);
  // After a member came, all members of the map are asked what they know.
  Duration check_delay = seconds(3);
  // What moved so shortly before that question is not compared: notices of it may be on their way.
  Duration settled = seconds(5);
  // A Tomcat tells of a new entry before it has that itself: it knows nothing of it for a moment,
  // and passes over who says that it is a backup.
  Duration newborn = milliseconds(200);
  Duration tombstone_age = std::chrono::hours(6);
  std::size_t max_tombstones = 200'000;  // of a map
  bool heal = true;                      // tell members what they lack
  bool tracks_changes = false;           // for take_changes()
};

enum class Verdict : std::uint8_t {
  done,
  malformed,  // acknowledged all the same, as Tomcat does
  refused,    // no memory: FAIL-ACK
};

struct Action {
  tribes::Identity to;
  std::string map;
  std::uint64_t call = 0;  // 0: a message
  Buffer bytes;
};
using Actions = std::vector<Action>;

struct Counters {
  std::uint64_t values = 0;  // whole ones
  std::uint64_t diffs = 0;
  std::uint64_t notices = 0;    // proxy, access, notify_member
  std::uint64_t removed = 0;    // by a member
  std::uint64_t timed_out = 0;  // ended here
  std::uint64_t enlisted = 0;
  std::uint64_t fetched = 0;
  std::uint64_t fetch_failed = 0;
  std::uint64_t announced = 0;      // entries of which the engine became the primary
  std::uint64_t lost = 0;           // entries whose holders were gone before they were fetched
  std::uint64_t healed = 0;         // entries told to a member that lacked them
  std::uint64_t removed_again = 0;  // removals told to a member that had missed them
  std::uint64_t malformed = 0;
  std::uint64_t refused = 0;
  std::uint64_t unknown_types = 0;
};

// What compare() has found: keys, by the bytes of their streams.
struct Compared {
  enum class Kind : std::uint8_t { compared, no_answer, no_map };
  Kind kind = Kind::compared;
  std::uint64_t here = 0;
  std::uint64_t there = 0;
  std::uint64_t moving = 0;             // not there, or not whole here, and may be on its way
  std::vector<std::string> lacks = {};  // not there
  std::vector<std::string> only_there = {};
};

// A key for people: a text as it is, else the name of its class.
std::string key_text(std::string_view key);

class Replica {
 public:
  Replica(const Member& self, const Settings& settings);

  Verdict on_message(const Parsed& parsed, const Member& sender, Clock clock, Actions& out);
  std::optional<Buffer> on_request(const Parsed& parsed, const Member& sender, Clock clock,
                                   Actions& out);
  // The object of a reply.
  void on_answer(std::uint64_t call, Bytes object, Clock clock, Actions& out);
  void on_silence(std::uint64_t call, Clock clock, Actions& out);
  // The member says that it has no such map.
  void on_not_served(std::uint64_t call, Clock clock, Actions& out);
  // A message to it was not delivered; it is compared with again.
  void on_not_sent(const tribes::Identity& member, Instant now);
  // It came to the channel: it is asked what it knows of the maps that were restored.
  void on_came(const Member& member, Clock clock, Actions& out);
  void on_gone(const tribes::Identity& member, Clock clock, Actions& out);
  void on_timer(Clock clock, Actions& out);
  // What was new a moment ago is asked for.
  void on_newborn(Clock clock, Actions& out);
  [[nodiscard]] Instant next_newborn() const;
  // A portion of what is to be told about many entries, when a member came or is gone. A second
  // does some of it, too.
  void work(Actions& out);
  [[nodiscard]] bool busy() const { return !tasks_.empty(); }
  // Compares every map with every member of it, on the next timer.
  void check_all();
  // Asks that member which keys of the map it has, and changes nothing. One at a time.
  void compare(std::string_view map, const Member& with, Clock clock, Actions& out);
  // Once, when it is over.
  std::optional<Compared> take_compared() { return std::exchange(compared_, std::nullopt); }

  // The value of a key as it is now; nullopt when it is not, or not yet, here.
  [[nodiscard]] std::optional<Buffer> find(std::string_view map, Bytes key) const;
  [[nodiscard]] std::vector<std::string> maps() const;
  [[nodiscard]] std::size_t entry_count() const { return entry_count_; }
  // Entries whose value is not here yet.
  [[nodiscard]] std::size_t unknown_count(std::string_view map) const;
  [[nodiscard]] std::size_t memory_bytes() const { return memory_bytes_; }
  // So much of the limit is taken by others.
  void set_elsewhere_bytes(std::size_t bytes) { elsewhere_bytes_ = bytes; }
  [[nodiscard]] Pressure pressure() const { return pressure_; }
  [[nodiscard]] const Counters& counters() const { return counters_; }

  // What is known of keys has changed since take_changes() gave it.
  [[nodiscard]] bool has_changes() const { return changed_keys_ > 0; }
  // What is known now of keys of which something has changed, until it is so many bytes.
  std::vector<session::Saved> take_changes(Clock clock, std::size_t max_bytes);
  // Of these the changes could not be written: they are changes still. Keys of others are passed
  // over.
  void put_back(const std::vector<Buffer>& keys);
  // Whether a saved key is one of this; what take_changes() gave with it, at another time: false
  // when it is nothing of that kind.
  [[nodiscard]] static bool is_saved_key(Bytes key);
  bool restore(Bytes key, Bytes value, Clock clock);
  // All has been restored. No entry ends before `grace` has passed; nothing counts as changed,
  // unless all is to be written anew.
  void restored(Clock clock, Duration grace, bool write_anew);

 private:
  enum class Fetch : std::uint8_t { none, wanted, open };
  struct Entry {
    Value value;
    std::vector<MemberId> nodes;  // who has backups, as far as they live
    Instant heard{};              // of its use
    Instant moved{};              // its primary or nodes changed
    std::uint64_t call = 0;       // of the open fetch
    MemberId primary = kNobody;   // while it lives
    Fetch fetch = Fetch::none;
    std::uint8_t tries = 0;
    bool copied = false;   // of a ReplicatedMap
    bool newborn = false;  // is not asked for yet
    bool doubted = false;  // was restored, and nobody who lived on has confirmed it
  };
  struct Hash {
    using is_transparent = void;  // NOLINT(readability-identifier-naming): the library's name
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };
  template <class T>
  using ByKey = std::unordered_map<std::string, T, Hash, std::equal_to<>>;
  using Found = ByKey<Entry>::iterator;
  struct Buried {
    std::string key;
    Instant until{};
  };
  struct Newborn {
    std::string key;
    Instant due{};
  };
  struct Map {
    std::string name;
    ByKey<Entry> entries;  // by the bytes of the key's stream
    std::set<MemberId> members;
    std::deque<std::string> wanted;  // keys to fetch; may name others
    std::deque<Newborn> newborn;     // in order of time; may name others
    std::size_t open_fetches = 0;
    Instant fetch_at{};  // not earlier
    Instant check_at = kNever;
    ByKey<Instant> tombstones;
    std::deque<Buried> buried;  // the same, oldest first; may name others
    std::size_t next_bucket = 0;
    std::unordered_set<std::string, Hash, std::equal_to<>> changed;  // keys
  };
  struct Call {
    std::string map;
    std::string key;  // empty: for a member's state
    MemberId to = kNobody;
    Instant asked{};
  };
  // Work on one entry that waits for its turn, so that a member of a large map may go or come.
  struct Task {
    enum class Kind : std::uint8_t { announce, heal, remove } kind{};
    std::string map;
    std::string key;
    MemberId to = kNobody;  // not of announce
    Instant asked{};        // when it turned out to be needed
  };

  // replica.cc: what comes in
  Map* map_of(const std::string& name);
  void forget_members();
  [[nodiscard]] bool has_room(const Message& message) const;
  Verdict apply(Map& map, const Message& message, MemberId sender, Clock clock, Actions& out);
  Verdict on_entry(Map& map, const Message& message, MemberId sender, Clock clock, Actions& out);
  void on_remove(Map& map, const std::string& key, Clock clock);
  bool take_value(Map& map, Found at, const Message& message, Clock clock);
  Message entry_message(const Map& map, Type type, const std::string& key,
                        const Entry& entry) const;
  [[nodiscard]] Buffer list_for(const Map& map, bool values, MemberId asker) const;
  std::optional<Buffer> value_for(const Map& map, Message message, MemberId asker) const;

  // share.cc: being a backup of everything
  void place(Entry& entry, MemberId primary, const std::vector<Member>& nodes, Instant now);
  void ensure_backup(Map& map, Found at, Clock clock, Actions& out);
  void postpone(Map& map, Found at, Instant now);
  void want(Map& map, Found at);
  void start_fetches(Map& map, Clock clock, Actions& out);
  bool start_fetch(Map& map, Found at, Clock clock, Actions& out);
  [[nodiscard]] MemberId holder_of(const Map& map, const Entry& entry) const;
  void enlist(Map& map, Found at, Actions& out);
  void on_fetched(Map& map, const Call& call, std::uint64_t number, const Message* answer,
                  Clock clock);
  void retry_fetch(Map& map, Found at, Clock clock);
  void join(Map& map, MemberId member, Clock clock, Actions& out);
  void start(Map& map, MemberId member, Clock clock, Actions& out);
  void leave(Map& map, MemberId member, Clock clock);
  bool survive(Map& map, Found at, MemberId gone, Clock clock);
  void announce(Map& map, Found at, Actions& out);

  // heal.cc: what members lack, and time
  void ask_state(const Map& map, MemberId member, Clock clock, Actions& out);
  void on_state(Map& map, MemberId member, const std::vector<Message>& entries, Instant asked,
                Clock clock, Actions& out);
  void do_task(const Task& task, Actions& out);
  void expire(Map& map, Clock clock, Actions& out);
  void forget_tombstones(Map& map, Instant now);
  void bury(Map& map, const std::string& key, Instant now);
  void exhume(Map& map, const std::string& key);

  // compare.cc: who has what
  void end_compare(Compared compared);
  [[nodiscard]] Compared compared_with(const Map& map, const std::vector<Message>& entries,
                                       Instant asked) const;

  // saved.cc: what outlives the process
  void mark(Map& map, const std::string& key) {
    if (settings_.tracks_changes) changed_keys_ += map.changed.insert(key).second ? 1U : 0U;
  }
  [[nodiscard]] std::optional<Buffer> save(const Map& map, const std::string& key,
                                           Clock clock) const;
  bool restore_entry(Map& map, const std::string& key, ByteReader& in, Clock clock);
  bool restore_tombstone(Map& map, const std::string& key, ByteReader& in, Clock clock);

  void send(const Map& map, MemberId to, const Message& message, Actions& out) const;
  void call(const Map& map, MemberId to, const Message& message, std::string key, Clock clock,
            Actions& out);
  Found find_or_add(Map& map, const std::string& key);
  Found erase(Map& map, Found at);
  void update_pressure();
  [[nodiscard]] bool has_self(const Entry& entry) const;

  static std::size_t cost_of(const std::string& key, const Entry& entry) {
    return 64 + key.size() + sizeof(Entry) + entry.nodes.size() * sizeof(MemberId) +
           entry.value.memory_bytes();
  }
  // Runs `change` on the entry and keeps the books.
  template <class Change>
  void change(Found at, Change&& change) {
    memory_bytes_ -= cost_of(at->first, at->second);
    change(at->second);
    memory_bytes_ += cost_of(at->first, at->second);
  }

  static constexpr std::size_t kTombstoneBytes = 160;

  Settings settings_;
  Roster roster_;
  MemberId self_;
  std::map<std::string, Map, std::less<>> maps_;
  std::map<std::uint64_t, Call> calls_;
  std::uint64_t last_call_ = 0;
  std::uint64_t comparing_ = 0;  // the call of compare()
  std::optional<Compared> compared_;
  std::deque<Task> tasks_;
  std::size_t entry_count_ = 0;
  std::size_t memory_bytes_ = 0;
  std::size_t elsewhere_bytes_ = 0;
  std::size_t changed_keys_ = 0;
  Pressure pressure_ = Pressure::fine;
  Counters counters_;
};

}  // namespace tribecast::map
