// What `nft list ruleset`, and `iptables-legacy-save`, say about single packets. Pure.
//
// nft prints every rule of nftables, those that iptables-nft, firewalld and ufw made too; the older
// tables of iptables-legacy are put into its words. The rules
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
// What `iptables-legacy-save` prints, in the words of nft (iptables_text.cc). The kernel asks both.
inline constexpr std::string_view kLegacyTable = "iptables-legacy ";
std::vector<FilterChain> parse_iptables(std::string_view listing);
// `a` or `"a b"`, `{ a, b }` up to its brace: the words of a line of either.
std::vector<std::string> words_of(std::string_view text);

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
  std::string rule;   // which drops it, or why that is not known, with its chain
  std::string chain;  // where its way begins: `inet filter input`
};

PacketVerdict judge_packet(const PacketFilter& filter, const Packet& packet);
// Whether some rule, or a policy, stands between a stranger (of an address that no rule names) and
// this port.
bool guards_port(const PacketFilter& filter, const Endpoint& listener);

}  // namespace tribecast::doctor
