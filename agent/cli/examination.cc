#include "cli/examination.h"

#include <sys/stat.h>

#include <cerrno>

#include "cli/client.h"
#include "cli/terminal.h"
#include "config/keyring_file.h"
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

}  // namespace

doctor::Facts begin_examination(const Invocation& in) {
  doctor::Facts facts;
  facts.only_peer = in.text("peer", "");
  facts.config.file = in.text("config", kDefaultFile);
  if (in.has("config")) read_files(facts.config);
  facts.agent.socket = socket_of(in, facts.config);
  ask_agent(Client(facts.agent.socket), facts);
  if (!in.has("config")) read_files(facts.config);
  return facts;
}

void finish_examination(doctor::Facts& facts) {
  survey::survey(facts, kListen);
  if (!facts.agent.status) return;
  if (auto later = Client(facts.agent.socket).status()) facts.agent.status = std::move(*later);
}

}  // namespace tribecast::cli
