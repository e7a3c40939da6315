// The state of one context for a Tomcat that asks: what DeltaManager.handleGET_ALL_SESSIONS sends.
//
//   Transfer transfer(store, context, request.dialect, clock);
//   while (auto message = transfer.next(store, clock)) ...send it to the member that asked...
//
// Each message goes out with option 6, and the next one after its acknowledgement: a completion
// that overtakes data loses it. All of it within a second, the first within 100 ms: the web
// application's start waits. For a context that nobody knows it is an empty list, never
// NOCONTEXTMANAGER: that flag is never reset in the Tomcat that gets it.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "engine/session/store.h"

namespace tribecast::session {

struct TransferSettings {
  std::size_t batch_sessions = 1000;
  std::size_t batch_bytes = 1U << 20U;  // of memory, about; one session may be larger
  // The completion carries the time of the snapshot less this: the Tomcat drops queued messages
  // that are older by their senders' clocks. Earlier is always safe, later loses changes.
  milliseconds margin = seconds(60);
  // When it was asked, by the clock of the Tomcat that asks: should this one be ahead, it is not
  // later than that.
  std::int64_t asked_ms = kLastTime;
};

class Transfer {
 public:
  // The snapshot: which sessions there are. They are written as they are when their turn comes.
  Transfer(const Store& store, std::string context, Dialect dialect, Clock clock,
           const TransferSettings& settings = {});

  // At least one list, then the completion, then nothing.
  std::optional<Message> next(const Store& store, Clock clock);

 private:
  enum class Stage : std::uint8_t { lists, completion, over };

  Message list(const Store& store, Clock clock);
  [[nodiscard]] Message completion() const;

  std::string context_;
  Dialect dialect_;
  TransferSettings settings_;
  std::int64_t snapshot_ms_;
  std::vector<std::string> ids_;
  std::size_t next_id_ = 0;
  Stage stage_ = Stage::lists;
};

}  // namespace tribecast::session
