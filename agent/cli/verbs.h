// What each command does; returns the exit code. Called by the table only.
#pragma once

#include <cstdint>

#include "cli/command.h"

namespace tribecast::cli {

// verbs_read.cc: the agent's status, printed.
Exit run_status(const Invocation& in);
Exit run_peers(const Invocation& in);
Exit run_members(const Invocation& in);
Exit run_groups(const Invocation& in);

// verbs_config.cc: the configuration, of the agent and of the files.
Exit run_config_check(const Invocation& in);
Exit run_config_show(const Invocation& in);
Exit run_config_diff(const Invocation& in);
Exit run_config_reload(const Invocation& in);
Exit run_config_confirm(const Invocation& in);
Exit run_config_undo(const Invocation& in);

// verbs_bundle.cc: an archive for support.
Exit run_bundle(const Invocation& in);

// verbs_capture.cc: datagrams as the agent sees them.
Exit run_capture(const Invocation& in);

// verbs_web.cc: `status --web`.
Exit run_web(const Invocation& in);

// verbs_init.cc: the first configuration.
Exit run_config_init(const Invocation& in);

// verbs_firewall.cc: rules for the packet filter.
Exit run_firewall_print(const Invocation& in);

// verbs_monitor.cc: for monitoring systems.
Exit run_metrics(const Invocation& in);
Exit run_check(const Invocation& in);

// verbs_live.cc: changes that are written into the files, then reloaded.
Exit run_peer_add(const Invocation& in);
Exit run_peer_remove(const Invocation& in);
Exit run_group_join(const Invocation& in);
Exit run_group_leave(const Invocation& in);

// verbs_events.cc: what happened.
Exit run_events(const Invocation& in);

// verbs_doctor.cc: what is wrong, and how to mend it.
Exit run_doctor(const Invocation& in);

// verbs_import.cc: the files of others.
Exit run_import_aliyun(const Invocation& in);

// verbs_engine.cc: the replication engine.
Exit run_engine_status(const Invocation& in);
Exit run_engine_sessions(const Invocation& in);
Exit run_engine_session(const Invocation& in);
Exit run_engine_members(const Invocation& in);
Exit run_engine_verify(const Invocation& in);
Exit run_engine_metrics(const Invocation& in);

// verbs_time.cc: those that take their time.
Exit run_ping(const Invocation& in);
Exit run_bench(const Invocation& in);
Exit run_watch(const Invocation& in);
Exit run_wait(const Invocation& in);

// verbs_top.cc: `watch --top`, so many screens.
Exit run_top(const Invocation& in, std::uint64_t count);

// verbs_key.cc: the keyring.
Exit run_key_list(const Invocation& in);
Exit run_key_add(const Invocation& in);
Exit run_key_use(const Invocation& in);
Exit run_key_remove(const Invocation& in);

// verbs_local.cc: those that need no agent.
Exit run_keygen(const Invocation& in);
Exit run_version(const Invocation& in);
Exit run_help(const Invocation& in);

}  // namespace tribecast::cli
