#include "doctor/packet_filter.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <span>

namespace tribecast::doctor {
namespace {

using Words = std::span<const std::string>;

constexpr int kMostJumps = 16;  // as the kernel (NFT_JUMP_STACK_SIZE)
// Rules asked for one packet: chains that jump to each other again and again have an end.
constexpr std::size_t kMostSteps = 200000;

// --- reading

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = std::min(text.find_first_not_of(" \t\r"), text.size());
  text.remove_prefix(begin);
  return text.substr(0, text.find_last_not_of(" \t\r") + 1);
}

std::string word_after(Words words, std::string_view wanted) {
  const auto at = std::ranges::find(words, wanted);
  if (at == words.end() || at + 1 == words.end()) return {};
  std::string word = *(at + 1);
  while (!word.empty() && word.back() == ';') word.pop_back();
  return word;
}

// --- judging

enum class Match : std::uint8_t { yes, no, maybe };

Match inverted(Match match) {
  if (match == Match::maybe) return match;
  return match == Match::yes ? Match::no : Match::yes;
}

std::optional<std::uint16_t> port_of(std::string_view text) {
  std::uint16_t port = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || stop != text.data() + text.size()) return std::nullopt;
  return port;
}

Match port_matches(std::string_view value, std::uint16_t port) {
  const std::size_t dash = value.find('-');
  const auto low = port_of(value.substr(0, dash));
  const auto high = dash == std::string_view::npos ? low : port_of(value.substr(dash + 1));
  if (!low || !high) return Match::maybe;
  return *low <= port && port <= *high ? Match::yes : Match::no;
}

Match address_matches(std::string_view value, const Address& address) {
  if (const auto prefix = Prefix::parse(value)) {
    return prefix->contains(address) ? Match::yes : Match::no;
  }
  const std::size_t dash = value.find('-');
  if (dash == std::string_view::npos) return Match::maybe;
  const auto low = Address::parse(value.substr(0, dash));
  const auto high = Address::parse(value.substr(dash + 1));
  if (!low || !high) return Match::maybe;
  return *low <= address && address <= *high ? Match::yes : Match::no;
}

Match word_matches(std::string_view value, std::initializer_list<std::string_view> names) {
  return std::ranges::find(names, value) == names.end() ? Match::no : Match::yes;
}

// `value`, or any of `{ value, value }`, which comes without its last brace.
template <class One>
Match any_of_set(std::string_view values, One&& one) {
  if (!values.starts_with('{')) return one(values);
  values.remove_prefix(1);
  Match result = Match::no;
  while (!values.empty()) {
    const std::size_t comma = std::min(values.find(','), values.size());
    const Match match = one(trimmed(values.substr(0, comma)));
    if (match == Match::yes) return match;
    if (match == Match::maybe) result = match;
    values.remove_prefix(std::min(comma + 1, values.size()));
  }
  return result;
}

Match interface_matches(std::string_view value, const std::string& interface) {
  // Nothing that is meant here stays within the host.
  if (interface.empty()) return value == "lo" ? Match::no : Match::maybe;
  if (value.ends_with('*')) {
    value.remove_suffix(1);
    return interface.starts_with(value) ? Match::yes : Match::no;
  }
  return value == interface ? Match::yes : Match::no;
}

Match protocol_matches(std::string_view value, Protocol protocol) {
  return protocol == Protocol::udp ? word_matches(value, {"udp", "17"})
                                   : word_matches(value, {"tcp", "6"});
}

Match protocol_is(std::string_view word, const Packet& packet) {
  if (word == "th") return Match::yes;
  return protocol_matches(word, packet.protocol);
}

// One kind of comparison: the words that begin it, and what it says to a value.
struct Comparison {
  std::string_view subject;  // may be empty
  std::string_view field;
  Match (*matches)(std::string_view value, const Packet& packet, std::string_view subject);
};

