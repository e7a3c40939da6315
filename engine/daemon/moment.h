// The engine's clocks, read together.
#pragma once

#include "engine/channel/interceptor.h"
#include "io/clock.h"

namespace tribecast::engine {

inline channel::Moment moment_now() {
  return {io::now(),
          static_cast<std::uint64_t>(duration_cast<milliseconds>(io::wall_clock()).count())};
}

}  // namespace tribecast::engine
