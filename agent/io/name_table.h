// Names that are kept resolved: asked for again when their TTL is over. A name that fails keeps the
// addresses it had, and is retried after 5 s, doubling to 60 s.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/random.h"
#include "base/time.h"
#include "io/deadline_timer.h"
#include "io/resolver.h"

namespace tribecast::io {

struct NameState {
  std::vector<Address> addresses;  // the last known ones, sorted
  Instant resolved_at = kNever;    // last success; kNever = never
  Instant refresh_at = kNever;     // next question; kNever = one is outstanding
  std::string error;               // of the last question; empty after a success
  unsigned failures = 0;           // in a row
};

// When to ask again. Pure. After a success: the TTL, kept within 1 s and 5 min. After the n-th
// failure in a row (from 1): 5 s, 10 s, ... 60 s, less up to a quarter by `jitter` (any number).
Duration refresh_delay(Duration ttl);
Duration retry_delay(unsigned failures, std::uint32_t jitter);

class NameTable {
 public:
  // `addresses` is empty as long as the name was never resolved.
  using Changed = std::function<void(const std::string& name, const std::vector<Address>&)>;

  // Questions outstanding at the same time; further names wait in line.
  static constexpr std::size_t kMaxOutstanding = 64;

  // `changed` is called, from the loop, when a name's set of addresses differs from the last one.
  NameTable(Loop& loop, RandomSource random, Changed changed);
  NameTable(const NameTable&) = delete;
  NameTable& operator=(const NameTable&) = delete;
  ~NameTable();

  // Adding a name twice counts; it goes with the last remove().
  void add(const std::string& name);
  void remove(const std::string& name);
  // Asks for this name, or all, now (a reload; an interface came up).
  void refresh();

  // nullptr for a name that was not added; valid until the next turn of the loop.
  [[nodiscard]] const NameState* find(const std::string& name) const;

 private:
  struct Entry {
    NameState state;
    unsigned users = 0;
    std::uint64_t question = 0;  // the outstanding one, 0 = none
    bool queued = false;
  };

  void enqueue(const std::string& name, Entry& entry);
  void ask_queued();
  void answered(const std::string& name, std::uint64_t question,
                const Result<Resolution, std::string>& answer);
  void on_deadline();
  void arm();

  RandomSource random_;
  Changed changed_;
  std::map<std::string, Entry> entries_;
  std::deque<std::string> queue_;
  std::uint64_t last_question_ = 0;
  std::size_t outstanding_ = 0;
  DeadlineTimer timer_;
  Resolver resolver_;
};

}  // namespace tribecast::io
