// The text of iptables-save, rule by rule in the words of nft:
//
//   *filter
//   :INPUT ACCEPT [0:0]
//   [0:0] -A INPUT ! -s 10.0.0.0/8 -p tcp -m multiport --dports 22,4000:4100 -j DROP
//   COMMIT
//
// What it has no word for becomes one that packet_filter.cc does not know either.
#include <algorithm>
#include <array>
#include <span>

#include "doctor/packet_filter.h"

namespace tribecast::doctor {
namespace {

using Words = std::span<const std::string>;

constexpr std::string_view kUnknown = "?";

// An option with one value, and the words of nft before that value.
struct Option {
  std::string_view name;
  std::string_view nft;
  bool list = false;  // `1,2:3`
};

constexpr std::array<Option, 15> kOptions = {
    Option{"-s", "ip saddr", true},
    {"-d", "ip daddr", true},
    {"-i", "iifname"},
    {"-o", "oifname"},
    {"-p", "meta l4proto"},
    {"--dport", "th dport", true},
    {"--sport", "th sport", true},
    {"--dports", "th dport", true},
    {"--sports", "th sport", true},
    {"--src-range", "ip saddr"},
    {"--dst-range", "ip daddr"},
    {"--pkt-type", "meta pkttype"},
    {"--ctstate", "ct state"},
    {"--state", "ct state"},
    {"--comment", "comment"},
};

// That say nothing by being named: their options do.
constexpr std::array<std::string_view, 8> kPlainMatches = {
    "udp", "tcp", "multiport", "comment", "state", "conntrack", "iprange", "pkttype"};

// After them the next rule is asked.
constexpr std::array<std::string_view, 12> kPassingTargets = {
    "LOG",  "NFLOG", "ULOG",  "MARK",     "CONNMARK", "TCPMSS",
    "DSCP", "TOS",   "AUDIT", "CHECKSUM", "SET",      "TTL"};

template <class List>
bool holds(const List& list, std::string_view word) {
  return std::ranges::find(list, word) != list.end();
}

// `22,4000:4100` as the set `{ 22, 4000-4100 `; `eth+` as `eth*`.
std::string value_of(const Option& option, std::string value) {
  if (option.name == "-i" || option.name == "-o") {
    if (value.ends_with('+')) value.back() = '*';
    return value;
  }
  if (option.nft == "ct state") {
    std::ranges::transform(value, value.begin(), [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
  }
  if (!option.list) return value;
  if (option.nft.starts_with("th")) std::ranges::replace(value, ':', '-');
  return value.find(',') == value.npos ? value : "{ " + value;
}

void add_words(std::string_view text, std::vector<std::string>& out) {
  for (std::string& word : words_of(text)) out.push_back(std::move(word));
}

std::string target_of(const std::string& name) {
  if (name == "ACCEPT") return "accept";
  if (name == "DROP" || name == "REJECT") return "drop";
  if (name == "RETURN") return "return";
  return holds(kPassingTargets, name) ? "counter" : "";
}

// Takes one option of a rule; how many words that took.
std::size_t take_option(Words words, bool differs, std::vector<std::string>& out) {
  if (words[0] == "-m" && words.size() > 1) {
    if (!holds(kPlainMatches, words[1])) out.emplace_back(kUnknown);
    return 2;
  }
  const auto option = std::ranges::find(kOptions, words[0], &Option::name);
  if (option == kOptions.end() || words.size() < 2) {
    out.emplace_back(kUnknown);
    return 1;
  }
  add_words(option->nft, out);
  if (differs) out.emplace_back("!=");
  out.push_back(value_of(*option, words[1]));
  return 2;
}

std::vector<std::string> translated(Words words) {
  std::vector<std::string> out;
  bool differs = false;
  while (!words.empty()) {
    if ((words[0] == "-j" || words[0] == "-g") && words.size() > 1) {
      const std::string verdict = words[0] == "-j" ? target_of(words[1]) : "";
      if (verdict.empty()) out.emplace_back(words[0] == "-j" ? "jump" : "goto");
      out.push_back(verdict.empty() ? words[1] : verdict);
      return out;  // what follows belongs to the target
    }
    if (words[0] == "!") {
      differs = true;
      words = words.subspan(1);
      continue;
    }
    const std::size_t used = take_option(words, differs, out);
    differs = false;
    words = words.subspan(used);
  }
  return out;
}

std::string hook_of(std::string_view chain) {
  if (chain == "INPUT") return "input";
  if (chain == "OUTPUT") return "output";
  return "";
}

void add_rule(const std::string& table, std::string_view line, std::vector<FilterChain>& chains) {
  const std::vector<std::string> all = words_of(line);
  const auto begin = std::ranges::find(all, "-A");
  if (all.end() - begin < 2) return;
  const auto chain = std::ranges::find_if(chains, [&](const FilterChain& one) {
    return one.table == table && one.name == *(begin + 1);
  });
  if (chain == chains.end()) return;
  const auto skipped = static_cast<std::size_t>(begin - all.begin());
  const std::size_t text = line.find("-A ");
  chain->rules.push_back({std::string(line.substr(std::min(text, line.size()))),
                          translated(Words(all).subspan(skipped + 2))});
}

}  // namespace

std::vector<FilterChain> parse_iptables(std::string_view listing) {
  std::vector<FilterChain> chains;
  std::string table;
  while (!listing.empty()) {
    const std::size_t end = std::min(listing.find('\n'), listing.size());
    const std::string_view line = listing.substr(0, end);
    listing.remove_prefix(std::min(end + 1, listing.size()));
    if (line.starts_with('*')) {
      table = std::string(kLegacyTable) + std::string(line.substr(1));
    } else if (line.starts_with(':')) {
      const std::vector<std::string> words = words_of(line.substr(1));
      if (words.size() < 2) continue;
      chains.push_back({table, words[0], hook_of(words[0]), words[1] == "DROP", {}});
    } else if (line.starts_with('-') || line.starts_with('[')) {
      add_rule(table, line, chains);
    }
  }
  return chains;
}

}  // namespace tribecast::doctor
