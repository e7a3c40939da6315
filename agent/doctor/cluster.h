// A roll call, judged: the facts of each agent that answered go through those checks that need no
// more than an agent knows, and all of it is put into one table.
#pragma once

#include "control/cluster.h"
#include "doctor/checks.h"

namespace tribecast::doctor {

// The answers, opened; a view that cannot be read leaves AskedAgent::view empty.
std::vector<AskedAgent> asked_agents(const control::RollCall& agents);

// What the checks of another agent look at.
Facts facts_of(const control::View& view);

// Who hears whom, without checks and members. The first is the agent that called.
control::Cluster cluster_of(const std::vector<AskedAgent>& asked);

// `own`: what the doctor found on this host, which stands in the first row.
control::Cluster cluster_of(const Facts& facts, const control::Diagnosis& own);

}  // namespace tribecast::doctor
