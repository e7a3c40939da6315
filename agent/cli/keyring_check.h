// What `config check` says about the keyring file.
#pragma once

#include <string>

#include "config/diagnostic.h"

namespace tribecast::cli {

// Exists, is not readable by others, and holds a ring. What this user may not read is a warning.
// Findings never contain a part of a key.
void check_keyring(const std::string& path, config::Diagnostics& findings);

}  // namespace tribecast::cli
