// What engines tell each other beside Tomcat's messages, and how it lies in a message's payload.
// The message is a SessionMessageImpl whose context is kEveryContext and whose event no Tomcat has;
// an engine that does not know the event leaves it alone.
//
// clang-format off
//   digests       { text context, u64 digest }*
//   ask_parts     { text context }*
//   parts         { text context, u64 digest x 64 }*
//   ask_versions  u64 ticket  text context  u64 parts: bit n for part n
//   versions      u64 ticket  u8 flags  { text id, u64 time, u64 digest }*
//                 flags: 1 last, 2 what came before with this ticket does not count
//   ask_records   text context  { text id }*
//   records       as a Handover's list (session/handover.h)
//   text          u16 size  bytes
// clang-format on
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "engine/session/message.h"
#include "engine/session/store.h"

namespace tribecast::keeper {

enum class EngineEvent : std::int32_t {
  digests = 2001,
  ask_parts,
  parts,
  ask_versions,
  versions,
  ask_records,
  records,
};

struct ContextDigest {
  std::string context;
  std::uint64_t digest = 0;

  bool operator==(const ContextDigest&) const = default;
};

struct ContextParts {
  std::string context;
  session::PartDigests parts{};

  bool operator==(const ContextParts&) const = default;
};

inline constexpr std::uint64_t kAllParts = ~std::uint64_t{0};

struct AskVersions {
  std::uint64_t ticket = 0;  // comes back with the answer
  std::string context;
  std::uint64_t parts = kAllParts;

  bool operator==(const AskVersions&) const = default;
};

struct KnownSession {
  std::string id;
  session::Version version;

  bool operator==(const KnownSession&) const = default;
};

struct Versions {
  std::uint64_t ticket = 0;
  bool is_last = false;
  bool is_anew = false;  // what came before with this ticket does not count
  std::vector<KnownSession> sessions;

  bool operator==(const Versions&) const = default;
};

struct AskRecords {
  std::string context;
  std::vector<std::string> ids;

  bool operator==(const AskRecords&) const = default;
};

session::Message engine_message(EngineEvent event, Buffer payload, std::int64_t time_ms);

Buffer compose(const std::vector<ContextDigest>& digests);
Buffer compose(const std::vector<std::string>& contexts);
Buffer compose(const std::vector<ContextParts>& parts);
Buffer compose(const AskVersions& ask);
Buffer compose(const Versions& versions);
Buffer compose(const AskRecords& ask);

// nullopt: it is none. No list is longer than its bytes allow.
std::optional<std::vector<ContextDigest>> parse_digests(Bytes payload);
std::optional<std::vector<std::string>> parse_contexts(Bytes payload);
std::optional<std::vector<ContextParts>> parse_parts(Bytes payload);
std::optional<AskVersions> parse_ask_versions(Bytes payload);
std::optional<Versions> parse_versions(Bytes payload);
std::optional<AskRecords> parse_ask_records(Bytes payload);

}  // namespace tribecast::keeper
