// What the agents of a cluster say, put together by `tribecast doctor --all`: one table of hosts
// and checks, who hears whom, and who sees which member. As text for people and as JSON. The page
// of `status --web` shows who hears whom alone.
#pragma once

#include <map>
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

// What one agent says of another.
struct Sight {
  PeerState state = PeerState::silent;
  std::optional<double> rtt_seconds;
  std::optional<double> loss_in_ratio;
  std::optional<double> loss_out_ratio;
};

struct Cluster {
  std::vector<ClusterNode> nodes;
  // sights[i][j]: what node i says of node j; none: it has no such peer, or did not answer.
  std::vector<std::map<std::size_t, Sight>> sights;
  std::vector<ClusterMember> members;
  std::vector<ClusterFinding> findings;
};

// The worst of all hosts' findings.
Exit exit_code(const Diagnosis& own, const Cluster& cluster);

// At most kColumns wide where names allow.
std::string cluster_text(const Cluster& cluster, const Style& style);

// For a browser: `agents`, and of each `sees`, what it says of the others in the same order; null:
// it did not answer. Of more than kMostOnPage those that are not up everywhere come first, the rest
// is counted in `left_out`.
inline constexpr std::size_t kMostOnPage = 64;
std::string matrix_json(const Cluster& cluster, std::string_view generated_at);
// The same when nobody could be asked.
std::string matrix_json(const Failure& failure, std::string_view generated_at);

}  // namespace tribecast::control