Match source_address(std::string_view value, const Packet& packet, std::string_view) {
  return address_matches(value, packet.source.address);
}
Match destination_address(std::string_view value, const Packet& packet, std::string_view) {
  return address_matches(value, packet.destination.address);
}
Match source_port(std::string_view value, const Packet& packet, std::string_view subject) {
  if (protocol_is(subject, packet) == Match::no) return Match::no;
  return port_matches(value, packet.source.port);
}
Match destination_port(std::string_view value, const Packet& packet, std::string_view subject) {
  if (protocol_is(subject, packet) == Match::no) return Match::no;
  return port_matches(value, packet.destination.port);
}
Match protocol_field(std::string_view value, const Packet& packet, std::string_view) {
  return protocol_matches(value, packet.protocol);
}
// Of TCP it is the first packet of a connection that is judged. Nothing that is meant here is
// invalid; whether UDP belongs to something known depends on what went before.
Match connection_state(std::string_view value, const Packet& packet, std::string_view) {
  if (value.find(',') == std::string_view::npos) {
    if (value == "invalid") return Match::no;
    if (packet.protocol != Protocol::tcp) return Match::maybe;
    if (value == "new") return Match::yes;
    return value == "established" || value == "related" ? Match::no : Match::maybe;
  }
  Match result = Match::no;
  while (!value.empty()) {
    const std::size_t comma = std::min(value.find(','), value.size());
    const Match one = connection_state(value.substr(0, comma), packet, {});
    if (one == Match::yes) return one;
    if (one == Match::maybe) result = one;
    value.remove_prefix(std::min(comma + 1, value.size()));
  }
  return result;
}
Match packet_type(std::string_view value, const Packet& packet, std::string_view) {
  const bool multicast = packet.destination.address.is_multicast();
  return word_matches(value,
                      {multicast ? "multicast" : "host", multicast ? "multicast" : "unicast"});
}
Match never(std::string_view, const Packet&, std::string_view) { return Match::no; }
Match incoming(std::string_view value, const Packet& packet, std::string_view) {
  return packet.hook == "input" ? interface_matches(value, packet.interface) : Match::no;
}
Match outgoing(std::string_view value, const Packet& packet, std::string_view) {
  return packet.hook == "output" ? interface_matches(value, packet.interface) : Match::no;
}

constexpr Comparison kComparisons[] = {
    {"ip", "saddr", source_address},
    {"ip", "daddr", destination_address},
    {"ip6", "saddr", never},
    {"ip6", "daddr", never},
    {"ip6", "nexthdr", never},
    {"icmp", "type", never},
    {"icmpv6", "type", never},
    {"udp", "sport", source_port},
    {"udp", "dport", destination_port},
    {"tcp", "sport", source_port},
    {"tcp", "dport", destination_port},
    {"th", "sport", source_port},
    {"th", "dport", destination_port},
    {"ip", "protocol", protocol_field},
    {"meta", "l4proto", protocol_field},
    {"meta", "pkttype", packet_type},
    {"", "pkttype", packet_type},
    {"ct", "state", connection_state},
    {"", "iifname", incoming},
    {"", "iif", incoming},
    {"", "oifname", outgoing},
    {"", "oif", outgoing},
};

struct Compared {
  Match match;
  std::size_t words;  // how many it took
};

std::optional<Compared> compare(Words words, const Packet& packet) {
  for (const Comparison& comparison : kComparisons) {
    const std::size_t head = comparison.subject.empty() ? 1 : 2;
    if (words.size() <= head) continue;
    if (head == 2 && words[0] != comparison.subject) continue;
    if (words[head - 1] != comparison.field) continue;
    const bool differs = words[head] == "!=";
    const std::size_t at = head + (differs ? 1 : 0);
    if (words.size() <= at) return Compared{Match::maybe, words.size()};
    if (words[at] == "vmap") return Compared{Match::yes, at};
    const Match match = any_of_set(words[at], [&](std::string_view value) {
      return comparison.matches(value, packet, comparison.subject);
    });
    return Compared{differs ? inverted(match) : match, at + 1};
  }
  return std::nullopt;
}

// other: something that this reader does not know.
enum class Act : std::uint8_t { next, accept, drop, leave, jump, go_to, other };

