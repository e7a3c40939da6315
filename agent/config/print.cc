#include <array>

#include "config/config.h"
#include "config/values.h"

namespace tribecast::config {
namespace {

std::string double_quoted(std::string_view text) { return "\"" + std::string(text) + "\""; }

std::string line(std::string_view key, const std::string& value) {
  return std::string(key) + " = " + value + "\n";
}

// In quotes where it could be taken for a comment.
std::string plain(const std::string& text) {
  return text.find_first_of("#;") == text.npos ? text : double_quoted(text);
}

std::string yes_no(bool value) { return value ? "yes" : "no"; }

std::string list(const std::vector<std::string>& items, const char* everything) {
  std::string out;
  for (const std::string& item : items) out += (out.empty() ? "" : ", ") + item;
  return items.empty() ? everything : plain(out);
}

std::string group_text(const Group& g) {
  const std::string port = g.port == 0 ? "*" : std::to_string(g.port);
  return "\n[group " + double_quoted(g.name) + "]\n" +
         line("address", g.address.to_string() + ":" + port) +
         line("interface", list(g.interfaces, "auto")) +
         line("format", g.format == Format::tribes ? "tribes" : "raw") +
         line("broadcasts", yes_no(g.broadcasts)) + line("max-age", to_text(g.max_age)) +
         line("drop-time", to_text(g.drop_time));
}

std::vector<std::string> texts_of(const std::vector<Prefix>& prefixes) {
  std::vector<std::string> texts;
  texts.reserve(prefixes.size());
  for (const Prefix& prefix : prefixes) texts.push_back(prefix.to_string());
  return texts;
}

std::string peer_text(const Peer& p, Auth auth) {
  std::string out = "\n[peer " + double_quoted(p.name) + "]\n";
  for (const PeerAddress& address : p.addresses) out += line("address", address.to_string());
  const std::vector<std::string> members = texts_of(p.members);
  std::vector<std::string> rewrites;
  for (const Translation& rewrite : p.rewrites) rewrites.push_back(rewrite.to_string());
  out += line("members", list(members, "any")) + line("groups", list(p.groups, "all")) +
         (rewrites.empty() ? "" : line("rewrite", list(rewrites, ""))) +
         line("max-members", std::to_string(p.max_members)) +
         line("max-rate", std::to_string(p.max_rate)) + line("copies", std::to_string(p.copies)) +
         line("peer-dead-time", p.peer_dead_time ? to_text(*p.peer_dead_time) : "off") +
         line("agentless", yes_no(p.agentless));
  if (!p.public_key.empty()) out += line("public-key", p.public_key);
  if (auth == Auth::public_key || !p.roaming.empty()) {
    out += line("roaming", list(texts_of(p.roaming), "any"));
  }
  return out;
}

std::string discovery_text(const Discovery& d) {
  return "\n[discovery " + double_quoted(d.name) + "]\n" + line(name_of(d.kind), plain(d.source)) +
         line("every", to_text(d.every)) + line("timeout", to_text(d.timeout)) +
         line("on-failure", "keep") +
         line("shrink-limit", std::to_string(d.shrink_limit_percent) + "%");
}

}  // namespace

std::string_view name_of(SourceKind kind) {
  constexpr std::array<std::string_view, 3> kNames = {"dns", "file", "exec"};
  return kNames[static_cast<std::size_t>(kind)];
}

std::string PeerAddress::to_string() const {
  const bool six = host.find(':') != host.npos;
  return (six ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

std::string to_text(const Config& c) {
  std::string out = "[node]\n";
  if (!c.node.name.empty()) out += line("name", plain(c.node.name));
  out += line("site", double_quoted(c.node.site)) + "\n[relay]\n";
  for (const Endpoint& listen : c.relay.listen) out += line("listen", listen.to_string());
  out += line("max-datagram",
              (c.relay.max_datagram_bytes ? std::to_string(*c.relay.max_datagram_bytes) : "auto")) +
         "\n[control]\n" + line("socket", double_quoted(c.control.socket)) +
         line("group", plain(c.control.group)) + "\n[security]\n";
  if (!c.security.keyring.empty()) out += line("keyring", double_quoted(c.security.keyring));
  out += line("auth", c.security.auth == Auth::keyring ? "keyring" : "public-key");
  if (!c.security.private_key.empty()) {
    out += line("private-key", double_quoted(c.security.private_key));
  }
  for (const Group& group : c.groups) out += group_text(group);
  for (const Peer& peer : c.peers) out += peer_text(peer, c.security.auth);
  for (const Discovery& discovery : c.discoveries) out += discovery_text(discovery);
  return out;
}

}  // namespace tribecast::config
