#include "doctor/judges.h"

namespace tribecast::doctor {
namespace {

std::string name_of(const Tomcat& tomcat) {
  return tomcat.base +
         (tomcat.process ? " (pid " + std::to_string(tomcat.process->pid) + ")" : " (not running)");
}

Finding not_read(const Facts& facts, const Tomcat& tomcat) {
  return unknown(tomcat.base + "/conf/server.xml of " + facts.host +
                     " was not checked: this user may not read it",
                 "run as root: sudo tribecast doctor");
}

// tribes.Channel: SYNCHRONIZED_ACK 4, ASYNCHRONOUS 8.
bool acknowledged(std::uint32_t options) { return (options & 4U) != 0 && (options & 8U) == 0; }

}  // namespace

Findings judge_bind(const Facts& facts) {
  Findings out;
  for (const Tomcat& tomcat : facts.tomcats) {
    if (!tomcat.server_xml) {
      out.push_back(not_read(facts, tomcat));
      continue;
    }
    const std::string& bind = tomcat.server_xml->membership_bind;
    if (bind.empty() || tomcat.prefers_ipv4) continue;
    if (!tomcat.options_known) {
      out.push_back(unknown("whether " + name_of(tomcat) +
                                " runs with preferIPv4Stack is not known: "
                                "its environment may not be read",
                            "run as root: sudo tribecast doctor"));
      continue;
    }
    out.push_back(failure(name_of(tomcat),
                          "the Tomcat in " + name_of(tomcat) + " has bind=\"" + bind +
                              "\" on <Membership>, without -Djava.net.preferIPv4Stack=true",
                          "on " + facts.host +
                              ": add -Djava.net.preferIPv4Stack=true to CATALINA_OPTS in " +
                              tomcat.base + "/bin/setenv.sh, or remove bind; then restart it"));
  }
  return out;
}

Findings judge_send_options(const Facts& facts) {
  Findings out;
  for (const Tomcat& tomcat : facts.tomcats) {
    if (!tomcat.server_xml || !tomcat.server_xml->cluster) continue;
    const ServerXml& xml = *tomcat.server_xml;
    if (!xml.send_options) {
      out.push_back(unknown("with which channelSendOptions the Tomcat in " + name_of(tomcat) +
                                " replicates cannot be told: its server.xml has \"" +
                                xml.send_options_text + "\"",
                            "see what Tomcat makes of it: it should come to 6 (sync, use_ack)"));
      continue;
    }
    const std::uint32_t options = *xml.send_options;
    const std::string value =
        "channelSendOptions=" +
        (xml.send_options_text.empty() ? std::to_string(options) : xml.send_options_text);
    if (acknowledged(options)) {
      out.push_back(good(tomcat.base + " replicates with " + value, name_of(tomcat)));
      continue;
    }
    out.push_back(warning(name_of(tomcat),
                          "the Tomcat in " + name_of(tomcat) + " replicates with " + value +
                              (options == 8 ? " (also the default)" : ""),
                          "on " + facts.host + ": set channelSendOptions=\"6\" on <Cluster> in " +
                              tomcat.base +
                              "/conf/server.xml, on all nodes; then restart them one by one"));
  }
  return out;
}

}  // namespace tribecast::doctor
