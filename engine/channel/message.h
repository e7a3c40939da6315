// A channel message, the data of a frame (org.apache.catalina.tribes.io.ChannelData):
//
//   u32 options  u64 milliseconds since 1970
//   u32 size  unique id     u32 size  sender, a member block (tribes/member.h)     u32 size  body
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/result.h"
#include "tribes/owned_member.h"

namespace tribecast::channel {

// org.apache.catalina.tribes.Channel.SEND_OPTIONS_*; 0x100 is GzipInterceptor's.
namespace option {
inline constexpr std::uint32_t kByteMessage = 0x01;  // the body is no Java stream
inline constexpr std::uint32_t kUseAck = 0x02;
inline constexpr std::uint32_t kSynchronizedAck = 0x04;
inline constexpr std::uint32_t kProcessed = kUseAck | kSynchronizedAck;  // acknowledged once it is
inline constexpr std::uint32_t kAsynchronous = 0x08;  // says nothing to the receiver
inline constexpr std::uint32_t kUdp = 0x20;
inline constexpr std::uint32_t kMulticast = 0x40;
inline constexpr std::uint32_t kCompressed = 0x100;
}  // namespace option

enum class AckRule : std::uint8_t {
  never,             // neither, or 4 alone
  on_receipt,        // 2: good in any case
  after_processing,  // 2 and 4: good, or failed when processing failed
};

AckRule ack_rule(std::uint32_t options);

// A message is remembered by its unique id, of 16 bytes where Tomcat made it. One with a longer id
// than this is none.
inline constexpr std::size_t kMaxUniqueIdBytes = 64;

// Borrowed; valid while the frame's data is.
struct MessageView {
  std::uint32_t options = 0;
  std::uint64_t timestamp_milliseconds = 0;
  Bytes unique_id;
  tribes::MemberView sender;
  Bytes body;
};

enum class MessageError : std::uint8_t { too_short, bad_unique_id, bad_sender, trailing_bytes };

Result<MessageView, MessageError> parse_message(Bytes data);

// The data of a frame.
Buffer compose_message(const MessageView& message);

// Owns its bytes: a message on its way through the interceptors.
struct Message {
  std::uint32_t options = 0;
  std::uint64_t timestamp_milliseconds = 0;
  Buffer unique_id;
  tribes::OwnedMember sender;
  Buffer body;

  static Message of(const MessageView& view) {
    return {view.options, view.timestamp_milliseconds, copy_of(view.unique_id),
            tribes::OwnedMember::of(view.sender), copy_of(view.body)};
  }
  // Borrows from this object.
  [[nodiscard]] MessageView view() const {
    return {options, timestamp_milliseconds, unique_id, sender.view(), body};
  }
};

// Bodies that members send each other beside what applications say.
enum class Note : std::uint8_t {
  none,
  probe,         // TcpFailureDetector looks whether the port is served
  ping,          // TcpPingInterceptor
  static_start,  // StaticMembershipInterceptor: the sender has started
  static_stop,   // and stops
  coordination,  // NonBlockingCoordinator's elections
};

Note note_in(Bytes body);
// The body of a probe, a ping or a static member's note.
Bytes note_body(Note note);

}  // namespace tribecast::channel
