// Membership heartbeats, against what the five Tomcat branches wrote (vectors/membership).
#define BOOST_TEST_MODULE member
#include "tribes/member.h"

#include <boost/test/unit_test.hpp>

#include "vectors.h"

using namespace tribecast;
using namespace tribecast::tribes;
using test::hex;

namespace {

constexpr std::uint32_t kNone = 0xffffffff;
constexpr std::array kVersions = {"7.0.x-tip", "8.5.x-tip", "9.0.70", "10.1.60", "11.0.x-tip"};

struct Golden {
  std::string name;
  std::string host = "0a510001";
  std::uint32_t port = 4000;
  std::uint32_t secure_port = kNone;
  std::uint32_t udp_port = kNone;
  std::string command = {};
  std::string domain = {};
  std::uint8_t first_id_byte = 0xa0;
  std::size_t payload_size = 0;
  Kind kind = Kind::heartbeat;
};

const std::string kBaby = "424142592d414c4558";
const std::string kDomain = "6d792d646f6d61696e";

const std::vector<Golden> kGolden = {
    {.name = "hb_basic"},
    {.name = "hb_domain", .domain = kDomain},
    {.name = "hb_payload",
     .host = "c0a801fa",
     .port = 65535,
     .secure_port = 4443,
     .udp_port = 4500,
     .domain = "64",
     .first_id_byte = 0xb0,
     .payload_size = 300},
    {.name = "hb_ipv6", .host = "20010db8000000000000000000000001", .first_id_byte = 0xc0},
    {.name = "hb_shutdown", .command = kBaby, .kind = Kind::shutdown},
    {.name = "hb_shutdown_domain", .command = kBaby, .domain = kDomain, .kind = Kind::shutdown},
    {.name = "hb_command", .command = "010203"},
    {.name = "hb_loopback", .host = "7f000101"},
};

Buffer golden(const std::string& version, const std::string& name) {
  return test::vector_bytes("membership/" + version + "/" + name + ".bin");
}

Buffer basic() { return golden("10.1.60", "hb_basic"); }

// Offsets in a heartbeat with an IPv4 host and nothing optional; see docs/wire-format.md.
constexpr std::size_t kBodyLengthAt = 10;
constexpr std::size_t kHostLengthAt = 34;
constexpr std::size_t kCommandLengthAt = 39;
constexpr std::size_t kDomainLengthAt = 43;
constexpr std::size_t kPayloadLengthAt = 63;
constexpr std::size_t kEndAt = 67;

void set_u32(Buffer& bytes, std::size_t at, std::uint32_t value) {
  SpanWriter(MutableBytes(bytes).subspan(at)).u32be(value);
}

bool is_refused(const Buffer& datagram, ParseError error) {
  const Buffer exact = copy_of(datagram);  // its own allocation: a read outside is caught
  const auto member = parse_member(exact);
  return !member && member.error() == error;
}

}  // namespace

BOOST_AUTO_TEST_CASE(golden_heartbeats_of_all_branches) {
  for (const std::string version : kVersions) {
    for (const Golden& expected : kGolden) {
      BOOST_TEST_CONTEXT(version << " " << expected.name) {
        const Buffer datagram = golden(version, expected.name);
        const auto classified = classify(datagram);
        BOOST_TEST((classified.kind == expected.kind));
        BOOST_TEST_REQUIRE(classified.member.has_value());
        const MemberView& member = *classified.member;
        BOOST_TEST(member.alive_milliseconds == 123456U);
        BOOST_TEST(to_hex(member.host) == expected.host);
        BOOST_TEST(member.port == expected.port);
        BOOST_TEST(member.secure_port == expected.secure_port);
        BOOST_TEST(member.udp_port == expected.udp_port);
        BOOST_TEST(to_hex(member.command) == expected.command);
        BOOST_TEST(to_hex(member.domain) == expected.domain);
        BOOST_TEST(member.is_shutdown() == (expected.kind == Kind::shutdown));
        for (std::size_t i = 0; i < 16; ++i) {
          BOOST_TEST(member.unique_id[i] == expected.first_id_byte + i);
        }
        BOOST_TEST_REQUIRE(member.payload.size() == expected.payload_size);
        for (std::size_t i = 0; i < member.payload.size(); ++i) {
          BOOST_TEST(member.payload[i] == i % 256);
        }
        BOOST_TEST(to_hex(compose_member(member)) == to_hex(datagram));
      }
    }
  }
}

