// MapMessage: what Tomcat's replicated maps send each other
// (org.apache.catalina.tribes.tipis.AbstractReplicatedMap$MapMessage). The sessions of a
// BackupManager are a LazyReplicatedMap, a ReplicatedContext and a ClusterSingleSignOn are a
// ReplicatedMap each.
//
// engine/map is the engine's part in such maps: message.h is the wire, value.h one value with its
// diffs, replica.h all maps. It owns no socket and no clock.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "tribes/owned_member.h"

namespace tribecast::map {

// MapMessage.MSG_*.
enum class Type : std::int32_t {
  backup = 1,
  retrieve_backup = 2,
  proxy = 3,
  remove = 4,
  state = 5,
  start = 6,
  stop = 7,
  init = 8,
  copy = 9,
  state_copy = 10,
  access = 11,
  notify_member = 12,
  ping = 13,
};

// AbstractReplicatedMap.State, the value of an answer to a ping. A Tomcat takes `initialized` alone
// for a member of the map.
enum class State : std::uint8_t { created, state_transferred, initialized, destroyed };

// serialVersionUIDs as a Tomcat wrote them; 0: not seen. That of MemberImpl is computed and differs
// between releases: each Tomcat reads its own alone.
struct Versions {
  std::uint64_t message = 0;
  std::uint64_t member = 0;
};

// Of all releases but the first 7.0, and of Tomcat 10.1.54 and 11.0.12 and later: for a member
// whose own have not been seen.
inline constexpr std::uint64_t kMessageUid = 1;
inline constexpr std::uint64_t kMemberUid = 0x8476f37b32953667;

using Member = tribes::OwnedMember;

// A message may name so many nodes.
inline constexpr std::size_t kMaxNodes = 1024;

struct Message {
  std::int32_t type = 0;  // of unknown meaning where Type has no such number
  bool diff = false;
  std::string map = {};  // mapId, which is also the channel of remote calls: `localhost#/app-map`
  // Each a whole Java stream, for sessions of a String; nullopt for a null.
  std::optional<Buffer> key = std::nullopt;
  std::optional<Buffer> value = std::nullopt;
  std::optional<Buffer> diff_value = std::nullopt;  // a DeltaRequest (engine/session/delta.h)
  std::optional<Member> primary = std::nullopt;
  std::optional<std::vector<Member>> nodes = std::nullopt;  // who has backups

  [[nodiscard]] bool is(Type t) const { return type == static_cast<std::int32_t>(t); }
  bool operator==(const Message&) const = default;
};

struct Parsed {
  Message message;
  Versions versions;
};

// Why bytes are no message.
enum class Malformed : std::uint8_t {
  bad_stream,     // no Java stream, or one beyond its limits
  not_a_message,  // another object than a MapMessage
  bad_member,     // what stands for a member is none
  bad_value,      // no list or no state where one is due
};
std::string_view name_of(Malformed reason);

// The body of a channel message.
Result<Parsed, Malformed> parse_message(Bytes body);
Buffer compose_message(const Message& message, const Versions& versions);
// The object of a remote call (engine/channel/rpc.h). An answer to retrieve_backup may be a null
// instead, kNullObject.
Result<Parsed, Malformed> parse_object(Bytes object);
Buffer compose_object(const Message& message, const Versions& versions);
inline constexpr std::uint8_t kNullObject[] = {0x70};

// The value of an answer to state (entries are Type::proxy) and state_copy (Type::copy): an
// ArrayList. Tomcat lets its messages share one map name and members; here each has its own.
Result<std::vector<Message>, Malformed> parse_list(Bytes value);
Buffer compose_list(std::span<const Message> entries, const Versions& versions);

// The value of an answer to a ping.
Result<State, Malformed> parse_state(Bytes value);
Buffer compose_state(State state);

}  // namespace tribecast::map
