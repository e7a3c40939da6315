// What `nft list ruleset` says about single packets. Pure.
//
// nft prints every rule of nftables, those that iptables-nft, firewalld and ufw made too. The rules
// are followed with three values: what this reader does not know (sets by name, connection states,
// extensions of iptables, ...) may match or not, and "no" is said only when no such doubt is left.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"

namespace tribecast::doctor {

inline constexpr std::size_t kMaxPacketFilterBytes = 8U << 20U;

struct FilterRule {
  std::string text;
  std::vector<std::string> words;
};

struct FilterChain {
  std::string table;  // `inet filter`
  std::string name;
  std::string hook;    // empty: only jumped to
  bool drops = false;  // its policy
  std::vector<FilterRule> rules;
};

struct PacketFilter {
  std::vector<FilterChain> chains;
};

PacketFilter parse_packet_filter(std::string_view listing);

enum class Protocol : std::uint8_t { udp, tcp };

struct Packet {
  std::string hook;  // `input`, `output`
  Protocol protocol = Protocol::udp;
  Endpoint source;
  Endpoint destination;
  std::string interface;  // by which it comes or goes; empty = any
};

enum class Passes : std::uint8_t { yes, no, unknown };

struct PacketVerdict {
  Passes passes = Passes::yes;
  std::string rule;  // which drops it, with its chain
};

PacketVerdict judge_packet(const PacketFilter& filter, const Packet& packet);
// Whether any rule, or a policy, stands between strangers and this port; drops of other things do
// not count.
bool guards_port(const PacketFilter& filter, const Endpoint& listener);

}  // namespace tribecast::doctor
