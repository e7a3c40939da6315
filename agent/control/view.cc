#include "control/view.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/hex.h"

namespace tribecast::control {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kMaxText = 255;
constexpr std::size_t kMaxWarnings = 16;
constexpr std::size_t kMaxWarningBytes = 160;
constexpr std::size_t kMaxGroups = 64;
constexpr std::size_t kLeastRoom = 4096;
constexpr std::size_t kMaxUniqueId = 16;
constexpr std::uint16_t kNone16 = 0xffff;
constexpr std::uint32_t kNone32 = 0xffffffff;
constexpr std::int64_t kNoOffset = std::numeric_limits<std::int32_t>::min();
constexpr std::uint8_t kTribes = 1;
constexpr std::uint8_t kAgentless = 1;
constexpr std::uint8_t kRemote = 1;
constexpr unsigned kStateShift = 1;
constexpr unsigned kPortShift = 3;

// --- writing -------------------------------------------------------------------------------------

void put_text(ByteWriter& out, std::string_view text, std::size_t most = kMaxText) {
  const Bytes kept = bytes_of(text.substr(0, most));
  out.u8(static_cast<std::uint8_t>(kept.size()));
  out.put(kept);
}

void put_endpoint(ByteWriter& out, const std::optional<Endpoint>& endpoint) {
  if (!endpoint) return out.u8(0);
  out.u8(static_cast<std::uint8_t>(endpoint->address.bytes().size()));
  out.put(endpoint->address.bytes());
  out.u16be(endpoint->port);
}

// `value` times `scale` as a whole number that is not `none`; unknown: `none`.
std::uint32_t scaled(std::optional<double> value, double scale, std::uint32_t none) {
  if (!value || !(*value >= 0)) return none;
  return static_cast<std::uint32_t>(std::min(*value * scale + 0.5, none - 1.0));
}

std::uint64_t from_hex_number(const std::string& text) {
  std::uint64_t value = 0;
  const auto bytes = from_hex(text);
  for (const std::uint8_t byte : bytes.value_or(Buffer{})) value = value << 8U | byte;
  return value;
}

Buffer encode(const Peer& peer) {
  ByteWriter out;
  put_text(out, peer.name);
  put_text(out, peer.version);
  out.u64be(from_hex_number(peer.instance.value_or("")));
  put_endpoint(out, peer.endpoint ? Endpoint::parse(*peer.endpoint) : std::nullopt);
  out.u8(static_cast<std::uint8_t>(peer.state));
  out.u8(peer.agentless ? kAgentless : 0);
  out.u32be(scaled(peer.rtt_seconds, 1e6, kNone32));
  out.u16be(static_cast<std::uint16_t>(scaled(peer.loss_in_ratio, 1000, kNone16)));
  out.u16be(static_cast<std::uint16_t>(scaled(peer.loss_out_ratio, 1000, kNone16)));
  std::int64_t offset = kNoOffset;
  if (peer.clock_offset_seconds) {
    constexpr double kMost = std::numeric_limits<std::int32_t>::max();
    offset = std::llround(std::clamp(*peer.clock_offset_seconds * 1000, -kMost, kMost));
  }
  out.u32be(static_cast<std::uint32_t>(offset));
  out.u16be(static_cast<std::uint16_t>(std::min<std::uint64_t>(peer.mtu_bytes.value_or(0), 65535)));
  out.u32be(scaled(peer.last_heard_seconds, 1000, kNone32));
  out.u8(static_cast<std::uint8_t>(peer.key_id.value_or(0)));
  return out.release();
}

std::optional<Endpoint> endpoint_of(const Member& member) {
  const auto address = Address::parse(member.host);
  if (!address) return std::nullopt;
  return Endpoint{*address, member.port};
}

Buffer encode(const Member& member, const View& view) {
  const auto group = std::ranges::find(view.groups, member.group, &ViewGroup::name);
  const auto& peers = view.status.peers;
  const auto via = std::ranges::find(peers, member.via, &Peer::name);
  const bool remote = member.origin == Origin::remote;
  const auto endpoint = endpoint_of(member);
  const auto tried = remote && endpoint
                         ? std::ranges::find(view.ports, *endpoint, &PortTry::endpoint)
                         : view.ports.end();
  const unsigned port = tried == view.ports.end() ? 0U : 1U + static_cast<unsigned>(tried->outcome);
  ByteWriter out;
  out.u8(static_cast<std::uint8_t>(group - view.groups.begin()));
  put_endpoint(out, endpoint);
  const Buffer id = from_hex(member.unique_id).value_or(Buffer{});
  out.u8(static_cast<std::uint8_t>(std::min(id.size(), kMaxUniqueId)));
  out.put(Bytes(id).first(std::min(id.size(), kMaxUniqueId)));
  put_text(out, member.domain);
  const bool known_peer = remote && via != peers.end() && via - peers.begin() < kNone16;
  out.u16be(known_peer ? static_cast<std::uint16_t>(via - peers.begin()) : kNone16);
  out.u8(static_cast<std::uint8_t>((remote ? kRemote : 0U) |
                                   static_cast<unsigned>(member.state) << kStateShift |
                                   port << kPortShift));
  out.u32be(scaled(member.interval_seconds, 1000, kNone32));
  return out.release();
}

// Their number, those that fit, and how many are left out.
template <class Item, class Encode>
void put_all(ByteWriter& out, const std::vector<Item>& items, std::size_t most, Encode encoded) {
  ByteWriter all;
  std::size_t count = 0;
  for (const Item& item : items) {
    const Buffer one = encoded(item);
    if (out.bytes().size() + all.bytes().size() + one.size() + 4 > most) break;
    if (count == kNone16) break;
    all.put(one);
    ++count;
  }
  out.u16be(static_cast<std::uint16_t>(count));
  out.put(all.bytes());
  out.u16be(static_cast<std::uint16_t>(std::min<std::size_t>(items.size() - count, kNone16)));
}

void put_head(ByteWriter& out, const View& view) {
  const Status& status = view.status;
  out.u8(kVersion);
  put_text(out, status.node.name);
  put_text(out, status.node.site);
  put_text(out, status.node.version);
  out.u64be(from_hex_number(status.node.instance));
  out.u32be(scaled(status.node.uptime_seconds, 1, kNone32));
  out.u64be(view.drops);
  const std::size_t warnings = std::min(status.warnings.size(), kMaxWarnings);
  out.u8(static_cast<std::uint8_t>(warnings));
  for (std::size_t i = 0; i < warnings; ++i) {
    put_text(out, status.warnings[i].id, kMaxWarningBytes);
    put_text(out, status.warnings[i].text, kMaxWarningBytes);
  }
}

// Returns how many: a group beyond the room is left out, and its members with it.
std::ptrdiff_t put_groups(ByteWriter& out, const View& view, std::size_t most) {
  ByteWriter all;
  std::size_t count = 0;
  for (const ViewGroup& group : view.groups) {
    ByteWriter one;
    put_text(one, group.name);
    put_endpoint(one, group.endpoint);
    one.u8(group.tribes ? kTribes : 0);
    one.u32be(group.drop_time_ms);
    if (count == kMaxGroups ||
        out.bytes().size() + all.bytes().size() + one.bytes().size() > most) {
      break;
    }
    all.put(one.bytes());
    ++count;
  }
  out.u8(static_cast<std::uint8_t>(count));
  out.put(all.bytes());
  return static_cast<std::ptrdiff_t>(count);
}

// --- reading -------------------------------------------------------------------------------------

std::string take_text(ByteReader& in) { return text_of(in.take(in.u8())); }

// False when it is no address at all; `out` stays empty when there is none.
bool take_endpoint(ByteReader& in, std::optional<Endpoint>& out) {
  const std::uint8_t size = in.u8();
  if (size == 0) return in.ok();
  const auto address = Address::from_bytes(in.take(size));
  const std::uint16_t port = in.u16be();
  if (!address || !in.ok()) return false;
  out = Endpoint{*address, port};
  return true;
}

std::optional<double> unscaled(std::uint32_t value, double scale, std::uint32_t none) {
  if (value == none) return std::nullopt;
  return value / scale;
}

std::string to_hex_number(std::uint64_t value) {
  ByteWriter out;
  out.u64be(value);
  return to_hex(out.bytes());
}

bool read_head(ByteReader& in, View& view) {
  if (in.u8() != kVersion) return false;
  Node& node = view.status.node;
  node.name = take_text(in);
  node.site = take_text(in);
  node.version = take_text(in);
  node.instance = to_hex_number(in.u64be());
  node.uptime_seconds = in.u32be();
  view.drops = in.u64be();
  for (std::size_t left = in.u8(); left > 0 && in.ok(); --left) {
    std::string id = take_text(in);
    view.status.warnings.push_back({std::move(id), take_text(in)});
  }
  return in.ok();
}

bool read_groups(ByteReader& in, View& view) {
  for (std::size_t left = in.u8(); left > 0; --left) {
    ViewGroup group;
    group.name = take_text(in);
    std::optional<Endpoint> endpoint;
    if (!take_endpoint(in, endpoint) || !endpoint) return false;
    group.endpoint = *endpoint;
    group.tribes = (in.u8() & kTribes) != 0;
    group.drop_time_ms = in.u32be();
    if (!in.ok()) return false;
    view.groups.push_back(std::move(group));
  }
  return in.ok();
}

bool read_peer(ByteReader& in, View& view) {
  Peer peer;
  peer.name = take_text(in);
  peer.version = take_text(in);
  if (const std::uint64_t instance = in.u64be(); instance != 0) {
    peer.instance = to_hex_number(instance);
  }
  std::optional<Endpoint> endpoint;
  if (!take_endpoint(in, endpoint)) return false;
  if (endpoint) peer.endpoint = endpoint->to_string();
  const std::uint8_t state = in.u8();
  if (state >= kPeerStates.size()) return false;
  peer.state = static_cast<PeerState>(state);
  peer.agentless = (in.u8() & kAgentless) != 0;
  peer.rtt_seconds = unscaled(in.u32be(), 1e6, kNone32);
  peer.loss_in_ratio = unscaled(in.u16be(), 1000, kNone16);
  peer.loss_out_ratio = unscaled(in.u16be(), 1000, kNone16);
  if (peer.loss_in_ratio || peer.loss_out_ratio) {
    peer.loss_ratio = std::max(peer.loss_in_ratio.value_or(0), peer.loss_out_ratio.value_or(0));
  }
  const auto offset = static_cast<std::int32_t>(in.u32be());
  if (offset != kNoOffset) peer.clock_offset_seconds = offset / 1000.0;
  if (const std::uint16_t mtu = in.u16be(); mtu != 0) peer.mtu_bytes = mtu;
  peer.last_heard_seconds = unscaled(in.u32be(), 1000, kNone32);
  if (const std::uint8_t key = in.u8(); key != 0) peer.key_id = key;
  if (in.ok()) view.status.peers.push_back(std::move(peer));
  return in.ok();
}

bool read_member(ByteReader& in, View& view) {
  Member member;
  const std::uint8_t group = in.u8();
  std::optional<Endpoint> endpoint;
  if (!take_endpoint(in, endpoint) || group >= view.groups.size()) return false;
  member.group = view.groups[group].name;
  if (endpoint) member.host = endpoint->address.to_string();
  if (endpoint) member.port = endpoint->port;
  const std::uint8_t id = in.u8();
  if (id > kMaxUniqueId) return false;
  member.unique_id = to_hex(in.take(id));
  member.domain = take_text(in);
  const std::uint16_t via = in.u16be();
  const unsigned what = in.u8();
  const unsigned port = what >> kPortShift;
  if (port > kPortOutcomes.size()) return false;
  member.origin = (what & kRemote) != 0 ? Origin::remote : Origin::local;
  member.state = static_cast<MemberState>(what >> kStateShift & 3U);
  member.interval_seconds = unscaled(in.u32be(), 1000, kNone32);
  if (!in.ok()) return false;
  if (via < view.status.peers.size()) member.via = view.status.peers[via].name;
  if (port > 0 && endpoint) {
    view.ports.push_back({*endpoint, static_cast<PortOutcome>(port - 1)});
  }
  view.status.members.push_back(std::move(member));
  return true;
}

template <class Read>
bool read_all(ByteReader& in, View& view, std::uint16_t& left_out, Read read) {
  for (std::size_t left = in.u16be(); left > 0; --left) {
    if (!read(in, view)) return false;
  }
  left_out = in.u16be();
  return in.ok();
}

}  // namespace

Buffer encode(const View& view, std::size_t most) {
  most = std::max(most, kLeastRoom * 2);
  ByteWriter out;
  put_head(out, view);
  const std::ptrdiff_t groups = put_groups(out, view, most / 4 * 3);
  put_all(out, view.status.peers, most / 8 * 7, [](const Peer& peer) { return encode(peer); });
  std::vector<Member> members;
  for (const Origin origin : {Origin::local, Origin::remote}) {
    for (const Member& member : view.status.members) {
      const auto group = std::ranges::find(view.groups, member.group, &ViewGroup::name);
      if (member.origin == origin && group - view.groups.begin() < groups) {
        members.push_back(member);
      }
    }
  }
  put_all(out, members, most, [&](const Member& member) { return encode(member, view); });
  return out.release();
}

std::optional<View> decode_view(Bytes bytes) {
  ByteReader in(bytes);
  View view;
  const bool good = read_head(in, view) && read_groups(in, view) &&
                    read_all(in, view, view.peers_left_out, read_peer) &&
                    read_all(in, view, view.members_left_out, read_member);
  if (!good) return std::nullopt;
  return view;
}

}  // namespace tribecast::control
