// Who can, and who does, connect to the members' TCP ports without being one of them.
#include <array>
#include <set>

#include "doctor/judges.h"
#include "doctor/packet_filter.h"

namespace tribecast::doctor {
namespace {

// Not reached from the internet, unless somebody translates for it.
bool is_private(const Address& address) {
  static const std::array kPrivate = {
      *Prefix::parse("10.0.0.0/8"),    *Prefix::parse("100.64.0.0/10"),
      *Prefix::parse("127.0.0.0/8"),   *Prefix::parse("169.254.0.0/16"),
      *Prefix::parse("172.16.0.0/12"), *Prefix::parse("192.168.0.0/16"),
      *Prefix::parse("::1/128"),       *Prefix::parse("fc00::/7"),
      *Prefix::parse("fe80::/10")};
  return std::ranges::any_of(kPrivate,
                             [&](const Prefix& prefix) { return prefix.contains(address); });
}

bool is_own_beat(const Facts& facts, const Heard& heard) {
  return !heard.injected && facts.is_local(heard.source);
}

// Listeners of this host at which one of its members is reached.
std::vector<Endpoint> member_listeners(const Facts& facts) {
  std::vector<Endpoint> out;
  for (const Socket& listener : *facts.listeners) {
    const Endpoint& at = listener.local;
    const bool serves =
        std::ranges::any_of(facts.heard.value_or(std::vector<Heard>{}), [&](const Heard& heard) {
          return is_own_beat(facts, heard) && heard.member.port == at.port &&
                 (at.address.is_unspecified() || at.address == heard.member.address);
        });
    if (serves && std::ranges::find(out, at) == out.end()) out.push_back(at);
  }
  return out;
}

// Every address by which peers are configured, whichever of them is in use.
std::set<Address> configured_hosts(const Facts& facts) {
  std::set<Address> known;
  for (const Resolved& name : facts.peer_names) {
    known.insert(name.addresses.begin(), name.addresses.end());
  }
  if (facts.settings() == nullptr) return known;
  for (const config::Peer& peer : facts.settings()->peers) {
    for (const config::PeerAddress& address : peer.addresses) {
      if (const auto literal = address.literal()) known.insert(*literal);
    }
  }
  return known;
}

// Hosts of members and of peers; whatever became of a member, its host is no stranger.
std::set<Address> known_hosts(const Facts& facts) {
  std::set<Address> known = configured_hosts(facts);
  for (const Heard& heard : facts.heard.value_or(std::vector<Heard>{})) {
    known.insert(heard.source);
    known.insert(heard.member.address);
  }
  if (!facts.agent.status) return known;
  for (const control::Member& member : facts.agent.status->members) {
    if (const auto host = Address::parse(member.host)) known.insert(*host);
  }
  for (const control::Peer& peer : facts.agent.status->peers) {
    const auto there = Endpoint::parse(peer.endpoint.value_or(""));
    if (there) known.insert(there->address);
  }
  return known;
}

// Who is connected to this listener and should not be.
std::vector<std::string> strangers_at(const Facts& facts, const Endpoint& listener) {
  const std::set<Address> known = known_hosts(facts);
  std::set<std::string> names;
  for (const Connection& connection : facts.connections) {
    const bool here =
        connection.local.port == listener.port &&
        (listener.address.is_unspecified() || connection.local.address == listener.address);
    const Address& from = connection.remote.address;
    if (!here || !connection.established || facts.is_local(from) || known.contains(from)) continue;
    names.insert(from.to_string());
  }
  return {names.begin(), names.end()};
}

std::string way_to_close(const Facts& facts) {
  return "on " + facts.host +
         ": tribecast firewall print | nft -f -   (lets only the members pass), or a security "
         "group";
}

Finding judge_listener(const Facts& facts, const Endpoint& listener) {
  const std::string name = listener.to_string();
  const bool anywhere = listener.address.is_unspecified();
  const std::string where = "a member of " + facts.host + " listens at TCP " + name +
                            (anywhere ? ", which is every address of it" : "");
  if (!facts.packet_filter) {
    return unknown(
        where + "; whether a packet filter guards it is not known: " + facts.packet_filter_error,
        "run as root: sudo tribecast doctor");
  }
  if (guards_port(packet_filter_of(facts), listener)) {
    return good("rules of this host's packet filter limit who may connect to " + name, name);
  }
  if (anywhere) {
    return warning(name, where + ", and no rule of its packet filter guards the port",
                   way_to_close(facts) + ", or address= on the Receiver");
  }
  if (!is_private(listener.address)) {
    return warning(name,
                   where + ", a public address, and no rule of its packet filter guards the port",
                   way_to_close(facts));
  }
  return good("this host's packet filter does not limit who may connect to " + name +
                  "; only the network (a security group) can, and that is not seen from here",
              name);
}

}  // namespace

Findings judge_open_ports(const Facts& facts) {
  if (!facts.listeners) return {};
  Findings out;
  for (const Endpoint& listener : member_listeners(facts)) {
    const std::vector<std::string> strangers = strangers_at(facts, listener);
    if (!strangers.empty()) {
      const std::string name = listener.to_string();
      out.push_back(warning(name,
                            listed(strangers) + (strangers.size() == 1 ? " is" : " are") +
                                " connected to a member of " + facts.host + " at TCP " + name +
                                ", and no member or peer is there",
                            way_to_close(facts) + "; who it is: ss -tnp 'sport = :" +
                                std::to_string(listener.port) + "'"));
    }
    out.push_back(judge_listener(facts, listener));
  }
  return out;
}

}  // namespace tribecast::doctor
