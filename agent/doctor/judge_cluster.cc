// What the agents' answers to a roll call say together: who hears whom, and who sees which member.
#include <set>

#include "doctor/judges.h"
#include "doctor/mesh.h"

namespace tribecast::doctor {
namespace {

using control::CallAnswer;
using control::PeerState;

constexpr std::string_view kPort = "UDP 45565";

// Every agent that could be asked says that it has lost this one.
bool is_lost_to_all(const Mesh& mesh, std::size_t of) {
  bool any = false;
  for (std::size_t from = 0; from < mesh.nodes().size(); ++from) {
    const control::Peer* sight = mesh.sight(from, of);
    if (sight == nullptr) continue;
    if (sight->state != PeerState::silent && sight->state != PeerState::stopped) return false;
    any = true;
  }
  return any;
}

std::string known_to(const Mesh& mesh, std::size_t of) {
  std::vector<std::string> names;
  for (std::size_t from = 0; from < mesh.nodes().size(); ++from) {
    if (mesh.sight(from, of) != nullptr) names.push_back(mesh.nodes()[from].name);
  }
  return listed(names);
}

bool is_stopped(const Mesh& mesh, std::size_t of) {
  for (std::size_t from = 0; from < mesh.nodes().size(); ++from) {
    const control::Peer* sight = mesh.sight(from, of);
    if (sight != nullptr && sight->state == PeerState::stopped) return true;
  }
  return false;
}

Finding judge_lost(const Mesh& mesh, std::size_t of) {
  const std::string& name = mesh.nodes()[of].name;
  if (is_stopped(mesh, of)) {
    return warning(name, "the agent of " + name + " was stopped, say " + known_to(mesh, of),
                   "on " + name + ": systemctl start tribecast");
  }
  return failure(name,
                 "nobody hears " + name + ", not " + known_to(mesh, of) +
                     ": its agent or host is down, or its network is cut off",
                 "on " + name + ": systemctl status tribecast; its security group: " +
                     std::string(kPort) + " in and out");
}

Finding judge_answer(const Mesh& mesh, std::size_t number) {
  const MeshNode& node = mesh.nodes()[number];
  const std::string& caller = mesh.nodes()[0].name;
  const std::string there = "on " + node.name + ": tribecast doctor";
  if (node.view != nullptr) return good("agent " + node.name + " answers", node.name);
  const control::Peer* sight = mesh.sight(0, number);
  const std::string version =
      sight == nullptr || sight->version.empty() ? "" : ", tribecast " + sight->version + ",";
  const bool up =
      sight != nullptr && (sight->state == PeerState::up || sight->state == PeerState::lossy);
  if (!up || node.asked->answer == CallAnswer::no_session) {
    return {Health::unknown, node.name,
            "agent " + node.name + " could not be asked: it is not up as " + caller + " sees it",
            there};
  }
  switch (node.asked->answer) {
    case CallAnswer::no_session:  // said above
    case CallAnswer::none:
      return warning(node.name,
                     "agent " + node.name + version +
                         " does not answer what it sees: it is older than the question, or the "
                         "question is lost on the way",
                     "upgrade it; until then, " + there);
    case CallAnswer::unfinished:
    case CallAnswer::whole:
      break;
  }
  return warning(node.name,
                 "agent " + node.name + version +
                     (node.asked->answer == CallAnswer::whole
                          ? " answers in a way that this tool cannot read"
                          : " answered in part only: too much is lost on the way"),
                 there);
}

Finding judge_direction(const Mesh& mesh, std::size_t from, std::size_t to) {
  const std::string& a = mesh.nodes()[from].name;
  const std::string& b = mesh.nodes()[to].name;
  const bool back = mesh.reaches(to, from);
  return failure(a + " -> " + b,
                 "from " + a + " to " + b + " nothing gets through (" + std::string(kPort) + "); " +
                     (back ? "the other direction works" : "nor back"),
                 "at " + b + ": let " + std::string(kPort) + " from " + a +
                     " in (security group, nft list ruleset)\nat " + a + ": let it out, to " + b);
}

// The tool itself asked from the first node: the check of its peers speaks of those ways.
Findings judge_pair(const Mesh& mesh, std::size_t a, std::size_t b) {
  Findings out;
  const control::Peer* here = mesh.sight(a, b);
  const control::Peer* there = mesh.sight(b, a);
  const auto& nodes = mesh.nodes();
  if ((here == nullptr) != (there == nullptr) && nodes[a].view != nullptr &&
      nodes[b].view != nullptr) {
    const std::string& lacks = nodes[here == nullptr ? a : b].name;
    const std::string& other = nodes[here == nullptr ? b : a].name;
    out.push_back(
        failure(lacks + " -> " + other,
                other + " has " + lacks + " as a peer, but " + lacks + " has no peer " + other,
                "on " + lacks + ": tribecast peer add " + other + " ADDRESS"));
    return out;
  }
  const bool rejected = (here != nullptr && here->state == PeerState::key_rejected) ||
                        (there != nullptr && there->state == PeerState::key_rejected);
  if (rejected) {
    return {failure(nodes[a].name + " <-> " + nodes[b].name,
                    nodes[a].name + " and " + nodes[b].name + " have no key in common",
                    "give both the same keys: on both: tribecast key list")};
  }
  if (!mesh.reaches(a, b)) out.push_back(judge_direction(mesh, a, b));
  if (!mesh.reaches(b, a)) out.push_back(judge_direction(mesh, b, a));
  return out;
}

std::vector<std::string> names_of(const Mesh& mesh, const std::vector<std::size_t>& numbers) {
  std::vector<std::string> names;
  names.reserve(numbers.size());
  for (const std::size_t number : numbers) names.push_back(mesh.nodes()[number].name);
  return names;
}

}  // namespace

Findings judge_agents(const Facts& facts) {
  Findings out;
  if (facts.asked.empty()) return out;
  const Mesh mesh(facts.asked);
  for (std::size_t i = 1; i < facts.asked.size(); ++i) out.push_back(judge_answer(mesh, i));
  return out;
}

Findings judge_directions(const Facts& facts) {
  Findings out;
  if (facts.asked.empty()) return out;
  const Mesh mesh(facts.asked);
  std::set<std::size_t> lost;
  for (std::size_t i = 0; i < mesh.nodes().size(); ++i) {
    if (mesh.nodes()[i].view != nullptr || !is_lost_to_all(mesh, i)) continue;
    lost.insert(i);
    out.push_back(judge_lost(mesh, i));
  }
  for (std::size_t a = 0; a < mesh.nodes().size(); ++a) {
    for (std::size_t b = a + 1; b < mesh.nodes().size(); ++b) {
      if (lost.contains(a) || lost.contains(b)) continue;
      for (Finding& finding : judge_pair(mesh, a, b)) out.push_back(std::move(finding));
    }
  }
  if (out.empty()) out.push_back(good("every agent hears every other one"));
  return out;
}

Findings judge_seen(const Facts& facts) {
  Findings out;
  if (facts.asked.empty()) return out;
  const Mesh mesh(facts.asked);
  for (const MeshMember& member : members_of(mesh)) {
    // Where one direction is shut, that is what is wrong: who is not heard is not sent to, either.
    std::vector<std::size_t> missing;
    for (const std::size_t at : member.missing_at) {
      const bool home = member.home < mesh.nodes().size();
      if (!home || member.home == at) continue;
      if (mesh.reaches(member.home, at) && mesh.reaches(at, member.home)) missing.push_back(at);
    }
    const std::string seen = listed(names_of(mesh, member.seen_at));
    if (missing.empty()) {
      out.push_back(good("member " + member.name + " is seen at " + seen, member.name));
      continue;
    }
    const std::string where = listed(names_of(mesh, missing));
    const std::string& home = mesh.nodes()[member.home].name;
    std::string what = "member ";
    what.append(member.name).append(" of ").append(home).append(" is seen at ");
    what.append(seen).append(", but not at ").append(where);
    std::string mend = "at ";
    mend.append(where).append(": tribecast groups shows what is dropped, and why; do ");
    mend.append("`members`, `groups` or `max-members` of peer ").append(home);
    mend.append(" shut it out?");
    out.push_back(failure(member.name, what, mend));
  }
  return out;
}

}  // namespace tribecast::doctor
