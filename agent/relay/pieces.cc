#include "relay/pieces.h"

#include <algorithm>

#include "base/check.h"

namespace tribecast::relay {

std::vector<Bytes> cut(Bytes payload, std::size_t room) {
  TC_CHECK(room > 0 && payload.size() <= room * 255);
  std::vector<Bytes> parts;
  do {
    const std::size_t size = std::min(room, payload.size());
    parts.push_back(payload.first(size));
    payload = payload.subspan(size);
  } while (!payload.empty());
  return parts;
}

void Pieces::clear() {
  partials_.clear();
  bytes_ = 0;
}

void Pieces::forget(std::uint64_t first_counter) {
  const auto found = partials_.find(first_counter);
  bytes_ -= found->second.bytes;
  partials_.erase(found);
}

void Pieces::expire(Instant now) {
  std::erase_if(partials_, [&](const auto& entry) {
    const Partial& partial = entry.second;
    if (now - partial.first_seen <= kTimeout) return false;
    bytes_ -= partial.bytes;
    return true;
  });
}

Result<std::optional<Buffer>, Reason> Pieces::add(Instant now, std::uint64_t counter,
                                                  const Parcel& parcel) {
  expire(now);
  if (counter < parcel.piece) return Unexpected{Reason::malformed};
  const std::uint64_t first = counter - parcel.piece;
  const std::size_t size = parcel.payload.size();
  const bool full = bytes_ + size > kMaxBytes ||
                    (partials_.size() >= kMaxDatagrams && !partials_.contains(first));
  if (full) return Unexpected{Reason::table_full};

  Partial& partial = partials_.try_emplace(first).first->second;
  if (partial.parts.empty()) {
    partial.first_seen = now;
    partial.parts.resize(parcel.pieces);
    partial.missing = parcel.pieces;
  }
  if (partial.parts.size() != parcel.pieces || partial.parts[parcel.piece]) {
    forget(first);
    return Unexpected{Reason::malformed};
  }
  if (partial.bytes + size > kMaxPayload) {
    forget(first);
    return Unexpected{Reason::too_large};
  }
  partial.parts[parcel.piece] = copy_of(parcel.payload);
  partial.bytes += size;
  bytes_ += size;
  if (--partial.missing > 0) return std::optional<Buffer>{};

  ByteWriter whole;
  for (const auto& part : partial.parts) whole.put(*part);
  forget(first);
  return std::optional<Buffer>{whole.release()};
}

}  // namespace tribecast::relay
