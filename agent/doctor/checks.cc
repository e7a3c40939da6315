// The table of checks.
#include "doctor/checks.h"

#include <algorithm>
#include <array>

#include "doctor/judges.h"

namespace tribecast::doctor {
namespace {

constexpr std::array kChecks = {
    Check{"TC001", "configuration",
          "The agent does not start, or does not reload, with a configuration that has an error.",
          "`tribecast config check` names each mistake by file and line.", judge_configuration},
    Check{"TC002", "keys",
          "Without a good keyring no peer is believed; who can read it can join the cluster and "
          "gets the "
          "sessions.",
          "Make keys with `tribecast keygen`, mode 0640, group tribecast, the same file on every "
          "node.",
          judge_keys},
    Check{"TC003", "agent",
          "Without the agent nothing is relayed: joins, restarts and clean stops of Tomcats are "
          "not seen by "
          "the others.",
          "`systemctl restart tribecast`; why it ended is in `journalctl -u tribecast -e`.",
          judge_agent, true},
    Check{"TC004", "running configuration", "What runs now is not what a restart would run.",
          "`tribecast config diff` shows the difference, `config reload` applies the files.",
          judge_running, true},
    Check{"TC005", "kernel and rights",
          "Capture needs a packet socket, injection a raw socket: CAP_NET_RAW. Without them "
          "nothing is "
          "relayed.",
          "The service's unit grants CAP_NET_RAW; containers need it added.", judge_rights, true},
    Check{"TC010", "route of a group",
          "The kernel asks its routes where a group is. Without one Tomcat cannot join (ENODEV) "
          "nor send; "
          "with one to lo its heartbeats never leave the host.",
          "A default route will do, or `ip route add 224.0.0.0/4 dev INTERFACE`.", judge_route},
    Check{"TC011", "interface of a group",
          "On an interface that is missing, down or without multicast nothing is captured or "
          "injected.",
          "Mend the interface, or name another one with `interface =` in the group.",
          judge_interface},
    Check{"TC012", "group joined",
          "A heartbeat is only delivered to sockets that have joined its group, on the interface "
          "where it "
          "arrives.",
          "Start Tomcat; let the agent serve the interface that Tomcat joined (`interface =`).",
          judge_joined},
    Check{"TC013", "reverse path filter",
          "With rp_filter = 1 the kernel silently drops what comes in by another interface than "
          "the one that "
          "leads back to its sender.",
          "Use loose mode (rp_filter = 2), or mend the routes.", judge_reverse_path},
    Check{"TC014", "packet filter",
          "A rule of this host drops something that the relay or the cluster needs.",
          "Accept UDP 45565 of the peers, UDP to the group, and TCP 4000-4100 of the members.",
          judge_packet_filter},
    Check{"TC015", "delivery",
          "Heartbeats of other networks are injected with their sender's address as source. A "
          "packet filter "
          "that knows this host's network only drops them: its Tomcats see nobody.",
          "Accept UDP to the group's address from any source.", judge_delivery},
    Check{"TC016", "receive buffers",
          "A buffer of the default size holds about 256 heartbeats. What comes on top is lost; a "
          "member whose "
          "heartbeats are lost for 3 s is dropped.",
          "Raise net.core.rmem_max (the package does) and restart the process.", judge_buffers},
    Check{"TC020", "heartbeats of local members",
          "A Tomcat that does not beat is seen by no other, whatever the relay does.",
          "catalina.out tells why; often the cluster did not start.", judge_heartbeats, true},
    Check{"TC021", "announced addresses",
          "Others connect to the address that a heartbeat announces. A loopback address would lead "
          "each to "
          "itself: it would replicate to itself, and a node that starts would wait for 60 s.",
          "Mend the host's name in /etc/hosts, or set address= on <Receiver>.", judge_announced},
    Check{"TC022", "host name",
          "<Receiver address=\"auto\"> asks for the host's own name. When it does not resolve, the "
          "whole Tomcat "
          "exits; when it leads to 127.0.1.1, that is what it announces.",
          "Let the name stand for the host's real address in /etc/hosts.", judge_host_name},
    Check{"TC023", "two members on one address",
          "Who connects to that address reaches one of them only; the other's sessions are "
          "replicated to the "
          "wrong one, or sent twice.",
          "Give each host its own address; restart a ghost after more than 3 s.", judge_twins,
          true},
    Check{"TC024", "domains",
          "Members of different domains ignore each other where a DomainFilterInterceptor is used.",
          "One domain for each cluster, the same on all its members.", judge_domains, true},
    Check{"TC025", "native multicast",
          "Multicast works here without a relay. The relay does no harm, but is not needed between "
          "these "
          "hosts.",
          "Remove the peers that are heard anyway.", judge_native},
    Check{"TC026", "members reachable",
          "A heartbeat alone makes no member: Tomcat connects to the announced TCP port first, and "
          "later "
          "replicates by it.",
          "Open the members' TCP ports (4000-4100) in both directions.", judge_reachable, true},
    Check{"TC030", "bind without preferIPv4Stack",
          "On a Java with IPv6 the heartbeats of a <Membership bind=...> fail with `Invalid "
          "argument`; the "
          "cluster, and with it Tomcat, does not start.",
          "Add -Djava.net.preferIPv4Stack=true, or remove bind.", judge_bind},
    Check{"TC031", "channelSendOptions",
          "Without acknowledgement (8) messages overtake each other: of 100 new sessions about 4 "
          "to 22 stay "
          "empty on another node, which shows only when one fails. With 6 none did.",
          "Set channelSendOptions=\"6\".", judge_send_options},
    Check{"TC032", "Tribes port open to strangers",
          "Who can connect to the receiver can send it serialized Java objects, which has been "
          "enough to take over a Tomcat.",
          "Let only the members pass: `tribecast firewall print`, or a security group. Whether a "
          "security group of the network does cannot be seen from a host.",
          judge_open_ports},
    Check{"TC040", "names of peers", "A peer whose name does not resolve is not sent to.",
          "Mend DNS or /etc/hosts, or configure an address.", judge_peer_names},
    Check{"TC041", "peers answer",
          "Heartbeats of that network do not arrive, or ours do not arrive there. In clouds mostly "
          "one "
          "security group of the two.",
          "Open UDP 45565 in both directions; start the other agent.", judge_peer_answers, true},
    Check{"TC042", "keys of peers", "The peer is there, but nothing that it says can be believed.",
          "The same keyring on both.", judge_peer_keys, true},
    Check{"TC043", "versions",
          "Agents of different versions work together; it is meant for the time of an upgrade.",
          "Upgrade the older one.", judge_peer_versions, true},
    Check{"TC044", "packet size",
          "A link on the way drops larger packets without a word. The agent keeps its datagrams "
          "small (max-datagram), or finds the size out (auto); Tomcat's TCP sends full packets, so "
          "large sessions get stuck where small ones arrive. A connection that is stuck just now "
          "is seen at the sender.",
          "Mend the tunnel's MTU, clamp TCP's MSS there, or let ICMP `fragmentation needed` "
          "through.",
          judge_peer_sizes, true},
    Check{"TC045", "loss", "Tomcat drops a member after six lost heartbeats in a row.",
          "Mend the link; `copies = 2` for the peer bridges it.", judge_peer_loss, true},
    Check{"TC046", "round trips",
          "A heartbeat that is older than max-age (1 s) is dropped rather than injected late.",
          "Find what delays; raise max-age and Tomcat's dropTime only knowingly.",
          judge_peer_round_trips, true},
    Check{"TC047", "clocks",
          "Tomcat compares times of different nodes: sessions expire early or late. The relay "
          "itself does "
          "not look at the wall clock.",
          "Run NTP on all nodes.", judge_peer_clocks, true},
    Check{"TC048", "agent away for long",
          "Tomcats keep members whose agent is away as long as they answer, but only for 300 s do "
          "they look "
          "again: one that dies later stays listed.",
          "Start the agent again; it tells who died meanwhile.", judge_peer_absence, true},
    Check{
        "TC050", "agents answer",
        "Each agent is asked what it sees (`doctor --all`). Of one that does not answer only what "
        "the others say of it is known.",
        "Upgrade agents that are older than the question.", judge_agents},
    Check{"TC051", "directions between agents",
          "Heartbeats go from each agent to each other one directly. Where one direction is shut, "
          "the members of one host are missing at another, and at no third.",
          "Open UDP 45565 from the one host to the other; name every host as a peer on each.",
          judge_directions},
    Check{"TC052", "members seen by all",
          "A member that some hosts see and others do not gets only a part of the sessions, and "
          "keeps its own from the rest.",
          "Look at `members`, `groups` and `max-members` of the peers, and at what `tribecast "
          "groups` says was dropped.",
          judge_seen},
};

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

control::DoctorFinding told(const Check& check, Finding finding) {
  control::DoctorFinding out;
  out.id = check.id;
  out.title = check.title;
  out.health = finding.health;
  out.subject = std::move(finding.subject);
  out.text = std::move(finding.text);
  out.fix = std::move(finding.fix);
  const bool bad = finding.health == Health::warning || finding.health == Health::failure;
  if (bad) out.means = check.means;
  return out;
}

}  // namespace

std::span<const Check> checks() { return kChecks; }

const Check* find_check(std::string_view id) {
  const auto found = std::ranges::find_if(kChecks, [&](const Check& check) {
    return std::ranges::equal(check.id, id, {}, lower, lower);
  });
  return found == kChecks.end() ? nullptr : &*found;
}

namespace {

control::Diagnosis diagnosed(const Facts& facts, bool agent_alone) {
  control::Diagnosis diagnosis{facts.host, {}};
  for (const Check& check : kChecks) {
    if (agent_alone && !check.by_agent) continue;
    for (Finding& finding : check.judge(facts)) {
      diagnosis.findings.push_back(told(check, std::move(finding)));
    }
  }
  return diagnosis;
}

}  // namespace

control::Diagnosis diagnose(const Facts& facts) { return diagnosed(facts, false); }
control::Diagnosis diagnose_agent(const Facts& facts) { return diagnosed(facts, true); }

}  // namespace tribecast::doctor
