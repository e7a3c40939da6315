// What is too large for the way to a peer: the agent's datagrams, and the segments of Tomcat's TCP.
#include <map>

#include "doctor/judges.h"

namespace tribecast::doctor {
namespace {

constexpr std::uint64_t kIpAndUdpBytes = 28;
constexpr std::uint64_t kLeastMtuBytes = 1232 + kIpAndUdpBytes;
// Sent three times: after 0.6 s on a near path. Tomcat's sender gives up after 3 s.
constexpr std::uint32_t kStalledRepeats = 2;

std::string place_of(const control::Peer& peer) {
  const auto endpoint = Endpoint::parse(peer.endpoint.value_or(""));
  return endpoint ? endpoint->address.to_string() : peer.name;
}

Finding judge_measured(const Facts& facts, const control::Peer& peer) {
  const std::string size = std::to_string(*peer.mtu_bytes);
  if (*peer.mtu_bytes >= kLeastMtuBytes) {
    return good("packets of " + size + " bytes reach peer " + peer.name, peer.name);
  }
  return warning(peer.name,
                 "only packets of up to " + size + " bytes get from " + facts.host + " to peer " +
                     peer.name + "; larger datagrams go in pieces",
                 "find the tunnel or link on the way with a smaller MTU: on " + facts.host +
                     ": tracepath -n " + place_of(peer));
}

// The agent finds the size out only when it may choose it.
void judge_unmeasured(const Facts& facts, const std::vector<std::string>& peers, Findings& out) {
  const config::Config* settings = facts.settings();
  if (peers.empty() || settings == nullptr || !settings->relay.max_datagram_bytes) return;
  const std::uint64_t most = *settings->relay.max_datagram_bytes;
  const std::string fixed = "max-datagram is " + std::to_string(most);
  if (most + kIpAndUdpBytes <= kLeastMtuBytes) {
    out.push_back(good(fixed + ", which nearly every path takes whole; how much more " +
                       listed(peers) +
                       " could be sent at once, only max-datagram = auto measures"));
    return;
  }
  out.push_back(unknown(
      fixed + ", and whether packets of that size reach " + listed(peers) + " was not measured",
      "on " + facts.host + ": max-datagram = auto in [relay] measures it"));
}

bool accepts(const Facts& facts, const Endpoint& member) {
  return std::ranges::any_of(facts.ports, [&](const PortTry& port) {
    return port.endpoint == member && port.outcome == Outcome::accepted;
  });
}

// Small packets get there, since the port has just answered; what these connections sent did not.
void judge_stalls(const Facts& facts, Findings& out) {
  std::map<Endpoint, Connection> worst;
  for (const Connection& one : facts.connections) {
    if (one.repeats < kStalledRepeats || one.unacknowledged_bytes == 0) continue;
    if (!accepts(facts, one.remote)) continue;
    Connection& known = worst[one.remote];
    if (one.repeats > known.repeats) known = one;
  }
  for (const auto& [member, one] : worst) {
    const std::string name = member.to_string();
    out.push_back(warning(
        name,
        "a TCP connection from " + one.local.to_string() + " to the member " + name +
            " is stuck: " + control::counted(one.unacknowledged_bytes, "byte") +
            " wait, sent again " + control::counted(one.repeats, "time") +
            " without an answer, while the port answers small packets: large ones are lost on "
            "the way",
        "on " + facts.host + ": tracepath -n " + member.address.to_string() +
            "; let ICMP `fragmentation needed` through, or clamp TCP's MSS on the way; until then "
            "on both: sysctl -w net.ipv4.tcp_mtu_probing=1"));
  }
}

}  // namespace

Findings judge_peer_sizes(const Facts& facts) {
  Findings out;
  if (!facts.agent.status) return out;
  std::vector<std::string> unmeasured;
  for (const control::Peer& peer : facts.agent.status->peers) {
    if (!is_wanted(facts, peer)) continue;
    if (peer.mtu_bytes) {
      out.push_back(judge_measured(facts, peer));
    } else if (is_up(peer)) {
      unmeasured.push_back(peer.name);
    }
  }
  judge_unmeasured(facts, unmeasured, out);
  judge_stalls(facts, out);
  return out;
}

}  // namespace tribecast::doctor
