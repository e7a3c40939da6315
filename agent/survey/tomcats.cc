#include <glob.h>

#include <algorithm>
#include <cstdlib>

#include "doctor/proc_text.h"
#include "survey/survey.h"

namespace tribecast::survey {
namespace {

using doctor::Facts;
using doctor::Process;
using doctor::Tomcat;

constexpr std::size_t kMostArguments = 1U << 20U;
constexpr const char* kUsualPlaces[] = {"/var/lib/tomcat*",    "/opt/tomcat*",
                                        "/opt/apache-tomcat*", "/srv/tomcat*",
                                        "/usr/local/tomcat*",  "/usr/local/apache-tomcat*",
                                        "/usr/share/tomcat*"};

std::optional<doctor::ServerXml> server_xml(const std::string& base) {
  const auto text = read_file(base + "/conf/server.xml", doctor::kMaxServerXmlBytes);
  if (!text) return std::nullopt;
  return doctor::parse_server_xml(*text);
}

std::optional<Tomcat> running_tomcat(const Process& process) {
  const std::string directory = "/proc/" + std::to_string(process.pid);
  const auto arguments = read_file(directory + "/cmdline", kMostArguments);
  if (!arguments) return std::nullopt;
  const auto options = doctor::parse_java_arguments(*arguments);
  if (!options) return std::nullopt;
  Tomcat tomcat{process, options->catalina_base, options->prefers_ipv4, true, {}};
  const auto environment = read_file(directory + "/environ", kMostArguments);
  tomcat.options_known = environment.has_value();
  if (environment && doctor::environment_prefers_ipv4(*environment)) tomcat.prefers_ipv4 = true;
  // As the process sees it, which may be in a container.
  tomcat.server_xml = server_xml(directory + "/root" + tomcat.base);
  if (!tomcat.server_xml) tomcat.server_xml = server_xml(tomcat.base);
  return tomcat;
}

// One that is to be in a cluster; others are of no interest.
std::optional<Tomcat> stopped_tomcat(const std::string& base) {
  Tomcat tomcat{std::nullopt, base, false, true, server_xml(base)};
  if (!tomcat.server_xml || !tomcat.server_xml->cluster) return std::nullopt;
  const std::string name = base.substr(base.rfind('/') + 1);
  for (const std::string& file :
       {base + "/bin/setenv.sh", "/etc/default/" + name, "/etc/sysconfig/" + name}) {
    const auto text = read_file(file, kMostArguments);
    const bool flag = text && text->find("-Djava.net.preferIPv4Stack=true") != text->npos;
    tomcat.prefers_ipv4 = tomcat.prefers_ipv4 || flag;
  }
  return tomcat;
}

std::vector<std::string> usual_bases() {
  std::vector<std::string> bases;
  if (const char* base = std::getenv("CATALINA_BASE"); base != nullptr) bases.emplace_back(base);
  for (const char* place : kUsualPlaces) {
    glob_t found{};
    if (glob(place, GLOB_NOSORT, nullptr, &found) == 0) {
      bases.insert(bases.end(), found.gl_pathv, found.gl_pathv + found.gl_pathc);
    }
    globfree(&found);
  }
  return bases;
}

}  // namespace

void look_at_tomcats(Facts& facts, const std::vector<Process>& processes) {
  for (const Process& process : processes) {
    if (auto tomcat = running_tomcat(process)) facts.tomcats.push_back(std::move(*tomcat));
  }
  for (const std::string& base : usual_bases()) {
    if (std::ranges::find(facts.tomcats, base, &Tomcat::base) != facts.tomcats.end()) continue;
    if (auto tomcat = stopped_tomcat(base)) facts.tomcats.push_back(std::move(*tomcat));
  }
}

}  // namespace tribecast::survey
