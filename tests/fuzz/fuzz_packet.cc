// Captured frames of every link type, fragments in any order, and the way back: what compose()
// makes of a payload is put together again to the same bytes.
#include <array>
#include <map>

#include "base/check.h"
#include "packet/datagram.h"
#include "packet/reassembly.h"

namespace {

using namespace tribecast;
using packet::Ipv4Packet;
using packet::LinkType;
using packet::Reassembler;

constexpr Instant kStart{seconds(1)};

void parse(LinkType link, Bytes frame) {
  const auto ip = packet::parse_frame(link, frame);
  if (!ip) return;
  TC_CHECK(ip->body.size() + 20 <= frame.size());
  const auto udp = packet::parse_udp(ip->source, ip->destination, ip->body);
  if (udp) TC_CHECK(udp->payload.size() + 8 <= ip->body.size());
  if (!ip->is_fragment()) return;
  Reassembler reassembler;
  const auto whole = reassembler.add(kStart, *ip);
  TC_CHECK(!whole || !whole->has_value() || ip->fragment_offset == 0);
}

// The input as a list of fragments: id, milliseconds, last and offset, size, bytes. Every byte of
// what comes out must have been in a fragment at that place.
void reassemble(Bytes input) {
  ByteReader in(input);
  Reassembler reassembler;
  Instant now = kStart;
  std::map<std::uint16_t, std::map<std::size_t, Bytes>> sent;
  while (in.left() >= 5) {
    Ipv4Packet fragment;
    fragment.id = in.u8() % 64;
    now += milliseconds(in.u8());
    const std::uint16_t place = in.u16be();
    fragment.more_fragments = (place & 0x8000U) == 0;
    fragment.fragment_offset = static_cast<std::uint16_t>((place & 0x1fffU) * 8);
    fragment.body = in.take(std::min<std::size_t>(in.left(), in.u8()));
    if (!fragment.is_fragment()) continue;
    const auto result = reassembler.add(now, fragment);
    if (!result) continue;
    auto& pieces = sent[fragment.id];
    pieces[fragment.fragment_offset] = fragment.body;
    if (!result->has_value()) continue;
    const Bytes whole = **result;
    TC_CHECK(whole.size() <= packet::kMaxUdpPayload + 8);
    std::size_t covered = 0;
    for (const auto& [offset, piece] : pieces) {
      if (offset + piece.size() > whole.size()) continue;
      if (same(whole.subspan(offset, piece.size()), piece)) covered += piece.size();
    }
    TC_CHECK(covered >= whole.size());
    sent.erase(fragment.id);
  }
}

void round_trip(Bytes input) {
  ByteReader in(input);
  const std::uint16_t mtu = static_cast<std::uint16_t>(68 + in.u16be() % 9000);
  const std::uint16_t id = in.u16be();
  const packet::Datagram datagram{
      {Address::v4(in.u32be()), in.u16be()}, {Address::v4(in.u32be()), in.u16be()}, in.take_rest()};
  if (!in.ok()) return;
  Reassembler reassembler;
  for (const Buffer& frame : packet::compose(datagram, {mtu, 0, id})) {
    TC_CHECK(frame.size() <= mtu);
    const auto ip = packet::parse_frame(LinkType::raw_ip, frame);
    TC_CHECK(static_cast<bool>(ip));
    Buffer whole = copy_of(ip->body);
    if (ip->is_fragment()) {
      auto result = reassembler.add(kStart, *ip);
      TC_CHECK(static_cast<bool>(result));
      if (!result->has_value()) continue;
      whole = **result;
    }
    const auto udp = packet::parse_udp(ip->source, ip->destination, whole);
    TC_CHECK(static_cast<bool>(udp));
    TC_CHECK(udp->source == datagram.source && udp->group == datagram.group);
    TC_CHECK(same(udp->payload, datagram.payload));
    return;
  }
  TC_CHECK(false && "the last fragment completes the datagram");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes input(data, size);
  for (const LinkType link : {LinkType::ethernet, LinkType::linux_sll, LinkType::raw_ip}) {
    parse(link, input);
  }
  reassemble(input);
  round_trip(input);
  return 0;
}