struct Effect {
  Match match = Match::yes;
  Act act = Act::next;
  std::string target;
};

// Statements without a say in what happens to the packet, and how many words they take.
std::size_t harmless(Words words) {
  if (words[0] == "counter") return words.size() >= 5 && words[1] == "packets" ? 5 : 1;
  if (words[0] == "comment") return 2;
  return 0;
}

// Statements that may end the packet's way here, and how many words they take: maps of verdicts,
// programs that are asked, targets of iptables that nft does not know.
std::size_t fate_unknown(Words words) {
  if (words[0] == "vmap" || words[0] == "queue") return words.size();
  const bool target = words.size() > 2 && words[0] == "xt" && words[1] == "target";
  return target ? 3 : 0;
}

Effect effect_of(const FilterRule& rule, const Packet& packet) {
  Effect effect;
  Words words = rule.words;
  while (!words.empty()) {
    std::size_t used = 1;
    const std::string& word = words[0];
    if (const auto compared = compare(words, packet)) {
      used = compared->words;
      if (compared->match == Match::no) effect.match = Match::no;
      if (compared->match == Match::maybe && effect.match == Match::yes)
        effect.match = Match::maybe;
    } else if (const std::size_t unsure = fate_unknown(words); unsure > 0) {
      effect.act = Act::other;
      used = unsure;
    } else if (word == "accept") {
      effect.act = Act::accept;
    } else if (word == "drop" || word == "reject") {
      effect.act = Act::drop;
      used = words.size();
    } else if (word == "return") {
      effect.act = Act::leave;
    } else if ((word == "jump" || word == "goto") && words.size() > 1) {
      effect.act = word == "jump" ? Act::jump : Act::go_to;
      effect.target = words[1];
      used = 2;
    } else if (const std::size_t taken = harmless(words); taken > 0) {
      used = taken;
    } else if (word != "meta" && effect.match == Match::yes) {
      effect.match = Match::maybe;
    }
    words = words.subspan(std::min(used, words.size()));
  }
  return effect;
}

enum class End : std::uint8_t { fell_through, accepted, dropped };

class Walk {
 public:
  Walk(const PacketFilter& filter, const Packet& packet) : filter_(filter), packet_(packet) {}

  End chain(const FilterChain& chain, int depth) {
    for (const FilterRule& rule : chain.rules) {
      if (++steps_ > kMostSteps) {
        doubt(chain, rule, Act::other);
        return End::fell_through;
      }
      const Effect effect = effect_of(rule, packet_);
      if (effect.match == Match::no || effect.act == Act::next) continue;
      if (effect.match == Match::maybe || effect.act == Act::other) {
        doubt(chain, rule, effect.act);
        continue;
      }
      if (effect.act == Act::accept) return End::accepted;
      if (effect.act == Act::drop) {
        dropped_by = named(chain, rule);
        return End::dropped;
      }
      if (effect.act == Act::leave) return End::fell_through;
      const FilterChain* target = find(chain.table, effect.target);
      if (target == nullptr || depth >= kMostJumps) {
        doubt(chain, rule, effect.act);
        continue;
      }
      const End end = this->chain(*target, depth + 1);
      if (end != End::fell_through || effect.act == Act::go_to) return end;
    }
    return End::fell_through;
  }

  std::string dropped_by;
  std::string doubted;     // the first rule that may match or not
  std::string may_drop;    // the first such rule that drops
  bool may_guard = false;  // one of those is about a port

 private:
  static std::string named(const FilterChain& chain, const FilterRule& rule) {
    return chain.table + " " + chain.name + ": " + rule.text;
  }

  void doubt(const FilterChain& chain, const FilterRule& rule, Act act) {
    if (doubted.empty()) doubted = named(chain, rule);
    if (act != Act::drop) return;
    if (may_drop.empty()) may_drop = named(chain, rule);
    may_guard = may_guard || std::ranges::find(rule.words, "dport") != rule.words.end();
  }

  const FilterChain* find(const std::string& table, const std::string& name) const {
    const auto found = std::ranges::find_if(filter_.chains, [&](const FilterChain& chain) {
      return chain.table == table && chain.name == name;
    });
    return found == filter_.chains.end() ? nullptr : &*found;
  }

