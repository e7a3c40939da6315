// Datagrams as lines and as a capture file.
#define BOOST_TEST_MODULE control_capture
#include <algorithm>
#include <boost/test/unit_test.hpp>

#include "control/capture.h"

using namespace tribecast;
using namespace tribecast::control;

namespace {

Seen beat() {
  Seen s;
  s.sequence = 3;
  s.time_nanoseconds = 0x18d0'0000'0000'0001;
  s.group = "tomcat";
  s.source = "10.0.0.1:45564";
  s.destination = "228.0.0.4:45564";
  s.copies = 2;
  s.kind = "heartbeat";
  s.member = "10.0.0.1:4000";
  s.alive_seconds = 61;
  s.unique_id = "ab";
  s.payload = {1, 2, 3};
  return s;
}

std::uint32_t little(std::string_view bytes, std::size_t at) {
  std::uint32_t out = 0;
  for (std::size_t i = 4; i-- > 0;) out = out << 8U | static_cast<unsigned char>(bytes[at + i]);
  return out;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_reply_is_read_back) {
  Seen bare;
  bare.kind = "other";
  const auto list = read_capture_reply(capture_reply({9, {beat(), bare}}));
  BOOST_REQUIRE(bool(list));
  BOOST_TEST(list->last == 9U);
  BOOST_TEST((list->seen == std::vector<Seen>{beat(), bare}));
  BOOST_TEST(!read_capture_reply("{}"));
}

BOOST_AUTO_TEST_CASE(lines) {
  Seen s = beat();
  BOOST_TEST(seen_text(s, "10:00:00.000", {}) ==
             "10:00:00.000 tomcat out heartbeat 10.0.0.1:4000 alive 61 s "
             "[relayed to 2 peers]\n");
  s.peer = "web-2";
  s.copies = 1;
  BOOST_TEST(seen_text(s, "t", {}) ==
             "t tomcat in from web-2 heartbeat 10.0.0.1:4000 alive 61 s "
             "[injected on 1 interface]\n");
  s.dropped = "stale";
  s.kind = "broadcast";
  s.member.clear();
  BOOST_TEST(seen_text(s, "t", {}) ==
             "t tomcat in from web-2 10.0.0.1:45564 broadcast 3 bytes [dropped: stale]\n");
}

BOOST_AUTO_TEST_CASE(no_line_is_wider_than_a_terminal) {
  Seen s = beat();
  s.peer = "a-web-server-of-the-other-site.example.internal";
  s.source = "192.168.200.100:45564";
  s.copies = 1;
  BOOST_TEST(seen_text(s, "10:00:00.000", {}) ==
             "10:00:00.000 tomcat in from a-web-server-of-the-other-site.example.internal "
             "192.168.200.100:45564\n"
             "    heartbeat 10.0.0.1:4000 alive 61 s\n"
             "    [injected on 1 interface]\n");
  // Just as wide as it may be, and one more.
  s.source = "10.0.0.1:45564";
  const std::string rest =
      "10:00:00.000 tomcat in from  heartbeat 10.0.0.1:4000 alive 61 s "
      "[injected on 1 interface]";
  s.peer = std::string(100 - rest.size(), 'p');
  BOOST_TEST(std::ranges::count(seen_text(s, "10:00:00.000", {}), '\n') == 1);
  s.peer += 'p';
  BOOST_TEST(std::ranges::count(seen_text(s, "10:00:00.000", {}), '\n') == 2);
}

BOOST_AUTO_TEST_CASE(blocks_of_a_file) {
  const std::string header = pcapng_header();
  BOOST_TEST(little(header, 0) == 0x0a0d0d0aU);
  BOOST_TEST(little(header, 8) == 0x1a2b3c4dU);
  const std::string block = pcapng_block(beat());
  BOOST_TEST(little(block, 0) == 6U);
  BOOST_TEST(little(block, 4) == block.size());
  BOOST_TEST(little(block, block.size() - 4) == block.size());
  BOOST_TEST(little(block, 12) == 0x18d00000U);
  BOOST_TEST(little(block, 16) == 1U);
  BOOST_TEST(little(block, 20) == 31U);  // 20 + 8 + 3
  BOOST_TEST(block[28] == 0x45);
  BOOST_TEST(block.find("relayed to 2 peers") != block.npos);
  // The header's ones' complement sum is all ones (RFC 1071).
  std::uint32_t sum = 0;
  for (std::size_t i = 28; i < 48; i += 2) {
    sum += static_cast<std::uint32_t>(static_cast<unsigned char>(block[i])) << 8U |
           static_cast<unsigned char>(block[i + 1]);
  }
  BOOST_TEST((sum & 0xffffU) + (sum >> 16U) == 0xffffU);
}

BOOST_AUTO_TEST_CASE(what_is_no_ipv4_packet_is_no_block) {
  Seen s = beat();
  s.source = "[2001:db8::1]:1";
  BOOST_TEST(pcapng_block(s).empty());
  s = beat();
  s.payload.resize(65536);
  BOOST_TEST(pcapng_block(s).empty());
}
