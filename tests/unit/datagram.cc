// IPv4 and UDP: frames written out field by field, lengths that lie, and composed packets checked
// by sums that are computed here.
#define BOOST_TEST_MODULE datagram
#include "packet/datagram.h"

#include <boost/test/unit_test.hpp>

#include "vectors.h"

using namespace tribecast;
using namespace tribecast::packet;
using test::hex;

namespace {

const Endpoint kSource{*Address::parse("10.81.0.1"), 45564};
const Endpoint kGroup{*Address::parse("228.0.0.4"), 45564};

const std::string kMacs = "01005e000004 020000000001";
const std::string kIp =
    "45 00 0021"         // version 4, header 5 words; total length 33
    "abcd 4000"          // id; don't fragment, offset 0
    "01 11 0000"         // TTL 1, UDP; checksum left to the card
    "0a510001 e4000004"  // 10.81.0.1 to 228.0.0.4
    "b1fc b1fc 000d"     // port 45564 to 45564, length 13
    "fae5"               // only the pseudo-header's sum, as captured on the way out
    "68656c6c6f";        // hello

// The sum of RFC 1071 over 16 bit words, written as its definition reads.
std::uint16_t ones_complement_sum(Bytes bytes) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const std::uint64_t byte = bytes[i];
    sum += i % 2 == 0 ? byte * 256 : byte;
  }
  while (sum >> 16U != 0) sum = sum % 65536 + sum / 65536;
  return static_cast<std::uint16_t>(sum);
}

// Over the pseudo-header of RFC 768 and the datagram; all ones when its checksum is right.
std::uint16_t udp_sum(Bytes ip_packet) {
  const Bytes udp = ip_packet.subspan(20);
  ByteWriter all;
  all.put(ip_packet.subspan(12, 8));
  all.u16be(17);
  all.u16be(static_cast<std::uint16_t>(udp.size()));
  all.put(udp);
  return ones_complement_sum(all.bytes());
}

bool is_malformed(LinkType link, Bytes frame) {
  const Buffer exact = copy_of(frame);  // its own allocation: a read outside is caught
  const auto ip = parse_frame(link, exact);
  return !ip && ip.error() == Reason::malformed;
}

void check_hello(LinkType link, const Buffer& frame) {
  const auto ip = parse_frame(link, frame);
  BOOST_TEST_REQUIRE(static_cast<bool>(ip));
  BOOST_TEST((ip->source == kSource.address));
  BOOST_TEST((ip->destination == kGroup.address));
  BOOST_TEST(ip->id == 0xabcd);
  BOOST_TEST(ip->ttl_hops == 1);
  BOOST_TEST(ip->protocol == kProtocolUdp);
  BOOST_TEST(!ip->is_fragment());
  const auto udp = parse_udp(ip->source, ip->destination, ip->body);
  BOOST_TEST_REQUIRE(static_cast<bool>(udp));
  BOOST_TEST((udp->source == kSource));
  BOOST_TEST((udp->group == kGroup));
  BOOST_TEST(text_of(udp->payload) == "hello");
}

}  // namespace

BOOST_AUTO_TEST_CASE(every_link_layer) {
  check_hello(LinkType::raw_ip, hex(kIp));
  check_hello(LinkType::ethernet, hex(kMacs + "0800" + kIp));
  check_hello(LinkType::ethernet, hex(kMacs + "8100 0005 0800" + kIp));
  check_hello(LinkType::ethernet, hex(kMacs + "88a8 0005 0800" + kIp));
  check_hello(LinkType::ethernet, hex(kMacs + "88a8 0005 8100 0006 0800" + kIp));
  // Cooked: outgoing (4), Ethernet (1), 6 address bytes, IPv4.
  check_hello(LinkType::linux_sll, hex("0004 0001 0006 0200000000010000 0800" + kIp));
}

BOOST_AUTO_TEST_CASE(what_is_no_ipv4_is_refused) {
  struct Row {
    LinkType link;
    std::string frame;
  };
  for (const Row& row : {
           Row{LinkType::ethernet, ""},
           Row{LinkType::ethernet, kMacs + "0806" + kIp},                                // ARP
           Row{LinkType::ethernet, kMacs + "86dd" + kIp},                                // IPv6
           Row{LinkType::ethernet, kMacs + "8100 0005 8100 0006 8100 0007 0800" + kIp},  // 3 tags
           Row{LinkType::ethernet, kMacs + "8100 0005 86dd" + kIp},
           Row{LinkType::ethernet, kMacs + "8100"},
           Row{LinkType::linux_sll, "0004 0001 0006 0200000000010000 86dd" + kIp},
           Row{LinkType::linux_sll, "0004 0001 0006"},
           Row{LinkType::raw_ip, ""},
       }) {
    BOOST_TEST(is_malformed(row.link, hex(row.frame)), row.frame);
  }
}

