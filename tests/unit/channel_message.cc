// Channel messages: every frame that Tomcat wrote is read and written again, byte for byte.
#define BOOST_TEST_MODULE channel_message
#include <boost/test/unit_test.hpp>

#include "channel_fixture.h"
#include "engine/channel/frame.h"
#include "engine/channel/message.h"

using namespace tribecast;
using namespace tribecast::channel;
using channel::test::golden;

namespace {

struct Case {
  std::string name;
  std::uint32_t options;
  Note note = Note::none;
};

const std::vector<Case> kFrames = {
    {"empty_message", 3},
    {"opt_0_string", 0},
    {"opt_1_bytes", 1},
    {"opt_2_string", 2},
    {"opt_3_bytes", 3},
    {"opt_4_string", 4},
    {"opt_6_string", 6},
    {"opt_7_bytes", 7},
    {"opt_8_string", 8},
    {"opt_9_bytes", 9},
    {"opt_10_string", 10},
    {"opt_14_string", 14},
    {"opt_16_string", 16},
    {"opt_32_string", 32},
    {"opt_33_bytes", 33},
    {"opt_34_string", 34},
    {"opt_64_string", 64},
    {"probe_failure_detector", 1, Note::probe},
    {"probe_failure_detector_readtest", 3, Note::probe},
    {"static_member_start", 0, Note::static_start},
    {"static_member_stop", 0, Note::static_stop},
    {"tcp_ping", 0, Note::ping},
};

Buffer data_of(const Buffer& frame) {
  FrameDecoder decoder(1 << 20);
  decoder.feed(frame);
  const auto data = decoder.next();
  BOOST_REQUIRE(data.has_value());
  return copy_of(*data);
}

}  // namespace

BOOST_AUTO_TEST_CASE(every_golden_frame_is_read_and_written_again) {
  for (const char* version : channel::test::kVersions) {
    for (const Case& one : kFrames) {
      BOOST_TEST_CONTEXT(version << " " << one.name) {
        const Buffer frame = golden(version, "frame/" + one.name);
        const Buffer data = data_of(frame);
        const auto message = parse_message(data);
        BOOST_REQUIRE(static_cast<bool>(message));
        BOOST_TEST(message->options == one.options);
        BOOST_TEST(message->timestamp_milliseconds == 1700000000123U);
        BOOST_TEST(message->unique_id.size() == 16U);
        BOOST_TEST(message->sender.port >= 4000U);
        BOOST_TEST((note_in(message->body) == one.note));
        BOOST_TEST(same(compose_frame(compose_message(*message)), frame));
        const Message owned = Message::of(*message);
        BOOST_TEST(same(compose_message(owned.view()), data));
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(notes_are_those_of_every_tomcat) {
  for (const char* version : channel::test::kVersions) {
    for (const Case& one : kFrames) {
      if (one.note == Note::none) continue;
      const Buffer data = data_of(golden(version, "frame/" + one.name));
      BOOST_TEST(same(note_body(one.note), parse_message(data)->body), one.name);
    }
    const Buffer election = golden(version, "interceptor/coordination_request_body");
    BOOST_TEST((note_in(election) == Note::coordination));
  }
  BOOST_TEST((note_in({}) == Note::none));
}

BOOST_AUTO_TEST_CASE(acknowledged_is_what_the_options_ask_for) {
  using enum AckRule;
  const std::vector<std::pair<std::uint32_t, AckRule>> table = {{0, never},
                                                                {1, never},
                                                                {2, on_receipt},
                                                                {3, on_receipt},
                                                                {4, never},
                                                                {6, after_processing},
                                                                {7, after_processing},
                                                                {8, never},
                                                                {10, on_receipt},
                                                                {12, never},
                                                                {14, after_processing},
                                                                {0x102, on_receipt},
                                                                {0x106, after_processing},
                                                                {0x40, never}};
  for (const auto& [options, rule] : table) BOOST_TEST((ack_rule(options) == rule), options);
}

BOOST_AUTO_TEST_CASE(a_cut_message_is_refused_wherever_it_is_cut) {
  const Buffer data = data_of(golden("10.1.60", "frame/opt_6_string"));
  for (std::size_t size = 0; size < data.size(); ++size) {
    BOOST_TEST(!parse_message(Bytes(data).first(size)), size);
  }
  Buffer longer = data;
  longer.push_back(0);
  BOOST_TEST((parse_message(longer).error() == MessageError::trailing_bytes));
}

BOOST_AUTO_TEST_CASE(a_sender_that_is_no_member_block_is_refused) {
  const Buffer data = data_of(golden("10.1.60", "frame/opt_6_string"));
  const std::size_t sender = 4 + 8 + 4 + 16 + 4;
  Buffer changed = data;
  changed[sender] ^= 1U;
  BOOST_TEST((parse_message(changed).error() == MessageError::bad_sender));
}

// What is remembered of each message, and of its sender, has a limit.
BOOST_AUTO_TEST_CASE(an_id_or_a_sender_that_is_too_long_is_refused) {
  const Buffer data = data_of(golden("10.1.60", "frame/opt_6_string"));
  const MessageView good = *parse_message(data);
  MessageView changed = good;
  const Buffer longest(kMaxUniqueIdBytes, 7);
  changed.unique_id = longest;
  BOOST_TEST(static_cast<bool>(parse_message(compose_message(changed))));
  const Buffer longer(kMaxUniqueIdBytes + 1, 7);
  changed.unique_id = longer;
  BOOST_TEST((parse_message(compose_message(changed)).error() == MessageError::bad_unique_id));
  changed.unique_id = good.unique_id;
  const Buffer payload(tribes::kMaxMemberBytes, 7);
  changed.sender.payload = payload;
  BOOST_TEST((parse_message(compose_message(changed)).error() == MessageError::bad_sender));
}

BOOST_AUTO_TEST_CASE(an_owned_member_is_the_view_again) {
  const Buffer data = data_of(golden("9.0.70", "frame/opt_6_string"));
  const tribes::MemberView view = parse_message(data)->sender;
  const auto owned = tribes::OwnedMember::of(view);
  BOOST_TEST(same(tribes::compose_member(owned.view()), tribes::compose_member(view)));
  BOOST_TEST(owned.endpoint()->to_string() == "10.81.0.1:4000");
  tribes::OwnedMember odd = owned;
  odd.identity.port = 70000;
  BOOST_TEST(!odd.endpoint().has_value());
  odd = owned;
  odd.identity.host = {1, 2, 3};
  BOOST_TEST(!odd.endpoint().has_value());
}
