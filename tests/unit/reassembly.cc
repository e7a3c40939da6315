// Fragments put together again: any order, all that is forged refused, memory and time bounded.
#define BOOST_TEST_MODULE reassembly
#include "packet/reassembly.h"

#include <boost/test/unit_test.hpp>

#include "vectors.h"

using namespace tribecast;
using namespace tribecast::packet;

namespace {

constexpr Instant kStart{seconds(1000)};
const Endpoint kSource{*Address::parse("10.81.0.1"), 45564};
const Endpoint kGroup{*Address::parse("228.0.0.4"), 45564};

enum class Outcome { waiting, whole, malformed, too_large, table_full };

struct Fragment {
  std::uint16_t id;
  std::uint16_t offset;
  std::size_t size;
  bool more;
};

// Bytes that tell their place in the datagram.
Buffer pattern(std::size_t offset, std::size_t size) {
  Buffer bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>((offset + i) * 7 + 1);
  return bytes;
}

Outcome add(Reassembler& reassembler, const Fragment& fragment, Instant now = kStart) {
  const Buffer body = pattern(fragment.offset, fragment.size);
  Ipv4Packet packet;
  packet.source = kSource.address;
  packet.destination = kGroup.address;
  packet.protocol = kProtocolUdp;
  packet.id = fragment.id;
  packet.fragment_offset = fragment.offset;
  packet.more_fragments = fragment.more;
  packet.body = body;
  const auto result = reassembler.add(now, packet);
  if (!result) {
    if (result.error() == Reason::malformed) return Outcome::malformed;
    return result.error() == Reason::too_large ? Outcome::too_large : Outcome::table_full;
  }
  if (!result->has_value()) return Outcome::waiting;
  BOOST_TEST(same(**result, pattern(0, (*result)->size())));
  return Outcome::whole;
}

struct Step {
  Fragment fragment;
  Outcome expected;
};

void run(const std::string& what, const std::vector<Step>& steps) {
  BOOST_TEST_CONTEXT(what) {
    Reassembler reassembler;
    for (const Step& step : steps) {
      BOOST_TEST((add(reassembler, step.fragment) == step.expected),
                 "offset " << step.fragment.offset << " size " << step.fragment.size);
    }
  }
}

}  // namespace

BOOST_AUTO_TEST_CASE(sequences) {
  using enum Outcome;
  run("in order", {{{1, 0, 16, true}, waiting}, {{1, 16, 5, false}, whole}});
  run("last first", {{{1, 16, 5, false}, waiting}, {{1, 0, 16, true}, whole}});
  run("a hole",
      {{{1, 0, 8, true}, waiting}, {{1, 16, 5, false}, waiting}, {{1, 8, 8, true}, whole}});
  run("two datagrams", {{{1, 0, 8, true}, waiting},
                        {{2, 0, 8, true}, waiting},
                        {{2, 8, 1, false}, whole},
                        {{1, 8, 1, false}, whole}});
  run("an id used again", {{{1, 0, 8, true}, waiting},
                           {{1, 8, 1, false}, whole},
                           {{1, 0, 8, true}, waiting},
                           {{1, 8, 1, false}, whole}});
  run("the largest", {{{1, 65512, 3, false}, waiting}, {{1, 0, 65512, true}, whole}});
}

// RFC 5722: fragments that overlap, even identical ones, and the datagram is gone.
BOOST_AUTO_TEST_CASE(overlaps_drop_the_datagram) {
  using enum Outcome;
  run("the same twice", {{{1, 0, 16, true}, waiting}, {{1, 0, 16, true}, malformed}});
  run("one inside", {{{1, 0, 32, true}, waiting}, {{1, 8, 8, true}, malformed}});
  run("one around", {{{1, 8, 8, true}, waiting}, {{1, 0, 32, true}, malformed}});
  run("into the next", {{{1, 16, 16, true}, waiting}, {{1, 0, 24, true}, malformed}});
  run("into the one before", {{{1, 0, 24, true}, waiting}, {{1, 16, 16, true}, malformed}});
  run("teardrop", {{{1, 0, 32, true}, waiting}, {{1, 24, 4, false}, malformed}});
  run("what came before it is forgotten", {{{1, 0, 16, true}, waiting},
                                           {{1, 8, 16, true}, malformed},
                                           {{1, 16, 1, false}, waiting},
                                           {{1, 0, 16, true}, whole}});
  run("neighbours do not overlap",
      {{{1, 8, 8, true}, waiting}, {{1, 0, 8, true}, waiting}, {{1, 16, 8, false}, whole}});
}

