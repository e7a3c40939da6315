#include <cmath>

#include "doctor/judges.h"

namespace tribecast::doctor {
namespace {

using control::Peer;
using control::PeerState;

constexpr double kSlowSeconds = 0.5;         // half of the default max-age, there and back
constexpr double kClockOffsetSeconds = 0.5;  // as the agent's own warning

template <class Judge>
Findings of_each(const Facts& facts, Judge&& judge) {
  Findings out;
  if (!facts.agent.status) return out;
  for (const Peer& peer : facts.agent.status->peers) {
    if (is_wanted(facts, peer)) judge(peer, out);
  }
  return out;
}

std::string address_of(const Peer& peer) { return peer.endpoint.value_or("its address"); }

std::string port_of(const Peer& peer) {
  const auto endpoint = Endpoint::parse(address_of(peer));
  return std::to_string(endpoint ? endpoint->port : config::kDefaultPort);
}

std::string host_of(const Peer& peer) {
  const auto endpoint = Endpoint::parse(address_of(peer));
  return endpoint ? endpoint->address.to_string() : peer.name;
}

// The names among a peer's addresses.
std::vector<std::string> names_of(const Facts& facts, const std::string& peer) {
  std::vector<std::string> names;
  if (facts.settings() == nullptr) return names;
  for (const config::Peer& configured : facts.settings()->peers) {
    if (configured.name != peer) continue;
    for (const config::PeerAddress& address : configured.addresses) {
      if (!address.literal()) names.push_back(address.host);
    }
  }
  return names;
}

Finding judge_silent(const Facts& facts, const Peer& peer) {
  const std::string heard =
      peer.last_heard_seconds
          ? "was last heard " + control::age_text(peer.last_heard_seconds) + " ago"
          : "was never heard";
  return failure(
      peer.name,
      "peer " + peer.name + " (" + address_of(peer) + ") " + heard + ": nothing comes from it to " +
          facts.host + ", and whether it hears us is not known",
      "on " + peer.name + ": systemctl status tribecast; ss -lun 'sport = :" + port_of(peer) +
          "'\nUDP " + port_of(peer) + " must be open both ways in security groups; on " +
          facts.host + ": ping " + host_of(peer));
}

Finding judge_half_open(const Facts& facts, const Peer& peer) {
  const bool in = peer.state == PeerState::half_open_in;
  const std::string from = in ? peer.name : facts.host;
  const std::string to = in ? facts.host : peer.name;
  return failure(peer.name,
                 "from " + from + " to " + to + " nothing gets through (UDP " + port_of(peer) +
                     "); the other direction works",
                 "at " + to + ": let UDP " + port_of(peer) + " from " +
                     (in ? host_of(peer) : facts.host) +
                     " in (security group, nft list ruleset)\nat " + from + ": let it out, to " +
                     (in ? facts.host : host_of(peer)));
}

Finding judge_state(const Facts& facts, const Peer& peer) {
  switch (peer.state) {
    case PeerState::silent:
      return judge_silent(facts, peer);
    case PeerState::half_open_in:
    case PeerState::half_open_out:
      return judge_half_open(facts, peer);
    case PeerState::stopped:
      return warning(peer.name, "the agent of peer " + peer.name + " was stopped",
                     "on " + peer.name + ": systemctl start tribecast");
    case PeerState::key_rejected:
      return good("peer " + peer.name + " answers, with another key", peer.name);
    case PeerState::up:
    case PeerState::lossy:
    case PeerState::disabled:
    case PeerState::self:
      break;
  }
  if (peer.agentless)
    return good("peer " + peer.name + " has no agent: it is sent to, and never answers", peer.name);
  return good("peer " + peer.name + " (" + address_of(peer) + ") answers", peer.name);
}

}  // namespace

Findings judge_peer_names(const Facts& facts) {
  Findings out;
  if (facts.settings() == nullptr) return out;
  for (const config::Peer& peer : facts.settings()->peers) {
    if (!facts.only_peer.empty() && facts.only_peer != peer.name) continue;
    for (const std::string& name : names_of(facts, peer.name)) {
      const auto resolved = std::ranges::find(facts.peer_names, name, &Resolved::name);
      if (resolved == facts.peer_names.end()) continue;
      if (!resolved->addresses.empty()) {
        out.push_back(good(name + " of peer " + peer.name + " resolves", peer.name));
      } else {
        out.push_back(
            failure(peer.name,
                    "the name " + name + " of peer " + peer.name + " does not resolve on " +
                        facts.host + " (" + resolved->error + ")",
                    "on " + facts.host + ": getent hosts " + name +
                        "; mend DNS or /etc/hosts, or name an address: tribecast peer add"));
      }
    }
  }
  return out;
}

Findings judge_peer_answers(const Facts& facts) {
  const config::Config* settings = facts.settings();
  if (!facts.agent.status) {
    if (settings == nullptr || settings->peers.empty()) return {};
    return {unknown("whether peers answer was not tried: only the agent has sessions with them",
                    facts.agent.contact == Contact::denied ? "run as root: sudo tribecast doctor"
                                                           : "start the agent on " + facts.host)};
  }
  Findings out = of_each(facts, [&](const Peer& peer, Findings& found) {
    // Without an address there is nothing to ask: the check of its name says so.
    if (peer.endpoint || peer.last_heard_seconds) found.push_back(judge_state(facts, peer));
  });
  return out;
}

Findings judge_peer_keys(const Facts& facts) {
  return of_each(facts, [&](const Peer& peer, Findings& out) {
    if (peer.state == PeerState::key_rejected) {
      out.push_back(failure(
          peer.name, "peer " + peer.name + " and " + facts.host + " have no key in common",
          "give both the same keys: on both: tribecast key list; copy the keyring from one to "
          "the other; then on both: tribecast config reload"));
    } else if (is_up(peer) && peer.key_id) {
      out.push_back(
          good("peer " + peer.name + " shares key " + std::to_string(*peer.key_id), peer.name));
    }
  });
}

Findings judge_peer_versions(const Facts& facts) {
  return of_each(facts, [&](const Peer& peer, Findings& out) {
    if (!is_up(peer) || peer.version.empty()) return;
    const std::string& own = facts.agent.status->node.version;
    if (peer.version == own) {
      out.push_back(
          good("peer " + peer.name + " runs " + peer.version + ", as this host", peer.name));
      return;
    }
    out.push_back(warning(
        peer.name,
        "peer " + peer.name + " runs tribecast " + peer.version + ", " + facts.host + " " + own,
        "upgrade the older one; both work together meanwhile"));
  });
}

Findings judge_peer_loss(const Facts& facts) {
  return of_each(facts, [&](const Peer& peer, Findings& out) {
    if (!is_up(peer) || !peer.loss_ratio) return;
    if (peer.state != PeerState::lossy) {
      out.push_back(
          good("peer " + peer.name + ": " + control::percent_text(peer.loss_ratio) + " lost",
               peer.name));
      return;
    }
    const bool in = peer.loss_in_ratio.value_or(0) >= peer.loss_out_ratio.value_or(0);
    out.push_back(warning(
        peer.name,
        control::percent_text(peer.loss_ratio) + " of the datagrams from " +
            (in ? peer.name + " to " + facts.host : facts.host + " to " + peer.name) + " are lost",
        "look for a full link or an overloaded host on the way; on " + facts.host +
            ": copies = 2 in [peer \"" + peer.name + "\"] bridges what cannot be mended"));
  });
}

Findings judge_peer_round_trips(const Facts& facts) {
  return of_each(facts, [&](const Peer& peer, Findings& out) {
    if (!peer.rtt_seconds) return;
    const std::string time = control::time_text(peer.rtt_seconds);
    if (*peer.rtt_seconds < kSlowSeconds) {
      out.push_back(good("peer " + peer.name + " answers in " + time, peer.name));
      return;
    }
    out.push_back(warning(
        peer.name, "a round trip from " + facts.host + " to peer " + peer.name + " takes " + time,
        "on " + facts.host + ": mtr -u " + host_of(peer) +
            "; max-age in [group] and drop-time must be larger than the way takes"));
  });
}

Findings judge_peer_clocks(const Facts& facts) {
  return of_each(facts, [&](const Peer& peer, Findings& out) {
    if (!peer.clock_offset_seconds) return;
    const double offset = *peer.clock_offset_seconds;
    if (std::abs(offset) <= kClockOffsetSeconds) {
      out.push_back(good("the clock of peer " + peer.name + " agrees with this host's", peer.name));
      return;
    }
    out.push_back(
        warning(peer.name,
                "the clock of peer " + peer.name + " is " + control::time_text(std::abs(offset)) +
                    (offset > 0 ? " ahead of " : " behind ") + "that of " + facts.host,
                "on both: chronyc tracking (or timedatectl); run an NTP service on each"));
  });
}

Findings judge_peer_absence(const Facts& facts) {
  return of_each(facts, [&](const Peer& peer, Findings& out) {
    if (is_up(peer) || !peer.last_heard_seconds || *peer.last_heard_seconds < kBlindSeconds) return;
    const auto& members = facts.agent.status->members;
    const auto count =
        static_cast<std::uint64_t>(std::ranges::count_if(members, [&](const control::Member& m) {
          return m.origin == control::Origin::remote && m.via == peer.name &&
                 m.state != control::MemberState::left;
        }));
    if (count == 0) return;
    out.push_back(failure(
        peer.name,
        "the agent of peer " + peer.name + " has been away for " +
            control::age_text(peer.last_heard_seconds) + " with " +
            control::counted(count, "member") +
            ": this host's Tomcats no longer notice when one of them dies",
        "on " + peer.name + ": systemctl start tribecast, before one of its Tomcats stops"));
  });
}

}  // namespace tribecast::doctor
