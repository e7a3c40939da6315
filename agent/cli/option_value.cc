#include "cli/option_value.h"

#include "config/values.h"

namespace tribecast::cli {
namespace {

Unexpected<UsageError> wrong_value(std::string what) { return {{std::move(what), ""}}; }

}  // namespace

Result<std::uint64_t, UsageError> number_of(const Invocation& in, std::string_view option,
                                            std::uint64_t fallback, std::uint64_t least) {
  if (!in.has(option)) return fallback;
  const std::string text = in.text(option, "");
  const auto number = config::to_number(text);
  if (!number) return wrong_value("--" + std::string(option) + ": " + number.error());
  if (*number < least || *number > kMostTimes) {
    return wrong_value("--" + std::string(option) + ": " + text + " is not in " +
                       std::to_string(least) + "-" + std::to_string(kMostTimes));
  }
  return *number;
}

Result<Duration, UsageError> time_of(const Invocation& in, std::string_view option,
                                     std::string_view fallback) {
  std::string text = in.text(option, fallback);
  if (config::to_number(text)) text += "s";
  const auto time = config::to_duration(text);
  if (!time) return wrong_value("--" + std::string(option) + ": " + time.error());
  return *time;
}

}  // namespace tribecast::cli
