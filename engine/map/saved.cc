// What outlives the process, as engine/session/saved.h has it for sessions of DeltaManagers:
//
//   key    u32 2^32 - 1   text map   the key's stream
//   value  u8 version = 1   u8 parts: 1 entry, 2 tombstone; then these parts, in this order, with
//          times in milliseconds since 1970:
//   entry      u64 heard of   u8 copied   value (value.cc)
//   tombstone  u64 kept until
//   value      text the whole stream   u64 last access (0: not since)   u32 diffs, each: text
//   text       u32 size  bytes
#include "engine/session/saved.h"

#include <algorithm>

#include "engine/map/replica.h"

namespace tribecast::map {
namespace {

using session::instant_of;
using session::put_saved_text;
using session::put_saved_time;
using session::Saved;
using session::take_saved_text;
using session::take_saved_time;
using session::wall_of;

constexpr std::uint32_t kOfMaps = 0xffffffff;
constexpr std::uint8_t kVersion = 1;
constexpr std::uint8_t kHasEntry = 1;
constexpr std::uint8_t kHasTombstone = 2;

Buffer saved_key(std::string_view map, std::string_view key) {
  ByteWriter out;
  out.u32be(kOfMaps);
  put_saved_text(out, bytes_of(map));
  out.put(bytes_of(key));
  return out.release();
}

// The names of a map and of a key in it.
std::optional<std::pair<std::string, std::string>> parse_saved_key(Bytes saved) {
  ByteReader in(saved);
  if (in.u32be() != kOfMaps) return std::nullopt;
  std::string map = text_of(take_saved_text(in));
  std::string key = text_of(in.take_rest());
  if (!in.ok() || key.empty()) return std::nullopt;
  return std::pair(std::move(map), std::move(key));
}

}  // namespace

bool Replica::is_saved_key(Bytes key) { return ByteReader(key).u32be() == kOfMaps; }

std::optional<Buffer> Replica::save(const Map& map, const std::string& key, Clock clock) const {
  const auto entry = map.entries.find(key);
  const auto tombstone = map.tombstones.find(key);
  const bool has_entry = entry != map.entries.end() && entry->second.value.known();
  const bool has_tombstone = tombstone != map.tombstones.end();
  if (!has_entry && !has_tombstone) return std::nullopt;
  ByteWriter out;
  out.u8(kVersion);
  out.u8(
      static_cast<std::uint8_t>((has_entry ? kHasEntry : 0) | (has_tombstone ? kHasTombstone : 0)));
  if (has_entry) {
    put_saved_time(out, wall_of(entry->second.heard, clock));
    out.u8(entry->second.copied ? 1 : 0);
    entry->second.value.save(out);
  }
  if (has_tombstone) put_saved_time(out, wall_of(tombstone->second, clock));
  return out.release();
}

std::vector<Saved> Replica::take_changes(Clock clock, std::size_t max_bytes) {
  std::vector<Saved> changes;
  std::size_t bytes = 0;
  for (auto& [name, map] : maps_) {
    while (!map.changed.empty() && bytes < max_bytes) {
      const auto key = map.changed.begin();
      Saved saved{saved_key(name, *key), save(map, *key, clock)};
      bytes += saved.key.size() + (saved.value ? saved.value->size() : 0);
      changes.push_back(std::move(saved));
      map.changed.erase(key);
      --changed_keys_;
    }
  }
  return changes;
}

void Replica::put_back(const std::vector<Buffer>& keys) {
  for (const Buffer& bytes : keys) {
    const auto key = parse_saved_key(bytes);
    Map* map = key ? map_of(key->first) : nullptr;
    if (map != nullptr) mark(*map, key->second);
  }
}

bool Replica::restore_entry(Map& map, const std::string& key, ByteReader& in, Clock clock) {
  const Instant heard = std::min(instant_of(take_saved_time(in), clock), clock.now);
  const bool copied = in.u8() != 0;
  auto value = Value::load(in);
  if (!in.ok() || !value) return false;
  change(find_or_add(map, key), [&](Entry& entry) {
    entry.value = std::move(*value);
    entry.heard = heard;
    entry.copied = copied;
    entry.doubted = true;
    entry.primary = self_;
    entry.nodes = {self_};
  });
  return true;
}

bool Replica::restore_tombstone(Map& map, const std::string& key, ByteReader& in, Clock clock) {
  const Instant until = instant_of(take_saved_time(in), clock);
  if (!in.ok() || map.tombstones.contains(key)) return false;
  bury(map, key, clock.now);
  map.buried.back().until = std::min(map.buried.back().until, until);
  map.tombstones.at(key) = map.buried.back().until;
  return true;
}

bool Replica::restore(Bytes key, Bytes value, Clock clock) {
  const auto name = parse_saved_key(key);
  ByteReader in(value);
  if (!name || in.u8() != kVersion) return false;
  const std::uint8_t parts = in.u8();
  Map* map = map_of(name->first);
  if (map == nullptr) return false;
  if ((parts & kHasEntry) != 0 && !restore_entry(*map, name->second, in, clock)) return false;
  const bool has_tombstone = (parts & kHasTombstone) != 0;
  if (has_tombstone && !restore_tombstone(*map, name->second, in, clock)) return false;
  return in.ok() && in.left() == 0;
}

void Replica::restored(Clock clock, Duration grace, bool write_anew) {
  for (auto& [name, map] : maps_) {
    std::ranges::sort(map.buried, {}, &Buried::until);
    for (auto& [key, entry] : map.entries) {
      const std::int32_t idle_s = entry.value.max_inactive_s();
      if (idle_s <= 0) continue;
      entry.heard = std::max(entry.heard, clock.now + grace - 2 * seconds(idle_s));
    }
    if (write_anew) continue;
    changed_keys_ -= map.changed.size();
    map.changed.clear();
  }
  update_pressure();
}

}  // namespace tribecast::map
