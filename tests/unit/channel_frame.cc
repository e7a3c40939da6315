// Frames: against what Tomcat wrote, in any division, and what is wrong.
#define BOOST_TEST_MODULE channel_frame
#include <boost/test/unit_test.hpp>

#include "channel_fixture.h"
#include "engine/channel/frame.h"

using namespace tribecast;
using namespace tribecast::channel;
using channel::test::golden;
using tribecast::test::hex;

namespace {

constexpr std::size_t kLimit = 1 << 20;

std::vector<Buffer> decode(Bytes stream, std::size_t step, std::optional<FrameError>& error) {
  FrameDecoder decoder(kLimit);
  std::vector<Buffer> frames;
  while (!stream.empty()) {
    const std::size_t size = std::min(step, stream.size());
    decoder.feed(stream.first(size));
    stream = stream.subspan(size);
    while (const auto data = decoder.next()) frames.push_back(copy_of(*data));
  }
  error = decoder.error();
  return frames;
}

std::optional<FrameError> error_of(Bytes stream) {
  std::optional<FrameError> error;
  static_cast<void>(decode(stream, 1, error));
  return error;
}

}  // namespace

BOOST_AUTO_TEST_CASE(acknowledgements_are_those_of_every_tomcat) {
  for (const char* version : channel::test::kVersions) {
    BOOST_TEST(same(acknowledgement_frame(Acknowledgement::good), golden(version, "frame/ack")));
    BOOST_TEST(
        same(acknowledgement_frame(Acknowledgement::failed), golden(version, "frame/fail_ack")));
  }
  BOOST_TEST((parse_acknowledgement(hex("060203")) == Acknowledgement::good));
  BOOST_TEST((parse_acknowledgement(hex("0b0005")) == Acknowledgement::failed));
  BOOST_TEST(!parse_acknowledgement(hex("06020300")).has_value());
}

BOOST_AUTO_TEST_CASE(two_frames_come_out_however_the_stream_is_cut) {
  for (const char* version : channel::test::kVersions) {
    const Buffer stream = golden(version, "frame/two_frames");
    for (std::size_t step = 1; step <= stream.size(); ++step) {
      std::optional<FrameError> error;
      const auto frames = decode(stream, step, error);
      BOOST_REQUIRE(frames.size() == 2U);
      BOOST_TEST(!error.has_value());
      Buffer again = compose_frame(frames[0]);
      const Buffer second = compose_frame(frames[1]);
      again.insert(again.end(), second.begin(), second.end());
      BOOST_TEST(same(again, stream));
    }
  }
}

BOOST_AUTO_TEST_CASE(an_empty_frame_is_a_frame) {
  std::optional<FrameError> error;
  const auto frames = decode(compose_frame({}), 3, error);
  BOOST_TEST(frames.size() == 1U);
  BOOST_TEST(!error.has_value());
}

BOOST_AUTO_TEST_CASE(what_is_no_frame_is_known_at_its_first_wrong_byte) {
  BOOST_TEST((error_of(bytes_of("GET / HTTP/1.1")) == FrameError::bad_begin));
  BOOST_TEST((error_of(bytes_of("FLT2003")) == FrameError::bad_begin));
  BOOST_TEST((error_of(bytes_of("F_")) == FrameError::bad_begin));
  Buffer wrong_end = compose_frame(hex("010203"));
  wrong_end.back() ^= 1U;
  BOOST_TEST((error_of(wrong_end) == FrameError::bad_end));
}

BOOST_AUTO_TEST_CASE(a_size_beyond_the_limit_is_refused_before_it_is_stored) {
  // Also Java's negative sizes.
  for (const char* size : {"00100001", "7fffffff", "80000000", "ffffffff"}) {
    Buffer head = copy_of(bytes_of("FLT2002"));
    const Buffer raw = hex(size);
    head.insert(head.end(), raw.begin(), raw.end());
    BOOST_TEST((error_of(head) == FrameError::too_large), size);
  }
  std::optional<FrameError> error;
  BOOST_TEST(decode(compose_frame(Buffer(kLimit)), 65536, error).size() == 1U);
}

BOOST_AUTO_TEST_CASE(an_error_is_the_last_word) {
  FrameDecoder decoder(kLimit);
  decoder.feed(bytes_of("nonsense"));
  BOOST_TEST(!decoder.next().has_value());
  decoder.feed(compose_frame(hex("01")));
  BOOST_TEST(!decoder.next().has_value());
  BOOST_TEST(decoder.buffered() == 0U);
}

BOOST_AUTO_TEST_CASE(memory_grows_by_what_came_and_is_given_back) {
  FrameDecoder decoder(std::size_t{1} << 30U);
  decoder.feed(hex("464c5432303032 3fffffff 00"));
  BOOST_TEST(!decoder.next().has_value());
  BOOST_TEST(!decoder.error().has_value());
  BOOST_TEST(decoder.capacity() < 1024U);

  FrameDecoder other(std::size_t{8} << 20U);
  other.feed(compose_frame(Buffer(4U << 20U)));
  BOOST_TEST(other.next().has_value());
  BOOST_TEST(!other.next().has_value());
  BOOST_TEST(other.capacity() < 1024U);
  other.feed(hex("46"));
  BOOST_TEST(other.buffered() == 1U);
}
