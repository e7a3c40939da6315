// A status as text for people: the answer in the first line, details below, at most 100 columns.
#pragma once

#include <string>

#include "control/human.h"
#include "control/json.h"
#include "control/status.h"
#include "control/summary.h"

namespace tribecast::control {

std::string status_text(const Status& status, const Style& style);
std::string peers_text(const Status& status, const Style& style);
std::string members_text(const Status& status, const Style& style);
std::string groups_text(const Status& status, const Style& style);

// One probe's line, and what is said after the last.
std::string ping_text(const Ping& ping, std::size_t sequence);
std::string ping_summary_text(const PingRun& run);

std::string watch_header_text(const Style& style);
// `clock` is the local time of day, `08:00:01`.
std::string watch_text(const Sample& sample, const std::string& clock, const Style& style);

}  // namespace tribecast::control
