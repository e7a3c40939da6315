// What the engine is asked over its control socket: one line each, as the agent's (request.h), and
// the answers, one line of JSON each (reply.h).
//
//   status                         members, too
//   sessions LIMIT [CONTEXT]       those that were used last, first
//   session WORD [CONTEXT]         an id, or letters that only one begins with
//   verify                         answered when it is done
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "control/engine_status.h"
#include "control/reply.h"

namespace tribecast::control {

enum class EngineVerb : std::uint8_t { status, sessions, session, verify };

struct EngineRequest {
  EngineVerb verb = EngineVerb::status;
  std::uint64_t limit = 0;  // of sessions
  std::string word;         // of session
  std::string context;      // empty = all

  bool operator==(const EngineRequest&) const = default;
};

// As parse_request() of request.h.
Result<EngineRequest, std::string> parse_engine_request(std::string_view line);
std::string to_line(const EngineRequest& request);

std::string engine_reply(const EngineStatus& status);
std::string engine_reply(const SessionList& list);
std::string engine_reply(const SessionDetail& session);
std::string engine_reply(const VerifyReport& report);

Result<EngineStatus, Failure> read_engine_status(std::string_view line);
Result<SessionList, Failure> read_session_list(std::string_view line);
Result<SessionDetail, Failure> read_session_detail(std::string_view line);
Result<VerifyReport, Failure> read_verify_report(std::string_view line);

// What `--json` prints: tribecast.engine-status/1 and so on.
std::string engine_status_json(const EngineStatus& status, std::string_view generated_at);
std::string engine_members_json(const EngineStatus& status, std::string_view generated_at);
std::string session_list_json(const SessionList& list, std::string_view generated_at);
std::string session_detail_json(const SessionDetail& session, std::string_view generated_at);
std::string verify_json(const VerifyReport& report, std::string_view generated_at);

}  // namespace tribecast::control
