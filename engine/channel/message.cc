#include "engine/channel/message.h"

#include <array>
#include <string_view>

#include "base/check.h"

namespace tribecast::channel {
namespace {

// TcpFailureDetector.TCP_FAIL_DETECT.
constexpr std::array<std::uint8_t, 64> kProbe = {
    0x4f, 0xa7, 0x73, 0x48, 0x79, 0x82, 0x43, 0xc9, 0x9f, 0x6f, 0x89, 0x80, 0xa1, 0x5b, 0x07, 0x14,
    0x7d, 0xd9, 0x52, 0x5b, 0xeb, 0xf1, 0x43, 0x9a, 0xb7, 0x7e, 0xbe, 0x8f, 0x81, 0x67, 0x1e, 0xb6,
    0x37, 0x15, 0xbe, 0x87, 0x45, 0x7e, 0x4c, 0xa8, 0xbf, 0x0a, 0x4d, 0x13, 0x53, 0x38, 0x15, 0x32,
    0x55, 0xf6, 0x94, 0xb7, 0x3a, 0xfa, 0x40, 0x78, 0x91, 0x04, 0x7d, 0xd7, 0x72, 0x84, 0xc0, 0xd5};
// TcpPingInterceptor.TCP_PING_DATA.
constexpr std::array<std::uint8_t, 64> kPing = {
    0x4f, 0xa7, 0x73, 0x48, 0x79, 0xdf, 0x43, 0xc9, 0x9f, 0x6f, 0x89, 0x80, 0xa1, 0x5b, 0x07, 0x14,
    0x7d, 0xd9, 0x52, 0x5b, 0xeb, 0xdf, 0x43, 0x9a, 0xb7, 0x7e, 0xbe, 0x8f, 0x81, 0x67, 0x1e, 0xb6,
    0x37, 0x15, 0xbe, 0x87, 0x45, 0x21, 0x4c, 0xa8, 0xbf, 0x0a, 0x4d, 0x13, 0x53, 0x38, 0x15, 0x32,
    0x55, 0xf6, 0x94, 0xb7, 0x3a, 0xdf, 0x21, 0x78, 0x91, 0x04, 0x7d, 0xd7, 0x72, 0x84, 0xc0, 0xd5};
// StaticMembershipInterceptor.MEMBER_START and MEMBER_STOP.
constexpr std::string_view kStaticStart = "Local StaticMember Notification Data";
constexpr std::string_view kStaticStop = "Local StaticMember Shutdown Data";
// NonBlockingCoordinator.COORD_HEADER.
constexpr std::array<std::uint8_t, 16> kCoordination = {
    0xaa, 0x26, 0xde, 0xe3, 0x9e, 0x5a, 0x41, 0x3f, 0xaf, 0x86, 0xfa, 0x92, 0x63, 0xca, 0x0d, 0x3f};

constexpr std::array kNotes = {Note::probe, Note::ping, Note::static_start, Note::static_stop};

void put_sized(SpanWriter& out, Bytes bytes) {
  out.u32be(static_cast<std::uint32_t>(bytes.size()));
  out.put(bytes);
}

}  // namespace

AckRule ack_rule(std::uint32_t options) {
  if ((options & option::kUseAck) == 0) return AckRule::never;
  return (options & option::kSynchronizedAck) != 0 ? AckRule::after_processing
                                                   : AckRule::on_receipt;
}

Result<MessageView, MessageError> parse_message(Bytes data) {
  ByteReader in(data);
  MessageView message;
  message.options = in.u32be();
  message.timestamp_milliseconds = in.u64be();
  message.unique_id = in.take(in.u32be());
  const Bytes sender = in.take(in.u32be());
  message.body = in.take(in.u32be());
  if (!in.ok()) return Unexpected{MessageError::too_short};
  if (in.left() != 0) return Unexpected{MessageError::trailing_bytes};
  if (message.unique_id.size() > kMaxUniqueIdBytes) return Unexpected{MessageError::bad_unique_id};
  if (sender.size() > tribes::kMaxMemberBytes) return Unexpected{MessageError::bad_sender};
  const auto member = tribes::parse_member(sender);
  if (!member) return Unexpected{MessageError::bad_sender};
  message.sender = *member;
  return message;
}

Buffer compose_message(const MessageView& message) {
  const Buffer sender = tribes::compose_member(message.sender);
  Buffer data(4 + 8 + 3 * 4 + message.unique_id.size() + sender.size() + message.body.size());
  SpanWriter out(data);
  out.u32be(message.options);
  out.u64be(message.timestamp_milliseconds);
  put_sized(out, message.unique_id);
  put_sized(out, sender);
  put_sized(out, message.body);
  TC_CHECK(out.ok() && out.left() == 0);
  return data;
}

Bytes note_body(Note note) {
  switch (note) {
    case Note::probe:
      return kProbe;
    case Note::ping:
      return kPing;
    case Note::static_start:
      return bytes_of(kStaticStart);
    case Note::static_stop:
      return bytes_of(kStaticStop);
    case Note::coordination:
    case Note::none:
      break;
  }
  return {};
}

Note note_in(Bytes body) {
  for (const Note note : kNotes) {
    if (same(body, note_body(note))) return note;
  }
  const bool coordinates =
      body.size() >= kCoordination.size() && same(body.first(kCoordination.size()), kCoordination);
  return coordinates ? Note::coordination : Note::none;
}

}  // namespace tribecast::channel