BOOST_AUTO_TEST_CASE(every_truncation_is_refused) {
  const std::string sll = "0004 0001 0006 0200000000010000 0800";
  for (const auto& [link, text] :
       {std::pair{LinkType::raw_ip, kIp}, std::pair{LinkType::linux_sll, sll + kIp},
        std::pair{LinkType::ethernet, kMacs + "8100 0005 0800" + kIp}}) {
    const Buffer whole = hex(text);
    for (std::size_t size = 0; size < whole.size(); ++size) {
      BOOST_TEST(is_malformed(link, Bytes(whole).first(size)), size);
    }
  }
}

BOOST_AUTO_TEST_CASE(version_and_header_length) {
  for (unsigned first = 0; first < 256; ++first) {
    Buffer packet = hex(kIp);
    packet[0] = static_cast<std::uint8_t>(first);
    const unsigned words = first % 16;
    const bool fits = first / 16 == 4 && words >= 5 && words * 4 <= 33;
    BOOST_TEST(is_malformed(LinkType::raw_ip, packet) == !fits, first);
  }
}

BOOST_AUTO_TEST_CASE(options_are_skipped) {
  // Router alert (RFC 2113), total length 37.
  const Buffer packet =
      hex("46 00 0025 abcd 4000 01 11 0000 0a510001 e4000004 94040000"
          "b1fc b1fc 000d 0000 68656c6c6f");
  check_hello(LinkType::raw_ip, packet);
}

BOOST_AUTO_TEST_CASE(total_lengths_that_lie) {
  for (unsigned total = 0; total < 65536; ++total) {
    Buffer packet = hex(kIp);
    packet[2] = static_cast<std::uint8_t>(total / 256);
    packet[3] = static_cast<std::uint8_t>(total % 256);
    const auto ip = parse_frame(LinkType::raw_ip, packet);
    const bool fits = total >= 20 && total <= 33;
    if (static_cast<bool>(ip) != fits) BOOST_ERROR("total length " << total);
    if (ip && ip->body.size() != total - 20) BOOST_ERROR("body of total length " << total);
  }
}

// A minimal Ethernet frame is filled up to 60 bytes.
BOOST_AUTO_TEST_CASE(padding_behind_the_packet_is_ignored) {
  Buffer frame = hex(kMacs + "0800" + kIp);
  frame.resize(60);
  check_hello(LinkType::ethernet, frame);
}

BOOST_AUTO_TEST_CASE(fragment_fields) {
  struct Row {
    std::string_view field;
    bool more;
    unsigned offset_bytes;
  };
  for (const Row& row : {
           Row{"0000", false, 0}, Row{"4000", false, 0},  // don't fragment
           Row{"2000", true, 0}, Row{"2001", true, 8}, Row{"00b9", false, 1480},
           Row{"1fff", false, 65528}, Row{"8000", false, 0},  // reserved bit
       }) {
    Buffer packet = hex(kIp);
    SpanWriter(MutableBytes(packet).subspan(6)).put(hex(std::string(row.field)));
    const auto ip = parse_frame(LinkType::raw_ip, packet);
    BOOST_TEST_REQUIRE(static_cast<bool>(ip));
    BOOST_TEST(ip->more_fragments == row.more);
    BOOST_TEST(ip->fragment_offset == row.offset_bytes);
    BOOST_TEST(ip->is_fragment() == (row.more || row.offset_bytes != 0));
  }
}

BOOST_AUTO_TEST_CASE(udp_lengths_that_lie) {
  const Buffer udp = hex("b1fc b1fc 000d 0000 68656c6c6f");
  for (unsigned size = 0; size < 65536; ++size) {
    Buffer forged = udp;
    forged[4] = static_cast<std::uint8_t>(size / 256);
    forged[5] = static_cast<std::uint8_t>(size % 256);
    const auto parsed = parse_udp(kSource.address, kGroup.address, forged);
    const bool fits = size >= 8 && size <= 13;
    if (static_cast<bool>(parsed) != fits) BOOST_ERROR("UDP length " << size);
    if (parsed && parsed->payload.size() != size - 8) BOOST_ERROR("payload of length " << size);
  }
  for (std::size_t size = 0; size < udp.size(); ++size) {
    const Buffer cut = copy_of(Bytes(udp).first(size));
    const auto parsed = parse_udp(kSource.address, kGroup.address, cut);
    BOOST_TEST((!parsed && parsed.error() == Reason::malformed), size);
  }
}

