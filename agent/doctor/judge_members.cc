#include <map>
#include <set>

#include "doctor/judges.h"

namespace tribecast::doctor {
namespace {

using control::MemberState;
using control::Origin;

bool is_there(const control::Member& member) {
  return member.state == MemberState::alive || member.state == MemberState::late;
}

std::string name_of(const control::Member& member) {
  const auto host = Address::parse(member.host);
  return host ? Endpoint{*host, member.port}.to_string()
              : member.host + ":" + std::to_string(member.port);
}

// A member as far as either the agent or the doctor's own ears know it.
struct Known {
  std::string name;
  std::string unique_id;
  std::string domain;
  std::string where;  // `on this host`, `behind peer web-2`
  bool local = false;
  std::optional<double> interval_seconds;
};

bool is_local(const Facts& facts, const Heard& heard) {
  return !heard.injected && facts.is_local(heard.source);
}

// Members of a group, each once; what the agent knows first.
std::vector<Known> known_members(const Facts& facts, const std::string& group) {
  std::vector<Known> all;
  std::set<std::pair<std::string, std::string>> seen;
  if (facts.agent.status) {
    for (const control::Member& member : facts.agent.status->members) {
      if (member.group != group || !is_there(member)) continue;
      const bool local = member.origin == Origin::local;
      if (!seen.emplace(name_of(member), member.unique_id).second) continue;
      all.push_back({name_of(member), member.unique_id, member.domain,
                     local ? "on this host" : "behind peer " + member.via, local,
                     member.interval_seconds});
    }
  }
  for (const Heard& heard : facts.heard.value_or(std::vector<Heard>{})) {
    if (heard.group != group || heard.injected) continue;
    const std::string name = heard.member.to_string();
    if (!seen.emplace(name, heard.unique_id).second) continue;
    const bool local = is_local(facts, heard);
    std::optional<double> interval;
    if (heard.interval) interval = to_seconds(*heard.interval);
    all.push_back({name, heard.unique_id, heard.domain,
                   local ? "on this host" : "at " + heard.source.to_string(), local, interval});
  }
  return all;
}

// Where it is served.
bool is_joined(const Facts& facts, const GroupFacts& group) {
  if (!facts.joined) return false;
  return std::ranges::any_of(*facts.joined, [&](const Joined& joined) {
    return joined.group == group.settings.address && joined.sockets > 0 &&
           std::ranges::find(group.interfaces, joined.interface) != group.interfaces.end();
  });
}

bool is_tribes(const GroupFacts& group) { return group.settings.format == config::Format::tribes; }

Finding heartbeats_of(const Known& member) {
  if (!member.interval_seconds)
    return good(member.name + " " + member.where + " beats", member.name);
  return good(member.name + " " + member.where + " beats every " +
                  control::time_text(member.interval_seconds),
              member.name);
}

std::string names_of(const std::vector<Address>& addresses) {
  std::vector<std::string> names;
  names.reserve(addresses.size());
  for (const Address& address : addresses) names.push_back(address.to_string());
  return listed(names);
}

// Every Tomcat here has a Receiver that does not ask for the host's name.
bool needs_no_name(const Facts& facts) {
  return !facts.tomcats.empty() && std::ranges::all_of(facts.tomcats, [](const Tomcat& tomcat) {
    return tomcat.server_xml &&
           (!tomcat.server_xml->cluster || (!tomcat.server_xml->receiver_address.empty() &&
                                            tomcat.server_xml->receiver_address != "auto"));
  });
}

// What it announces tells what came of the host's name.
bool has_local_member(const Facts& facts) {
  return std::ranges::any_of(facts.heard.value_or(std::vector<Heard>{}),
                             [&](const Heard& heard) { return is_local(facts, heard); });
}

// The peer behind which a member of this name is; empty for none.
std::string peer_of(const Facts& facts, const std::string& name) {
  std::string peer;
  if (!facts.agent.status) return peer;
  for (const control::Member& member : facts.agent.status->members) {
    if (member.origin == Origin::remote && name_of(member) == name) peer = member.via;
  }
  return peer;
}

// What a member announces, if that is no good to others.
std::optional<Finding> judge_address(const Facts& facts, const Heard& heard) {
  const Address& address = heard.member.address;
  const std::string name = heard.member.to_string();
  const std::string own = heard.source.to_string();
  if (address.is_loopback() || address.is_unspecified()) {
    return failure(name,
                   "a member of " + facts.host + " announces " + name +
                       ": others would connect to themselves, so it is not relayed",
                   "on " + facts.host + ": in /etc/hosts let the host's name stand for " + own +
                       " instead of 127.0.1.1, or set address=\"" + own +
                       "\" on <Receiver> in server.xml; then restart Tomcat");
  }
  if (facts.is_local(address)) return std::nullopt;
  return failure(
      name,
      "a member of " + facts.host + " announces " + name + ", which is no address of this host",
      "on " + facts.host + ": set address=\"" + own +
          "\" on <Receiver> in server.xml (or mend /etc/hosts); then restart Tomcat");
}

Finding judge_unrelayed(const Facts& facts, const std::string& name) {
  const std::string peer = peer_of(facts, name);
  if (peer.empty()) {
    return good(name + " is heard without a relay: multicast works between it and " + facts.host,
                name);
  }
  return warning(name,
                 name + " is heard without a relay, and once more from peer " + peer +
                     ": multicast works between " + peer + " and " + facts.host,
                 "on both: tribecast peer remove NAME of each other (harmless as it is, but "
                 "superfluous)");
}

Finding judge_port(const Facts& facts, const PortTry& port) {
  const std::string name = port.endpoint.to_string();
  const std::string peer = peer_of(facts, name);
  const std::string where = peer.empty() ? port.endpoint.address.to_string() : peer;
  switch (port.outcome) {
    case Outcome::accepted:
      return good(name + " answers from here by TCP", name);
    case Outcome::refused:
      return failure(
          name, "TCP from " + facts.host + " to " + name + " is refused: nothing listens there",
          "on " + where + ": ss -ltn 'sport = :" + std::to_string(port.endpoint.port) +
              "'; restart that Tomcat");
    case Outcome::no_answer:
      return failure(name,
                     "TCP from " + facts.host + " to " + name +
                         " gets no answer, although its heartbeats come",
                     "open TCP 4000-4100 from " + facts.host + " to " + where +
                         ": its security group, and on " + where + ": nft list ruleset");
    case Outcome::not_tried:
      break;
  }
  return failure(name, "TCP to " + name + " could not be tried from " + facts.host + ": no route",
                 "on " + facts.host + ": ip route get " + port.endpoint.address.to_string());
}

std::string domain_text(const std::string& domain, const std::vector<std::string>& names) {
  return (domain.empty() ? "none" : "\"" + domain + "\"") + ": " + listed(names);
}

}  // namespace

Findings judge_heartbeats(const Facts& facts) {
  Findings out;
  for (const GroupFacts& group : facts.groups) {
    if (!is_tribes(group)) continue;
    std::size_t local = 0;
    for (const Known& member : known_members(facts, group.settings.name)) {
      if (!member.local) continue;
      ++local;
      const double limit = to_seconds(group.settings.drop_time) / 2;
      if (member.interval_seconds && *member.interval_seconds > limit) {
        out.push_back(warning(member.name,
                              member.name + " beats only every " +
                                  control::time_text(member.interval_seconds) +
                                  "; members are dropped after " +
                                  control::time_text(to_seconds(group.settings.drop_time)),
                              "on " + facts.host +
                                  ": is the machine overloaded? Else set frequency=\"500\" "
                                  "on <Membership> in server.xml"));
      } else {
        out.push_back(heartbeats_of(member));
      }
    }
    if (local > 0 || !is_joined(facts, group) || !facts.heard) continue;
    out.push_back(failure(group.settings.name,
                          "a process of " + facts.host + " has joined " +
                              group.settings.address.to_string() +
                              ", but no heartbeat of it was heard in " +
                              control::age_text(to_seconds(facts.listened)),
                          "on " + facts.host +
                              ": look for SEVERE lines in catalina.out; does server.xml "
                              "have port=\"" +
                              std::to_string(group.settings.port) + "\" on <Membership>?"));
  }
  return out;
}

Findings judge_announced(const Facts& facts) {
  Findings out;
  bool any = false;
  for (const Heard& heard : facts.heard.value_or(std::vector<Heard>{})) {
    if (!is_local(facts, heard)) continue;
    any = true;
    if (auto finding = judge_address(facts, heard)) out.push_back(std::move(*finding));
  }
  if (any && out.empty()) out.push_back(good("the members of this host announce addresses of it"));
  return out;
}

Findings judge_host_name(const Facts& facts) {
  if (!facts.own_name || has_local_member(facts) || needs_no_name(facts)) return {};
  const Resolved& name = *facts.own_name;
  const std::string fix = "on " + facts.host + ": add the line `ADDRESS " + name.name +
                          "` with its real address to /etc/hosts, or set address= on <Receiver> in "
                          "server.xml";
  if (name.addresses.empty()) {
    return {failure(name.name,
                    "the host's own name " + name.name + " does not resolve (" + name.error + ")",
                    fix)};
  }
  const bool usable = std::ranges::any_of(name.addresses, [&](const Address& address) {
    return !address.is_loopback() && facts.is_local(address);
  });
  if (usable) return {good(name.name + " resolves to " + names_of(name.addresses))};
  return {warning(name.name,
                  "the host's own name " + name.name + " leads to " + names_of(name.addresses) +
                      (std::ranges::any_of(name.addresses, &Address::is_loopback)
                           ? ": a Tomcat with <Receiver address=\"auto\"> would announce that"
                           : ", which is no address of this host"),
                  fix)};
}

Findings judge_twins(const Facts& facts) {
  Findings out;
  bool any = false;
  for (const GroupFacts& group : facts.groups) {
    std::map<std::string, std::vector<Known>> by_name;
    for (const Known& member : known_members(facts, group.settings.name)) {
      by_name[member.name].push_back(member);
      any = true;
    }
    for (const auto& [name, members] : by_name) {
      if (members.size() < 2) continue;
      std::vector<std::string> places;
      for (const Known& member : members) {
        places.push_back(member.unique_id.substr(0, 8) + " " + member.where);
      }
      out.push_back(failure(
          name,
          control::counted(members.size(), "member") + " say that they are " + name + ": " +
              listed(places),
          "two hosts with one address: give each its own <Receiver address=>; one host: "
          "a ghost of a Tomcat that was started again too soon: stop it for 5 s, start it"));
    }
  }
  if (any && out.empty()) out.push_back(good("no two members have the same address and port"));
  return out;
}

Findings judge_domains(const Facts& facts) {
  Findings out;
  for (const GroupFacts& group : facts.groups) {
    std::map<std::string, std::vector<std::string>> by_domain;
    for (const Known& member : known_members(facts, group.settings.name)) {
      by_domain[member.domain].push_back(member.name);
    }
    if (by_domain.size() < 2) continue;
    std::string text;
    for (const auto& [domain, names] : by_domain) {
      text += (text.empty() ? "" : "; ") + domain_text(domain, names);
    }
    out.push_back(warning(
        group.settings.name,
        "the members of " + group.settings.name + " are of different domains (" + text + ")",
        "set the same domain= on <Membership> in the server.xml of all, or use "
        "a group address of its own for each cluster"));
  }
  return out;
}

Findings judge_native(const Facts& facts) {
  Findings out;
  for (const Heard& heard : facts.heard.value_or(std::vector<Heard>{})) {
    if (heard.injected || facts.is_local(heard.source)) continue;
    out.push_back(judge_unrelayed(facts, heard.member.to_string()));
  }
  return out;
}

Findings judge_reachable(const Facts& facts) {
  Findings out;
  out.reserve(facts.ports.size());
  for (const PortTry& port : facts.ports) out.push_back(judge_port(facts, port));
  return out;
}

}  // namespace tribecast::doctor
