#include "engine/channel/fragment.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace tribecast::channel {
namespace {

constexpr std::uint8_t kWhole = 0;
constexpr std::uint8_t kPiece = 1;
constexpr std::size_t kPieceTail = 9;

}  // namespace

void Fragmentation::send(const Context& /*context*/, const tribes::Identity& /*to*/,
                         Message message, Messages& out) {
  const std::size_t size = message.body.size();
  const std::size_t most = settings_.piece_bytes;
  if (size <= most) {
    message.body.push_back(kWhole);
    out.push_back(std::move(message));
    return;
  }
  const Buffer body = std::exchange(message.body, {});
  const std::size_t count = (size + most - 1) / most;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t from = i * most;
    const Bytes part = Bytes(body).subspan(from, std::min(most, size - from));
    Message piece = message;
    piece.body.resize(part.size() + kPieceTail);
    SpanWriter tail(piece.body);
    tail.put(part);
    tail.u32be(static_cast<std::uint32_t>(i));
    tail.u32be(static_cast<std::uint32_t>(count));
    tail.u8(kPiece);
    TC_CHECK(tail.ok());
    out.push_back(std::move(piece));
  }
}

void Fragmentation::receive(const Context& context, Message message, Messages& out) {
  if (message.body.empty()) return context.drops.count(Drop::bad_fragment);
  const std::uint8_t kind = message.body.back();
  if (kind == kWhole) {
    message.body.pop_back();
    out.push_back(std::move(message));
    return;
  }
  if (message.body.size() < kPieceTail) return context.drops.count(Drop::bad_fragment);
  ByteReader tail(Bytes(message.body).last(kPieceTail));
  const std::uint32_t index = tail.u32be();
  const std::uint32_t count = tail.u32be();
  if (count == 0 || index >= count || count > settings_.max_count) {
    return context.drops.count(Drop::bad_fragment);
  }
  message.body.resize(message.body.size() - kPieceTail);
  collect(context, std::move(message), index, count, out);
}

void Fragmentation::collect(const Context& context, Message message, std::uint32_t index,
                            std::uint32_t count, Messages& out) {
  const Key key{message.sender.identity, message.unique_id};
  auto it = groups_.find(key);
  if (it == groups_.end()) {
    // What the table of a group takes counts as well.
    const std::size_t table = count * sizeof(Buffer);
    if (groups_.size() >= settings_.max_messages || !make_room(context, table)) {
      return context.drops.count(Drop::fragments_expired);
    }
    it = groups_
             .emplace(key, Group{context.moment.now, std::vector<Buffer>(count),
                                 std::vector<bool>(count), count, table})
             .first;
    bytes_ += table;
  }
  if (it->second.pieces.size() != count) return context.drops.count(Drop::bad_fragment);
  if (it->second.there[index]) return;  // a repetition
  if (!make_room(context, message.body.size())) {
    context.drops.count(Drop::fragments_expired);
    drop(it);
    return;
  }
  it = groups_.find(key);  // to make room may have taken it away
  if (it == groups_.end()) return;
  Group& group = it->second;
  bytes_ += message.body.size();
  group.bytes += message.body.size();
  group.pieces[index] = std::move(message.body);
  group.there[index] = true;
  if (--group.missing > 0) return;
  message.body.clear();
  for (const Buffer& piece : group.pieces) {
    message.body.insert(message.body.end(), piece.begin(), piece.end());
  }
  drop(it);
  out.push_back(std::move(message));
}

// Drops what has waited too long when there is not room enough.
bool Fragmentation::make_room(const Context& context, std::size_t bytes) {
  if (bytes_ + bytes <= settings_.max_bytes) return true;
  Messages none;
  on_timer(context, none);
  return bytes_ + bytes <= settings_.max_bytes;
}

Fragmentation::Groups::iterator Fragmentation::drop(Groups::iterator it) {
  bytes_ -= it->second.bytes;
  return groups_.erase(it);
}

void Fragmentation::on_timer(const Context& context, Messages& /*out*/) {
  for (auto it = groups_.begin(); it != groups_.end();) {
    if (context.moment.now - it->second.began < settings_.expiry) {
      ++it;
      continue;
    }
    context.drops.count(Drop::fragments_expired);
    it = drop(it);
  }
}

void Fragmentation::forget(const tribes::Identity& member) {
  for (auto it = groups_.begin(); it != groups_.end();) {
    it = it->first.first == member ? drop(it) : std::next(it);
  }
}

}  // namespace tribecast::channel
