// Frames on a Tribes TCP connection (org.apache.catalina.tribes.io.XByteBuffer):
//
//   "FLT2002"  u32 size  data[size]  "TLF2003"
//
// The data is a message (channel/message.h) or one of the two acknowledgements.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/bytes.h"

namespace tribecast::channel {

// Bytes of a frame beside its data.
inline constexpr std::size_t kFrameOverhead = 18;

enum class FrameError : std::uint8_t { bad_begin, bad_end, too_large };

// Cuts a stream into frames. There is no way to find the next frame behind a wrong one, so the
// first error is the last word: the connection is of no more use.
class FrameDecoder {
 public:
  // A frame that announces more data than this is an error, before it is stored.
  explicit FrameDecoder(std::size_t max_data_bytes) : max_data_(max_data_bytes) {}

  // What came next; any division is good. Memory grows by what came, not by what was announced.
  void feed(Bytes bytes);

  // The data of the next whole frame, borrowed until the next call of feed() or next(); nullopt
  // when more is needed or something is wrong.
  std::optional<Bytes> next();

  [[nodiscard]] std::optional<FrameError> error() const { return error_; }
  // Bytes that wait for the rest of their frame.
  [[nodiscard]] std::size_t buffered() const { return buffer_.size() - start_; }
  // Bytes of memory held.
  [[nodiscard]] std::size_t capacity() const { return buffer_.capacity(); }

 private:
  std::optional<Bytes> fail(FrameError error);
  void compact();

  std::size_t max_data_;
  Buffer buffer_;
  std::size_t start_ = 0;  // of what was not yet given out
  std::optional<FrameError> error_;
};

// A whole frame around `data`, of at most 2^31 - 1 bytes.
Buffer compose_frame(Bytes data);

enum class Acknowledgement : std::uint8_t { good, failed };

// Constants.ACK_DATA and FAIL_ACK_DATA as whole frames.
Bytes acknowledgement_frame(Acknowledgement kind);
// Whether a frame's data is one of them.
std::optional<Acknowledgement> parse_acknowledgement(Bytes data);

}  // namespace tribecast::channel