  const PacketFilter& filter_;
  const Packet& packet_;
  std::size_t steps_ = 0;
};

bool sees_ipv4(const FilterChain& chain) {
  return chain.table.starts_with("ip ") || chain.table.starts_with("inet ") ||
         chain.table.starts_with(kLegacyTable);
}

}  // namespace

// Words; `{ a, b }` and `"a b"` are one each, without their marks but for the brace.
std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  while (true) {
    text = trimmed(text);
    if (text.empty()) return words;
    std::size_t end = 0;
    if (text.front() == '"') {
      end = std::min(text.find('"', 1), text.size());
      words.emplace_back(text.substr(1, end - 1));
      ++end;
    } else if (text.front() == '{') {
      end = std::min(text.find('}'), text.size());
      words.emplace_back(text.substr(0, end));
      ++end;
    } else {
      end = std::min(text.find_first_of(" \t"), text.size());
      words.emplace_back(text.substr(0, end));
    }
    text.remove_prefix(std::min(end, text.size()));
  }
}

PacketFilter parse_packet_filter(std::string_view listing) {
  PacketFilter filter;
  std::string table;
  bool in_chain = false;
  int others = 0;  // braces that are open beside table and chain: sets, maps, their elements
  while (!listing.empty()) {
    const std::size_t end = std::min(listing.find('\n'), listing.size());
    const std::string_view line = trimmed(listing.substr(0, end));
    listing.remove_prefix(std::min(end + 1, listing.size()));
    const std::vector<std::string> words = words_of(line);
    if (words.empty() || line.starts_with('#')) continue;
    const bool opens = line.ends_with('{');
    if (others > 0 || (opens && words[0] != "table" && words[0] != "chain")) {
      others += static_cast<int>(std::ranges::count(line, '{') - std::ranges::count(line, '}'));
      others = std::max(others, 0);
    } else if (opens && words[0] == "table" && words.size() >= 3) {
      table = words[1] + " " + words[2];
    } else if (opens && words[0] == "chain" && words.size() >= 2) {
      filter.chains.push_back({table, words[1], {}, false, {}});
      in_chain = true;
    } else if (words[0] == "}") {
      in_chain = false;
    } else if (in_chain && words[0] == "type" && line.find(" hook ") != line.npos) {
      filter.chains.back().hook = word_after(words, "hook");
      filter.chains.back().drops = word_after(words, "policy") == "drop";
    } else if (in_chain) {
      filter.chains.back().rules.push_back({std::string(line), words});
    }
  }
  return filter;
}

PacketVerdict judge_packet(const PacketFilter& filter, const Packet& packet) {
  PacketVerdict verdict;
  for (const FilterChain& chain : filter.chains) {
    if (chain.hook != packet.hook || !sees_ipv4(chain)) continue;
    Walk walk(filter, packet);
    const End end = walk.chain(chain, 0);
    const bool by_policy = end == End::fell_through && chain.drops;
    const std::string at = chain.table + " " + chain.name;
    const bool drops = end == End::dropped || by_policy;
    if (drops && walk.doubted.empty()) {
      return {Passes::no, by_policy ? at + ": policy drop" : walk.dropped_by, at};
    }
    if (!drops && walk.may_drop.empty()) continue;
    verdict = {Passes::unknown, drops ? walk.doubted : walk.may_drop, at};
  }
  return verdict;
}

bool guards_port(const PacketFilter& filter, const Endpoint& listener) {
  const Packet packet{"input", Protocol::tcp, {Address::v4(0), 0}, listener, ""};
  for (const FilterChain& chain : filter.chains) {
    if (chain.hook != "input" || !sees_ipv4(chain)) continue;
    Walk walk(filter, packet);
    const End end = walk.chain(chain, 0);
    if (end == End::dropped || (end == End::fell_through && chain.drops)) return true;
    if (walk.may_guard) return true;
  }
  return false;
}

}  // namespace tribecast::doctor
