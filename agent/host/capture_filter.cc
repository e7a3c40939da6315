#include "host/capture_filter.h"

#include <algorithm>

namespace tribecast::host {

std::string capture_filter(std::span<const CaptureTarget> targets) {
  // An IPv4 header never begins with a zero byte.
  if (targets.empty()) return "ip[0] = 0";
  std::string any;
  for (const CaptureTarget& target : targets) {
    if (!any.empty()) any += " or ";
    any += "(dst host " + target.group.to_string();
    if (target.port != 0) {
      any += " and (udp dst port " + std::to_string(target.port) + " or ip[6:2] & 0x1fff != 0)";
    }
    any += ")";
  }
  return "ip proto 17 and ip[8] != 0 and (" + any + ")";
}

Instant captured_at(const ClockPair& now, Duration wall_stamp, Instant last_seen_empty) {
  const Duration longest = std::max(now.monotonic - last_seen_empty, Duration::zero());
  return now.monotonic - std::clamp(now.wall - wall_stamp, Duration::zero(), longest);
}

}  // namespace tribecast::host
