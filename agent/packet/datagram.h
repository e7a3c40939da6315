// IPv4 and UDP on the wire (RFC 791, RFC 768): captured frames in, injectable packets out.
//
// parse_frame() peels one captured link-layer frame down to IPv4; Reassembler puts fragments
// together again; compose() makes the packets that carry a datagram, fragmented where it exceeds
// the MTU. Nothing here verifies a UDP checksum: that of a captured outgoing packet is only the
// pseudo-header sum.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/address.h"
#include "base/bytes.h"
#include "base/reason.h"
#include "base/result.h"

namespace tribecast::packet {

// The link layers that capture hands out; the values are ours, not DLT numbers.
enum class LinkType : std::uint8_t {
  ethernet,   // DLT_EN10MB, with up to two VLAN tags
  linux_sll,  // DLT_LINUX_SLL, 16 byte header
  raw_ip,     // DLT_RAW, no header
};

// One UDP datagram as an application sent it. `payload` is borrowed.
struct Datagram {
  Endpoint source;
  Endpoint group;
  Bytes payload;
};

// An IPv4 packet inside a frame; views borrow from the frame.
struct Ipv4Packet {
  Address source;
  Address destination;
  std::uint16_t id = 0;
  std::uint8_t ttl_hops = 0;
  std::uint8_t protocol = 0;
  std::uint16_t fragment_offset = 0;  // bytes
  bool more_fragments = false;
  Bytes body;

  [[nodiscard]] bool is_fragment() const { return more_fragments || fragment_offset != 0; }
};

inline constexpr std::size_t kMaxUdpPayload = 65507;  // 65535 - 20 - 8
inline constexpr std::uint8_t kProtocolUdp = 17;

// Not IPv4, a length that contradicts the bytes present, or a header too short: malformed.
Result<Ipv4Packet, Reason> parse_frame(LinkType link, Bytes frame);

// Where a frame goes that parse_frame() refuses, as far as its header is there.
std::optional<Address> destination_of(LinkType link, Bytes frame);

// The UDP datagram in a whole (reassembled or never fragmented) IPv4 body.
Result<Datagram, Reason> parse_udp(const Address& source, const Address& destination, Bytes body);

struct ComposeOptions {
  std::uint16_t mtu_bytes = 1500;  // at least 68 (RFC 791)
  std::uint8_t ttl_hops = 0;
  std::uint16_t id = 0;  // used when the datagram must be fragmented
};

// The IPv4 packets, checksums filled in, that carry `datagram`; one, or its fragments in order.
// `payload` must not exceed kMaxUdpPayload; both addresses must be IPv4.
std::vector<Buffer> compose(const Datagram& datagram, const ComposeOptions& options);

}  // namespace tribecast::packet
