#include "doctor/judges.h"

namespace tribecast::doctor {
namespace {

std::string where_to(const std::string& prefix, const std::string& interface) {
  return interface.empty() ? prefix + " has a route" : prefix + " goes by " + interface;
}

std::string name_of(const GroupFacts& group) {
  const std::string port = group.settings.port == 0 ? "*" : std::to_string(group.settings.port);
  return group.settings.address.to_string() + ":" + port;
}

const Interface* find_interface(const Facts& facts, const std::string& name) {
  const auto found = std::ranges::find(facts.interfaces, name, &Interface::name);
  return found == facts.interfaces.end() ? nullptr : &*found;
}

// An interface that could carry a group's route.
std::string likely_interface(const Facts& facts) {
  for (const Interface& interface : facts.interfaces) {
    if (interface.up && !interface.loopback && interface.multicast) return interface.name;
  }
  return "INTERFACE";
}

bool serves(const GroupFacts& group, const std::string& interface) {
  return std::ranges::find(group.interfaces, interface) != group.interfaces.end();
}

// Which processes have a socket on the group's port.
std::string users_of(const Facts& facts, const GroupFacts& group) {
  if (!facts.udp) return "";
  std::vector<std::string> names;
  bool hidden = false;
  for (const Socket& socket : *facts.udp) {
    if (socket.local.port != group.settings.port) continue;
    if (!socket.process) {
      hidden = true;
      continue;
    }
    const std::string name =
        socket.process->name + " (pid " + std::to_string(socket.process->pid) + ")";
    if (std::ranges::find(names, name) == names.end()) names.push_back(name);
  }
  if (hidden && names.empty()) return "; which process: needs root";
  return names.empty() ? "" : ": " + listed(names);
}

// Served by its route alone, which leads to lo.
bool is_misrouted(const Facts& facts, const GroupFacts& group) {
  if (!group.settings.interfaces.empty() || !group.route) return false;
  const Interface* interface = find_interface(facts, group.route->interface);
  return interface != nullptr && interface->loopback;
}

Finding judge_joined(const Facts& facts, const GroupFacts& group) {
  std::vector<std::string> here;
  std::vector<std::string> elsewhere;
  for (const Joined& joined : *facts.joined) {
    if (joined.group != group.settings.address || joined.sockets == 0) continue;
    const std::string text =
        joined.interface + " (" + control::counted(joined.sockets, "socket") + ")";
    (serves(group, joined.interface) ? here : elsewhere).push_back(text);
  }
  const std::string name = name_of(group);
  if (!elsewhere.empty() && here.empty()) {
    const std::string interface = elsewhere.front().substr(0, elsewhere.front().find(' '));
    return failure(name,
                   name + " is joined on " + listed(elsewhere) + ", but the agent serves it on " +
                       (group.interfaces.empty() ? "no interface" : listed(group.interfaces)),
                   "on " + facts.host + ": set interface = " + interface + " in [group \"" +
                       group.settings.name + "\"], then: tribecast config reload");
  }
  if (here.empty()) {
    return warning(name, "no process of " + facts.host + " has joined " + name,
                   "on " + facts.host +
                       ": start Tomcat; when it runs: has its server.xml a <Cluster> "
                       "with this address and port?");
  }
  return good(name + " is joined on " + listed(here) + users_of(facts, group));
}

std::uint64_t injected_of(const std::optional<control::Status>& status, const std::string& group) {
  if (!status) return 0;
  const auto found = std::ranges::find(status->groups, group, &control::Group::name);
  return found == status->groups.end() ? 0 : found->injected;
}

// A peer that is not heard, though it may hear us.
std::vector<std::string> unheard_peers(const Facts& facts) {
  std::vector<std::string> names;
  if (!facts.agent.status) return names;
  for (const control::Peer& peer : facts.agent.status->peers) {
    if (peer.state == control::PeerState::silent ||
        peer.state == control::PeerState::half_open_in) {
      names.push_back(peer.name);
    }
  }
  return names;
}

}  // namespace

Findings judge_route(const Facts& facts) {
  Findings out;
  for (const GroupFacts& group : facts.groups) {
    const std::string name = name_of(group);
    const std::string prefix = group.settings.address.to_string();
    const std::string add = "on " + facts.host + ": ip route add 224.0.0.0/4 dev " +
                            likely_interface(facts) +
                            "   (and in the network's configuration, to stay)";
    if (!group.route) {
      out.push_back(failure(name,
                            "no route of " + facts.host + " leads to " + prefix +
                                ": a process can neither join it nor send to it",
                            add));
      continue;
    }
    const Interface* interface = find_interface(facts, group.route->interface);
    if (interface != nullptr && interface->loopback) {
      out.push_back(failure(name,
                            "the route to " + prefix + " on " + facts.host +
                                " leads to the loopback interface: heartbeats do not leave it",
                            "on " + facts.host + ": ip route del " + prefix + "; " +
                                add.substr(add.find("ip route add"))));
      continue;
    }
    out.push_back(good(where_to(prefix, group.route->interface)));
  }
  return out;
}

Findings judge_interface(const Facts& facts) {
  Findings out;
  for (const GroupFacts& group : facts.groups) {
    for (const std::string& name : group.settings.interfaces) {
      const Interface* interface = find_interface(facts, name);
      const std::string where = "[group \"" + group.settings.name + "\"] interface = " + name;
      if (interface == nullptr) {
        out.push_back(failure(name, where + ": there is no such interface on " + facts.host,
                              "on " + facts.host + ": ip link; name one that is there"));
      } else if (!interface->up) {
        out.push_back(failure(name, where + ": it is down",
                              "on " + facts.host + ": ip link set " + name + " up"));
      } else if (!interface->multicast) {
        out.push_back(failure(name, where + ": it carries no multicast",
                              "on " + facts.host + ": ip link set " + name + " multicast on"));
      } else {
        out.push_back(good(where + ": up"));
      }
    }
  }
  return out;
}

Findings judge_joined(const Facts& facts) {
  if (!facts.joined) {
    return {unknown("who has joined the groups is not known: /proc/net/igmp cannot be read",
                    "mount /proc, or run on the host instead of in a container")};
  }
  Findings out;
  for (const GroupFacts& group : facts.groups) {
    // Where there is no good route no interface is served: that is said already.
    if (!group.interfaces.empty() && !is_misrouted(facts, group)) {
      out.push_back(judge_joined(facts, group));
    }
  }
  return out;
}

Findings judge_reverse_path(const Facts& facts) {
  if (!facts.reverse_path_drops) return {};
  const std::vector<std::string> unheard = unheard_peers(facts);
  if (*facts.reverse_path_drops == 0 || unheard.empty()) {
    return {good("the reverse path filter drops nothing that the relay waits for")};
  }
  std::string strict = "INTERFACE";
  for (const Interface& interface : facts.interfaces) {
    if (interface.reverse_path_filter == 1 && !interface.loopback) strict = interface.name;
  }
  return {warning("",
                  facts.host + " dropped " +
                      control::counted(*facts.reverse_path_drops, "datagram") +
                      " by its reverse path filter just now, and does not hear " + listed(unheard) +
                      ": they come in by another interface than the one that leads back",
                  "on " + facts.host + ": sysctl -w net.ipv4.conf." + strict +
                      ".rp_filter=2 net.ipv4.conf.all.rp_filter=2   (loose), or mend the routes")};
}

Findings judge_delivery(const Facts& facts) {
  if (!facts.agent.status || !facts.agent.before || !facts.heard) return {};
  Findings out;
  for (const GroupFacts& group : facts.groups) {
    const std::string& name = group.settings.name;
    const std::uint64_t injected =
        injected_of(facts.agent.status, name) - injected_of(facts.agent.before, name);
    const bool arrived = std::ranges::any_of(
        *facts.heard, [&](const Heard& heard) { return heard.group == name && heard.injected; });
    // One may have been injected before the doctor listened.
    constexpr std::uint64_t kSure = 3;
    if (arrived) {
      out.push_back(good("what the agent injects into " + name_of(group) + " arrives"));
    } else if (injected >= kSure && group.settings.format == config::Format::tribes) {
      out.push_back(failure(
          name_of(group),
          "the agent of " + facts.host + " injected " + control::counted(injected, "heartbeat") +
              " into " + name_of(group) + " just now, and none arrived at a socket there",
          "on " + facts.host + ": let the packet filter pass UDP from other hosts' addresses to " +
              name_of(group) + ": nft insert rule inet filter input ip daddr " +
              group.settings.address.to_string() + " accept"));
    }
  }
  return out;
}

Findings judge_buffers(const Facts& facts) {
  if (!facts.udp) return {};
  Findings out;
  for (const Socket& socket : *facts.udp) {
    if (socket.drops == 0) continue;
    const std::string who =
        socket.process ? socket.process->name + " (pid " + std::to_string(socket.process->pid) + ")"
                       : "a process";
    out.push_back(
        warning(socket.local.to_string(),
                "the receive buffer of " + who + " at UDP " + socket.local.to_string() +
                    " was full: " + control::counted(socket.drops, "datagram") + " lost",
                "on " + facts.host +
                    ": sysctl -w net.core.rmem_max=4194304 net.core.rmem_default=1048576, then "
                    "restart that process"));
  }
  if (facts.agent.status && facts.agent.before) {
    const std::uint64_t dropped = facts.agent.status->drops[Reason::kernel_drop] -
                                  facts.agent.before->drops[Reason::kernel_drop];
    if (dropped > 0) {
      out.push_back(
          warning("",
                  "the kernel dropped " + control::counted(dropped, "datagram") +
                      " just now before the agent of " + facts.host + " could read it",
                  "on " + facts.host + ": top; is the machine overloaded? Else: tribecast watch"));
    }
  }
  if (!out.empty()) return out;
  std::string text = "no receive buffer was ever full";
  if (facts.receive_buffer_limit_bytes) {
    text +=
        " (net.core.rmem_max is " + control::count_text(*facts.receive_buffer_limit_bytes) + ")";
  }
  return {good(text)};
}

}  // namespace tribecast::doctor
