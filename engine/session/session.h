// One replicated session: for each attribute, note and other property the value with the latest
// message time. Deltas may come in any order, and twice; the same deltas give the same session.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "engine/session/delta.h"
#include "engine/session/record.h"
#include "engine/session/text.h"

namespace tribecast::session {

// Both clocks at one moment: waiting is measured on the first; the second is only compared with the
// clocks of Tomcats, and kept on disks.
struct Clock {
  Instant now{};
  std::int64_t wall_ms = 0;  // since 1970
};

// One property. A removed one stays, so that an older value that comes late does not bring it back.
struct Entry {
  ActionType type = ActionType::attribute;
  bool removed = false;
  std::uint32_t order = 0;   // among the actions of its message
  std::int64_t time_ms = 0;  // of the message, by its sender's clock
  NamedValue content;        // without a name for what a session has once: principal, auth_type
};

// A number that a session has once, with the time of the message that said it.
struct Number {
  std::int64_t time_ms = -1;
  std::uint32_t order = 0;
  std::int32_t value = 0;

  friend auto operator<=>(const Number&, const Number&) = default;
};

// Tells two states of one session apart, and, roughly, which is the later one.
struct Version {
  std::int64_t time_ms = 0;  // the latest message time seen
  std::uint64_t digest = 0;  // of that, and of names, times and sizes of what it has

  bool operator==(const Version&) const = default;
};

class Session {
 public:
  // What a delta with this message time says.
  void apply(const Delta& delta, std::int64_t time_ms);
  // What another member's copy has newer or in addition, as of its last access. What it lacks
  // stays: Tomcats lose attributes to reordering.
  void fill(const Record& record);
  // A message of that time showed the session in use.
  void touch(std::int64_t time_ms, Instant now);
  // Takes over what `other`, the same session under an earlier id, has newer.
  void absorb(Session&& other);
  // Removed properties older than this are forgotten.
  void forget_removed(std::int64_t before_ms);

  // Its beginning has been seen: by its creation, its first delta, or in another member's copy.
  void set_created(std::int64_t time_ms) { created_ms_ = time_ms; }
  // An earlier session of this id ended then: what was said of that one is not said of this.
  void set_after(std::int64_t ended_ms) { after_ms_ = ended_ms; }
  [[nodiscard]] bool is_of_an_earlier_one(std::int64_t time_ms) const {
    return time_ms <= after_ms_;
  }
  [[nodiscard]] std::int64_t created_ms() const { return created_ms_; }
  // The latest message time seen.
  [[nodiscard]] std::int64_t newest_ms() const { return this_accessed_ms_; }
  [[nodiscard]] bool complete() const { return created_ms_ != kNotSeen; }

  // Equal in all who were told the same, in whatever order. What was removed is not in it: when
  // that is forgotten differs.
  [[nodiscard]] Version version() const;

  // When it ends unless it is heard of: after twice its time-out, as a copy in a Tomcat that is not
  // its primary (StandardSession.isValid, DeltaSession). kNever without a time-out.
  [[nodiscard]] Instant expires_at() const;
  // Times and properties as a Tomcat would write them.
  [[nodiscard]] Record record(std::string_view id) const;
  // All of it, for a disk (saved.h), and what that gave; nullopt when it is none. Times by which it
  // ends are kept by the second clock.
  void save(ByteWriter& out, Clock clock) const;
  static std::optional<Session> load(ByteReader& in, Clock clock);
  // It does not end for so long.
  void spare(Duration grace, Instant now);
  // What it occupies, itself included.
  [[nodiscard]] std::size_t memory_bytes() const;
  [[nodiscard]] const std::vector<Entry>& entries() const { return entries_; }

 private:
  void put(Entry entry);
  void put_number(ActionType type, const Number& number);

  static constexpr std::int64_t kNotSeen = -1;

  // There are very many sessions: each of these words is megabytes.
  std::vector<Entry> entries_;        // by type and name
  std::uint64_t entries_digest_ = 0;  // the sum of theirs
  std::int64_t created_ms_ = kNotSeen;
  std::int64_t last_accessed_ms_ = 0;
  std::int64_t this_accessed_ms_ = 0;
  std::int64_t after_ms_ = -1;
  Instant heard_{};
  Number max_inactive_s_{.value = 1800};  // until it is told: Tomcat's default
  Number is_new_;
};

}  // namespace tribecast::session
