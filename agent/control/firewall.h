// Rules for the host's packet filter, made of a status: who may reach the agent and the members of
// this host. Others are dropped; nothing else is touched.
#pragma once

#include <array>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "control/status.h"

namespace tribecast::control {

enum class FirewallFormat : std::uint8_t { nft, iptables, firewalld };
inline constexpr std::array<std::string_view, 3> kFirewallFormats = {"nft", "iptables",
                                                                     "firewalld"};

struct Firewall {
  std::set<std::uint16_t> agent_ports;  // UDP, from the peers
  std::set<Address> peers;
  std::set<std::uint16_t> member_ports;  // TCP, from the members
  std::set<Address> members;
  std::vector<std::string> unknown_peers;  // whose address is not known now
};

// The peers' present endpoints and the members that are seen; `configured` are addresses that
// peers may use as well.
Firewall firewall_of(const Status& status, std::set<std::uint16_t> agent_ports,
                     std::set<Address> configured);

// nft: a file for `nft -f`, which replaces what it made before; the others are shell scripts.
std::string firewall_text(const Firewall& firewall, FirewallFormat format);
std::string firewall_json(const Firewall& firewall, FirewallFormat format,
                          std::string_view generated_at);

}  // namespace tribecast::control
