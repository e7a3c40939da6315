// The last events, and those who wait for the next one. Bounded: the oldest event goes when there
// are too many, and so does who has waited longest.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>

#include "control/events.h"

namespace tribecast::daemon {

class Events {
 public:
  static constexpr std::size_t kKept = 256;
  static constexpr std::size_t kMaxWaiting = 16;
  static constexpr std::size_t kMaxText = 400;  // bytes; longer texts are cut
  // Takes the answer; destroyed without it, whoever asked is cut off (io::ControlServer::Reply).
  using Reply = std::function<void(std::string)>;

  // Known once the core runs.
  void set_instance(std::string instance) { instance_ = std::move(instance); }

  // Its sequence is set here; a text of several lines becomes one.
  void add(control::Event event);
  // Everything that is kept; with a sequence, what came after it: at once if there is something, or
  // if this agent never had that sequence; else when it comes.
  void ask(std::optional<std::uint64_t> after, Reply reply);
  // Answers all that wait when there is news.
  void answer();
  [[nodiscard]] bool anybody_waits() const { return !waiting_.empty(); }

 private:
  struct Waiting {
    std::uint64_t after;
    Reply reply;
  };
  [[nodiscard]] std::string list_after(std::uint64_t sequence) const;

  std::string instance_;
  std::uint64_t last_ = 0;
  std::deque<control::Event> events_;
  std::deque<Waiting> waiting_;
};

}  // namespace tribecast::daemon
