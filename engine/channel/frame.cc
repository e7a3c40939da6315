#include "engine/channel/frame.h"

#include <limits>

#include "base/check.h"

namespace tribecast::channel {
namespace {

constexpr std::array<std::uint8_t, 7> kFrameBegin = {'F', 'L', 'T', '2', '0', '0', '2'};
constexpr std::array<std::uint8_t, 7> kFrameEnd = {'T', 'L', 'F', '2', '0', '0', '3'};
constexpr std::size_t kHead = kFrameBegin.size() + 4;
// A buffer that has grown beyond this is given back when its frame is done.
constexpr std::size_t kKeptCapacity = 256U << 10U;

// org.apache.catalina.tribes.transport.Constants.
constexpr std::array<std::uint8_t, 3> kAck = {6, 2, 3};
constexpr std::array<std::uint8_t, 3> kFailAck = {11, 0, 5};

template <std::size_t N>
std::array<std::uint8_t, N + kFrameOverhead> framed(const std::array<std::uint8_t, N>& data) {
  std::array<std::uint8_t, N + kFrameOverhead> frame{};
  std::ranges::copy(compose_frame(data), frame.begin());
  return frame;
}

}  // namespace

void FrameDecoder::compact() {
  if (start_ == 0) return;
  if (start_ == buffer_.size() && buffer_.capacity() > kKeptCapacity) {
    Buffer().swap(buffer_);
  } else {
    buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(start_));
  }
  start_ = 0;
}

void FrameDecoder::feed(Bytes bytes) {
  if (error_) return;
  compact();
  buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
}

std::optional<Bytes> FrameDecoder::next() {
  if (error_) return std::nullopt;
  if (start_ == buffer_.size()) compact();  // gives a large buffer back as soon as it is used up
  const Bytes waiting = Bytes(buffer_).subspan(start_);
  const std::size_t known = std::min(waiting.size(), kFrameBegin.size());
  if (!same(waiting.first(known), Bytes(kFrameBegin).first(known))) {
    return fail(FrameError::bad_begin);
  }
  if (waiting.size() < kHead) return std::nullopt;
  const std::size_t size = ByteReader(waiting.subspan(kFrameBegin.size())).u32be();
  if (size > max_data_) return fail(FrameError::too_large);
  if (waiting.size() < size + kFrameOverhead) return std::nullopt;
  if (!same(waiting.subspan(kHead + size, kFrameEnd.size()), kFrameEnd)) {
    return fail(FrameError::bad_end);
  }
  start_ += size + kFrameOverhead;
  return waiting.subspan(kHead, size);
}

std::optional<Bytes> FrameDecoder::fail(FrameError error) {
  error_ = error;
  Buffer().swap(buffer_);
  start_ = 0;
  return std::nullopt;
}

Buffer compose_frame(Bytes data) {
  TC_CHECK(data.size() <= std::numeric_limits<std::int32_t>::max());
  Buffer frame(data.size() + kFrameOverhead);
  SpanWriter out(frame);
  out.put(kFrameBegin);
  out.u32be(static_cast<std::uint32_t>(data.size()));
  out.put(data);
  out.put(kFrameEnd);
  return frame;
}

Bytes acknowledgement_frame(Acknowledgement kind) {
  static const auto kGood = framed(kAck);
  static const auto kFailed = framed(kFailAck);
  return kind == Acknowledgement::good ? Bytes(kGood) : Bytes(kFailed);
}

std::optional<Acknowledgement> parse_acknowledgement(Bytes data) {
  if (same(data, kAck)) return Acknowledgement::good;
  if (same(data, kFailAck)) return Acknowledgement::failed;
  return std::nullopt;
}

}  // namespace tribecast::channel
