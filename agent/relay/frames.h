// What is inside the seals: frames for one peer (type pair), parcels for all (type data), and the
// payloads of the two handshake messages. Layouts are drawn in docs/wire-format.md.
#pragma once

#include <bitset>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/bytes.h"
#include "relay/clock_map.h"
#include "seal/secret.h"

namespace tribecast::relay {

// Both handshake messages carry the same three things.
struct Greeting {
  std::uint32_t index = 0;     // the sender's session index
  std::uint64_t instance = 0;  // random, one a process
  Stamp sent = 0;
};

Buffer encode(const Greeting& greeting);
std::optional<Greeting> decode_greeting(Bytes payload);

struct Hello {
  std::string name;
  std::string site;
  std::string version;
};

// The sender's data key. Datagrams sealed with it are refused below `next_counter`.
struct KeyGrant {
  std::uint32_t id = 0;
  seal::Key key;
  std::uint64_t next_counter = 0;
};

// Sent twice a second, and at once where an answer is asked for. Every probe answers the peer's
// latest one, so that both sides know the round trip.
struct Probe {
  std::uint32_t sequence = 0;
  Stamp sent = 0;
  Stamp echo = 0;                 // `sent` of the peer's latest probe or greeting; 0 = none
  std::uint32_t held_us = 0;      // how long ago it came
  std::uint32_t heard_ms = 0;     // how long ago anything came; all ones = never
  std::uint32_t holding_key = 0;  // the newest data key held of the receiver; 0 = none
  bool answer_now = false;
};

// What the sender has found out about the path; beside a probe, whose `sent` dates it.
struct Measures {
  std::uint64_t wall_us = 0;                   // the sender's wall clock, microseconds since 1970
  std::optional<std::uint16_t> loss_permille;  // of the receiver's probes
};

// One of the ring keys that the sender holds; the digest tells a different key under the same id.
struct RingEntry {
  std::uint8_t id = 0;
  std::uint32_t fingerprint = 0;

  bool operator==(const RingEntry&) const = default;
};

// A larger ring is told in part.
inline constexpr std::size_t kMaxRingTold = 16;

inline constexpr std::uint32_t kNeverHeard = 0xffffffff;

// A view (relay/views.h) travels in parts of this size, the last one shorter. So each fits beside
// its frame into the smallest `max-datagram`.
inline constexpr std::size_t kViewPartBytes = 512;
inline constexpr std::size_t kMaxViewParts = 255;
inline constexpr std::size_t kMaxViewBytes = kMaxViewParts * kViewPartBytes;

// Asks for the receiver's view, or for what of it is still missing.
struct ViewQuestion {
  std::bitset<kMaxViewParts> missing;  // bit i: part i
};

// The answer, one part a datagram.
struct ViewPart {
  Stamp made = 0;            // by the sender's clock; the same in all parts of one view
  std::uint32_t age_ms = 0;  // when this part was sent
  std::uint8_t part = 0;
  std::uint8_t parts = 0;  // 0: the view is being made, ask again; then there are no bytes
  Buffer bytes;
};

// How much hearsay (relay/links_hearsay.cc) goes with one probe; more is left out.
inline constexpr std::size_t kMaxDeaf = 64;
inline constexpr std::size_t kMaxHeardBy = 8;

// The frames of one pair datagram; all optional but in this order.
struct Frames {
  std::optional<Hello> hello;
  std::vector<KeyGrant> grants;
  std::optional<Probe> probe;
  std::optional<Measures> measures;
  // Padding, so that the sealed datagram has this size: the peer answers with the size.
  std::uint16_t path_test = 0;
  std::uint16_t path_answer = 0;
  std::vector<RingEntry> ring;      // the primary key first; empty = not told
  std::vector<std::uint64_t> deaf;  // instances that the sender hears, and that do not hear it
  std::vector<Endpoint> heard_by;   // where those are that say so of the receiver
  // Counters of data datagrams that carried a member's goodbye and arrived.
  std::vector<std::uint64_t> acks;
  std::optional<ViewQuestion> view_question;
  std::optional<ViewPart> view_part;
  bool bye = false;
};

Buffer encode(const Frames& frames);
// Unknown frames are skipped by their length. nullopt: a length or a body contradicts itself.
std::optional<Frames> decode_frames(Bytes plain);

// One captured datagram on its way, or a piece of one that does not fit.
struct Parcel {
  std::uint8_t piece = 0;
  std::uint8_t pieces = 1;
  Stamp captured = 0;  // the sender's clock
  Endpoint group;      // IPv4
  Endpoint source;     // IPv4
  Bytes payload;       // borrowed
};

inline constexpr std::size_t kParcelHeaderSize = 23;

Buffer encode(const Parcel& parcel);
std::optional<Parcel> decode_parcel(Bytes plain);

}  // namespace tribecast::relay
