#include "relay/frames.h"

#include <algorithm>

#include "seal/envelope.h"

namespace tribecast::relay {
namespace {

enum class FrameType : std::uint8_t {
  hello = 1,
  grant = 2,
  probe = 3,
  bye = 4,
  ack = 5,
  measures = 6,
  path_test = 7,
  path_answer = 8,
  ring = 9,
  view_question = 10,
  view_part = 11,
  deaf = 12,
  heard_by = 13
};

constexpr std::uint8_t kIpv4Datagram = 1;
constexpr std::size_t kFrameHeaderSize = 3;
constexpr std::size_t kMaxText = 255;
constexpr std::size_t kMaxGrants = 4;
constexpr std::size_t kMaxAcks = 16;
constexpr std::uint16_t kUnknownLoss = 0xffff;

void put_text(ByteWriter& out, const std::string& text) {
  const Bytes all = bytes_of(text);
  const Bytes kept = all.first(std::min(all.size(), kMaxText));
  out.u8(static_cast<std::uint8_t>(kept.size()));
  out.put(kept);
}

std::string take_text(ByteReader& in) { return text_of(in.take(in.u8())); }

void put_endpoint(ByteWriter& out, const Endpoint& endpoint) {
  out.put(endpoint.address.bytes());
  out.u16be(endpoint.port);
}

void put_frame(ByteWriter& out, FrameType type, Bytes body) {
  out.u8(static_cast<std::uint8_t>(type));
  out.u16be(static_cast<std::uint16_t>(body.size()));
  out.put(body);
}

Buffer encode(const Hello& hello) {
  ByteWriter out;
  put_text(out, hello.name);
  put_text(out, hello.site);
  put_text(out, hello.version);
  return out.release();
}

Buffer encode(const KeyGrant& grant) {
  ByteWriter out;
  out.u32be(grant.id);
  out.put(grant.key.bytes());
  out.u64be(grant.next_counter);
  return out.release();
}

Buffer encode(const Probe& probe) {
  ByteWriter out;
  out.u32be(probe.sequence);
  out.u64be(probe.sent);
  out.u64be(probe.echo);
  out.u32be(probe.held_us);
  out.u32be(probe.heard_ms);
  out.u32be(probe.holding_key);
  out.u8(probe.answer_now ? 1 : 0);
  return out.release();
}

Buffer encode(const Measures& measures) {
  ByteWriter out;
  out.u64be(measures.wall_us);
  out.u16be(measures.loss_permille.value_or(kUnknownLoss));
  return out.release();
}

Measures read_measures(ByteReader& in) {
  Measures measures;
  measures.wall_us = in.u64be();
  const std::uint16_t loss = in.u16be();
  if (loss <= 1000) measures.loss_permille = loss;
  return measures;
}

Buffer encode(const std::vector<RingEntry>& ring) {
  ByteWriter out;
  for (const RingEntry& key : ring) {
    out.u8(key.id);
    out.u32be(key.fingerprint);
  }
  return out.release();
}

std::vector<RingEntry> read_ring(ByteReader& in) {
  constexpr std::size_t kEntrySize = 5;
  std::vector<RingEntry> ring;
  while (in.left() >= kEntrySize && ring.size() < kMaxRingTold) {
    const std::uint8_t id = in.u8();
    ring.push_back({id, in.u32be()});
  }
  return ring;
}

Buffer encode(const std::vector<std::uint64_t>& deaf) {
  ByteWriter out;
  for (const std::uint64_t instance : deaf) out.u64be(instance);
  return out.release();
}

std::vector<std::uint64_t> read_deaf(ByteReader& in) {
  std::vector<std::uint64_t> deaf;
  while (in.left() >= sizeof(std::uint64_t) && deaf.size() < kMaxDeaf) {
    deaf.push_back(in.u64be());
  }
  return deaf;
}

Buffer encode(const std::vector<Endpoint>& heard_by) {
  ByteWriter out;
  for (const Endpoint& endpoint : heard_by) {
    out.u8(static_cast<std::uint8_t>(endpoint.address.bytes().size()));
    put_endpoint(out, endpoint);
  }
  return out.release();
}

bool read_heard_by(ByteReader& in, Frames& frames) {
  while (in.left() > 0 && frames.heard_by.size() < kMaxHeardBy) {
    const auto address = Address::from_bytes(in.take(in.u8()));
    if (!address) return false;
    frames.heard_by.push_back({*address, in.u16be()});
  }
  return true;
}

constexpr std::size_t kViewQuestionBytes = 32;  // one bit without a part

// Part 0 is the lowest bit of the first byte.
Buffer encode(const ViewQuestion& question) {
  Buffer out(kViewQuestionBytes);
  for (std::size_t part = 0; part < kMaxViewParts; ++part) {
    if (question.missing[part]) out[part / 8] |= static_cast<std::uint8_t>(1U << part % 8);
  }
  return out;
}

ViewQuestion read_view_question(ByteReader& in) {
  ViewQuestion question;
  const auto bits = in.array<kViewQuestionBytes>();
  for (std::size_t part = 0; part < kMaxViewParts; ++part) {
    question.missing[part] = (static_cast<unsigned>(bits[part / 8]) >> part % 8 & 1U) != 0;
  }
  return question;
}

Buffer encode(const ViewPart& part) {
  ByteWriter out;
  out.u64be(part.made);
  out.u32be(part.age_ms);
  out.u8(part.part);
  out.u8(part.parts);
  out.put(part.bytes);
  return out.release();
}

// All parts but the last are full, so that none is empty and their number tells the size.
bool is_possible(const ViewPart& part) {
  if (part.parts == 0) return part.part == 0 && part.bytes.empty();
  if (part.part >= part.parts) return false;
  const bool last = part.part + 1 == part.parts;
  return last ? !part.bytes.empty() && part.bytes.size() <= kViewPartBytes
              : part.bytes.size() == kViewPartBytes;
}

bool read_view_part(ByteReader& in, Frames& frames) {
  ViewPart part;
  part.made = in.u64be();
  part.age_ms = in.u32be();
  part.part = in.u8();
  part.parts = in.u8();
  part.bytes = copy_of(in.take_rest());
  frames.view_part = std::move(part);
  return is_possible(*frames.view_part);
}

Hello read_hello(ByteReader& in) {
  Hello hello;
  hello.name = take_text(in);
  hello.site = take_text(in);
  hello.version = take_text(in);
  return hello;
}

KeyGrant read_grant(ByteReader& in) {
  KeyGrant grant;
  grant.id = in.u32be();
  auto raw = in.array<seal::Key::kSize>();
  grant.key = seal::Key(raw);
  seal::wipe(raw);
  grant.next_counter = in.u64be();
  return grant;
}

Probe read_probe(ByteReader& in) {
  Probe probe;
  probe.sequence = in.u32be();
  probe.sent = in.u64be();
  probe.echo = in.u64be();
  probe.held_us = in.u32be();
  probe.heard_ms = in.u32be();
  probe.holding_key = in.u32be();
  probe.answer_now = in.u8() != 0;
  return probe;
}

// Later versions may append to a body: what is left over is not looked at.
bool read_frame(std::uint8_t type, Bytes body, Frames& frames) {
  ByteReader in(body);
  switch (static_cast<FrameType>(type)) {
    case FrameType::hello:
      frames.hello = read_hello(in);
      break;
    case FrameType::grant:
      frames.grants.push_back(read_grant(in));
      break;
    case FrameType::probe:
      frames.probe = read_probe(in);
      break;
    case FrameType::bye:
      frames.bye = true;
      break;
    case FrameType::measures:
      frames.measures = read_measures(in);
      break;
    case FrameType::path_test:
      frames.path_test = in.u16be();
      break;
    case FrameType::path_answer:
      frames.path_answer = in.u16be();
      break;
    case FrameType::ring:
      frames.ring = read_ring(in);
      break;
    case FrameType::deaf:
      frames.deaf = read_deaf(in);
      break;
    case FrameType::heard_by:
      if (!read_heard_by(in, frames)) return false;
      break;
    case FrameType::ack:
      frames.acks.push_back(in.u64be());
      break;
    case FrameType::view_question:
      frames.view_question = read_view_question(in);
      break;
    case FrameType::view_part:
      if (!read_view_part(in, frames)) return false;
      break;
    default:
      break;
  }
  return in.ok() && frames.grants.size() <= kMaxGrants && frames.acks.size() <= kMaxAcks;
}

Endpoint take_endpoint(ByteReader& in) {
  const Address address = Address::v4(in.u32be());
  return {address, in.u16be()};
}

// Fills up to the size of the sealed datagram; the other frames must leave room for its five bytes.
void put_path_test(ByteWriter& out, std::uint16_t datagram_size) {
  const std::size_t used = seal::kOverhead + out.bytes().size() + kFrameHeaderSize;
  Buffer body(datagram_size - std::min<std::size_t>(used, datagram_size));
  body.resize(std::max<std::size_t>(body.size(), 2));
  body[0] = static_cast<std::uint8_t>(datagram_size >> 8U);
  body[1] = static_cast<std::uint8_t>(datagram_size & 0xffU);
  put_frame(out, FrameType::path_test, body);
}

}  // namespace

Buffer encode(const Greeting& greeting) {
  ByteWriter out;
  out.u32be(greeting.index);
  out.u64be(greeting.instance);
  out.u64be(greeting.sent);
  return out.release();
}

std::optional<Greeting> decode_greeting(Bytes payload) {
  ByteReader in(payload);
  Greeting greeting;
  greeting.index = in.u32be();
  greeting.instance = in.u64be();
  greeting.sent = in.u64be();
  if (!in.ok()) return std::nullopt;
  return greeting;
}

Buffer encode(const Frames& frames) {
  ByteWriter out;
  if (frames.hello) put_frame(out, FrameType::hello, encode(*frames.hello));
  for (const KeyGrant& grant : frames.grants) {
    Buffer body = encode(grant);
    put_frame(out, FrameType::grant, body);
    seal::wipe(body);
  }
  if (frames.probe) put_frame(out, FrameType::probe, encode(*frames.probe));
  if (frames.measures) put_frame(out, FrameType::measures, encode(*frames.measures));
  if (!frames.ring.empty()) put_frame(out, FrameType::ring, encode(frames.ring));
  if (!frames.deaf.empty()) put_frame(out, FrameType::deaf, encode(frames.deaf));
  if (!frames.heard_by.empty()) put_frame(out, FrameType::heard_by, encode(frames.heard_by));
  for (const std::uint64_t counter : frames.acks) {
    ByteWriter body;
    body.u64be(counter);
    put_frame(out, FrameType::ack, body.bytes());
  }
  if (frames.view_question) {
    put_frame(out, FrameType::view_question, encode(*frames.view_question));
  }
  if (frames.view_part) put_frame(out, FrameType::view_part, encode(*frames.view_part));
  if (frames.bye) put_frame(out, FrameType::bye, {});
  if (frames.path_answer != 0) {
    ByteWriter body;
    body.u16be(frames.path_answer);
    put_frame(out, FrameType::path_answer, body.bytes());
  }
  if (frames.path_test != 0) put_path_test(out, frames.path_test);
  return out.release();
}

std::optional<Frames> decode_frames(Bytes plain) {
  ByteReader in(plain);
  Frames frames;
  while (in.left() > 0) {
    const std::uint8_t type = in.u8();
    const Bytes body = in.take(in.u16be());
    if (!in.ok() || !read_frame(type, body, frames)) return std::nullopt;
  }
  return frames;
}

Buffer encode(const Parcel& parcel) {
  ByteWriter out;
  out.u8(kIpv4Datagram);
  out.u8(parcel.piece);
  out.u8(parcel.pieces);
  out.u64be(parcel.captured);
  put_endpoint(out, parcel.group);
  put_endpoint(out, parcel.source);
  out.put(parcel.payload);
  return out.release();
}

std::optional<Parcel> decode_parcel(Bytes plain) {
  ByteReader in(plain);
  const std::uint8_t kind = in.u8();
  Parcel parcel;
  parcel.piece = in.u8();
  parcel.pieces = in.u8();
  parcel.captured = in.u64be();
  parcel.group = take_endpoint(in);
  parcel.source = take_endpoint(in);
  parcel.payload = in.take_rest();
  const bool good = in.ok() && kind == kIpv4Datagram && parcel.piece < parcel.pieces &&
                    parcel.group.address.is_multicast();
  if (!good) return std::nullopt;
  return parcel;
}

}  // namespace tribecast::relay
