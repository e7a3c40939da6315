// What the engine tells about itself, in plain values: its status, its sessions without their
// contents, what verify found. The engine fills them (engine/report), the tool prints them; names
// of fields are those of the JSON. Times are seconds, std::nullopt is "unknown" and null in JSON.
//
// A session's id is a credential: who has it, is logged in. What stands here is its first letters,
// at most a quarter of it, and its route.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "control/exit_code.h"
#include "control/status.h"

namespace tribecast::control {

inline constexpr const char* kEngineSocket = "/run/tribecast-engine/control.sock";
inline constexpr std::uint64_t kMostListed = 10'000;  // sessions in one answer

struct EngineNode {
  std::string name;
  std::string member;  // HOST:PORT, as announced
  std::string unique_id;
  std::string version;
  double uptime_seconds = 0;
};

// The last lines of the log that are worth somebody's time.
struct EngineAlarm {
  std::string severity;
  std::string id;
  std::string text;
  double seconds_ago = 0;
};

struct EngineMember {
  std::string name;  // HOST:PORT
  std::string kind;  // tomcat, engine
  std::string unique_id;
  std::string state;  // up, suspect, unreached
  double alive_seconds = 0;
  std::optional<double> last_heard_seconds;  // nullopt: never, a static member
  std::uint64_t sent = 0;                    // messages
  std::uint64_t failed = 0;
  std::uint64_t pending = 0;
  std::optional<double> last_asked_seconds;  // for the state
  std::optional<bool> agrees;  // an engine: whether it had the same when last compared
};

struct EngineContext {
  std::string context;
  std::uint64_t sessions = 0;
};

struct EngineCounter {
  std::string name;
  std::uint64_t count = 0;
};

struct EngineStatus {
  EngineNode node;
  Verdict verdict;
  bool in_sync = false;
  double age_seconds = 0;       // since its first start
  double age_told_seconds = 0;  // to members: short while it is not in sync
  std::uint64_t sessions = 0;
  std::uint64_t map_entries = 0;  // of replicated maps: BackupManager's sessions, and others
  std::uint64_t memory_bytes = 0;
  std::uint64_t memory_limit_bytes = 0;
  std::string disk;    // ok, failed, none
  std::string ack;     // what an acknowledgement says: memory, disk, peer
  std::string copies;  // in another engine, with `ack` peer: ok, failed; else none
  double messages_per_second = 0;
  std::vector<EngineContext> contexts;
  std::vector<EngineMember> members;
  std::vector<EngineAlarm> alarms;  // newest first
  std::vector<EngineCounter> counters;
};

struct SessionRow {
  std::string id;     // the first letters
  std::string route;  // after the dot; empty = none
  std::string context;
  std::uint64_t bytes = 0;
  std::uint64_t attributes = 0;
  double last_access_seconds = 0;         // ago
  std::optional<double> expires_seconds;  // nullopt = never
  std::uint64_t version_time_ms = 0;      // since 1970, of the last message
  std::string version;                    // 16 hexadecimal digits: equal in engines that agree
};

struct SessionList {
  std::uint64_t total = 0;  // in all contexts that were asked for
  std::vector<SessionRow> sessions;
};

struct SessionPart {
  std::string kind;  // attribute, note, principal, auth_type, listener
  std::string name;
  std::string class_name;
  std::uint64_t bytes = 0;
  std::uint64_t time_ms = 0;
  std::uint64_t order = 0;  // in its message
};

struct SessionDetail {
  SessionRow session;
  std::vector<SessionPart> parts;
};

// A difference, by example.
struct VerifyExample {
  std::string id;
  std::string what;                // lacks, older, newer, differs, only_there
  std::vector<std::string> names;  // of attributes
};

// One context of one member against this engine.
struct VerifyContext {
  std::string context;
  std::string outcome;  // same, differs, too_large, no_answer, no_context
  std::uint64_t here = 0;
  std::uint64_t there = 0;
  std::uint64_t lacks = 0;       // sessions of this engine that the member has not
  std::uint64_t older = 0;       // it has an older state of them
  std::uint64_t newer = 0;       // a newer one
  std::uint64_t differs = 0;     // another one of about the same time
  std::uint64_t only_there = 0;  // sessions of the member that this engine has not
  std::uint64_t moving = 0;      // changed during the comparison: not counted above
  std::vector<VerifyExample> examples;
};

struct VerifyMember {
  std::string name;
  std::string kind;
  std::string outcome;  // same, differs, unknown
  std::vector<VerifyContext> contexts;
};

struct VerifyReport {
  double seconds = 0;  // it took
  std::vector<VerifyMember> members;
};

// The verdict by what else is in the status.
Verdict judge(const EngineStatus& status);
Exit exit_code(const VerifyReport& report);

}  // namespace tribecast::control