BOOST_AUTO_TEST_CASE(impossible_fragments) {
  using enum Outcome;
  run("empty", {{{1, 0, 0, true}, malformed}});
  run("empty last", {{{1, 0, 8, true}, waiting}, {{1, 8, 0, false}, malformed}});
  run("not a multiple of 8", {{{1, 0, 9, true}, malformed}});
  run("beyond 65535 with its header", {{{1, 65512, 4, false}, too_large}});
  run("ping of death", {{{1, 0, 1480, true}, waiting}, {{1, 65528, 1480, false}, too_large}});
  run("two ends", {{{1, 16, 4, false}, waiting}, {{1, 24, 4, false}, malformed}});
  run("an end before what was seen", {{{1, 32, 8, true}, waiting}, {{1, 16, 4, false}, malformed}});
  run("something behind the end", {{{1, 16, 8, false}, waiting}, {{1, 24, 8, true}, malformed}});
}

BOOST_AUTO_TEST_CASE(datagrams_are_told_apart_by_addresses_and_protocol) {
  const Buffer body = pattern(0, 8);
  const Buffer rest = pattern(8, 1);
  const auto packet = [](const char* from, const char* to, std::uint8_t protocol) {
    Ipv4Packet made;
    made.source = *Address::parse(from);
    made.destination = *Address::parse(to);
    made.protocol = protocol;
    made.id = 1;
    return made;
  };
  const std::vector<Ipv4Packet> kinds = {
      packet("10.0.0.1", "228.0.0.4", 17), packet("10.0.0.2", "228.0.0.4", 17),
      packet("10.0.0.1", "228.0.0.5", 17), packet("10.0.0.1", "228.0.0.4", 6)};
  Reassembler reassembler;
  for (Ipv4Packet first : kinds) {
    first.more_fragments = true;
    first.body = body;
    const auto result = reassembler.add(kStart, first);
    BOOST_TEST((result && !result->has_value()));
  }
  for (Ipv4Packet last : kinds) {
    last.fragment_offset = 8;
    last.body = rest;
    const auto result = reassembler.add(kStart, last);
    BOOST_TEST((result && result->has_value()));
  }
  BOOST_TEST(reassembler.held_bytes() == 0U);
}

BOOST_AUTO_TEST_CASE(unfinished_datagrams_time_out) {
  using enum Outcome;
  Reassembler reassembler;
  BOOST_TEST((add(reassembler, {1, 0, 8, true}) == waiting));
  BOOST_TEST((add(reassembler, {1, 8, 8, true}, kStart + Reassembler::kTimeout) == waiting));
  BOOST_TEST((add(reassembler, {1, 16, 1, false}, kStart + Reassembler::kTimeout) == whole));

  BOOST_TEST((add(reassembler, {2, 0, 8, true}) == waiting));
  const Instant late = kStart + Reassembler::kTimeout + Duration(1);
  BOOST_TEST((add(reassembler, {2, 8, 1, false}, late) == waiting));
  BOOST_TEST((add(reassembler, {2, 0, 8, true}, late) == whole));
  BOOST_TEST(reassembler.held_bytes() == 0U);
}

BOOST_AUTO_TEST_CASE(a_full_table_refuses_new_datagrams_and_serves_the_known) {
  using enum Outcome;
  Reassembler reassembler;
  for (std::uint16_t id = 0; id < Reassembler::kMaxDatagrams; ++id) {
    BOOST_TEST((add(reassembler, {id, 0, 8, true}) == waiting));
  }
  BOOST_TEST((add(reassembler, {999, 0, 8, true}) == table_full));
  BOOST_TEST((add(reassembler, {0, 8, 1, false}) == whole));
  BOOST_TEST((add(reassembler, {999, 0, 8, true}) == waiting));
  // Time makes room.
  const Instant late = kStart + 2 * Reassembler::kTimeout;
  BOOST_TEST((add(reassembler, {1000, 0, 8, true}, late) == waiting));
  BOOST_TEST(reassembler.held_bytes() == 8 + Reassembler::kFragmentCost);
}