// The layout drawn in docs/wire-format.md, field by field.
BOOST_AUTO_TEST_CASE(a_heartbeat_field_by_field) {
  const Buffer written =
      hex("54524942 45532d42 0100"               // TRIBES-B 1 0
          "00000046"                             // body: 70 bytes
          "000000000001e240"                     // alive 123456 ms
          "00000fa0"                             // TCP port 4000
          "ffffffff ffffffff"                    // no secure port, no UDP port
          "04 0a510001"                          // host 10.81.0.1
          "00000009 424142592d414c4558"          // command BABY-ALEX
          "00000003 616263"                      // domain abc
          "a0a1a2a3 a4a5a6a7 a8a9aaab acadaeaf"  // unique id
          "00000005 0102030405"                  // payload
          "54524942 45532d45 0100");             // TRIBES-E 1 0
  const auto member = parse_member(written);
  BOOST_TEST_REQUIRE(static_cast<bool>(member));
  BOOST_TEST(member->is_shutdown());
  BOOST_TEST(text_of(member->domain) == "abc");
  BOOST_TEST(to_hex(member->payload) == "0102030405");
  BOOST_TEST((member->address() == Address::parse("10.81.0.1")));
  BOOST_TEST(to_hex(compose_member(*member)) == to_hex(written));
}

BOOST_AUTO_TEST_CASE(every_truncation_is_refused) {
  for (const Golden& each : kGolden) {
    const Buffer whole = golden("10.1.60", each.name);
    for (std::size_t size = 0; size < whole.size(); ++size) {
      const Buffer cut = copy_of(Bytes(whole).first(size));
      BOOST_TEST(is_refused(cut, ParseError::too_short), each.name << " " << size);
      const Kind expected = size < 10 ? Kind::other : Kind::malformed;
      BOOST_TEST((classify(cut).kind == expected));
    }
  }
}

BOOST_AUTO_TEST_CASE(trailing_bytes_are_tolerated) {
  for (const Golden& each : kGolden) {
    for (const std::size_t extra : {1U, 2U, 9U, 10U, 100U, 65000U}) {
      Buffer longer = golden("10.1.60", each.name);
      const Buffer whole = longer;
      longer.resize(longer.size() + extra, 0x54);
      const auto member = parse_member(longer);
      BOOST_TEST_REQUIRE(static_cast<bool>(member));
      BOOST_TEST(to_hex(compose_member(*member)) == to_hex(whole));
    }
  }
}

BOOST_AUTO_TEST_CASE(hostile_lengths_are_refused) {
  const std::vector<std::uint32_t> hostile = {
      1,          2,          3,          4,          5,          10,         16,
      20,         24,         53,         77,         127,        128,        255,
      256,        0xffff,     0x10000,    0x7fffffff, 0x7ffffffe, 0x80000000, 0x80000001,
      0xffffffff, 0xfffffffe, 0xfffffff0, 0xffffffc3, 0xffffffd9};
  for (const std::size_t at : {kCommandLengthAt, kDomainLengthAt, kPayloadLengthAt}) {
    for (const std::uint32_t length : hostile) {
      Buffer forged = basic();
      set_u32(forged, at, length);
      // Short ones take the next fields' bytes as theirs, and what is then behind does not fit.
      const Buffer exact = copy_of(forged);
      const auto member = parse_member(exact);
      const bool refused = is_refused(forged, ParseError::bad_length);
      BOOST_TEST(refused == !static_cast<bool>(member));
      if (at == kPayloadLengthAt || length > 20) BOOST_TEST(refused, at << " " << length);
    }
  }
  for (const std::uint32_t length : hostile) {
    Buffer forged = basic();
    if (length == 53) continue;  // the true one
    set_u32(forged, kBodyLengthAt, length);
    BOOST_TEST(!static_cast<bool>(parse_member(copy_of(forged))), length);
  }
}

BOOST_AUTO_TEST_CASE(every_host_length) {
  for (unsigned size = 0; size < 256; ++size) {
    Buffer forged = basic();
    forged[kHostLengthAt] = static_cast<std::uint8_t>(size);
    const Buffer exact = copy_of(forged);
    const auto member = parse_member(exact);
    // Above 127 it is a negative byte to Tomcat. Below, the fields behind move: at 0 the host's
    // bytes become the command's length.
    if (size > 127) BOOST_TEST(is_refused(forged, ParseError::bad_length), size);
    if (member) BOOST_TEST(member->host.size() == size);
  }
}

BOOST_AUTO_TEST_CASE(hosts_of_every_size_are_composed_and_parsed) {
  test::Random random;
  for (std::size_t size = 0; size <= 127; ++size) {
    const Buffer host = random.bytes(size);
    MemberView member;
    member.host = host;
    const Buffer datagram = compose_member(member);
    const auto parsed = parse_member(datagram);
    BOOST_TEST_REQUIRE(static_cast<bool>(parsed));
    BOOST_TEST(same(parsed->host, host));
    BOOST_TEST(parsed->address().has_value() == (size == 4 || size == 16));
  }
}

BOOST_AUTO_TEST_CASE(wrong_markers) {
  for (std::size_t i = 0; i < 10; ++i) {
    Buffer bad_begin = basic();
    bad_begin[i] ^= 1U;
    BOOST_TEST(is_refused(bad_begin, ParseError::bad_begin));
    BOOST_TEST((classify(bad_begin).kind == Kind::other));
    Buffer bad_end = basic();
    bad_end[kEndAt + i] ^= 1U;
    BOOST_TEST(is_refused(bad_end, ParseError::bad_end));
    BOOST_TEST((classify(bad_end).kind == Kind::malformed));
  }
}

