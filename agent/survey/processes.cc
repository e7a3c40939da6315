#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <set>

#include "doctor/proc_text.h"
#include "survey/survey.h"

namespace tribecast::survey {
namespace {

using doctor::Facts;
using doctor::Process;
using Owners = std::map<std::uint64_t, Process>;  // of sockets, by inode

constexpr const char* kAgentName = "tribecastd";

std::vector<std::string> entries_of(const std::string& directory) {
  std::vector<std::string> names;
  DIR* const open = opendir(directory.c_str());
  if (open == nullptr) return names;
  while (const dirent* entry = readdir(open)) names.emplace_back(entry->d_name);
  closedir(open);
  return names;
}

std::optional<int> number_of(const std::string& name) {
  int pid = 0;
  const auto [stop, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
  if (error != std::errc{} || stop != name.data() + name.size()) return std::nullopt;
  return pid;
}

// Each network namespace has files of its own below /proc/net, so their inodes tell them apart, for
// which no right is needed.
std::optional<ino_t> network_of(const std::string& process) {
  struct stat info {};
  if (stat(("/proc/" + process + "/net/dev").c_str(), &info) != 0) return std::nullopt;
  return info.st_ino;
}

std::vector<Process> processes_of_this_network() {
  const auto own = network_of("self");
  std::vector<Process> all;
  for (const std::string& name : entries_of("/proc")) {
    const auto pid = number_of(name);
    if (!pid || network_of(name) != own) continue;
    std::string word = read_file("/proc/" + name + "/comm").value_or("");
    if (word.ends_with('\n')) word.pop_back();
    all.push_back({*pid, word});
  }
  return all;
}

void add_sockets(const Process& process, Owners& owners) {
  const std::string directory = "/proc/" + std::to_string(process.pid) + "/fd/";
  for (const std::string& name : entries_of(directory)) {
    std::array<char, 64> link{};
    const std::string path = std::string(directory).append(name);
    const ssize_t size = readlink(path.c_str(), link.data(), link.size());
    if (size <= 0) continue;
    if (const auto inode = doctor::socket_inode({link.data(), static_cast<std::size_t>(size)})) {
      owners.emplace(*inode, process);
    }
  }
}

using Parse = std::vector<doctor::ProcSocket> (*)(std::string_view, std::endian);

// From both families' lists; nullopt when the first cannot be read.
template <class Keep>
std::optional<std::vector<doctor::Socket>> sockets_of(const std::string& list, Parse parse,
                                                      const Owners& owners, Keep&& keep) {
  const auto v4 = read_file("/proc/net/" + list);
  if (!v4) return std::nullopt;
  std::vector<doctor::Socket> all;
  for (const std::string& text : {*v4, read_file("/proc/net/" + list + "6").value_or("")}) {
    for (const doctor::ProcSocket& socket : parse(text, std::endian::native)) {
      if (!keep(socket)) continue;
      const auto owner = owners.find(socket.inode);
      all.push_back({socket.local, socket.drops,
                     owner == owners.end() ? std::nullopt : std::optional(owner->second)});
    }
  }
  return all;
}

std::set<std::uint16_t> ports_of(const Facts& facts) {
  std::set<std::uint16_t> ports;
  for (const doctor::GroupFacts& group : facts.groups) ports.insert(group.settings.port);
  if (const config::Config* settings = facts.settings()) {
    for (const Endpoint& listen : settings->relay.listen) ports.insert(listen.port);
  }
  ports.erase(0);
  return ports;
}

// Where the agent could not join something, which of the memberships are its own is not known.
bool could_not_join(const Facts& facts) {
  if (!facts.agent.status) return false;
  const auto& warnings = facts.agent.status->warnings;
  return std::ranges::find(warnings, "join_failed", &control::Warning::id) != warnings.end();
}

void take_off_agent(Facts& facts) {
  if (!facts.joined || could_not_join(facts)) return;
  std::set<std::pair<Address, std::string>> done;
  for (const doctor::GroupFacts& group : facts.groups) {
    for (const std::string& interface : group.interfaces) {
      if (!done.emplace(group.settings.address, interface).second) continue;
      for (doctor::Joined& joined : *facts.joined) {
        const bool same = joined.group == group.settings.address && joined.interface == interface;
        if (same && joined.sockets > 0) --joined.sockets;
      }
    }
  }
}

}  // namespace

void look_at_processes(Facts& facts) {
  Owners owners;
  bool agent = facts.agent.status.has_value();
  const std::vector<Process> processes = processes_of_this_network();
  for (const Process& process : processes) {
    if (process.name == kAgentName) agent = true;
    add_sockets(process, owners);
  }
  look_at_tomcats(facts, processes);
  if (agent) take_off_agent(facts);
  const std::set<std::uint16_t> ports = ports_of(facts);
  facts.udp = sockets_of(
      "udp", doctor::parse_udp_sockets, owners,
      [&](const doctor::ProcSocket& socket) { return ports.contains(socket.local.port); });
  facts.listeners = sockets_of("tcp", doctor::parse_tcp_listeners, owners,
                               [](const doctor::ProcSocket&) { return true; });
}

namespace {

std::set<std::uint16_t> member_ports(const Facts& facts) {
  std::set<std::uint16_t> ports;
  if (facts.agent.status) {
    for (const control::Member& member : facts.agent.status->members) ports.insert(member.port);
  }
  for (const doctor::Heard& heard : facts.heard.value_or(std::vector<doctor::Heard>{})) {
    ports.insert(heard.member.port);
  }
  return ports;
}

}  // namespace

void look_at_connections(Facts& facts) {
  const std::set<std::uint16_t> ports = member_ports(facts);
  for (const char* list : {"/proc/net/tcp", "/proc/net/tcp6"}) {
    const auto text = read_file(list);
    if (!text) continue;
    for (const doctor::ProcConnection& one : doctor::parse_tcp_connections(*text)) {
      if (!ports.contains(one.local.port) && !ports.contains(one.remote.port)) continue;
      facts.connections.push_back(
          {one.local, one.remote, one.established, one.unacknowledged_bytes, one.repeats});
    }
  }
}

}  // namespace tribecast::survey
