// What the daemon tells about itself: one struct, from which human text and JSON are printed.
//
// The daemon fills a Status and sends it over the control socket (control/reply.h); the command
// line tool reads it back and prints it (control/print.h, control/json.h). Field names are those of
// the JSON contract; times are seconds, std::nullopt is "unknown" and null in JSON.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/reason.h"

namespace tribecast::control {

enum class PeerState : std::uint8_t {
  up,
  lossy,
  half_open_in,   // nothing comes in: it hears us, we do not hear it
  half_open_out,  // nothing gets out: we hear it, it does not hear us
  silent,
  key_rejected,
  stopped,
  disabled,
  self,
};
inline constexpr std::array<std::string_view, 9> kPeerStates = {
    "up",           "lossy",   "half_open_in", "half_open_out", "silent",
    "key_rejected", "stopped", "disabled",     "self"};

enum class Origin : std::uint8_t { local, remote };
inline constexpr std::array<std::string_view, 2> kOrigins = {"local", "remote"};

enum class MemberState : std::uint8_t { alive, late, left, lost };
inline constexpr std::array<std::string_view, 4> kMemberStates = {"alive", "late", "left", "lost"};

enum class Level : std::uint8_t { ok, idle, degraded, critical };
inline constexpr std::array<std::string_view, 4> kLevels = {"ok", "idle", "degraded", "critical"};

constexpr std::string_view name_of(PeerState s) { return kPeerStates[static_cast<std::size_t>(s)]; }
constexpr std::string_view name_of(Origin o) { return kOrigins[static_cast<std::size_t>(o)]; }
constexpr std::string_view name_of(MemberState s) {
  return kMemberStates[static_cast<std::size_t>(s)];
}
constexpr std::string_view name_of(Level l) { return kLevels[static_cast<std::size_t>(l)]; }

struct Node {
  std::string name;
  std::string site;
  std::string instance;  // this run's random id, in hex
  std::string version;
  double uptime_seconds = 0;
  // How the death of a local member is seen: `sock_diag` (the kernel tells) or `held_connections`.
  std::string death_watch;
};

// Something that holds now and that an operator should know; ids are stable words such as
// `kernel_drop` or `no_multicast_route`.
struct Warning {
  std::string id;
  std::string text;
};

struct VerdictReason {
  std::string id;
  std::string text;
  std::optional<std::string> peer;
};

struct Verdict {
  Level level = Level::idle;
  std::vector<VerdictReason> reasons;
};

struct Datagrams {
  std::uint64_t sent = 0;
  std::uint64_t received = 0;
  ReasonCounters rejected;
};

// A key of a peer's ring, as the peer says.
struct PeerKey {
  std::uint64_t id = 0;
  std::string fingerprint;  // eight hexadecimal digits
  bool primary = false;
};

struct Peer {
  std::string name;
  std::optional<std::string> from;  // the [discovery] section that found it; none = configured
  std::string site;                 // as the peer says; empty while unknown
  std::string version;              // of its agent, in the same way
  PeerState state = PeerState::silent;
  std::optional<std::string> instance;  // of its process, in hex; unknown while there is no session
  bool agentless = false;               // it is sent to, and `up` as soon as its address is known
  std::optional<std::string> endpoint;  // `10.0.0.1:45565`; unknown while a name is not resolved
  std::optional<double> rtt_seconds;
  std::optional<double> jitter_seconds;
  std::optional<double> loss_ratio;      // the larger of the two below
  std::optional<double> loss_in_ratio;   // of what the peer sends
  std::optional<double> loss_out_ratio;  // of what we send, as the peer says
  std::optional<double> clock_offset_seconds;
  std::optional<std::uint64_t> mtu_bytes;
  std::optional<double> last_heard_seconds;
  std::optional<std::uint64_t> key_id;        // the ring key that our session with it was made with
  std::optional<std::uint64_t> heard_key_id;  // the same of the session that it last spoke in
  std::optional<std::vector<PeerKey>> keys;   // unknown while there is no session
  Datagrams datagrams;
};

struct Member {
  std::string group;
  std::string host;
  std::uint16_t port = 0;
  std::string unique_id;  // hex
  std::string domain;
  Origin origin = Origin::local;
  std::string via;  // the interface (local) or the peer's name (remote)
  MemberState state = MemberState::alive;
  std::optional<double> alive_seconds;
  std::optional<double> last_heartbeat_seconds;
  std::optional<double> interval_seconds;
  std::uint64_t gaps = 0;
};

struct Group {
  std::string name;
  std::string address;  // `228.0.0.4:45564`, `228.0.0.4:*`
  std::vector<std::string> interfaces;
  std::uint64_t captured = 0;
  std::uint64_t relayed = 0;
  std::uint64_t received = 0;
  std::uint64_t injected = 0;
  ReasonCounters dropped;
};

// A source of peers.
struct Discovery {
  std::string name;
  std::string kind;  // dns, file, exec
  std::string source;
  std::uint64_t peers = 0;                    // found, whether they are used or not
  std::uint64_t missing = 0;                  // of them: no longer found, but still believed
  std::optional<double> last_answer_seconds;  // a good one, since the start
  std::optional<std::string> error;           // of the last answer
};

// Capture to injection, all peers, last 60 s.
struct Latency {
  std::optional<double> p50;
  std::optional<double> p99;
  std::optional<double> max;
};

struct Rates {
  double captured_per_second = 0;
  double relayed_per_second = 0;
  double injected_per_second = 0;
};

struct Status {
  Node node;
  Verdict verdict;  // set it with judge() when the rest is filled
  std::vector<Peer> peers;
  std::vector<Group> groups;
  std::vector<Member> members;
  Latency latency;
  ReasonCounters drops;  // since start
  Rates rates;
  std::vector<Warning> warnings;
  std::vector<Discovery> discoveries;
};

// The verdict on peers and warnings: `idle` without peers and sources of peers; `ok` when every
// peer except self is up; `critical` when none is; else `degraded`, as is `ok` while a warning
// holds. A lossy peer is reachable, but not up. Each reason carries the state's or the warning's
// id.
Verdict judge(const Status& status);

}  // namespace tribecast::control