BOOST_AUTO_TEST_CASE(bytes_are_bounded_and_what_finds_no_room_is_given_up) {
  using enum Outcome;
  Reassembler reassembler;
  for (std::uint16_t id = 0; id < 8; ++id) {
    BOOST_TEST((add(reassembler, {id, 0, 65400, true}) == waiting));
  }
  BOOST_TEST(reassembler.held_bytes() <= Reassembler::kMaxBytes);
  // No room for another one: it does not disturb those that are there.
  BOOST_TEST((add(reassembler, {8, 0, 8000, true}) == table_full));
  BOOST_TEST((add(reassembler, {7, 65400, 104, true}) == waiting));
  const std::size_t full = reassembler.held_bytes();
  // One that is known asks for more than there is: it can never be whole and gives its room back.
  BOOST_TEST((add(reassembler, {6, 65400, 104, true}) == table_full));
  BOOST_TEST(reassembler.held_bytes() == full - 65400 - Reassembler::kFragmentCost);
  BOOST_TEST((add(reassembler, {5, 65400, 1, false}) == whole));
}

// The smallest fragments cost memory far beyond their bytes: that is counted too.
BOOST_AUTO_TEST_CASE(tiny_fragments_cannot_outgrow_the_limit) {
  Reassembler reassembler;
  std::size_t kept = 0;
  for (std::uint16_t id = 0; id < Reassembler::kMaxDatagrams; ++id) {
    for (std::uint16_t offset = 0; offset < 8000;
         offset = static_cast<std::uint16_t>(offset + 16)) {
      if (add(reassembler, {id, offset, 8, true}) == Outcome::waiting) ++kept;
      BOOST_TEST_REQUIRE(reassembler.held_bytes() <= Reassembler::kMaxBytes);
    }
  }
  BOOST_TEST(kept > 1000U);
}

// Whatever its size and the MTU, a composed datagram comes back, its fragments in random order,
// while others are put together beside it.
BOOST_AUTO_TEST_CASE(composed_datagrams_come_back_in_any_order) {
  test::Random random;
  std::vector<std::size_t> sizes = {0, 1, 7, 8, 39, 40, 41, 547, 548, 549, 1471, 1472, 1473, 8972};
  sizes.insert(sizes.end(), {8973, 32768, 65499, 65506, kMaxUdpPayload});
  for (int i = 0; i < 40; ++i) sizes.push_back(random.below(kMaxUdpPayload + 1));
  Reassembler reassembler;
  std::uint16_t id = 0;
  for (const std::uint16_t mtu : std::to_array<std::uint16_t>({68, 576, 1500, 9000})) {
    for (const std::size_t size : sizes) {
      const Buffer payload = random.bytes(size);
      auto packets = compose({kSource, kGroup, payload}, {mtu, 0, ++id});
      random.shuffle(packets);
      std::optional<Buffer> whole;
      for (const Buffer& packet : packets) {
        BOOST_TEST_REQUIRE(!whole.has_value());
        const auto ip = parse_frame(LinkType::raw_ip, packet);
        BOOST_TEST_REQUIRE(static_cast<bool>(ip));
        if (!ip->is_fragment()) {
          whole = copy_of(ip->body);
          continue;
        }
        auto result = reassembler.add(kStart, *ip);
        BOOST_TEST_REQUIRE(static_cast<bool>(result));
        whole = *result;
      }
      BOOST_TEST_REQUIRE(whole.has_value());
      const auto udp = parse_udp(kSource.address, kGroup.address, *whole);
      BOOST_TEST_REQUIRE(static_cast<bool>(udp));
      BOOST_TEST((udp->source == kSource && udp->group == kGroup));
      BOOST_TEST(same(udp->payload, payload));
      BOOST_TEST(reassembler.held_bytes() == 0U);
    }
  }
}
