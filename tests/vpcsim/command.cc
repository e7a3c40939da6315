#include "vpcsim/command.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "base/suggest.h"
#include "base/utf8.h"

namespace tribecast::vpcsim {
namespace {

template <class T>
using Parsed = Result<T, std::string>;
using Words = std::vector<std::string_view>;
using Names = std::span<const std::string>;

constexpr std::size_t kMaxLine = 4096;
constexpr std::size_t kMaxNameBytes = 32;
constexpr std::size_t kMaxAddresses = 16;
constexpr Duration kLongestDelay = seconds(3600);
constexpr std::size_t kLeastMtu = 68;  // RFC 791
constexpr std::size_t kMostMtu = 65535;
constexpr std::uint64_t kLeastRate = 1000;

Unexpected<std::string> wrong(std::string what) { return {std::move(what)}; }

std::string quoted(std::string_view text) { return "'" + std::string(text) + "'"; }

std::string joined(std::span<const std::string_view> words) {
  std::string text;
  for (const std::string_view word : words) text += (text.empty() ? "" : ", ") + std::string(word);
  return text;
}

// `'sett' is no command, did you mean 'set'?`, or all that there are.
Unexpected<std::string> unknown(std::string_view word, std::string_view kind,
                                std::span<const std::string_view> known) {
  const std::string hint = did_you_mean(word, known);
  return wrong(quoted(word) + " is no " + std::string(kind) + ", " +
               (hint.empty() ? "there are: " + joined(known) : hint));
}

Words split(std::string_view text, std::string_view separators) {
  Words words;
  std::size_t at = 0;
  while ((at = text.find_first_not_of(separators, at)) != text.npos) {
    const std::size_t end = std::min(text.find_first_of(separators, at), text.size());
    words.push_back(text.substr(at, end - at));
    at = end;
  }
  return words;
}

struct Number {
  std::uint64_t millionths = 0;
  std::string_view rest;
};

// A decimal number below ten million with at most six places, and what comes behind it.
std::optional<Number> read_number(std::string_view text) {
  constexpr std::uint64_t kMost = 10'000'000;
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  Number number;
  std::size_t at = 0;
  for (; at < text.size() && is_digit(text[at]); ++at) {
    number.millionths = number.millionths * 10 + static_cast<std::uint64_t>(text[at] - '0');
    if (number.millionths >= kMost) return std::nullopt;
  }
  if (at == 0) return std::nullopt;
  number.millionths *= kMillion;
  if (at < text.size() && text[at] == '.') {
    std::uint64_t unit = kMillion;
    const std::size_t first = ++at;
    for (; at < text.size() && is_digit(text[at]); ++at) {
      unit /= 10;
      if (unit == 0) return std::nullopt;
      number.millionths += unit * static_cast<std::uint64_t>(text[at] - '0');
    }
    if (at == first) return std::nullopt;
  }
  number.rest = text.substr(at);
  return number;
}

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};
constexpr std::array kTimeUnits = {Unit{"us", 1'000}, Unit{"ms", 1'000'000},
                                   Unit{"s", 1'000'000'000}};
constexpr std::array kRateUnits = {Unit{"kbit", 1'000}, Unit{"mbit", 1'000'000},
                                   Unit{"gbit", 1'000'000'000}};

std::optional<std::uint64_t> scaled(std::string_view text, std::span<const Unit> units) {
  const auto number = read_number(text);
  if (!number) return std::nullopt;
  const auto unit = std::ranges::find(units, number->rest, &Unit::name);
  if (unit == units.end()) return std::nullopt;
  // Below 1e13 millionths and at most 1e9 of a unit: first what does not overflow.
  return number->millionths / 1000 * (unit->factor / 1000);
}

Parsed<Share> to_share(std::string_view text) {
  const auto number = read_number(text);
  const bool unit_is_right = number && (number->rest.empty() || number->rest == "%");
  if (!unit_is_right || number->millionths > 100ULL * kMillion) {
    return wrong(quoted(text) + " is no percentage such as 30 or 0.5");
  }
  return Share{static_cast<std::uint32_t>(number->millionths / 100)};
}

Parsed<Duration> to_delay(std::string_view text) {
  if (text == "0") return Duration{};
  const auto ns = scaled(text, kTimeUnits);
  if (!ns) return wrong(quoted(text) + " is no time such as 500us, 20ms or 1.5s");
  if (*ns > static_cast<std::uint64_t>(kLongestDelay.count())) {
    return wrong(quoted(text) + " is more than an hour");
  }
  return Duration(static_cast<Duration::rep>(*ns));
}

// `400ms`, `100ms-400ms`, `0-400ms`.
Parsed<Range> to_range(std::string_view text) {
  const std::size_t dash = text.find('-');
  const auto least =
      dash == text.npos ? Parsed<Duration>(Duration{}) : to_delay(text.substr(0, dash));
  if (!least) return wrong(least.error());
  const auto most = to_delay(dash == text.npos ? text : text.substr(dash + 1));
  if (!most) return wrong(most.error());
  if (*least > *most) return wrong(quoted(text) + " begins above its end");
  return Range{*least, *most};
}

Parsed<std::size_t> to_mtu(std::string_view text) {
  if (text == "off") return std::size_t{0};
  std::size_t bytes = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, bytes);
  if (error != std::errc{} || stop != end || bytes < kLeastMtu || bytes > kMostMtu) {
    return wrong(quoted(text) + " is neither 'off' nor in 68-65535");
  }
  return bytes;
}

Parsed<std::uint64_t> to_rate(std::string_view text) {
  if (text == "off") return std::uint64_t{0};
  const auto bits = scaled(text, kRateUnits);
  if (!bits || *bits < kLeastRate) {
    return wrong(quoted(text) + " is neither 'off' nor a rate such as 64kbit, 10mbit or 1gbit");
  }
  return *bits;
}

// Which words of a `set` change what.
struct Key {
  std::string_view name;
  std::optional<std::string> (*read)(std::string_view text, Change& change);  // the mistake
};

template <class T>
std::optional<std::string> put(Parsed<T> parsed, std::optional<T>& place) {
  if (!parsed) return parsed.error();
  place = *parsed;
  return std::nullopt;
}

constexpr std::array kKeys = {
    Key{"loss", [](std::string_view t, Change& c) { return put(to_share(t), c.loss); }},
    Key{"duplicate", [](std::string_view t, Change& c) { return put(to_share(t), c.duplicate); }},
    Key{"reorder", [](std::string_view t, Change& c) { return put(to_share(t), c.reorder); }},
    Key{"corrupt", [](std::string_view t, Change& c) { return put(to_share(t), c.corrupt); }},
    Key{"tamper", [](std::string_view t, Change& c) { return put(to_share(t), c.tamper); }},
    Key{"delay", [](std::string_view t, Change& c) { return put(to_delay(t), c.delay); }},
    Key{"jitter", [](std::string_view t, Change& c) { return put(to_range(t), c.jitter); }},
    Key{"mtu", [](std::string_view t, Change& c) { return put(to_mtu(t), c.mtu_bytes); }},
    Key{"rate", [](std::string_view t, Change& c) { return put(to_rate(t), c.rate_bits); }},
};

template <std::size_t N>
constexpr std::array<std::string_view, N> names_of(const std::array<Key, N>& keys) {
  std::array<std::string_view, N> names;
  for (std::size_t i = 0; i < N; ++i) names[i] = keys[i].name;
  return names;
}

Parsed<HostId> to_host(std::string_view word, Names hosts) {
  const auto found = std::ranges::find(hosts, word);
  if (found != hosts.end()) return static_cast<HostId>(found - hosts.begin());
  const Words known(hosts.begin(), hosts.end());
  return unknown(word, "host", known);
}

Parsed<std::optional<HostId>> to_end(std::string_view word, Names hosts) {
  if (word == "*") return std::optional<HostId>();
  const auto host = to_host(word, hosts);
  if (!host) return wrong(host.error());
  return std::optional(*host);
}

Parsed<Pairs> to_pairs(std::string_view word, Names hosts) {
  Pairs pairs;
  if (word == "*") return pairs;
  const std::size_t arrow = word.find("->");
  if (arrow == word.npos) return wrong(quoted(word) + " is no pair such as a->b, a<->b, *->b or *");
  pairs.both_ways = arrow > 0 && word[arrow - 1] == '<';
  const auto from = to_end(word.substr(0, pairs.both_ways ? arrow - 1 : arrow), hosts);
  if (!from) return wrong(from.error());
  const auto to = to_end(word.substr(arrow + 2), hosts);
  if (!to) return wrong(to.error());
  pairs.from = *from;
  pairs.to = *to;
  return pairs;
}

Parsed<Command> read_set(std::span<const std::string_view> words, Names hosts) {
  if (words.size() < 2) return wrong("set takes a pair and what to change: set a->b loss=30");
  const auto pairs = to_pairs(words[0], hosts);
  if (!pairs) return wrong(pairs.error());
  Set set{*pairs, {}};
  for (const std::string_view word : words.subspan(1)) {
    const std::size_t equals = word.find('=');
    if (equals == word.npos) return wrong(quoted(word) + " is no KEY=VALUE such as loss=30");
    const std::string_view name = word.substr(0, equals);
    const auto* key = std::ranges::find(kKeys, name, &Key::name);
    if (key == kKeys.end()) return unknown(name, "key", names_of(kKeys));
    const auto mistake = key->read(word.substr(equals + 1), set.change);
    if (mistake) return wrong(std::string(name) + ": " + *mistake);
  }
  return Command(set);
}

Parsed<Command> read_clear(std::span<const std::string_view> words, Names hosts) {
  if (words.size() != 1) return wrong("clear takes one pair: clear a->b, or clear *");
  const auto pairs = to_pairs(words[0], hosts);
  if (!pairs) return wrong(pairs.error());
  return Command(Clear{*pairs});
}

constexpr std::array<std::string_view, 4> kProtocolNames = {"udp", "tcp", "icmp", "any"};
constexpr std::array kProtocols = {Protocol::udp, Protocol::tcp, Protocol::icmp, Protocol::any};

Parsed<std::uint16_t> to_port(std::string_view text) {
  std::uint16_t port = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, port);
  if (error != std::errc{} || stop != end || port == 0) {
    return wrong("port " + quoted(text) + " is not in 1-65535");
  }
  return port;
}

Parsed<Command> read_rule(bool allow, std::span<const std::string_view> words, Names hosts) {
  if (words.empty() || words.size() > 3) {
    return wrong("a rule takes a pair, a protocol, ports: deny a->b udp 45565");
  }
  const auto pairs = to_pairs(words[0], hosts);
  if (!pairs) return wrong(pairs.error());
  Rule rule;
  rule.allow = allow;
  rule.pairs = *pairs;
  if (words.size() > 1) {
    const auto* name = std::ranges::find(kProtocolNames, words[1]);
    if (name == kProtocolNames.end()) return unknown(words[1], "protocol", kProtocolNames);
    rule.protocol = kProtocols.at(static_cast<std::size_t>(name - kProtocolNames.begin()));
  }
  if (words.size() < 3) return Command(rule);
  if (rule.protocol != Protocol::udp && rule.protocol != Protocol::tcp) {
    return wrong("only udp and tcp have ports, not " + quoted(words[1]));
  }
  const std::size_t dash = words[2].find('-');
  const auto first = to_port(words[2].substr(0, dash));
  if (!first) return wrong(first.error());
  const auto last = dash == words[2].npos ? first : to_port(words[2].substr(dash + 1));
  if (!last) return wrong(last.error());
  if (*first > *last) return wrong(quoted(words[2]) + " begins above its end");
  rule.first_port = *first;
  rule.last_port = *last;
  return Command(rule);
}

Parsed<Command> read_partition(std::string_view text, Names hosts) {
  Partition partition;
  std::vector<bool> named(hosts.size());
  for (const std::string_view group : split(text, "|")) {
    auto& members = partition.groups.emplace_back();
    for (const std::string_view word : split(group, ", ")) {
      const auto host = to_host(word, hosts);
      if (!host) return wrong(host.error());
      if (named[*host]) return wrong("host " + quoted(word) + " is named twice");
      named[*host] = true;
      members.push_back(*host);
    }
    if (members.empty()) partition.groups.pop_back();
  }
  if (partition.groups.size() < 2) {
    return wrong("partition takes two or more groups: partition a,b | c");
  }
  return Command(std::move(partition));
}

constexpr std::array<std::string_view, 8> kVerbs = {"set",       "clear", "allow",    "deny",
                                                    "partition", "heal",  "counters", "quit"};

bool is_host_name(std::string_view name) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == '-';
  };
  return !name.empty() && name.size() <= kMaxNameBytes && std::ranges::all_of(name, fits) &&
         !name.ends_with('-');  // or a->b could be read in two ways
}

}  // namespace

Result<Command, std::string> parse_command(std::string_view line,
                                           std::span<const std::string> hosts) {
  if (line.size() > kMaxLine) return wrong("the command is longer than 4096 bytes");
  if (first_unprintable(line) != line.npos) return wrong("the command is no printable text");
  const Words words = split(line, " \t");
  if (words.empty()) return wrong("the command is empty, there are: " + joined(kVerbs));
  const std::string_view verb = words[0];
  const auto rest = std::span(words).subspan(1);
  if (verb == "set") return read_set(rest, hosts);
  if (verb == "clear") return read_clear(rest, hosts);
  if (verb == "allow" || verb == "deny") return read_rule(verb == "allow", rest, hosts);
  if (verb == "partition") return read_partition(line.substr(line.find(verb) + verb.size()), hosts);
  const auto* known = std::ranges::find(kVerbs, verb);
  if (known == kVerbs.end()) return unknown(verb, "command", kVerbs);
  if (!rest.empty()) return wrong(quoted(verb) + " stands alone, not with " + quoted(rest[0]));
  if (verb == "heal") return Command(Heal{});
  if (verb == "counters") return Command(Counters{});
  return Command(Quit{});
}

Result<HostArgument, std::string> parse_host(std::string_view text) {
  const auto malformed = [&] {
    return wrong(quoted(text) + " is no host such as a=NETNS:eth0:10.83.0.1/24");
  };
  HostArgument host;
  const std::size_t equals = text.find('=');
  if (equals == text.npos) return malformed();
  host.name = text.substr(0, equals);
  if (!is_host_name(host.name)) {
    return wrong(quoted(host.name) + " is no name: up to 32 letters, digits, '-', '_' and '.'");
  }
  const Words parts = split(text.substr(equals + 1), ":");
  if (parts.size() != 3) return malformed();
  host.netns = parts[0];
  host.interface = parts[1];
  for (const std::string_view word : split(parts[2], ",")) {
    const auto prefix = Prefix::parse(word);
    if (!prefix || !prefix->address.is_v4() || prefix->address.is_multicast()) {
      return wrong(quoted(word) + " is no IPv4 address of a host, such as 10.83.0.1/24");
    }
    host.addresses.push_back(*prefix);
  }
  if (host.addresses.empty() || host.addresses.size() > kMaxAddresses) return malformed();
  return host;
}

}  // namespace tribecast::vpcsim
