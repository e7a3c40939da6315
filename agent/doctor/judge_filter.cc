#include "doctor/judges.h"
#include "doctor/packet_filter.h"

namespace tribecast::doctor {
namespace {

struct Wanted {
  Packet packet;
  std::string name;  // `UDP 45565 from peer web-2 (10.0.0.2)`
  std::string rule;  // an nft rule, behind `nft insert rule inet filter`
};

std::uint16_t relay_port(const Facts& facts) {
  const config::Config* settings = facts.settings();
  return settings == nullptr ? config::kDefaultPort : settings->relay.listen.front().port;
}

Address own_address(const Facts& facts) {
  for (const Interface& interface : facts.interfaces) {
    if (interface.loopback || !interface.up) continue;
    for (const Address& address : interface.addresses) {
      if (address.is_v4()) return address;
    }
  }
  return {};
}

void want_peers(const Facts& facts, std::vector<Wanted>& out) {
  if (!facts.agent.status) return;
  const Endpoint own{own_address(facts), relay_port(facts)};
  const std::string port = std::to_string(own.port);
  for (const control::Peer& peer : facts.agent.status->peers) {
    if (peer.state == control::PeerState::self || !peer.endpoint) continue;
    const auto there = Endpoint::parse(*peer.endpoint);
    if (!there || !there->address.is_v4()) continue;
    const std::string name = "peer " + peer.name + " (" + there->address.to_string() + ")";
    const std::pair udp("UDP " + port, "UDP " + std::to_string(there->port));  // here, there
    out.push_back({{"input", Protocol::udp, *there, own, ""},
                   udp.first + " from " + name,
                   "input udp dport " + port + " accept"});
    out.push_back({{"output", Protocol::udp, own, *there, ""},
                   udp.second + " to " + name,
                   "output udp dport " + std::to_string(there->port) + " accept"});
  }
}

void want_members(const Facts& facts, const GroupFacts& group, std::vector<Wanted>& out) {
  const Endpoint to{group.settings.address, group.settings.port};
  const std::string rule = "ip daddr " + to.address.to_string() + " accept";
  const std::string interface = group.interfaces.size() == 1 ? group.interfaces.front() : "";
  out.push_back({{"output", Protocol::udp, {own_address(facts), to.port}, to, interface},
                 "heartbeats of this host's members to " + to.to_string(),
                 "output " + rule});
  if (!facts.agent.status) return;
  for (const control::Member& member : facts.agent.status->members) {
    if (member.origin != control::Origin::remote || member.group != group.settings.name) continue;
    const auto host = Address::parse(member.host);
    if (!host || !host->is_v4()) continue;
    const std::string name = "member " + Endpoint{*host, member.port}.to_string();
    out.push_back({{"input", Protocol::udp, {*host, to.port}, to, interface},
                   "heartbeats of " + name + " to " + to.to_string(),
                   "input " + rule});
    for (const control::Member& own : facts.agent.status->members) {
      const auto own_host = Address::parse(own.host);
      if (own.origin != control::Origin::local || !own_host || own_host->is_loopback()) continue;
      out.push_back(
          {{"input", Protocol::tcp, {*host, 0}, {*own_host, own.port}, ""},
           "TCP " + std::to_string(own.port) + " from " + name,
           "input ip saddr " + member.host + " tcp dport " + std::to_string(own.port) + " accept"});
    }
  }
}

std::vector<Wanted> wanted_traffic(const Facts& facts) {
  std::vector<Wanted> out;
  want_peers(facts, out);
  for (const GroupFacts& group : facts.groups) {
    if (group.settings.port != 0) want_members(facts, group, out);
  }
  return out;
}

}  // namespace

Findings judge_packet_filter(const Facts& facts) {
  if (!facts.packet_filter) {
    return {unknown(
        "the packet filter of " + facts.host + " was not looked at: " + facts.packet_filter_error,
        "run as root: sudo tribecast doctor")};
  }
  Findings out;
  const PacketFilter filter = parse_packet_filter(*facts.packet_filter);
  for (const Wanted& wanted : wanted_traffic(facts)) {
    const PacketVerdict verdict = judge_packet(filter, wanted.packet);
    if (verdict.passes != Passes::no) continue;
    out.push_back(
        failure(wanted.name, facts.host + " drops " + wanted.name + ", by the rule " + verdict.rule,
                "on " + facts.host +
                    ", in that chain or before it, a rule like: nft insert rule inet filter " +
                    wanted.rule));
  }
  if (out.empty()) out.push_back(good("no rule of this host drops what the relay needs"));
  return out;
}

Findings judge_open_ports(const Facts& facts) {
  if (!facts.listeners) return {};
  Findings out;
  std::vector<Endpoint> open;
  for (const Socket& listener : *facts.listeners) {
    const bool local_member =
        std::ranges::any_of(facts.heard.value_or(std::vector<Heard>{}), [&](const Heard& heard) {
          return !heard.injected && facts.is_local(heard.source) &&
                 heard.member.port == listener.local.port;
        });
    if (local_member && listener.local.address.is_unspecified()) open.push_back(listener.local);
  }
  for (const Endpoint& listener : open) {
    const std::string port = std::to_string(listener.port);
    if (!facts.packet_filter) {
      out.push_back(unknown(
          "a member of " + facts.host + " listens on all addresses at TCP " + port +
              "; whether a packet filter guards it is not known: " + facts.packet_filter_error,
          "run as root: sudo tribecast doctor"));
    } else if (!guards_port(parse_packet_filter(*facts.packet_filter), listener)) {
      out.push_back(warning(listener.to_string(),
                            "a member of " + facts.host + " listens on all addresses at TCP " +
                                port + " and no rule of its packet filter guards the port",
                            "on " + facts.host +
                                ": tribecast firewall print | nft -f -   (lets only the "
                                "members pass), or a security group, or address= on the Receiver"));
    }
  }
  if (open.empty() && !facts.listeners->empty()) {
    out.push_back(good("no member of this host listens on all addresses"));
  }
  return out;
}

}  // namespace tribecast::doctor
