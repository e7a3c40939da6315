#include "engine/session/transfer.h"

#include <algorithm>

namespace tribecast::session {

Transfer::Transfer(const Store& store, std::string context, Dialect dialect, Clock clock,
                   const TransferSettings& settings)
    : context_(std::move(context)),
      dialect_(dialect),
      settings_(settings),
      snapshot_ms_(std::min(clock.wall_ms, settings.asked_ms)),
      ids_(store.ids(context_, clock.now)) {}

std::optional<Message> Transfer::next(const Store& store, Clock clock) {
  switch (stage_) {
    case Stage::lists: {
      Message message = list(store, clock);
      if (next_id_ == ids_.size()) stage_ = Stage::completion;
      return message;
    }
    case Stage::completion:
      stage_ = Stage::over;
      return completion();
    case Stage::over:
      break;
  }
  return std::nullopt;
}

Message Transfer::list(const Store& store, Clock clock) {
  std::vector<Record> records;
  std::size_t bytes = 0;
  for (; next_id_ < ids_.size() && records.size() < settings_.batch_sessions &&
         bytes < settings_.batch_bytes;
       ++next_id_) {
    const Session* session = store.find(context_, ids_[next_id_], clock.now);
    if (session == nullptr) continue;  // ended meanwhile
    records.push_back(session->record(ids_[next_id_]));
    bytes += session->memory_bytes();
  }
  return {.dialect = dialect_,
          .event = static_cast<std::int32_t>(Event::all_data),
          .time_ms = clock.wall_ms,
          .context = context_,
          .session_id = "SESSION-STATE",
          .unique_id = "SESSION-STATE-" + context_,
          .payload = compose_list(records, dialect_)};
}

Message Transfer::completion() const {
  return {.dialect = dialect_,
          .event = static_cast<std::int32_t>(Event::transfer_complete),
          .time_ms = snapshot_ms_ - settings_.margin.count(),
          .context = context_,
          .session_id = "SESSION-STATE-TRANSFERRED",
          .unique_id = "SESSION-STATE-TRANSFERRED" + context_};
}

}  // namespace tribecast::session
