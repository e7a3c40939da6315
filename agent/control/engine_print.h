// The engine's answers as text for people: the answer in the first line, at most 100 columns.
#pragma once

#include <string>

#include "control/engine_status.h"
#include "control/human.h"

namespace tribecast::control {

std::string engine_status_text(const EngineStatus& status, const Style& style);
std::string engine_members_text(const EngineStatus& status, const Style& style);
std::string session_list_text(const SessionList& list, const Style& style);
std::string session_detail_text(const SessionDetail& session, const Style& style);
std::string verify_text(const VerifyReport& report, const Style& style);

// In the Prometheus text format, as metrics.h; nullptr: the engine was not reached. Names are
// listed in docs/monitoring.md. Label values are contexts, members' addresses and words of tables.
std::string engine_metrics_text(const EngineStatus* status);

}  // namespace tribecast::control
