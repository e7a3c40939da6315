#include "daemon/log.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "control/json.h"
#include "io/clock.h"

namespace tribecast::daemon {
namespace {

constexpr double kBurst = 20;
constexpr double kPerSecond = 1;

struct Level {
  std::string_view name;
  int priority;  // sd-daemon(3)
};
constexpr std::array kLevels = {Level{"error", 3}, Level{"warning", 4}, Level{"notice", 5},
                                Level{"info", 6}};

}  // namespace

std::string_view name_of(Severity severity) {
  return kLevels[static_cast<std::size_t>(severity)].name;
}

bool Log::admit(std::string_view id, std::uint64_t& suppressed_before) {
  const Instant now = io::now();
  auto found = budgets_.find(id);
  if (found == budgets_.end()) {
    found = budgets_.emplace(std::string(id), Budget{kBurst, now, 0}).first;
  }
  Budget& budget = found->second;
  budget.tokens = std::min(kBurst, budget.tokens + to_seconds(now - budget.filled) * kPerSecond);
  budget.filled = now;
  if (budget.tokens < 1) {
    ++budget.suppressed;
    return false;
  }
  budget.tokens -= 1;
  suppressed_before = std::exchange(budget.suppressed, 0);
  return true;
}

void Log::write(Severity severity, std::string_view id, std::string_view text) {
  std::uint64_t suppressed = 0;
  if (watcher_) watcher_(severity, id, text);
  if (!admit(id, suppressed)) return;
  if (!asked_journal_) {
    asked_journal_ = true;
    under_journal_ = std::getenv("JOURNAL_STREAM") != nullptr;
  }
  const Level& level = kLevels[static_cast<std::size_t>(severity)];
  const std::string before = under_journal_
                                 ? fmt::format("<{}>", level.priority)
                                 : control::rfc3339(std::chrono::system_clock::now()) + " ";
  const std::string more = suppressed == 0 ? "" : fmt::format(" ({} more like this)", suppressed);
  fmt::print(stderr, "{}{} {}: {}{}\n", before, level.name, id, text, more);
  std::fflush(stderr);
}

}  // namespace tribecast::daemon
