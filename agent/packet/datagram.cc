#include "packet/datagram.h"

#include <algorithm>

#include "base/check.h"

namespace tribecast::packet {
namespace {

constexpr std::size_t kIpHeader = 20;
constexpr std::size_t kUdpHeader = 8;
constexpr std::uint16_t kEtherIpv4 = 0x0800;
constexpr std::uint16_t kEtherVlan = 0x8100;
constexpr std::uint16_t kEtherVlanOuter = 0x88a8;
constexpr std::uint16_t kMoreFragments = 0x2000;
constexpr std::uint16_t kDontFragment = 0x4000;
constexpr std::uint16_t kOffsetMask = 0x1fff;  // in units of 8 bytes

// The one's complement sum of RFC 1071, before folding.
std::uint32_t sum_words(Bytes bytes, std::uint32_t sum = 0) {
  ByteReader in(bytes);
  while (in.left() >= 2) sum += in.u16be();
  if (in.left() == 1) sum += static_cast<std::uint32_t>(in.u8()) << 8U;
  return sum;
}

std::uint16_t checksum_of(std::uint32_t sum) {
  while (sum > 0xffffU) sum = (sum & 0xffffU) + (sum >> 16U);
  return static_cast<std::uint16_t>(~sum);
}

// Skips the link layer; empty when the frame carries no IPv4.
Bytes ip_part(LinkType link, Bytes frame) {
  ByteReader in(frame);
  std::uint16_t type = kEtherIpv4;
  if (link == LinkType::ethernet) {
    in.take(12);
    type = in.u16be();
    for (int tags = 0; tags < 2 && (type == kEtherVlan || type == kEtherVlanOuter); ++tags) {
      in.take(2);
      type = in.u16be();
    }
  } else if (link == LinkType::linux_sll) {
    in.take(14);
    type = in.u16be();
  }
  return type == kEtherIpv4 && in.ok() ? in.take_rest() : Bytes{};
}

Buffer ip_packet(const Datagram& datagram, const ComposeOptions& options, std::uint16_t fragment,
                 Bytes body) {
  Buffer packet(kIpHeader + body.size());
  SpanWriter out(packet);
  out.u8(0x45);
  out.u8(0);
  out.u16be(static_cast<std::uint16_t>(packet.size()));
  out.u16be(options.id);
  out.u16be(fragment);
  out.u8(options.ttl_hops);
  out.u8(kProtocolUdp);
  out.u16be(0);
  out.put(datagram.source.address.bytes());
  out.put(datagram.group.address.bytes());
  out.put(body);
  SpanWriter(MutableBytes(packet).subspan(10))
      .u16be(checksum_of(sum_words(Bytes(packet).first(kIpHeader))));
  return packet;
}

Buffer udp_packet(const Datagram& datagram) {
  Buffer udp(kUdpHeader + datagram.payload.size());
  const auto size = static_cast<std::uint16_t>(udp.size());
  SpanWriter out(udp);
  out.u16be(datagram.source.port);
  out.u16be(datagram.group.port);
  out.u16be(size);
  out.u16be(0);
  out.put(datagram.payload);
  std::uint32_t sum = sum_words(udp, kProtocolUdp + size);
  sum = sum_words(datagram.source.address.bytes(), sum);
  sum = sum_words(datagram.group.address.bytes(), sum);
  const std::uint16_t checksum = checksum_of(sum);
  // A computed 0 is sent as all ones: 0 means "no checksum" (RFC 768).
  SpanWriter(MutableBytes(udp).subspan(6)).u16be(checksum == 0 ? 0xffff : checksum);
  return udp;
}

}  // namespace

Result<Ipv4Packet, Reason> parse_frame(LinkType link, Bytes frame) {
  const Bytes ip = ip_part(link, frame);
  ByteReader in(ip);
  const std::uint8_t version_and_length = in.u8();
  in.u8();
  const std::size_t total = in.u16be();
  Ipv4Packet packet;
  packet.id = in.u16be();
  const std::uint16_t fragment = in.u16be();
  packet.ttl_hops = in.u8();
  packet.protocol = in.u8();
  in.u16be();
  packet.source = Address::v4(in.u32be());
  packet.destination = Address::v4(in.u32be());
  const std::size_t header = std::size_t{version_and_length & 0xfU} * 4;
  if (!in.ok() || version_and_length >> 4U != 4 || header < kIpHeader || total < header ||
      total > ip.size()) {
    return Unexpected{Reason::malformed};
  }
  packet.more_fragments = (fragment & kMoreFragments) != 0;
  packet.fragment_offset = static_cast<std::uint16_t>((fragment & kOffsetMask) * 8);
  packet.body = ip.first(total).subspan(header);
  return packet;
}

std::optional<Address> destination_of(LinkType link, Bytes frame) {
  ByteReader in(ip_part(link, frame));
  in.take(16);
  const Address destination = Address::v4(in.u32be());
  return in.ok() ? std::optional(destination) : std::nullopt;
}

Result<Datagram, Reason> parse_udp(const Address& source, const Address& destination, Bytes body) {
  ByteReader in(body);
  const std::uint16_t source_port = in.u16be();
  const std::uint16_t destination_port = in.u16be();
  const std::size_t size = in.u16be();
  in.u16be();
  if (!in.ok() || size < kUdpHeader || size > body.size()) return Unexpected{Reason::malformed};
  return Datagram{
      {source, source_port}, {destination, destination_port}, body.first(size).subspan(kUdpHeader)};
}

std::vector<Buffer> compose(const Datagram& datagram, const ComposeOptions& options) {
  TC_CHECK(datagram.payload.size() <= kMaxUdpPayload);
  TC_CHECK(datagram.source.address.is_v4() && datagram.group.address.is_v4());
  TC_CHECK(options.mtu_bytes >= 68);
  const Buffer udp = udp_packet(datagram);
  const std::size_t room = options.mtu_bytes - kIpHeader;
  if (udp.size() <= room) return {ip_packet(datagram, options, kDontFragment, udp)};

  std::vector<Buffer> fragments;
  const std::size_t step = room / 8 * 8;
  for (std::size_t at = 0; at < udp.size(); at += step) {
    const bool last = at + step >= udp.size();
    const auto offset = static_cast<std::uint16_t>(at / 8);
    const auto fragment = static_cast<std::uint16_t>(offset | (last ? 0U : kMoreFragments));
    fragments.push_back(ip_packet(datagram, options, fragment,
                                  Bytes(udp).subspan(at, std::min(step, udp.size() - at))));
  }
  return fragments;
}

}  // namespace tribecast::packet
