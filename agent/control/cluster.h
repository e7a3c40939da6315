// What the agents of a cluster say, put together by `tribecast doctor --all`: one table of hosts
// and checks, who hears whom, and who sees which member. As text for people and as JSON.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "control/diagnosis.h"
#include "control/human.h"
#include "control/view.h"

namespace tribecast::control {

// The worst of what one check found on one host.
struct CheckMark {
  std::string id;
  Health health = Health::good;
};

struct ClusterNode {
  std::string name;
  std::string
      peer;  // as the agent that called calls it; empty: that agent, or one it does not know
  std::optional<CallAnswer> answer;  // nullopt: not asked, others know it
  bool answered = false;             // what follows is known
  std::string site;
  std::string version;
  double uptime_seconds = 0;
  double age_seconds = 0;  // of what it said
  std::uint64_t drops = 0;
  Level level = Level::idle;
  std::vector<CheckMark> marks;  // in the order of the checks
};

struct ClusterMember {
  std::string name;
  std::string group;
  std::string home;  // empty while not known
  std::vector<std::string> seen_at;
  std::vector<std::string> missing_at;
  std::vector<std::pair<std::string, PortOutcome>> ports;  // from where its TCP port was tried
};

// A warning or a failure of another host.
struct ClusterFinding {
  std::string node;
  DoctorFinding finding;
};

struct Cluster {
  std::vector<ClusterNode> nodes;
  // sights[i][j]: what node i says of node j; nullopt: it has no such peer, or did not answer.
  std::vector<std::vector<std::optional<PeerState>>> sights;
  std::vector<ClusterMember> members;
  std::vector<ClusterFinding> findings;
};

// The worst of all hosts' findings.
Exit exit_code(const Diagnosis& own, const Cluster& cluster);

// At most kColumns wide where names allow.
std::string cluster_text(const Cluster& cluster, const Style& style);

}  // namespace tribecast::control
