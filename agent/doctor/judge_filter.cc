#include "doctor/judges.h"
#include "doctor/packet_filter.h"

namespace tribecast::doctor {
namespace {

struct Wanted {
  Packet packet;
  std::string name;  // `UDP 45565 from peer web-2 (10.0.0.2)`
  std::string rule;  // of nft, that lets it pass
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
                   "udp dport " + port + " accept"});
    out.push_back({{"output", Protocol::udp, own, *there, ""},
                   udp.second + " to " + name,
                   "udp dport " + std::to_string(there->port) + " accept"});
  }
}

void want_members(const Facts& facts, const GroupFacts& group, std::vector<Wanted>& out) {
  const Endpoint to{group.settings.address, group.settings.port};
  const std::string rule = "ip daddr " + to.address.to_string() + " accept";
  const std::string interface = group.interfaces.size() == 1 ? group.interfaces.front() : "";
  out.push_back({{"output", Protocol::udp, {own_address(facts), to.port}, to, interface},
                 "heartbeats of this host's members to " + to.to_string(),
                 rule});
  if (!facts.agent.status) return;
  for (const control::Member& member : facts.agent.status->members) {
    if (member.origin != control::Origin::remote || member.group != group.settings.name) continue;
    const auto host = Address::parse(member.host);
    if (!host || !host->is_v4()) continue;
    const std::string name = "member " + Endpoint{*host, member.port}.to_string();
    out.push_back({{"input", Protocol::udp, {*host, to.port}, to, interface},
                   "heartbeats of " + name + " to " + to.to_string(),
                   rule});
    for (const control::Member& own : facts.agent.status->members) {
      const auto own_host = Address::parse(own.host);
      if (own.origin != control::Origin::local || !own_host || own_host->is_loopback()) continue;
      out.push_back(
          {{"input", Protocol::tcp, {*host, 0}, {*own_host, own.port}, ""},
           "TCP " + std::to_string(own.port) + " from " + name,
           "ip saddr " + member.host + " tcp dport " + std::to_string(own.port) + " accept"});
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

// The same rule as iptables has it: `udp dport 7 accept` is `-p udp --dport 7 -j ACCEPT`.
std::string iptables_rule(const std::string& rule) {
  std::string out;
  for (const std::string& word : words_of(rule)) {
    if (word == "udp" || word == "tcp")
      out += "-p " + word + " ";
    else if (word == "dport")
      out += "--dport ";
    else if (word == "saddr")
      out += "-s ";
    else if (word == "daddr")
      out += "-d ";
    else if (word == "accept")
      out += "-j ACCEPT";
    else if (word != "ip")
      out += word + " ";
  }
  return out;
}

// Only a rule of the chain itself helps: what one chain accepts another one may still drop.
std::string rule_to_add(const PacketVerdict& verdict, const Wanted& wanted) {
  if (!verdict.chain.starts_with(kLegacyTable)) {
    return "nft insert rule " + verdict.chain + " " + wanted.rule;
  }
  const std::vector<std::string> words = words_of(verdict.chain);  // program, table, chain
  return "iptables-legacy -t " + words[1] + " -I " + words.back() + " " +
         iptables_rule(wanted.rule);
}

}  // namespace

PacketFilter packet_filter_of(const Facts& facts) {
  PacketFilter filter = parse_packet_filter(facts.packet_filter.value_or(""));
  for (FilterChain& chain : parse_iptables(facts.legacy_packet_filter)) {
    filter.chains.push_back(std::move(chain));
  }
  return filter;
}

Findings judge_packet_filter(const Facts& facts) {
  if (!facts.packet_filter) {
    return {unknown(
        "the packet filter of " + facts.host + " was not looked at: " + facts.packet_filter_error,
        facts.root ? "install what is missing" : "run as root: sudo tribecast doctor")};
  }
  Findings out;
  std::vector<std::string> doubtful;
  std::string doubt;
  const PacketFilter filter = packet_filter_of(facts);
  for (const Wanted& wanted : wanted_traffic(facts)) {
    const PacketVerdict verdict = judge_packet(filter, wanted.packet);
    if (verdict.passes == Passes::unknown) {
      doubtful.push_back(wanted.name);
      doubt = verdict.rule;
    }
    if (verdict.passes != Passes::no) continue;
    out.push_back(failure(wanted.name,
                          facts.host + " drops " + wanted.name + ", by the rule " + verdict.rule,
                          "on " + facts.host + ": " + rule_to_add(verdict, wanted)));
  }
  if (!doubtful.empty()) {
    const std::string more =
        doubtful.size() > 1 ? " (and " + std::to_string(doubtful.size() - 1) + " more)" : "";
    out.push_back(unknown("whether " + facts.host + " lets " + doubtful.back() + more +
                              " pass is not known: a rule is not understood in full: " + doubt,
                          "look at it: nft list ruleset"));
  }
  if (out.empty()) out.push_back(good("no rule of this host drops what the relay needs"));
  return out;
}

}  // namespace tribecast::doctor
