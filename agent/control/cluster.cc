#include "control/cluster.h"

#include <algorithm>
#include <set>

namespace tribecast::control {
namespace {

// A matrix of more hosts is no longer one that people read.
constexpr std::size_t kMostInMatrix = 8;
constexpr std::size_t kMostChecks = 8;
constexpr std::size_t kMostMembers = 20;
constexpr std::size_t kMostName = 24;

Cell mark_cell(const ClusterNode& node, const std::string& id) {
  const auto mark = std::ranges::find(node.marks, id, &CheckMark::id);
  if (mark == node.marks.end()) return {"-", Tone::faint};
  if (mark->health == Health::failure) return {"FAIL", Tone::bad};
  if (mark->health == Health::warning) return {"WARN", Tone::warn};
  return {"ok", Tone::good};
}

// Of all that is well only the number is of use.
std::vector<std::string> wrong_checks(const Cluster& cluster) {
  std::set<std::string> ids;
  for (const ClusterNode& node : cluster.nodes) {
    for (const CheckMark& mark : node.marks) {
      if (mark.health != Health::good) ids.insert(mark.id);
    }
  }
  return {ids.begin(), ids.end()};
}

std::string state_of(const ClusterNode& node) {
  if (node.answered) return age_text(node.age_seconds) + " ago";
  if (!node.answer) return "not our peer";
  switch (*node.answer) {
    case CallAnswer::no_session:
      return "no session";
    case CallAnswer::none:
      return "no answer";
    case CallAnswer::unfinished:
    case CallAnswer::whole:
      break;
  }
  return "no whole answer";
}

std::string checks_text(const Cluster& cluster, const std::vector<std::string>& ids,
                        const Style& style) {
  std::vector<Column> columns = {{"HOST", false, kMostName}, {"VERSION", false, 12}, {"SEEN"}};
  for (const std::string& id : ids) columns.push_back({id});
  columns.push_back({"OK", true});
  Table table(std::move(columns));
  for (const ClusterNode& node : cluster.nodes) {
    std::vector<Cell> row = {{node.name},
                             {node.answered ? node.version : "-"},
                             {state_of(node), node.answered ? Tone::plain : Tone::warn}};
    for (const std::string& id : ids) row.push_back(mark_cell(node, id));
    const auto ok = std::ranges::count(node.marks, Health::good, &CheckMark::health);
    row.emplace_back(node.answered ? std::to_string(ok) : "-");
    table.add(std::move(row));
  }
  return table.text(style);
}

// Checks that are well everywhere are in the last column only; more than fit beside each other
// stand in further tables.
std::string all_checks_text(const Cluster& cluster, const Style& style) {
  const std::vector<std::string> ids = wrong_checks(cluster);
  std::string out;
  std::size_t at = 0;
  do {
    const auto begin = ids.begin() + static_cast<std::ptrdiff_t>(at);
    const auto end = begin + static_cast<std::ptrdiff_t>(std::min(kMostChecks, ids.size() - at));
    out += (out.empty() ? "" : "\n") + checks_text(cluster, {begin, end}, style);
    at += kMostChecks;
  } while (at < ids.size());
  return out;
}

std::optional<PeerState> state_at(const Cluster& cluster, std::size_t from, std::size_t of) {
  const auto found = cluster.sights[from].find(of);
  return found == cluster.sights[from].end() ? std::nullopt : std::optional(found->second.state);
}

Cell sight_cell(const std::optional<PeerState>& state) {
  if (!state) return {"-", Tone::faint};
  switch (*state) {
    case PeerState::up:
      return {"up", Tone::good};
    case PeerState::lossy:
      return {"lossy", Tone::warn};
    case PeerState::half_open_in:
      return {"nothing in", Tone::bad};
    case PeerState::half_open_out:
      return {"nothing out", Tone::bad};
    case PeerState::key_rejected:
      return {"other key", Tone::bad};
    case PeerState::stopped:
      return {"stopped", Tone::warn};
    case PeerState::silent:
    case PeerState::disabled:
    case PeerState::self:
      break;
  }
  return {std::string(name_of(*state)), Tone::bad};
}

std::string matrix_text(const Cluster& cluster, const Style& style) {
  std::vector<Column> columns = {{"", false, kMostName}};
  for (const ClusterNode& node : cluster.nodes) columns.push_back({node.name, false, 11});
  Table table(std::move(columns));
  for (std::size_t from = 0; from < cluster.nodes.size(); ++from) {
    if (!cluster.nodes[from].answered) continue;
    std::vector<Cell> row = {{cluster.nodes[from].name}};
    for (std::size_t of = 0; of < cluster.nodes.size(); ++of) {
      row.push_back(from == of ? Cell(".", Tone::faint) : sight_cell(state_at(cluster, from, of)));
    }
    table.add(std::move(row));
  }
  return table.text(style);
}

// The same of many: how many each hears, and whom it does not.
std::string sights_text(const Cluster& cluster, const Style& style) {
  Table table({{"HOST", false, kMostName}, {"UP", true}, {"NOT UP", false, 60}});
  for (std::size_t from = 0; from < cluster.nodes.size(); ++from) {
    if (!cluster.nodes[from].answered) continue;
    std::size_t up = 0;
    std::string others;
    for (std::size_t of = 0; of < cluster.nodes.size(); ++of) {
      const auto state = state_at(cluster, from, of);
      if (from == of) continue;
      if (state == PeerState::up) {
        ++up;
      } else {
        others += (others.empty() ? "" : ", ") + cluster.nodes[of].name + " " +
                  (state ? sight_cell(state).text : "no peer");
      }
    }
    table.add({{cluster.nodes[from].name},
               {std::to_string(up)},
               {others.empty() ? "-" : others, others.empty() ? Tone::plain : Tone::bad}});
  }
  return table.text(style);
}

std::string names_text(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ", ") + name;
  return out.empty() ? "-" : out;
}

bool is_well(const ClusterMember& member) {
  return member.missing_at.empty() && std::ranges::all_of(member.ports, [](const auto& port) {
           return port.second == PortOutcome::accepted;
         });
}

Cell ports_cell(const ClusterMember& member) {
  std::vector<std::string> shut;
  for (const auto& [from, outcome] : member.ports) {
    if (outcome == PortOutcome::accepted) continue;
    const std::string_view word = outcome == PortOutcome::refused     ? "refused to "
                                  : outcome == PortOutcome::no_answer ? "no answer to "
                                                                      : "not tried from ";
    shut.push_back(std::string(word) + from);
  }
  if (!shut.empty()) return {names_text(shut), Tone::bad};
  return member.ports.empty() ? Cell("-") : Cell("answers all", Tone::good);
}

std::string members_text(const Cluster& cluster, const Style& style) {
  const bool all = cluster.members.size() <= kMostMembers;
  Table table({{"MEMBER"},
               {"GROUP", false, 12},
               {"OF", false, 16},
               {"SEEN AT", true},
               {"MISSING AT", false, 20},
               {"TCP PORT", false, 30}});
  std::size_t left_out = 0;
  for (const ClusterMember& member : cluster.members) {
    if (!all && is_well(member)) {
      ++left_out;
      continue;
    }
    table.add({{member.name},
               {member.group},
               {member.home.empty() ? "?" : member.home},
               {std::to_string(member.seen_at.size())},
               {names_text(member.missing_at), member.missing_at.empty() ? Tone::plain : Tone::bad},
               ports_cell(member)});
  }
  std::string out = table.text(style);
  if (left_out > 0) out += counted(left_out, "member") + " more, seen and reached by all\n";
  return out;
}

}  // namespace

Exit exit_code(const Diagnosis& own, const Cluster& cluster) {
  Exit worst = exit_code(own);
  for (const ClusterFinding& found : cluster.findings) {
    const Exit exit = found.finding.health == Health::failure ? Exit::critical : Exit::degraded;
    worst = std::max(worst, exit);
  }
  return worst;
}

std::string cluster_text(const Cluster& cluster, const Style& style) {
  const bool small = cluster.nodes.size() <= kMostInMatrix;
  std::string out = all_checks_text(cluster, style);
  out += "\nWho hears whom, as the host of each row says\n";
  out += small ? matrix_text(cluster, style) : sights_text(cluster, style);
  if (!cluster.members.empty()) out += "\n" + members_text(cluster, style);
  if (!cluster.findings.empty()) out += "\n";
  for (const ClusterFinding& found : cluster.findings) {
    const bool failed = found.finding.health == Health::failure;
    const std::string text = wrapped(found.node + ": " + found.finding.text, 13).substr(13);
    out += toned(failed ? "FAIL" : "WARN", failed ? Tone::bad : Tone::warn, style) + "  " +
           found.finding.id + "  " + text;
  }
  return out;
}

}  // namespace tribecast::control
