#include "config/compare.h"
#include "doctor/judges.h"

namespace tribecast::doctor {
namespace {

std::string place_of(const config::Diagnostic& diagnostic) {
  return diagnostic.file + (diagnostic.line == 0 ? "" : ":" + std::to_string(diagnostic.line));
}

Finding judged(const config::Diagnostic& diagnostic) {
  const std::string place = place_of(diagnostic);
  std::string fix = diagnostic.fix;
  if (fix.empty()) fix = "mend " + place + "; then: tribecast config check " + diagnostic.file;
  const std::string hint = diagnostic.hint.empty() ? "" : ", " + diagnostic.hint;
  const bool error = diagnostic.severity == config::Severity::error;
  return {error ? Health::failure : Health::warning, place, place + ": " + diagnostic.what + hint,
          fix};
}

Finding right_found(Right right, const Facts& facts, const std::string& what) {
  if (right == Right::had) return good("the kernel has " + what);
  if (right == Right::absent) {
    return failure("", "the kernel of " + facts.host + " has no " + what,
                   "on " + facts.host + ": run a kernel that has " + what +
                       " (containers may forbid them: see the runtime's seccomp profile)");
  }
  if (facts.root) {
    return failure("",
                   "root may not open " + what + " on " + facts.host +
                       ": the right CAP_NET_RAW was taken away, from an agent that is started "
                       "here too",
                   "let the container or service have CAP_NET_RAW: docker run --cap-add=NET_RAW, "
                   "or NET_RAW among capabilities.add of the pod");
  }
  return unknown(
      "whether the kernel has " + what + " was not tried: the right CAP_NET_RAW is missing",
      "run as root: sudo tribecast doctor");
}

// What the agent's own complaints say of its rights.
bool complains(const control::Status& status, std::string_view id, std::string& text) {
  for (const control::Warning& warning : status.warnings) {
    if (warning.id != id) continue;
    text = warning.text;
    return true;
  }
  return false;
}

}  // namespace

std::string listed(const std::vector<std::string>& words) {
  std::string out;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) out += i + 1 == words.size() ? " and " : ", ";
    out += words[i];
  }
  return out;
}

Findings judge_configuration(const Facts& facts) {
  const ConfigFacts& config = facts.config;
  Findings out;
  if (config.missing) {
    if (config.running) return out;
    return {failure(config.file, "there is no configuration " + config.file,
                    "on " + facts.host +
                        ": install the package, or name the file: tribecast doctor "
                        "--config FILE")};
  }
  for (const config::Diagnostic& diagnostic : config.findings) out.push_back(judged(diagnostic));
  if (out.empty() && config.files) {
    out.push_back(good(config.file + ": " + control::counted(config.files->groups.size(), "group") +
                       ", " + control::counted(config.files->peers.size(), "peer")));
  }
  return out;
}

Findings judge_keys(const Facts& facts) {
  Findings out;
  for (const KeyFile& key : facts.config.keys) {
    if (key.denied) {
      out.push_back(unknown(key.path + " was not checked: this user may not read it",
                            "run as root: sudo tribecast doctor"));
      continue;
    }
    for (const config::Diagnostic& diagnostic : key.findings) out.push_back(judged(diagnostic));
    if (key.findings.empty()) out.push_back(good(key.path + " is whole, and private"));
  }
  return out;
}

Findings judge_agent(const Facts& facts) {
  const AgentFacts& agent = facts.agent;
  if (agent.contact == Contact::denied) {
    return {unknown("the agent was not asked: this user may not open " + agent.socket,
                    "run as root, or join the socket's group: usermod -aG tribecast USER")};
  }
  if (agent.contact == Contact::unreachable || !agent.status) {
    return {
        failure("", "no agent answers on " + facts.host + " (" + agent.error + ")",
                "on " + facts.host + ": systemctl restart tribecast; journalctl -u tribecast -e")};
  }
  const control::Node& node = agent.status->node;
  std::string text =
      "agent " + node.version + " answers, up " + control::age_text(node.uptime_seconds);
  if (node.death_watch == "held_connections") {
    text +=
        "; the kernel does not tell it of listeners that end (sock_diag), so it holds a connection "
        "to each local member's port";
  }
  return {good(text)};
}

Findings judge_running(const Facts& facts) {
  Findings out;
  if (!facts.agent.status) return out;
  for (const control::Warning& warned : facts.agent.status->warnings) {
    if (warned.id != "config_unconfirmed" && warned.id != "config_undone") continue;
    const bool trial = warned.id == "config_unconfirmed";
    out.push_back(warning(facts.config.file, warned.text,
                          "on " + facts.host +
                              (trial ? ": tribecast config confirm"
                                     : ": tribecast config diff; tribecast config reload")));
  }
  if (!out.empty() || !facts.config.running || !facts.config.files) return out;
  const auto changes =
      config::compare(config::to_text(*facts.config.running), config::to_text(*facts.config.files));
  if (changes.empty()) return {good("the agent runs what " + facts.config.file + " says")};
  return {warning(facts.config.file,
                  "the agent does not run what " + facts.config.file +
                      " says: " + control::counted(changes.size(), "section") + " of it differ" +
                      (changes.size() == 1 ? "s" : ""),
                  "on " + facts.host + ": tribecast config diff; tribecast config reload")};
}

Findings judge_rights(const Facts& facts) {
  std::string text;
  if (facts.agent.status) {
    for (const char* id : {"capture_failed", "join_failed"}) {
      if (!complains(*facts.agent.status, id, text)) continue;
      return {failure("", "the agent cannot capture or join: " + text,
                      "on " + facts.host +
                          ": systemctl restart tribecast; it needs CAP_NET_RAW "
                          "(getpcaps $(pidof tribecastd))")};
    }
    return {good("the agent captures and injects")};
  }
  return {right_found(facts.packet_socket, facts, "packet sockets (AF_PACKET)"),
          right_found(facts.raw_socket, facts, "raw sockets")};
}

}  // namespace tribecast::doctor
