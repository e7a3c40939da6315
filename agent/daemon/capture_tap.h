// The last datagrams of the groups, kept only while somebody asks for them, as `tribecast capture`
// does again and again. Bounded: when there are too many, or too many bytes of them, the oldest
// goes; a reader that is too slow sees that by the sequences.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>

#include "base/time.h"
#include "control/capture.h"

namespace tribecast::daemon {

class CaptureTap {
 public:
  static constexpr std::size_t kKept = 1024;
  static constexpr std::size_t kKeptBytes = 1U << 20U;  // of payload
  static constexpr std::size_t kMostInAnswer = 256;
  static constexpr std::size_t kMaxWaiting = 4;         // who has waited longest goes first
  static constexpr Duration kBatch = milliseconds(50);  // news are collected for so long
  static constexpr Duration kPatience = seconds(2);     // then who waits is told that there is none
  static constexpr Duration kInterest = seconds(5);     // nobody asks for so long: off
  using Reply = std::function<void(std::string)>;

  // Switches it on. Without a sequence the answer is the last one; else what came after it, when it
  // comes.
  void ask(Instant now, std::optional<std::uint64_t> after, Reply reply);
  // Its sequence is set here. Does nothing while it is off.
  void add(Instant now, control::Seen seen);
  // At deadline() or earlier.
  void on_timer(Instant now);
  [[nodiscard]] Instant deadline() const;
  [[nodiscard]] bool on() const { return off_at_ != kNever; }

 private:
  struct Waiting {
    std::uint64_t after;
    Instant until;
    Reply reply;
  };
  [[nodiscard]] std::string list_after(std::uint64_t sequence) const;

  std::uint64_t last_ = 0;
  std::size_t bytes_ = 0;
  std::deque<control::Seen> seen_;
  std::deque<Waiting> waiting_;
  Instant answer_at_ = kNever;
  Instant off_at_ = kNever;
};

}  // namespace tribecast::daemon
