// What the codecs of Tomcat's session replication share.
//
// engine/session is the replica of DeltaManager sessions: message.h, delta.h, record.h are the
// wire, session.h one session, store.h all of them, transfer.h what a starting Tomcat gets. It owns
// no socket and no clock.
//
// Texts (names, ids, contexts) are Java's modified UTF-8, as they came (engine/java/utf.h).
#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace tribecast::session {

// One Java value as a serialization stream of its own.
using Value = Buffer;

// The two families that cannot read each other: SessionMessageImpl has serialVersionUID 1 in Tomcat
// 7.0 and 2 from 8.5 on.
enum class Dialect : std::uint8_t { tomcat7, tomcat8 };

// Times on the wire are milliseconds since 1970 in 64 bits, by the clock of whoever wrote them.
// What is no time becomes the nearest one, so that they can be added and compared.
inline constexpr std::int64_t kLastTime = std::int64_t{1} << 52U;

constexpr std::int64_t time_within(std::int64_t time_ms) {
  return std::clamp<std::int64_t>(time_ms, 0, kLastTime);
}

// Values that share one large object are taken apart into one copy each. All values of a payload
// together may have this many bytes for one of the payload's, and some more.
inline constexpr std::size_t kMaxExpansion = 64;
inline constexpr std::size_t kFreeExpansionBytes = 1U << 20U;

// Why bytes are no message.
enum class Malformed : std::uint8_t {
  bad_stream,     // no Java stream, or one beyond its limits
  not_a_message,  // another object than a SessionMessageImpl
  bad_version,    // a SessionMessageImpl of no released Tomcat that is known
  bad_payload,    // the payload of an event is not what the event has
  too_large,  // values that share so much that each alone would be too large; a name that is none
};

constexpr std::string_view name_of(Malformed reason) {
  switch (reason) {
    case Malformed::bad_stream:
      return "bad_stream";
    case Malformed::not_a_message:
      return "not_a_message";
    case Malformed::bad_version:
      return "bad_version";
    case Malformed::bad_payload:
      return "bad_payload";
    case Malformed::too_large:
      return "too_large";
  }
  return {};
}

}  // namespace tribecast::session
