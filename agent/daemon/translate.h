// Between the modules that do not know each other: configuration to relay settings, the relay's
// report to the status that is shown.
#pragma once

#include <string>
#include <vector>

#include "config/config.h"
#include "control/status.h"
#include "control/view.h"
#include "relay/core.h"
#include "relay/settings.h"

namespace tribecast::daemon {

// `peers`: all that are used, instead of those of the configuration.
relay::Settings to_settings(const config::Config& config, const std::vector<config::Peer>& peers);

// Node name, site, peers, groups (without their interfaces), members, latency, rates, drops, and a
// warning for each member that is refused. The verdict is not set.
control::Status to_status(const relay::Report& report, const config::Config& config);

// What a peer's agent answered to a roll call; its view is moved.
control::CalledAgent to_called_agent(relay::PeerView&& view);

// Whether it names a source of peers that is a program.
[[nodiscard]] bool needs_programs(const config::Config& config);

}  // namespace tribecast::daemon
