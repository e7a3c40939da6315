#include "packet/reassembly.h"

#include <algorithm>
#include <iterator>

namespace tribecast::packet {

void Reassembler::forget(const Key& key) {
  const auto found = partials_.find(key);
  if (found == partials_.end()) return;
  held_ -= found->second.held();
  partials_.erase(found);
}

void Reassembler::expire(Instant now) {
  std::erase_if(partials_, [&](const auto& entry) {
    const bool old = now - entry.second.first_seen > kTimeout;
    if (old) held_ -= entry.second.held();
    return old;
  });
}

bool Reassembler::overlaps(const Partial& partial, std::size_t begin, std::size_t end) {
  const auto next = partial.pieces.lower_bound(begin);
  if (next != partial.pieces.end() && next->first < end) return true;
  if (next == partial.pieces.begin()) return false;
  const auto& [offset, piece] = *std::prev(next);
  return offset + piece.size() > begin;
}

bool Reassembler::ends_beyond(const Partial& partial, std::size_t end) {
  if (partial.pieces.empty()) return false;
  const auto& [offset, piece] = *partial.pieces.rbegin();
  return offset + piece.size() > end;
}

Result<std::optional<Buffer>, Reason> Reassembler::add(Instant now, const Ipv4Packet& packet) {
  expire(now);
  const Key key{packet.source, packet.destination, packet.id, packet.protocol};
  const std::size_t begin = packet.fragment_offset;
  const std::size_t end = begin + packet.body.size();
  const bool known = partials_.contains(key);
  const bool ragged = packet.more_fragments && packet.body.size() % 8 != 0;
  if (packet.body.empty() || ragged || end > kMaxUdpPayload + 8) {
    forget(key);
    return Unexpected{ragged || packet.body.empty() ? Reason::malformed : Reason::too_large};
  }
  const std::size_t cost = packet.body.size() + kFragmentCost;
  if ((!known && partials_.size() >= kMaxDatagrams) || held_ + cost > kMaxBytes) {
    forget(key);
    return Unexpected{Reason::table_full};
  }

  Partial& partial = partials_.try_emplace(key, Partial{now, {}, 0, {}}).first->second;
  const bool beyond_last = partial.total && end > *partial.total;
  const bool wrong_last = !packet.more_fragments && (partial.total || ends_beyond(partial, end));
  const bool contradicts = overlaps(partial, begin, end) || beyond_last || wrong_last;
  if (contradicts) {
    forget(key);
    return Unexpected{Reason::malformed};
  }
  if (!packet.more_fragments) partial.total = end;
  partial.pieces.emplace(begin, copy_of(packet.body));
  partial.bytes += packet.body.size();
  held_ += cost;
  if (!partial.total || partial.bytes < *partial.total) return std::optional<Buffer>{};

  ByteWriter whole;
  for (const auto& [offset, piece] : partial.pieces) whole.put(piece);
  forget(key);
  return std::optional<Buffer>{whole.release()};
}

}  // namespace tribecast::packet
