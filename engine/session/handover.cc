#include "engine/session/handover.h"

namespace tribecast::session {
namespace {

constexpr std::size_t kBatchBytes = 1U << 20U;  // one session may be larger

void put_saved(ByteWriter& out, const Saved& record) {
  for (const Bytes bytes : {Bytes(record.key), Bytes(*record.value)}) {
    out.u32be(static_cast<std::uint32_t>(bytes.size()));
    out.put(bytes);
  }
}

}  // namespace

Buffer saved_list(const Store& store, std::string_view context, const std::vector<std::string>& ids,
                  Clock clock, std::size_t max_bytes) {
  ByteWriter records;
  for (const std::string& id : ids) {
    if (records.bytes().size() >= max_bytes) break;
    const Saved record = store.saved(context, id, clock);
    if (record.value) put_saved(records, record);
  }
  return records.release();
}

Handover::Handover(const Store& store, std::string name, Dialect dialect)
    : name_(std::move(name)), dialect_(dialect), contexts_(store.contexts()) {}

std::optional<Message> Handover::next(const Store& store, Clock clock) {
  if (over_) return std::nullopt;
  ByteWriter records;
  while (records.bytes().size() < kBatchBytes) {
    if (ids_.empty()) {
      if (contexts_.empty()) break;
      context_ = std::move(contexts_.back());
      contexts_.pop_back();
      ids_ = store.known_ids(context_);
      continue;
    }
    const Saved record = store.saved(context_, ids_.back(), clock);
    ids_.pop_back();
    if (record.value) put_saved(records, record);
  }
  over_ = records.bytes().empty();
  Message message;
  message.dialect = dialect_;
  message.event = static_cast<std::int32_t>(over_ ? Event::transfer_complete : Event::all_data);
  message.time_ms = clock.wall_ms;
  message.context = name_;
  if (!over_) message.payload = records.release();
  return message;
}

}  // namespace tribecast::session
