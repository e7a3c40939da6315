#include "config/settings.h"

#include <algorithm>
#include <array>
#include <boost/program_options.hpp>

#include "base/check.h"

namespace tribecast::config {
namespace {

namespace po = boost::program_options;

constexpr std::array kSections = {
    SectionEntry{"node", false, "This host, as status and peers show it."},
    SectionEntry{"relay", false, "Where the agents talk to each other."},
    SectionEntry{"control", false, "The socket of the command line tool."},
    SectionEntry{"security", false, "Who may take part."},
    SectionEntry{"group", true, "A multicast group that is relayed. At most 64."},
    SectionEntry{"peer", true,
                 "A host whose agent gets and sends what the groups carry. At most 1024. A peer "
                 "whose address is local to this host is `self` and is not used, so one identical "
                 "file works on all nodes."},
    SectionEntry{
        "discovery", true,
        "Peers from DNS, a file or a program, beside those of this file; exactly one of "
        "`dns`, `file` and `exec` must be set. At most 16. See [discovery.md](discovery.md) "
        "for the formats and the rules."},
};

constexpr std::array kKinds = {
    Kind{"text", "printable characters, at most 64 bytes"},
    Kind{"name",
         "printable characters without blanks, commas, quotes and brackets, at most 64 "
         "bytes"},
    Kind{"path", "the path of a file"},
    Kind{"yes or no", "`yes` or `no`"},
    Kind{"number", "decimal digits"},
    Kind{"size", "decimal digits; `k`, `m` or `g` behind them multiplies by 1024, 1024² or 1024³"},
    Kind{"size or auto", "a size, or `auto`"},
    Kind{"percentage", "a number and `%`"},
    Kind{"duration", "a whole number and its unit: `250ms`, `2s`, `5m`, `1h`"},
    Kind{"time limit", "a duration, or `off`"},
    Kind{"endpoint",
         "an address of this host, or a wildcard, and a port: `0.0.0.0:45565`, "
         "`[::]:45565`; port 45565 when there is none"},
    Kind{"group address",
         "an IPv4 multicast address and a port, or `*` for any port: "
         "`228.0.0.4:45564`, `239.1.1.1:*`"},
    Kind{"peer address",
         "an address or a name, and a port: `10.0.0.1`, `10.0.0.1:45565`, "
         "`[2001:db8::1]:45565`, `web-2.internal`; port 45565 when there is none"},
    Kind{"interfaces",
         "`auto` (the interface that the route for the group leaves by), or a list "
         "of interface names"},
    Kind{"names", "`all`, or a list of names; lists are separated by commas or blanks"},
    Kind{"prefixes", "`any`, or a list such as `10.0.0.0/8, 172.16.0.11`"},
    Kind{"rewrites",
         "`FROM -> TO`, two prefixes of one length, or two addresses; several are separated by "
         "commas: `10.0.0.0/16 -> 172.31.0.0/16, 10.1.0.5 -> 172.30.0.5`"},
    Kind{"auth", "`keyring` or `public-key`"},
    Kind{"public key", "44 characters of base64, as `tribecast keygen --public-key` prints them"},
    Kind{"format", "`tribes` or `raw`"},
    Kind{"dns name", "a name, such as `tomcat.internal` or `_tribecast._udp.internal`"},
    Kind{"command", "an absolute path, and words separated by blanks; there is no shell"},
    Kind{"failure", "`keep`"},
};

constexpr bool kOnce = false;
constexpr bool kRepeatable = true;

constexpr std::array kSettings = {
    Setting{"node", "name", "name", "", "", "", kOnce,
            "This node's name; the host name when it is not set."},
    Setting{"node", "site", "text", "", "", "", kOnce,
            "Where this node stands, in your words: a region, a zone, a rack."},

    Setting{"relay", "listen", "endpoint", "0.0.0.0:45565", "", "", kRepeatable,
            "UDP address and port for the peers' sealed datagrams."},
    Setting{
        "relay", "max-datagram", "size or auto", "1232", "576", "65507", kOnce,
        "Largest UDP payload sent to a peer; larger heartbeats are split. `auto`: what the path "
        "to each peer carries is found out, up to jumbo frames, and lowered in a black hole."},

    Setting{"control", "socket", "path", "/run/tribecast/tribecast.sock", "", "", kOnce,
            "The unix socket of the command line tool; at most 107 bytes."},
    Setting{"control", "group", "name", "tribecast", "", "", kOnce,
            "Members of this group may use the socket."},

    Setting{
        "security", "keyring", "path", "", "", "", kOnce,
        "The file with the cluster's keys, the same on every node; must be set as soon as "
        "there is a peer. `tribecast keygen` makes one. With `auth = public-key` it may be left "
        "out; with it, who is to take part needs a key of the ring too."},
    Setting{"security", "auth", "auth", "keyring", "", "", kOnce,
            "How peers prove who they are: by a key that all share, or each by its own; "
            "docs/security.md compares them. The same on every node."},
    Setting{"security", "private-key", "path", "", "", "", kOnce,
            "The file with this node's private key; must be set for `auth = public-key` as soon as "
            "there is a peer. `tribecast keygen --private-key` makes one."},

    Setting{"group", "address", "group address", "", "", "", kOnce,
            "The group's address and port. Must be set."},
    Setting{"group", "interface", "interfaces", "auto", "", "", kOnce,
            "Where the group is captured and injected."},
    Setting{"group", "format", "format", "", "", "", kOnce,
            "`tribes`: Tomcat's heartbeats, checked and listed as members. `raw`: any UDP payload. "
            "When it is not set: `tribes` for port 45564, else `raw`."},
    Setting{"group", "broadcasts", "yes or no", "no", "", "", kOnce,
            "In a `tribes` group, whether other datagrams than heartbeats pass."},
    Setting{"group", "max-age", "duration", "1s", "10ms", "1h", kOnce,
            "Older datagrams are dropped: a late heartbeat brings a dead Tomcat back."},
    Setting{"group", "drop-time", "duration", "3s", "100ms", "1h", kOnce,
            "The `dropTime` of the Tomcats; a member without a heartbeat for this long is shown as "
            "lost."},

    Setting{"peer", "address", "peer address", "", "", "", kRepeatable,
            "Where its agent listens. Must be set, but for a peer with a public key that begins by "
            "itself, from behind an address translator."},
    Setting{"peer", "members", "prefixes", "any", "", "", kOnce,
            "Only members that announce these addresses (after `rewrite`) are accepted from this "
            "peer."},
    Setting{"peer", "rewrite", "rewrites", "", "", "", kOnce,
            "The peer's members are reached at other addresses than they announce: one to one, "
            "host by host. See docs/nat.md for what Tomcat does with it."},
    Setting{"peer", "max-members", "number", "512", "1", "4096", kOnce,
            "More members at once are not accepted from this peer."},
    Setting{"peer", "max-rate", "number", "10000", "10", "1000000", kOnce,
            "More datagrams a second, in a burst or on average, are not accepted from this peer."},
    Setting{"peer", "groups", "names", "all", "", "", kOnce,
            "The groups that are relayed to and from this peer."},
    Setting{"peer", "copies", "number", "1", "1", "3", kOnce,
            "How many times each datagram is sent to this peer, 25 ms apart, against loss. One is "
            "enough for Tomcats with a TcpFailureDetector below 20 % loss; goodbyes are repeated "
            "until they are acknowledged in any case."},
    Setting{"peer", "peer-dead-time", "time limit", "1s", "100ms", "1h", kOnce,
            "After so long a silence of the peer's agent its members' TCP ports are tried, and who "
            "proves dead is told to the local Tomcats to have left. `off`: never."},
    Setting{
        "peer", "agentless", "yes or no", "no", "", "", kOnce,
        "The peer runs no agent: what is captured here is sent to the group's port at its first "
        "address as it is, in the open, and nothing comes back. See docs/nat.md."},
    Setting{"peer", "public-key", "public key", "", "", "", kOnce,
            "The peer's public key; must be set for `auth = public-key`. The peer with this node's "
            "own key is `self`."},
    Setting{"peer", "roaming", "prefixes", "", "", "", kOnce,
            "Where the peer is followed to, and may begin from, beside its addresses. Without it: "
            "nowhere with `auth = keyring`, anywhere with `auth = public-key`. With a keyring the "
            "prefixes of two peers must not overlap."},

    Setting{"discovery", "dns", "dns name", "", "", "", kOnce,
            "Each IPv4 and IPv6 address of the name is a peer, at port 45565. A name that begins "
            "with `_` is asked for SRV records: each target is a peer, at their ports."},
    Setting{"discovery", "file", "path", "", "", "", kOnce,
            "A text file, one peer a line: a name and its addresses. Read when it changes, never "
            "polled; replace it by rename."},
    Setting{"discovery", "exec", "command", "", "", "", kOnce,
            "A program that prints one JSON object a line, run without rights, environment and "
            "shell."},
    Setting{"discovery", "every", "duration", "60s", "1s", "24h", kOnce,
            "How often the program is run and the name is asked for, the name sooner when its TTL "
            "is over. A file is read when it changes."},
    Setting{"discovery", "timeout", "duration", "10s", "100ms", "1h", kOnce,
            "How long an answer may take; then the program is killed with all its children."},
    Setting{"discovery", "on-failure", "failure", "keep", "", "", kOnce,
            "A source that fails says nothing about the peers: they stay, over restarts too."},
    Setting{"discovery", "shrink-limit", "percentage", "50%", "0%", "100%", kOnce,
            "An answer that lacks more than this share of the section's peers takes none away "
            "until it has held for three answers and for twice `every`. `100%`: believed at "
            "once."},
};

// The section's part of the table, as Program_options has it; made once.
const po::options_description& described(const Table& table, std::string_view section) {
  using Key = std::pair<const Setting*, std::string_view>;
  static std::map<Key, po::options_description> all;
  const auto [it, is_new] = all.try_emplace(Key(table.settings.data(), section));
  if (!is_new) return it->second;
  for (const Setting& s : table.settings) {
    if (s.section != section) continue;
    const std::string fallback(s.fallback);
    auto* value = po::value<std::vector<std::string>>()->composing();
    if (!fallback.empty()) value->default_value({fallback}, fallback);
    it->second.add_options()(std::string(s.key).c_str(), value, std::string(s.description).c_str());
  }
  return it->second;
}

}  // namespace

const SectionEntry* Table::find_section(std::string_view type) const {
  const auto it = std::ranges::find(sections, type, &SectionEntry::type);
  return it == sections.end() ? nullptr : &*it;
}

const Setting* Table::find_setting(std::string_view section, std::string_view key) const {
  const auto it = std::ranges::find_if(
      settings, [&](const Setting& s) { return s.section == section && s.key == key; });
  return it == settings.end() ? nullptr : &*it;
}

const Table& agent_table() {
  static constexpr Table kTable = {kSections, kSettings};
  return kTable;
}

std::span<const SectionEntry> sections() { return kSections; }
std::span<const Setting> settings() { return kSettings; }
std::span<const Kind> kinds() { return kKinds; }

const SectionEntry* find_section(std::string_view type) { return agent_table().find_section(type); }

const Setting* find_setting(std::string_view section, std::string_view key) {
  return agent_table().find_setting(section, key);
}

Texts with_defaults(const Table& table, std::string_view section, const KeyValues& given) {
  const po::options_description& description = described(table, section);
  po::parsed_options parsed(&description);
  for (const auto& [key, value] : given) parsed.options.emplace_back(key, std::vector{value});
  po::variables_map values;
  po::store(parsed, values);
  Texts texts;
  for (const auto& [key, value] : values) texts[key] = value.as<std::vector<std::string>>();
  return texts;
}

}  // namespace tribecast::config
