// What a store knows of one id, as bytes that outlive the process: the session, that one of that id
// has ended, that it was renamed. Whoever keeps them checks that they are the same bytes later
// (a disk's checksums); a layout of another version is not read.
//
//   key    u32 size  context     id
//   value  u8 version = 1   u8 parts: 1 session, 2 tombstone, 4 rename; then these parts, in this
//          order, with times in milliseconds since 1970:
//   session    u64 created  u64 last access  u64 this access  i64 an earlier one ended (-1 = none)
//              u64 heard of  i32 seconds it lives  u8 complete  u32 entries, each:
//              u8 type  u8 removed  u32 order  u64 time  text name  text value
//   tombstone  u64 message time   u64 kept until
//   rename     text new id  u64 message time   u64 kept until
//   text       u32 size  bytes
//
// No context's name has 2^32 - 1 bytes: keys that begin with that number are another store's
// (engine/map/saved.cc).
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "base/bytes.h"
#include "base/time.h"
#include "engine/session/session.h"

namespace tribecast::session {

struct Saved {
  Buffer key;
  std::optional<Buffer> value;  // nullopt: nothing is known any more
};

Buffer saved_key(std::string_view context, std::string_view id);
// Context and id.
std::optional<std::pair<std::string, std::string>> parse_saved_key(Bytes key);

// What the values are made of.
void put_saved_time(ByteWriter& out, std::int64_t time_ms);
std::int64_t take_saved_time(ByteReader& in);
void put_saved_text(ByteWriter& out, Bytes text);
Bytes take_saved_text(ByteReader& in);
// A moment by the clock that goes on while nothing runs, and back. A wall clock that was set may
// have made it a time that makes no sense: it is ten years away at most.
std::int64_t wall_of(Instant at, Clock clock);
Instant instant_of(std::int64_t wall_ms, Clock clock);

}  // namespace tribecast::session