// Tomcat reads the fields and skips what a longer body has behind them.
BOOST_AUTO_TEST_CASE(a_body_longer_than_its_fields_is_tolerated) {
  Buffer longer = basic();
  longer.insert(longer.begin() + kEndAt, {1, 2, 3});
  set_u32(longer, kBodyLengthAt, 56);
  BOOST_TEST((classify(longer).kind == Kind::heartbeat));
}

BOOST_AUTO_TEST_CASE(kinds_of_datagrams) {
  struct Row {
    std::string_view text;
    Kind kind;
  };
  for (const Row& row : {
           Row{"", Kind::other},
           Row{"FLT2002", Kind::broadcast},
           Row{"FLT2002 and more", Kind::broadcast},
           Row{"FLT200", Kind::other},
           Row{"flt2002", Kind::other},
           Row{"TRIBES-B", Kind::other},
           Row{std::string_view("TRIBES-B\1\0", 10), Kind::malformed},
           Row{std::string_view("TRIBES-E\1\0", 10), Kind::other},
           Row{"hello", Kind::other},
       }) {
    const auto classified = classify(bytes_of(row.text));
    BOOST_TEST((classified.kind == row.kind), row.text);
    BOOST_TEST(!classified.member.has_value());
  }
}

BOOST_AUTO_TEST_CASE(only_the_exact_nine_bytes_are_a_goodbye) {
  BOOST_TEST(text_of(shutdown_command()) == "BABY-ALEX");
  for (const std::string_view command : {"", "BABY-ALE", "BABY-ALEX ", "baby-alex", " BABY-ALEX"}) {
    MemberView member;
    member.command = bytes_of(command);
    BOOST_TEST(!member.is_shutdown(), command);
    BOOST_TEST((classify(compose_member(member)).kind == Kind::heartbeat));
  }
}

BOOST_AUTO_TEST_CASE(identity_is_host_port_and_unique_id) {
  const Buffer datagram = basic();
  const MemberView member = *parse_member(datagram);
  const Identity identity = Identity::of(member);
  MemberView other = member;
  other.alive_milliseconds = 1;
  other.secure_port = 1;
  other.udp_port = 1;
  other.command = shutdown_command();
  other.domain = bytes_of("d");
  other.payload = bytes_of("p");
  BOOST_TEST((Identity::of(other) == identity));
  other = member;
  other.port = 4001;
  BOOST_TEST((Identity::of(other) != identity));
  other = member;
  other.unique_id[15] ^= 1U;
  BOOST_TEST((Identity::of(other) != identity));
  other = member;
  other.host = other.host.first(3);
  BOOST_TEST((Identity::of(other) != identity));
}

BOOST_AUTO_TEST_CASE(identities_have_readable_names) {
  struct Row {
    std::string_view host, name;
  };
  for (const Row& row : {
           Row{"0a510001", "10.81.0.1:4000"},
           Row{"20010db8000000000000000000000001", "[2001:db8::1]:4000"},
           Row{"00000000000000000000ffff0a000001", "10.0.0.1:4000"},
           Row{"0a51", "{0a51}:4000"},
           Row{"", "{}:4000"},
       }) {
    BOOST_TEST((Identity{hex(std::string(row.host)), 4000, {}}.name()) == row.name);
  }
}

// Any fields survive; any single changed byte is refused or parses without harm.
BOOST_AUTO_TEST_CASE(random_members_come_back_and_corruption_does_no_harm) {
  test::Random random;
  for (int round = 0; round < 3000; ++round) {
    const Buffer host = random.bytes(random.below(2) == 0 ? 4 : 16);
    const Buffer command = random.bytes(random.below(20));
    const Buffer domain = random.bytes(random.below(40));
    const Buffer payload = random.bytes(random.below(200));
    MemberView member;
    member.alive_milliseconds = random.below(UINT64_MAX);
    member.port = static_cast<std::uint32_t>(random.below(UINT64_MAX));
    member.secure_port = static_cast<std::uint32_t>(random.below(UINT64_MAX));
    member.udp_port = static_cast<std::uint32_t>(random.below(UINT64_MAX));
    member.host = host;
    member.command = command;
    member.domain = domain;
    member.payload = payload;
    Buffer datagram = compose_member(member);
    const auto parsed = parse_member(datagram);
    BOOST_TEST_REQUIRE(static_cast<bool>(parsed));
    BOOST_TEST(parsed->alive_milliseconds == member.alive_milliseconds);
    BOOST_TEST(to_hex(compose_member(*parsed)) == to_hex(datagram));
    datagram[random.below(datagram.size())] = static_cast<std::uint8_t>(random.below(256));
    const Buffer exact = copy_of(datagram);
    const auto again = parse_member(exact);
    if (again) BOOST_TEST(compose_member(*again).size() <= exact.size());
  }
}
