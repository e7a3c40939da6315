#include <algorithm>

#include "cli/examination.h"
#include "cli/terminal.h"
#include "cli/verbs.h"
#include "control/diagnosis.h"
#include "doctor/checks.h"
#include "doctor/cluster.h"

namespace tribecast::cli {
namespace {

Exit explain(const Invocation& in) {
  const std::string id = in.text("explain", "");
  const doctor::Check* check = doctor::find_check(id);
  if (check == nullptr) {
    const std::string last(doctor::checks().back().id);
    return complain_usage(
        {"--explain: there is no check '" + id + "'", "they are TC001 to " + last});
  }
  print(doctor::explain_text(*check));
  return Exit::good;
}

bool knows_peer(const doctor::Facts& facts, const std::string& name) {
  const bool there = facts.agent.status &&
                     std::ranges::find(facts.agent.status->peers, name, &control::Peer::name) !=
                         facts.agent.status->peers.end();
  return there || (facts.settings() != nullptr &&
                   std::ranges::find(facts.settings()->peers, name, &config::Peer::name) !=
                       facts.settings()->peers.end());
}

// Without an agent there is nobody who could ask the others; its own check says so.
void ask_all(doctor::Facts& facts) {
  if (facts.agent.contact != doctor::Contact::answered) {
    complain({Exit::unreachable, "the other agents were not asked: " + facts.agent.error});
    return;
  }
  const auto agents = Client(facts.agent.socket).roll_call();
  if (!agents) {
    complain({agents.error().code, "the other agents were not asked: " + agents.error().error});
    return;
  }
  facts.asked = doctor::asked_agents(*agents);
}

Exit show_cluster(const Invocation& in, const control::Diagnosis& diagnosis,
                  const control::Cluster& cluster) {
  if (in.has("json")) {
    print(control::diagnosis_json(diagnosis, cluster, timestamp()));
  } else {
    print(control::diagnosis_text(diagnosis, style_of(in)) + "\n" +
          control::cluster_text(cluster, style_of(in)));
  }
  return control::exit_code(diagnosis, cluster);
}

}  // namespace

Exit run_doctor(const Invocation& in) {
  if (in.has("explain")) return explain(in);
  doctor::Facts facts = begin_examination(in);
  if (!facts.only_peer.empty() && !knows_peer(facts, facts.only_peer)) {
    return complain_usage({"there is no peer '" + facts.only_peer + "'", "see: tribecast peers"});
  }
  finish_examination(facts);
  if (in.has("all")) ask_all(facts);
  const control::Diagnosis diagnosis = doctor::diagnose(facts);
  if (!facts.asked.empty())
    return show_cluster(in, diagnosis, doctor::cluster_of(facts, diagnosis));
  print(in.has("json") ? control::diagnosis_json(diagnosis, timestamp())
                       : control::diagnosis_text(diagnosis, style_of(in)));
  return control::exit_code(diagnosis);
}

}  // namespace tribecast::cli