BOOST_AUTO_TEST_CASE(a_composed_packet_field_by_field) {
  const Buffer payload = hex("68656c6c6f");
  const auto packets = compose({kSource, kGroup, payload}, {1500, 0, 0xabcd});
  BOOST_TEST_REQUIRE(packets.size() == 1U);
  const std::string text = to_hex(packets[0]);
  BOOST_TEST(text.substr(0, 20) == "45000021abcd40000011");  // TTL 0
  BOOST_TEST(text.substr(24, 16) == "0a510001e4000004");
  BOOST_TEST(text.substr(40, 12) == "b1fcb1fc000d");
  BOOST_TEST(text.substr(56) == "68656c6c6f");
  BOOST_TEST(ones_complement_sum(Bytes(packets[0]).first(20)) == 0xffff);
  BOOST_TEST(udp_sum(packets[0]) == 0xffff);
}

// RFC 768: a checksum that comes out as 0 is sent as ffff, since 0 means that there is none.
BOOST_AUTO_TEST_CASE(a_zero_checksum_is_sent_as_ones) {
  int zeros = 0;
  for (unsigned word = 0; word < 65536; ++word) {
    const std::array<std::uint8_t, 2> payload = {static_cast<std::uint8_t>(word / 256),
                                                 static_cast<std::uint8_t>(word % 256)};
    const auto packets = compose({kSource, kGroup, payload}, {});
    const std::uint16_t checksum = ByteReader(Bytes(packets[0]).subspan(26)).u16be();
    if (checksum == 0) BOOST_ERROR("checksum 0 for payload " << word);
    if (udp_sum(packets[0]) != 0xffff) BOOST_ERROR("wrong checksum for payload " << word);
    zeros += checksum == 0xffff ? 1 : 0;
  }
  BOOST_TEST(zeros == 1);  // one of the 65536 sums is the case in question
}

BOOST_AUTO_TEST_CASE(checksums_of_all_kinds_of_payloads) {
  test::Random random;
  for (int round = 0; round < 500; ++round) {
    const Buffer payload = round < 4 ? Buffer(static_cast<std::size_t>(round), 0xff)
                                     : random.bytes(random.below(1473));
    const Endpoint source{Address::v4(static_cast<std::uint32_t>(random.below(UINT32_MAX))),
                          static_cast<std::uint16_t>(random.below(65536))};
    const auto packets = compose({source, kGroup, payload}, {1500, 0, 1});
    BOOST_TEST_REQUIRE(packets.size() == 1U);
    BOOST_TEST(ones_complement_sum(Bytes(packets[0]).first(20)) == 0xffff);
    BOOST_TEST(udp_sum(packets[0]) == 0xffff);
  }
}

BOOST_AUTO_TEST_CASE(fragments_fit_the_mtu_and_follow_each_other) {
  test::Random random;
  for (const std::uint16_t mtu :
       std::to_array<std::uint16_t>({68, 69, 75, 76, 576, 1500, 9000, 65535})) {
    for (const std::size_t size : {std::size_t{0}, std::size_t{40}, std::size_t{41}, mtu - 28UL,
                                   mtu - 27UL, std::size_t{20000}, kMaxUdpPayload}) {
      if (size > kMaxUdpPayload) continue;
      const Buffer payload = random.bytes(size);
      const auto packets = compose({kSource, kGroup, payload}, {mtu, 0, 7});
      BOOST_TEST((packets.size() == 1) == (size + 28 <= mtu), mtu << " " << size);
      std::size_t next = 0;
      for (const Buffer& packet : packets) {
        BOOST_TEST_REQUIRE(packet.size() <= mtu);
        BOOST_TEST(ones_complement_sum(Bytes(packet).first(20)) == 0xffff);
        const auto ip = parse_frame(LinkType::raw_ip, packet);
        BOOST_TEST_REQUIRE(static_cast<bool>(ip));
        BOOST_TEST(ip->id == 7);
        BOOST_TEST(ip->ttl_hops == 0);
        BOOST_TEST(ip->fragment_offset == next);
        BOOST_TEST(ip->more_fragments == (&packet != &packets.back()));
        next += ip->body.size();
      }
      BOOST_TEST(next == size + 8);
    }
  }
}
