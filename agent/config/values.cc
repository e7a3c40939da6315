#include "config/values.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/utf8.h"
#include "seal/node_key.h"

namespace tribecast::config {
namespace {

constexpr std::size_t kMaxNameBytes = 64;
constexpr std::size_t kMaxPathBytes = 4096;
constexpr std::size_t kMaxInterfaceBytes = 15;  // IFNAMSIZ and its zero

Unexpected<std::string> wrong(std::string what) { return {std::move(what)}; }

std::string in_quotes(std::string_view text) { return "'" + std::string(text) + "'"; }

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

constexpr std::array kTimeUnits = {Unit{"h", 3'600'000'000'000}, Unit{"m", 60'000'000'000},
                                   Unit{"s", 1'000'000'000}, Unit{"ms", 1'000'000}};
constexpr std::array kSizeUnits = {Unit{"", 1}, Unit{"k", 1U << 10U}, Unit{"m", 1U << 20U},
                                   Unit{"g", 1U << 30U}};
constexpr std::uint64_t kMostNanoseconds = 1'000ULL * 24 * 3'600'000'000'000;

struct Digits {
  std::uint64_t value = 0;
  std::string_view rest;
  bool too_large = false;
};

// The digits that the text begins with; nullopt when it begins with none.
std::optional<Digits> read_digits(std::string_view text) {
  Digits d;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, d.value);
  if (error == std::errc::invalid_argument) return std::nullopt;
  d.too_large = error == std::errc::result_out_of_range;
  d.rest = text.substr(static_cast<std::size_t>(stop - text.data()));
  return d;
}

// A number with one of the units, at most `most`; nullopt when it is none or more.
std::optional<std::uint64_t> scaled(std::string_view text, std::span<const Unit> units,
                                    std::uint64_t most) {
  const auto digits = read_digits(text);
  if (!digits || digits->too_large) return std::nullopt;
  const auto unit = std::ranges::find(units, digits->rest, &Unit::name);
  if (unit == units.end() || digits->value > most / unit->factor) return std::nullopt;
  return digits->value * unit->factor;
}

Converted<std::uint16_t> to_port(std::string_view text) {
  const auto digits = read_digits(text);
  if (!digits || !digits->rest.empty()) return wrong("port " + in_quotes(text) + " is no number");
  if (digits->too_large || digits->value == 0 || digits->value > 65535) {
    return wrong("port " + std::string(text) + " is not in 1-65535");
  }
  return static_cast<std::uint16_t>(digits->value);
}

struct HostPort {
  std::string_view host;
  std::optional<std::string_view> port;
};

// `host`, `host:port`, `[v6]`, `[v6]:port`; several colons without brackets are an IPv6 address.
Converted<HostPort> split(std::string_view text) {
  if (text.empty()) return wrong("the address is empty");
  if (text.front() == '[') {
    const std::size_t close = text.find(']');
    if (close == text.npos) return wrong("']' is missing in " + in_quotes(text));
    const std::string_view rest = text.substr(close + 1);
    if (!rest.empty() && rest.front() != ':') {
      return wrong("behind ']' comes ':' and a port, not " + in_quotes(rest));
    }
    HostPort out{text.substr(1, close - 1), std::nullopt};
    if (!rest.empty()) out.port = rest.substr(1);
    return out;
  }
  const std::size_t colon = text.find(':');
  if (colon == text.npos || colon != text.rfind(':')) return HostPort{text, std::nullopt};
  return HostPort{text.substr(0, colon), text.substr(colon + 1)};
}

Converted<std::uint16_t> port_or_default(const HostPort& parts) {
  if (!parts.port) return kDefaultPort;
  return to_port(*parts.port);
}

bool is_host_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// A host name in lower case, without the dot at its end.
Converted<std::string> to_host_name(std::string_view text) {
  std::string name(text);
  std::ranges::transform(name, name.begin(), lower);
  if (name.ends_with('.')) name.pop_back();
  const bool characters = std::ranges::all_of(name, is_host_character);
  const bool dots = name.starts_with('.') || name.ends_with('.') || name.find("..") != name.npos;
  if (name.empty() || name.size() > 253 || !characters || dots) {
    return wrong(in_quotes(text) + " is neither an address nor a host name");
  }
  std::size_t label = 0;
  for (const char c : name) {
    label = c == '.' ? 0 : label + 1;
    if (label > 63) return wrong(in_quotes(text) + " has a label of more than 63 characters");
  }
  return name;
}

std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> items;
  std::size_t at = 0;
  while ((at = text.find_first_not_of(", \t", at)) != text.npos) {
    const std::size_t end = std::min(text.find_first_of(", \t", at), text.size());
    items.emplace_back(text.substr(at, end - at));
    at = end;
  }
  return items;
}

// The items of a list, none twice; the word for "no restriction" must stand alone.
Converted<std::vector<std::string>> to_list(std::string_view text, std::string_view everything) {
  std::vector<std::string> items = split_list(text);
  if (items.empty())
    return wrong("the list is empty; " + in_quotes(everything) + " is the default");
  if (items.size() == 1 && items.front() == everything) return std::vector<std::string>{};
  std::vector<std::string> sorted = items;
  std::ranges::sort(sorted);
  const auto twice = std::ranges::adjacent_find(sorted);
  if (twice != sorted.end()) return wrong(in_quotes(*twice) + " occurs twice in the list");
  if (std::ranges::binary_search(sorted, everything)) {
    return wrong(in_quotes(everything) + " stands alone or not at all");
  }
  return items;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t";
  const std::size_t begin = std::min(text.find_first_not_of(kBlanks), text.size());
  const std::size_t end = text.find_last_not_of(kBlanks);
  return end == text.npos ? std::string_view() : text.substr(begin, end + 1 - begin);
}

bool is_of_hosts(const Prefix& p) {
  return !p.address.is_loopback() && !p.address.is_multicast() && p.bits != 0;
}

Converted<Translation> to_translation(std::string_view text) {
  constexpr std::string_view kArrow = "->";
  const std::size_t arrow = text.find(kArrow);
  const auto from = Prefix::parse(trimmed(text.substr(0, arrow)));
  const auto to = arrow == text.npos ? std::nullopt
                                     : Prefix::parse(trimmed(text.substr(arrow + kArrow.size())));
  if (!from || !to) {
    return wrong(in_quotes(text) + " is not of the form 10.0.0.0/16 -> 172.31.0.0/16");
  }
  if (from->address.is_v4() != to->address.is_v4() || from->bits != to->bits) {
    return wrong(in_quotes(text) + ": the two prefixes are not of one length");
  }
  if (!is_of_hosts(*from) || !is_of_hosts(*to)) {
    return wrong(in_quotes(text) + ": only addresses of hosts can be translated");
  }
  return Translation{*from, *to};
}

bool is_broadcast(const Address& a) { return a == Address::v4(0xffffffff); }

}  // namespace

Converted<std::string> to_text_value(std::string_view text) {
  if (text.size() > kMaxNameBytes) {
    return wrong("longer than " + std::to_string(kMaxNameBytes) + " bytes");
  }
  if (first_unprintable(text) != text.npos) return wrong("not printable UTF-8 text");
  return std::string(text);
}

Converted<std::string> to_name(std::string_view text) {
  if (text.empty()) return wrong("a name may not be empty");
  if (text.find_first_of(" \t,\"'[]") != text.npos) {
    return wrong("a name has no blanks, commas, quotes or brackets in it");
  }
  return to_text_value(text);
}

Converted<std::string> to_path(std::string_view text) {
  if (text.empty()) return wrong("the path is empty");
  if (text.size() > kMaxPathBytes) return wrong("the path is too long");
  return std::string(text);
}

Converted<bool> to_yes_no(std::string_view text) {
  if (text == "yes") return true;
  if (text == "no") return false;
  return wrong(in_quotes(text) + " is neither 'yes' nor 'no'");
}

Converted<std::uint64_t> to_number(std::string_view text) {
  const auto digits = read_digits(text);
  if (!digits || !digits->rest.empty()) return wrong(in_quotes(text) + " is no number");
  if (digits->too_large) return wrong(std::string(text) + " is too large");
  return digits->value;
}

Converted<std::uint64_t> to_size(std::string_view text) {
  static constexpr std::uint64_t kMost = 1ULL << 40U;
  if (const auto size = scaled(text, kSizeUnits, kMost)) return *size;
  return wrong(in_quotes(text) + " is no size such as 1232, 64k or 8m");
}

Converted<Duration> to_duration(std::string_view text) {
  if (const auto ns = scaled(text, kTimeUnits, kMostNanoseconds)) {
    return Duration(static_cast<Duration::rep>(*ns));
  }
  const auto digits = read_digits(text);
  if (digits && digits->rest.empty()) {
    return wrong(in_quotes(text) + " has no unit: ms, s, m or h, as in 250ms");
  }
  return wrong(in_quotes(text) + " is no duration such as 250ms, 2s or 5m");
}

Converted<Auth> to_auth(std::string_view text) {
  if (text == "keyring") return Auth::keyring;
  if (text == "public-key") return Auth::public_key;
  return wrong(in_quotes(text) + " is neither 'keyring' nor 'public-key'");
}

Converted<std::string> to_public_key(std::string_view text) {
  const auto key = seal::parse_public_key(text);
  if (!key) return wrong("the value " + key.error());
  return std::string(text);
}

Converted<Format> to_format(std::string_view text) {
  if (text == "tribes") return Format::tribes;
  if (text == "raw") return Format::raw;
  return wrong(in_quotes(text) + " is neither 'tribes' nor 'raw'");
}

Converted<Endpoint> to_listen(std::string_view text) {
  const auto parts = split(text);
  if (!parts) return wrong(parts.error());
  const auto address = Address::parse(parts->host);
  if (!address) {
    return wrong(in_quotes(parts->host) + " is no address such as 0.0.0.0 or [2001:db8::1]");
  }
  if (address->is_multicast() || is_broadcast(*address)) {
    return wrong(address->to_string() + " is no address of one host");
  }
  const auto port = port_or_default(*parts);
  if (!port) return wrong(port.error());
  return Endpoint{*address, *port};
}

Converted<GroupAddress> to_group_address(std::string_view text) {
  const auto parts = split(text);
  if (!parts) return wrong(parts.error());
  const auto address = Address::parse(parts->host);
  if (!address) return wrong(in_quotes(parts->host) + " is no IPv4 multicast address");
  if (!address->is_v4() && address->is_multicast()) {
    return wrong("IPv6 groups are not supported yet by this version");
  }
  if (!address->is_multicast()) {
    return wrong(address->to_string() + " is no multicast address (224.0.0.0 to 239.255.255.255)");
  }
  if (!parts->port) {
    return wrong("the port is missing: " + address->to_string() + ":45564, or :* for any port");
  }
  if (*parts->port == "*") return GroupAddress{*address, 0};
  const auto port = to_port(*parts->port);
  if (!port) return wrong(port.error());
  return GroupAddress{*address, *port};
}

Converted<PeerAddress> to_peer_address(std::string_view text) {
  const auto parts = split(text);
  if (!parts) return wrong(parts.error());
  const auto port = port_or_default(*parts);
  if (!port) return wrong(port.error());
  const std::string_view host = parts->host;
  if (const auto address = Address::parse(host)) {
    if (address->is_multicast() || address->is_unspecified() || is_broadcast(*address)) {
      return wrong(address->to_string() + " is no address of one host");
    }
    return PeerAddress{address->to_string(), *port};
  }
  if (!host.empty() && host.find_first_not_of("0123456789.") == host.npos) {
    return wrong(in_quotes(host) + " is no IPv4 address");
  }
  if (host.find(':') != host.npos) return wrong(in_quotes(host) + " is no IPv6 address");
  const auto name = to_host_name(host);
  if (!name) return wrong(name.error());
  return PeerAddress{*name, *port};
}

Converted<std::vector<std::string>> to_interfaces(std::string_view text) {
  auto list = to_list(text, "auto");
  if (!list) return list;
  for (const std::string& name : *list) {
    const bool odd = name == "." || name == ".." || name.find_first_of("/:") != name.npos;
    if (odd || name.size() > kMaxInterfaceBytes)
      return wrong(in_quotes(name) + " is no interface name");
  }
  return list;
}

Converted<std::vector<std::string>> to_names(std::string_view text) { return to_list(text, "all"); }

Converted<std::vector<Prefix>> to_prefixes(std::string_view text) {
  const auto list = to_list(text, "any");
  if (!list) return wrong(list.error());
  std::vector<Prefix> prefixes;
  for (const std::string& item : *list) {
    const auto prefix = Prefix::parse(item);
    if (!prefix) return wrong(in_quotes(item) + " is no prefix such as 10.0.0.0/8");
    prefixes.push_back(*prefix);
  }
  return prefixes;
}

Converted<std::vector<Translation>> to_rewrites(std::string_view text) {
  std::vector<Translation> rewrites;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t comma = std::min(text.find(',', begin), text.size());
    const auto rewrite = to_translation(trimmed(text.substr(begin, comma - begin)));
    if (!rewrite) return wrong(rewrite.error());
    for (const Translation& other : rewrites) {
      if (other.from.overlaps(rewrite->from) || other.to.overlaps(rewrite->to)) {
        return wrong(in_quotes(other.to_string()) + " and " + in_quotes(rewrite->to_string()) +
                     " overlap: it would not be one to one");
      }
    }
    rewrites.push_back(*rewrite);
    begin = comma + 1;
  }
  return rewrites;
}

Converted<std::optional<Duration>> to_time_limit(std::string_view text) {
  if (text == "off") return std::optional<Duration>();
  const auto duration = to_duration(text);
  if (!duration) return wrong(duration.error() + ", or 'off'");
  return std::optional<Duration>(*duration);
}

std::vector<std::string> to_words(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r";
  std::vector<std::string> words;
  std::size_t at = 0;
  while ((at = text.find_first_not_of(kBlanks, at)) != text.npos) {
    const std::size_t end = std::min(text.find_first_of(kBlanks, at), text.size());
    words.emplace_back(text.substr(at, end - at));
    at = end;
  }
  return words;
}

Converted<std::string> to_absolute_path(std::string_view text) {
  auto path = to_path(text);
  if (!path || path->starts_with('/')) return path;
  return wrong(in_quotes(text) + " is no absolute path; it begins with '/'");
}

Converted<std::string> to_command(std::string_view text) {
  const std::vector<std::string> words = to_words(text);
  if (words.empty()) return wrong("the command is empty");
  if (text.size() > kMaxPathBytes) return wrong("the command is too long");
  if (!words.front().starts_with('/')) {
    return wrong(in_quotes(words.front()) + " is no absolute path; it begins with '/'");
  }
  constexpr std::string_view kNoShell = "; there is no shell: put it into a script";
  if (const std::size_t at = text.find_first_of("'\"\\`$"); at != text.npos) {
    return wrong(in_quotes(text.substr(at, 1)) + " means nothing here" + std::string(kNoShell));
  }
  for (const std::string& word : words) {
    if (word.find_first_not_of("|<>&;") != word.npos) continue;
    return wrong(in_quotes(word) + " means nothing here" + std::string(kNoShell));
  }
  std::string command;
  for (const std::string& word : words) command += (command.empty() ? "" : " ") + word;
  return command;
}

Converted<std::string> to_dns_name(std::string_view text) {
  if (Address::parse(text)) return wrong(in_quotes(text) + " is an address; give a name");
  auto name = to_host_name(text);
  if (!name) return wrong(in_quotes(text) + " is no host name");
  return name;
}

Converted<std::uint64_t> to_percentage(std::string_view text) {
  const auto digits = read_digits(text);
  if (!digits || digits->too_large || digits->rest != "%") {
    return wrong(in_quotes(text) + " is no percentage such as 50%");
  }
  return digits->value;
}

Converted<std::string> to_failure(std::string_view text) {
  if (text == "keep") return std::string(text);
  if (text == "drop") {
    return wrong(
        "'drop' would part the cluster whenever the source cannot be asked; only 'keep' is "
        "possible, and a source that answers with fewer peers takes the others away");
  }
  return wrong(in_quotes(text) + " is not 'keep'");
}

std::string to_text(Duration duration) {
  const auto ns = static_cast<std::uint64_t>(duration.count());
  for (const Unit& unit : kTimeUnits) {
    if (ns % unit.factor == 0) return std::to_string(ns / unit.factor) + std::string(unit.name);
  }
  return std::to_string(ns / kTimeUnits.back().factor) + std::string(kTimeUnits.back().name);
}

}  // namespace tribecast::config
