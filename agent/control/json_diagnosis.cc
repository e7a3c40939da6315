#include <algorithm>
#include <numeric>

#include "control/cluster.h"
#include "control/json_value.h"

namespace tribecast::control {

using namespace json_value;

namespace {

std::string_view level_word(const Diagnosis& diagnosis) {
  if (diagnosis.count(Health::failure) > 0) return name_of(Health::failure);
  return name_of(diagnosis.count(Health::warning) > 0 ? Health::warning : Health::good);
}

Json finding_json(const DoctorFinding& finding) {
  Json json;
  json["id"] = finding.id;
  json["title"] = finding.title;
  json["level"] = name_of(finding.health);
  json["subject"] = text_or_null(finding.subject);
  json["text"] = finding.text;
  json["means"] = text_or_null(finding.means);
  json["fix"] = text_or_null(finding.fix);
  return json;
}

Json node_json(const ClusterNode& node) {
  Json json;
  json["name"] = node.name;
  json["peer"] = text_or_null(node.peer);
  json["answer"] = node.answer ? Json(name_of(*node.answer)) : Json();
  json["site"] = node.answered ? Json(node.site) : Json();
  json["version"] = node.answered ? Json(node.version) : Json();
  json["level"] = node.answered ? Json(name_of(node.level)) : Json();
  json["uptime_seconds"] = node.answered ? Json(node.uptime_seconds) : Json();
  json["age_seconds"] = node.answered ? Json(node.age_seconds) : Json();
  json["drops"] = node.answered ? Json(node.drops) : Json();
  json["checks"] = Json::object();
  for (const CheckMark& mark : node.marks) json["checks"][mark.id] = name_of(mark.health);
  return json;
}

void put(const Sight& sight, Json& json) {
  json["state"] = name_of(sight.state);
  json["rtt_seconds"] = known(sight.rtt_seconds);
  json["loss_in_ratio"] = known(sight.loss_in_ratio);
  json["loss_out_ratio"] = known(sight.loss_out_ratio);
}

// Who hears whom: what `from` says of `to`.
Json sights_json(const Cluster& cluster) {
  Json json = Json::array();
  for (std::size_t from = 0; from < cluster.nodes.size(); ++from) {
    for (const auto& [of, sight] : cluster.sights[from]) {
      json.push_back({{"from", cluster.nodes[from].name}, {"of", cluster.nodes[of].name}});
      put(sight, json.back());
    }
  }
  return json;
}

std::vector<std::size_t> on_page(const Cluster& cluster) {
  std::vector<std::size_t> chosen(cluster.nodes.size());
  std::iota(chosen.begin(), chosen.end(), 0);
  if (chosen.size() <= kMostOnPage) return chosen;
  std::vector<bool> odd(chosen.size());
  for (std::size_t from = 0; from < chosen.size(); ++from) {
    if (cluster.nodes[from].answer && !cluster.nodes[from].answered) odd[from] = true;
    for (const auto& [of, sight] : cluster.sights[from]) {
      if (sight.state != PeerState::up) odd[from] = odd[of] = true;
    }
  }
  std::stable_partition(chosen.begin() + 1, chosen.end(), [&](std::size_t i) { return odd[i]; });
  chosen.resize(kMostOnPage);
  return chosen;
}

Json seen_json(const Cluster& cluster, std::size_t from, const std::vector<std::size_t>& all) {
  if (!cluster.nodes[from].answered) return {};
  Json json = Json::array();
  for (const std::size_t of : all) {
    Json& cell = json.emplace_back();
    const auto sight = cluster.sights[from].find(of);
    if (sight != cluster.sights[from].end()) put(sight->second, cell);
  }
  return json;
}

Json member_json(const ClusterMember& member) {
  Json json;
  json["member"] = member.name;
  json["group"] = member.group;
  json["home"] = text_or_null(member.home);
  json["seen_at"] = member.seen_at;
  json["missing_at"] = member.missing_at;
  json["port"] = Json::object();
  for (const auto& [from, outcome] : member.ports) json["port"][from] = name_of(outcome);
  return json;
}

Json cluster_json(const Cluster& cluster) {
  Json json;
  json["agents"] = Json::array();
  for (const ClusterNode& node : cluster.nodes) json["agents"].push_back(node_json(node));
  json["sights"] = sights_json(cluster);
  json["members"] = Json::array();
  for (const ClusterMember& member : cluster.members) {
    json["members"].push_back(member_json(member));
  }
  json["findings"] = Json::array();
  for (const ClusterFinding& found : cluster.findings) {
    json["findings"].push_back(finding_json(found.finding));
    json["findings"].back()["host"] = found.node;
  }
  return json;
}

Json diagnosis_document(const Diagnosis& diagnosis, std::string_view generated_at) {
  Json json = document("doctor", generated_at);
  json["host"] = diagnosis.host;
  json["verdict"] = {{"level", level_word(diagnosis)},
                     {"failures", diagnosis.count(Health::failure)},
                     {"warnings", diagnosis.count(Health::warning)},
                     {"ok", diagnosis.count(Health::good)},
                     {"unknown", diagnosis.count(Health::unknown)}};
  json["findings"] = Json::array();
  for (const DoctorFinding& finding : diagnosis.findings) {
    json["findings"].push_back(finding_json(finding));
  }
  return json;
}

}  // namespace

std::string matrix_json(const Cluster& cluster, std::string_view generated_at) {
  const std::vector<std::size_t> all = on_page(cluster);
  Json json = document("cluster", generated_at);
  json["agents"] = Json::array();
  for (const std::size_t from : all) {
    json["agents"].push_back(node_json(cluster.nodes[from]));
    json["agents"].back().erase("checks");
    json["agents"].back()["sees"] = seen_json(cluster, from, all);
  }
  json["left_out"] = cluster.nodes.size() - all.size();
  return line(json);
}

std::string matrix_json(const Failure& failure, std::string_view generated_at) {
  Json json = document("cluster", generated_at);
  json["error"] = failure.error;
  return line(json);
}

std::string diagnosis_json(const Diagnosis& diagnosis, std::string_view generated_at) {
  return page(diagnosis_document(diagnosis, generated_at));
}

std::string diagnosis_json(const Diagnosis& diagnosis, const Cluster& cluster,
                           std::string_view generated_at) {
  Json json = diagnosis_document(diagnosis, generated_at);
  json["cluster"] = cluster_json(cluster);
  return page(json);
}

}  // namespace tribecast::control
