#include <sys/stat.h>

#include <algorithm>

#include "cli/terminal.h"
#include "cli/verbs.h"
#include "config/keyring_file.h"
#include "control/diagnosis.h"
#include "doctor/checks.h"
#include "survey/survey.h"

namespace tribecast::cli {
namespace {

// Long enough for three heartbeats of Tomcat's 500 ms.
constexpr Duration kListen = milliseconds(1800);

doctor::KeyFile key_file(const std::string& path, config::SecretFile file) {
  return {path, file.denied, std::move(file.findings)};
}

void read_files(doctor::ConfigFacts& facts) {
  struct stat info {};
  facts.missing = stat(facts.file.c_str(), &info) != 0 && errno == ENOENT;
  if (facts.missing) return;
  config::Outcome outcome = config::load(facts.file);
  facts.findings = std::move(outcome.diagnostics);
  facts.files = std::move(outcome.config);
  if (!facts.files) return;
  const config::Security& security = facts.files->security;
  if (!security.keyring.empty()) {
    facts.keys.push_back(key_file(security.keyring, config::load_keyring(security.keyring)));
  }
  if (!security.private_key.empty()) {
    facts.keys.push_back(
        key_file(security.private_key, config::load_private_key(security.private_key)));
  }
}

// The socket that the files name, unless the command line names one.
std::string socket_of(const Invocation& in, const doctor::ConfigFacts& config) {
  if (in.has("socket") || !config.files) return in.text("socket", config::Control{}.socket);
  return config.files->control.socket;
}

void ask_agent(const Client& client, doctor::Facts& facts) {
  auto status = client.status();
  if (!status) {
    const bool denied = status.error().code == Exit::no_permission;
    facts.agent.contact = denied ? doctor::Contact::denied : doctor::Contact::unreachable;
    const std::string& error = status.error().error;
    const std::size_t why = error.find("why: ");
    const std::size_t begin = why == error.npos ? 0 : why + 5;
    facts.agent.error = error.substr(begin, error.find('\n', begin) - begin);
    return;
  }
  facts.agent.contact = doctor::Contact::answered;
  facts.agent.before = *status;
  facts.agent.status = std::move(*status);
  const auto running = client.config();
  if (!running) return;
  facts.config.running = config::parse({{running->file, running->text}}).config;
  if (facts.config.file != running->file) facts.config.file = running->file;
}

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

}  // namespace

Exit run_doctor(const Invocation& in) {
  if (in.has("explain")) return explain(in);
  doctor::Facts facts;
  facts.only_peer = in.text("peer", "");
  facts.config.file = in.text("config", kDefaultFile);
  if (in.has("config")) read_files(facts.config);
  facts.agent.socket = socket_of(in, facts.config);
  const Client client(facts.agent.socket);
  ask_agent(client, facts);
  if (!in.has("config")) read_files(facts.config);
  if (!facts.only_peer.empty() && !knows_peer(facts, facts.only_peer)) {
    return complain_usage({"there is no peer '" + facts.only_peer + "'", "see: tribecast peers"});
  }
  survey::survey(facts, kListen);
  if (facts.agent.status) {
    if (auto later = client.status()) facts.agent.status = std::move(*later);
  }
  const control::Diagnosis diagnosis = doctor::diagnose(facts);
  print(in.has("json") ? control::diagnosis_json(diagnosis, timestamp())
                       : control::diagnosis_text(diagnosis, style_of(in)));
  return control::exit_code(diagnosis);
}

}  // namespace tribecast::cli
