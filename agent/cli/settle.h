// The end of a change of files: the agent reads it, or it is as if it had not been made.
#pragma once

#include <string>

#include "cli/client.h"
#include "cli/live_file.h"

namespace tribecast::cli {

// Asks the agent, when one is running, for the reload, and returns what it says. When it refuses,
// the file is as it was before.
Result<std::string, control::Failure> settle(const Client& client, bool running,
                                             const FileChange& change);

}  // namespace tribecast::cli
