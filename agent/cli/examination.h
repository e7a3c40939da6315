// What the doctor looks at, gathered: for `doctor`, and for the report that `bundle` holds.
#pragma once

#include "cli/command.h"
#include "doctor/facts.h"

namespace tribecast::cli {

// What the files and the agent say; --socket, --config and --peer choose which.
doctor::Facts begin_examination(const Invocation& in);
// What this host shows, in about two seconds; then the agent once more.
void finish_examination(doctor::Facts& facts);

}  // namespace tribecast::cli
