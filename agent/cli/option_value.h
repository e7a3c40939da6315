// Numbers and times on the command line, by the rules of the configuration.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/time.h"
#include "cli/command.h"

namespace tribecast::cli {

inline constexpr std::uint64_t kMostTimes = 1'000'000'000;

// At most kMostTimes.
Result<std::uint64_t, UsageError> number_of(const Invocation& in, std::string_view option,
                                            std::uint64_t fallback, std::uint64_t least);
// A duration, or a bare number of seconds.
Result<Duration, UsageError> time_of(const Invocation& in, std::string_view option,
                                     std::string_view fallback);

}  // namespace tribecast::cli
