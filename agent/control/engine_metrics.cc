#include <map>
#include <tuple>

#include "control/engine_print.h"
#include "control/metrics_page.h"

namespace tribecast::control {

using namespace metrics_page;

namespace {

void put_members(Page& page, const EngineStatus& status) {
  page.gauge({"engine_members", "Other members that are seen, by kind and state."});
  std::map<std::pair<std::string, std::string>, std::uint64_t> counts;
  for (const std::string_view kind : {"tomcat", "engine"}) {
    for (const std::string_view state : {"up", "suspect", "unreached"}) {
      counts[{std::string(kind), std::string(state)}] = 0;
    }
  }
  for (const EngineMember& member : status.members) ++counts[{member.kind, member.state}];
  for (const auto& [key, count] : counts) {
    page.count({{"kind", key.first}, {"state", key.second}}, count);
  }
  page.gauge({"engine_member_pending_messages", "Messages that wait to be sent to the member."});
  for (const EngineMember& member : status.members) {
    page.count({{"member", member.name}}, member.pending);
  }
  page.counter({"engine_member_sent_total", "Messages to the member, by outcome."});
  for (const EngineMember& member : status.members) {
    page.count({{"member", member.name}, {"outcome", "sent"}}, member.sent);
    page.count({{"member", member.name}, {"outcome", "failed"}}, member.failed);
  }
  page.gauge({"engine_agrees", "1 when the other engine had the same sessions when compared."});
  for (const EngineMember& member : status.members) {
    if (member.agrees) page.add({{"member", member.name}}, flag(*member.agrees));
  }
}

void put_counters(Page& page, const EngineStatus& status) {
  page.counter({"engine_events_total", "What happened since the start, by name."});
  for (const EngineCounter& one : status.counters) page.count({{"event", one.name}}, one.count);
}

}  // namespace

std::string engine_metrics_text(const EngineStatus* status) {
  Page page;
  page.gauge({"engine_up", "1 when the engine answered."});
  page.add({}, flag(status != nullptr));
  if (status == nullptr) return std::move(page).text();
  page.gauge({"engine_build_info", "Always 1; the engine's version is a label."});
  page.add({{"version", status->node.version}}, 1);
  page.gauge({"engine_uptime_seconds", "Since the engine started."});
  page.add({}, status->node.uptime_seconds);
  page.gauge({"engine_verdict", "1 for the verdict that holds, 0 for the others."});
  for (const std::string_view level : kLevels) {
    page.add({{"level", level}}, flag(level == name_of(status->verdict.level)));
  }
  page.gauge({"engine_in_sync", "1 when starting Tomcats may ask it."});
  page.add({}, flag(status->in_sync));
  page.gauge({"engine_memory_bytes", "Of sessions."});
  page.count({}, status->memory_bytes);
  page.gauge({"engine_memory_limit_bytes", "memory-limit."});
  page.count({}, status->memory_limit_bytes);
  page.gauge({"engine_disk_failed", "1 while the disk cannot be written; absent without a disk."});
  if (status->disk != "none") page.add({}, flag(status->disk == "failed"));
  page.gauge(
      {"engine_copies_failed", "1 while no other engine takes a copy; absent unless ack = peer."});
  if (status->ack == "peer") page.add({}, flag(status->copies == "failed"));
  page.gauge({"engine_sessions", "Sessions, by context."});
  for (const EngineContext& one : status->contexts) {
    page.count({{"context", one.context}}, one.sessions);
  }
  page.gauge(
      {"engine_map_entries", "Of replicated maps: the sessions of BackupManagers, and others."});
  page.count({}, status->map_entries);
  put_members(page, *status);
  put_counters(page, *status);
  return std::move(page).text();
}

}  // namespace tribecast::control
