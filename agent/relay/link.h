// One peer as this agent knows it: its sessions, its data keys, its clock. Plain state; what is
// done with it is in links.cc.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/reason.h"
#include "base/time.h"
#include "relay/actions.h"
#include "relay/clock_map.h"
#include "relay/frames.h"
#include "relay/path_size.h"
#include "relay/pieces.h"
#include "relay/settings.h"
#include "relay/token_bucket.h"
#include "relay/views.h"
#include "seal/noise.h"
#include "seal/replay_window.h"

namespace tribecast::relay {

// The id of sessions that no ring key took part in.
inline constexpr std::uint8_t kNoRingKey = 0;

enum class PeerState : std::uint8_t {
  up,
  lossy,          // up, but more than a tenth of its probes is missing
  half_open_in,   // nothing comes in: they hear us, as another peer says, we do not hear them
  half_open_out,  // nothing gets out: we hear them, they do not hear us
  silent,
  key_rejected,  // what it sends does not verify with any key of our ring
  stopped,       // it said goodbye
  disabled,
  self,
};

// The transport keys of one finished handshake.
struct Session {
  std::uint32_t local_index = 0;
  std::uint32_t remote_index = 0;
  std::uint64_t instance = 0;  // the peer's
  std::uint8_t ring_id = 0;
  bool initiator = false;
  bool passed_over = false;  // offered, but another one was confirmed before it
  seal::Key send_key;
  seal::Key receive_key;
  std::uint64_t send_counter = 0;
  seal::ReplayWindow window;
  Instant established;
  Path path;
};

// A handshake that this side began and that was not answered yet.
struct Initiation {
  seal::Handshake handshake;
  std::uint32_t local_index = 0;
  std::uint8_t ring_id = 0;
  Instant sent;
};

// What this agent seals data with.
struct DataKey {
  std::uint32_t id = 0;  // 0 = none yet
  seal::Key key;
  Instant made;
};

struct DataKeys {
  DataKey current;
  std::optional<DataKey> next;  // being handed out; used once everybody holds it

  [[nodiscard]] const DataKey& newest() const { return next ? *next : current; }
};

// A peer's data key, with the window of what was accepted under it.
struct GrantedKey {
  std::uint32_t id = 0;
  seal::Key key;
  seal::ReplayWindow window;
  Instant granted;
};

// The latest greeting answered for each of the peer's last few instances: an older one is a replay.
struct SeenGreeting {
  std::uint64_t instance = 0;
  Stamp sent = 0;
};

// Which of the last 64 probes came, by their sequence.
class ProbeHistory {
 public:
  void note(std::uint32_t sequence);
  // Share of the probes that are missing; nullopt below four probes.
  [[nodiscard]] std::optional<double> loss() const;
  // The same, nullopt below twenty: enough to tell others.
  [[nodiscard]] std::optional<double> settled_loss() const;

 private:
  std::uint64_t came_ = 0;
  std::uint32_t highest_ = 0;
  unsigned expected_ = 0;
};

// Somebody who hears a peer in vain, and when it said so.
struct Hearsay {
  Endpoint teller;
  Instant told;
};

struct Link {
  PeerSettings settings;
  std::vector<Endpoint> endpoints;  // as configured and resolved
  bool answers_as_self = false;     // our own instance answered there
  bool address_is_local = false;
  bool key_is_own = false;  // its public key is this agent's

  // Handshake.
  std::optional<Initiation> initiation;
  std::uint32_t given_up = 0;  // the index of the initiation before
  std::size_t next_endpoint = 0;
  unsigned attempts = 0;
  Instant next_attempt = kNever;
  std::vector<SeenGreeting> greetings;
  // Where it was heard last, when that is none of its endpoints; with a public key only.
  std::optional<Path> moved_to;

  // Sessions: `current` seals, `previous` still opens, `offered` were answered and not confirmed.
  // One that was passed over opens as well: the peer speaks in it until it learns of the other one.
  std::optional<Session> current;
  std::optional<Session> previous;
  std::vector<Session> offered;
  std::uint8_t heard_ring_id = 0;  // of the session that it spoke in last
  std::vector<RingEntry> ring;     // what it holds, as it says; its primary key first

  // Data keys: theirs, oldest first, and the newest of ours that they hold.
  DataKeys own_keys;  // ours for this peer alone, when it has a public key
  std::vector<GrantedKey> granted;
  std::uint32_t holding_key = 0;
  Pieces pieces;
  std::deque<std::uint64_t> acknowledged;  // the last goodbyes that came, by their counter

  // Probes.
  std::uint32_t probe_sequence = 0;
  Stamp peer_stamp = 0;  // of its latest probe or greeting
  Instant peer_stamp_at;
  ClockMap clock;
  std::optional<Duration> round_trip;
  ProbeHistory history;
  std::optional<double> loss_out;       // of our probes, as the peer says
  std::optional<Duration> jitter;       // of the round trip, smoothed as in RFC 3550 6.4.1
  std::optional<Duration> wall_offset;  // the peer's wall clock less ours
  PathSize path_size;
  bool they_hear_us = false;
  std::optional<Instant> asked_clock;

  std::vector<Hearsay> heard_by;    // passed on to it
  std::optional<Instant> hears_us;  // another peer last said so

  std::optional<Instant> last_heard;
  std::optional<Instant> heard_since;     // the last silence ended
  std::optional<Instant> greeting_heard;  // an initiation that verified
  std::optional<Instant> greeting_since;  // the first one without a session since
  std::optional<Instant> goodbye;
  std::optional<Instant> key_rejected;
  std::optional<Instant> other_mode;  // a handshake of the other `auth` came
  std::string site;
  std::string version;
  PeerState shown = PeerState::silent;  // as the last event told
  bool told_other_mode = false;         // as the reason of being rejected

  std::optional<ViewCollection> view;  // its own, while a roll call goes on
  TokenBucket view_rate;               // of the parts of ours that it gets

  TokenBucket rate;  // of its data
  std::uint64_t sent = 0;
  std::uint64_t received = 0;
  ReasonCounters rejected;

  // More than a tenth is missing, in either direction, of enough probes to say so; once it was
  // shown so, more than a twentieth.
  [[nodiscard]] bool is_lossy() const;
  // What it was rejected for last is a handshake of the other `auth`.
  [[nodiscard]] bool has_other_mode() const { return other_mode && other_mode == key_rejected; }
  // For people, a clause: why it is key_rejected.
  [[nodiscard]] std::string_view rejection() const;
  [[nodiscard]] bool is_self() const { return answers_as_self || address_is_local || key_is_own; }
  [[nodiscard]] bool in_group(const std::string& group) const;
  [[nodiscard]] bool may_announce(const Address& member) const;
  // By its rules of translation; nullopt: as it is.
  [[nodiscard]] std::optional<Address> seen_from_here(const Address& address) const;
  [[nodiscard]] bool has_address(const Address& address) const;
  // Whether its sessions may come from there and move there.
  [[nodiscard]] bool may_be_at(const Address& address) const;
  [[nodiscard]] bool may_roam_to(const Address& address) const;
};

}  // namespace tribecast::relay
