#include "doctor/cluster.h"

#include <algorithm>

#include "doctor/mesh.h"

namespace tribecast::doctor {
namespace {

GroupFacts group_facts(const control::ViewGroup& group) {
  config::Group settings;
  settings.name = group.name;
  settings.address = group.endpoint.address;
  settings.port = group.endpoint.port;
  settings.format = group.tribes ? config::Format::tribes : config::Format::raw;
  settings.drop_time = milliseconds(group.drop_time_ms);
  return {settings, {}, {}};
}

// What the mesh says once must not be said again by each of two agents.
bool is_said_by_mesh(const control::DoctorFinding& finding) { return finding.id == "TC041"; }

control::ClusterNode node_of(const MeshNode& node) {
  control::ClusterNode out;
  out.name = node.name;
  if (node.asked != nullptr) {
    out.peer = node.asked->peer;
    out.answer = node.asked->answer;
    if (node.view != nullptr) out.age_seconds = node.asked->age_seconds;
  }
  if (node.view == nullptr) return out;
  out.answered = true;
  out.site = node.view->status.node.site;
  out.version = node.view->status.node.version;
  out.uptime_seconds = node.view->status.node.uptime_seconds;
  out.drops = node.view->drops;
  out.level = control::judge(node.view->status).level;
  return out;
}

std::vector<control::CheckMark> marks_of(const control::Diagnosis& diagnosis) {
  std::vector<control::CheckMark> marks;
  for (const control::DoctorFinding& finding : diagnosis.findings) {
    const auto same = std::ranges::find(marks, finding.id, &control::CheckMark::id);
    if (finding.health == Health::unknown) continue;
    if (same == marks.end()) {
      marks.push_back({finding.id, finding.health});
    } else {
      same->health = std::max(same->health, finding.health);
    }
  }
  return marks;
}

control::Cluster cluster_of(const Mesh& mesh) {
  control::Cluster out;
  for (const MeshNode& node : mesh.nodes()) {
    out.nodes.push_back(node_of(node));
    auto& sights = out.sights.emplace_back();
    for (const auto& [of, peer] : node.sights) {
      sights[of] = {peer->state, peer->rtt_seconds, peer->loss_in_ratio, peer->loss_out_ratio};
    }
  }
  return out;
}

void add_member(control::Cluster& out, const Mesh& mesh, const MeshMember& member) {
  const auto name = [&](std::size_t number) {
    return number < mesh.nodes().size() ? mesh.nodes()[number].name : "";
  };
  control::ClusterMember row{member.name, member.group, name(member.home), {}, {}, {}};
  for (const std::size_t at : member.seen_at) row.seen_at.push_back(name(at));
  for (const std::size_t at : member.missing_at) row.missing_at.push_back(name(at));
  for (const auto& [at, outcome] : member.ports) row.ports.push_back({name(at), outcome});
  out.members.push_back(std::move(row));
}

}  // namespace

std::vector<AskedAgent> asked_agents(const control::RollCall& agents) {
  std::vector<AskedAgent> asked;
  for (const control::CalledAgent& agent : agents) {
    asked.push_back({agent.peer, agent.answer, std::nullopt, agent.age_seconds});
    if (agent.answer == control::CallAnswer::whole) {
      asked.back().view = control::decode_view(agent.view);
    }
  }
  return asked;
}

Facts facts_of(const control::View& view) {
  Facts facts;
  facts.host = view.status.node.name;
  facts.agent.contact = Contact::answered;
  facts.agent.before = facts.agent.status = view.status;
  facts.ports = view.ports;
  for (const control::ViewGroup& group : view.groups) facts.groups.push_back(group_facts(group));
  return facts;
}

control::Cluster cluster_of(const std::vector<AskedAgent>& asked) {
  return cluster_of(Mesh(asked));
}

control::Cluster cluster_of(const Facts& facts, const control::Diagnosis& own) {
  const Mesh mesh(facts.asked);
  const auto& nodes = mesh.nodes();
  control::Cluster out = cluster_of(mesh);
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    control::Diagnosis others;
    if (i > 0 && nodes[i].view != nullptr) others = diagnose_agent(facts_of(*nodes[i].view));
    if (nodes[i].view != nullptr) out.nodes[i].marks = marks_of(i == 0 ? own : others);
    for (control::DoctorFinding& finding : others.findings) {
      const bool wrong = finding.health == Health::warning || finding.health == Health::failure;
      if (wrong && !is_said_by_mesh(finding)) {
        out.findings.push_back({nodes[i].name, std::move(finding)});
      }
    }
  }
  for (const MeshMember& member : members_of(mesh)) add_member(out, mesh, member);
  return out;
}

}  // namespace tribecast::doctor
