#include "survey/survey.h"

#include <unistd.h>

#include <array>
#include <fstream>

#include "doctor/proc_text.h"

namespace tribecast::survey {
namespace {

std::string own_host_name() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "this host";
}

std::optional<std::uint64_t> reverse_path_drops() {
  const auto text = read_file("/proc/net/netstat");
  return text ? doctor::netstat_counter(*text, "IPReversePathFilter") : std::nullopt;
}

// What is relayed; without any configuration what Tomcat uses.
void name_groups(doctor::Facts& facts) {
  const config::Config* settings = facts.settings();
  if (settings == nullptr || settings->groups.empty()) {
    config::Group tomcat;
    tomcat.name = "tomcat";
    tomcat.address = Address::v4(0xe4000004);  // 228.0.0.4
    tomcat.port = config::kTomcatPort;
    facts.groups.push_back({tomcat, {}, {}});
    return;
  }
  for (const config::Group& group : settings->groups) facts.groups.push_back({group, {}, {}});
}

}  // namespace

std::optional<std::string> read_file(const std::string& path, std::size_t most) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return std::nullopt;
  std::string text;
  std::array<char, 65536> part{};
  while (in.read(part.data(), part.size()) || in.gcount() > 0) {
    text.append(part.data(), static_cast<std::size_t>(in.gcount()));
    if (text.size() > most) return std::nullopt;
  }
  return text;
}

void survey(doctor::Facts& facts, Duration time) {
  facts.host = own_host_name();
  facts.root = geteuid() == 0;
  name_groups(facts);
  const auto drops = reverse_path_drops();
  look_at_network(facts);
  look_at_processes(facts);
  look_at_packet_filter(facts);
  look_at_connections(facts);
  listen_and_try(facts, time);
  look_at_connections(facts);
  const auto later = reverse_path_drops();
  if (drops && later) facts.reverse_path_drops = *later - *drops;
}

}  // namespace tribecast::survey
