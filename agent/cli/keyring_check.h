// What `config check` says about the files with keys.
#pragma once

#include <string>

#include "config/diagnostic.h"

namespace tribecast::cli {

// Each exists, is not readable by others, and holds what it should. What this user may not read is
// a warning. Findings never contain a part of a key.
void check_keyring(const std::string& path, config::Diagnostics& findings);
void check_private_key(const std::string& path, config::Diagnostics& findings);

}  // namespace tribecast::cli
