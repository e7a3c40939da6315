// The channel's moment as the stores' clock.
#pragma once

#include <algorithm>

#include "engine/channel/interceptor.h"
#include "engine/session/session.h"
#include "engine/session/value.h"

namespace tribecast::keeper {

inline session::Clock clock_of(const channel::Moment& moment) {
  return {moment.now,
          session::time_within(static_cast<std::int64_t>(
              std::min(moment.wall_milliseconds, static_cast<std::uint64_t>(session::kLastTime))))};
}

}  // namespace tribecast::keeper
