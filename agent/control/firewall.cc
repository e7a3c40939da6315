#include "control/firewall.h"

#include "base/utf8.h"
#include "control/json_value.h"

namespace tribecast::control {
namespace {

struct Side {
  std::string_view name;
  std::string_view protocol;
  const std::set<std::uint16_t>& ports;
  const std::set<Address>& from;
};

std::array<Side, 2> sides_of(const Firewall& f) {
  return {Side{"peers", "udp", f.agent_ports, f.peers},
          Side{"members", "tcp", f.member_ports, f.members}};
}

std::string ports_of(const Side& side, std::string_view between) {
  std::string out;
  for (const std::uint16_t port : side.ports) {
    out += (out.empty() ? "" : std::string(between)) + std::to_string(port);
  }
  return out;
}

std::vector<std::string> addresses_of(const Side& side, bool v4) {
  std::vector<std::string> out;
  for (const Address& address : side.from) {
    if (address.is_v4() == v4) out.push_back(address.to_string());
  }
  return out;
}

// What has no rule yet is said in comments, of which all three formats know the same.
std::string notes(const Firewall& f, std::string_view use) {
  std::string out = "# Made by `tribecast firewall print`: " + std::string(use) +
                    "\n# From the peers and members that are known now: make it again when one "
                    "comes or moves.\n";
  for (const std::string& name : f.unknown_peers) {
    out += "# Without an address now, and shut out: peer " + printable(name) + "\n";
  }
  if (f.member_ports.empty()) out += "# No member of this host is known: no rule for its port.\n";
  return out;
}

// --- nft

std::string nft_set(std::string_view name, const Side& side, bool v4) {
  std::string out =
      "  set " + std::string(name) + " {\n    type ipv" + (v4 ? "4" : "6") + "_addr\n";
  std::string elements;
  for (const std::string& address : addresses_of(side, v4)) {
    elements += (elements.empty() ? "" : ", ") + address;
  }
  if (!elements.empty()) out += "    elements = { " + elements + " }\n";
  return out + "  }\n";
}

std::string nft_text(const Firewall& f) {
  std::string sets;
  std::string rules;
  for (const Side& side : sides_of(f)) {
    if (side.ports.empty()) continue;
    for (const bool v4 : {true, false}) {
      const std::string set = std::string(side.name) + (v4 ? "4" : "6");
      sets += nft_set(set, side, v4);
      rules += "    " + std::string(side.protocol) + " dport { " + ports_of(side, ", ") + " } " +
               (v4 ? "ip" : "ip6") + " saddr != @" + set + " drop\n";
    }
  }
  return notes(f, "nft -f FILE") +
         "table inet tribecast_firewall\n"
         "delete table inet tribecast_firewall\n"
         "table inet tribecast_firewall {\n" +
         sets +
         "  chain input {\n"
         "    type filter hook input priority -10; policy accept;\n"
         "    iifname \"lo\" accept\n" +
         rules + "  }\n}\n";
}

// --- iptables

std::string iptables_rules(const Firewall& f, bool v4) {
  const std::string tool = v4 ? "iptables" : "ip6tables";
  const std::string add = tool + " -A TRIBECAST ";
  std::string out =
      tool + " -N TRIBECAST 2>/dev/null || " + tool + " -F TRIBECAST\n" + add + "-i lo -j RETURN\n";
  for (const Side& side : sides_of(f)) {
    for (const std::uint16_t port : side.ports) {
      const std::string match =
          "-p " + std::string(side.protocol) + " --dport " + std::to_string(port);
      for (const std::string& address : addresses_of(side, v4)) {
        out.append(add).append(match).append(" -s ").append(address).append(" -j RETURN\n");
      }
      out += add + match + " -j DROP\n";
    }
  }
  return out + tool + " -C INPUT -j TRIBECAST 2>/dev/null || " + tool + " -I INPUT -j TRIBECAST\n";
}

std::string iptables_text(const Firewall& f) {
  return "#!/bin/sh\n" + notes(f, "sh FILE") + "set -e\n" + iptables_rules(f, true) +
         iptables_rules(f, false);
}

// --- firewalld

std::string firewalld_set(const Side& side, bool v4) {
  const std::string call = "firewall-cmd --permanent ";
  const std::string set = "tribecast-" + std::string(side.name) + (v4 ? "4" : "6");
  std::string out = call + "--get-ipsets | grep -qw " + set + " || " + call + "--new-ipset=" + set +
                    " --type=hash:ip" + (v4 ? "" : " --option=family=inet6") + "\n" +
                    "for entry in $(" + call + "--ipset=" + set + " --get-entries); do " + call +
                    "--ipset=" + set + " --remove-entry=\"$entry\"; done\n";
  for (const std::string& address : addresses_of(side, v4)) {
    out.append(call)
        .append("--ipset=")
        .append(set)
        .append(" --add-entry=")
        .append(address)
        .append("\n");
  }
  for (const std::uint16_t port : side.ports) {
    out.append(call).append("--add-rich-rule='rule family=\"ipv").append(v4 ? "4" : "6");
    out.append("\" source ipset=\"").append(set).append("\" port port=\"");
    out.append(std::to_string(port)).append("\" protocol=\"").append(side.protocol);
    out.append("\" accept'\n");
  }
  return out;
}

// A zone lets nothing in that no rule accepts.
std::string firewalld_text(const Firewall& f) {
  std::string out =
      "#!/bin/sh\n" + notes(f, "sh FILE") +
      "# For the default zone, which must not be one that accepts everything.\nset -e\n";
  for (const Side& side : sides_of(f)) {
    if (side.ports.empty()) continue;
    for (const bool v4 : {true, false}) out += firewalld_set(side, v4);
  }
  return out + "firewall-cmd --reload\n";
}

std::vector<std::string> texts(const std::set<Address>& addresses) {
  std::vector<std::string> out;
  out.reserve(addresses.size());
  for (const Address& address : addresses) out.push_back(address.to_string());
  return out;
}

}  // namespace

Firewall firewall_of(const Status& status, std::set<std::uint16_t> agent_ports,
                     std::set<Address> configured) {
  Firewall out;
  out.agent_ports = std::move(agent_ports);
  out.peers = std::move(configured);
  for (const Peer& peer : status.peers) {
    if (peer.state == PeerState::self || peer.agentless) continue;
    const auto endpoint = Endpoint::parse(peer.endpoint.value_or(""));
    if (endpoint) {
      out.peers.insert(endpoint->address);
    } else {
      out.unknown_peers.push_back(peer.name);
    }
  }
  for (const Member& member : status.members) {
    if (member.state == MemberState::left) continue;
    if (member.origin == Origin::local) out.member_ports.insert(member.port);
    const auto address = Address::parse(member.host);
    if (address) out.members.insert(*address);
  }
  out.member_ports.erase(0);
  return out;
}

std::string firewall_text(const Firewall& firewall, FirewallFormat format) {
  static constexpr std::array kTexts = {nft_text, iptables_text, firewalld_text};
  return kTexts[static_cast<std::size_t>(format)](firewall);
}

std::string firewall_json(const Firewall& firewall, FirewallFormat format,
                          std::string_view generated_at) {
  json_value::Json json = json_value::document("firewall-print", generated_at);
  json["format"] = kFirewallFormats[static_cast<std::size_t>(format)];
  json["agent_ports"] = firewall.agent_ports;
  json["peers"] = texts(firewall.peers);
  json["member_ports"] = firewall.member_ports;
  json["members"] = texts(firewall.members);
  json["unknown_peers"] = firewall.unknown_peers;
  json["text"] = firewall_text(firewall, format);
  return json_value::page(json);
}

}  // namespace tribecast::control
