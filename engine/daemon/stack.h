// The interceptors of the configuration.
#pragma once

#include "engine/channel/interceptor.h"
#include "engine/daemon/config.h"
#include "io/error.h"

namespace tribecast::engine {

// Reads the file with the encryption key, when one is named.
io::OsResult<channel::Stack> make_stack(const Config& config);

}  // namespace tribecast::engine
