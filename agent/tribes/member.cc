#include "tribes/member.h"

#include <algorithm>

#include "base/check.h"
#include "base/hex.h"

namespace tribecast::tribes {
namespace {

// org.apache.catalina.tribes.membership.MemberImpl: TRIBES_MBR_BEGIN, TRIBES_MBR_END.
constexpr std::array<std::uint8_t, 10> kBegin = {'T', 'R', 'I', 'B', 'E', 'S', '-', 'B', 1, 0};
constexpr std::array<std::uint8_t, 10> kEnd = {'T', 'R', 'I', 'B', 'E', 'S', '-', 'E', 1, 0};
// org.apache.catalina.tribes.Member: SHUTDOWN_PAYLOAD.
constexpr std::array<std::uint8_t, 9> kShutdown = {'B', 'A', 'B', 'Y', '-', 'A', 'L', 'E', 'X'};
// org.apache.catalina.tribes.io.XByteBuffer: START_DATA.
constexpr std::array<std::uint8_t, 7> kChannelFrame = {'F', 'L', 'T', '2', '0', '0', '2'};

bool begins_with(Bytes bytes, Bytes prefix) {
  return bytes.size() >= prefix.size() && same(bytes.first(prefix.size()), prefix);
}

Result<MemberView, ParseError> parse_body(Bytes body) {
  ByteReader in(body);
  MemberView member;
  member.alive_milliseconds = in.u64be();
  member.port = in.u32be();
  member.secure_port = in.u32be();
  member.udp_port = in.u32be();
  const std::uint8_t host_size = in.u8();
  if (host_size > 127) return Unexpected{ParseError::bad_length};  // a negative byte to Tomcat
  member.host = in.take(host_size);
  member.command = in.take(in.u32be());
  member.domain = in.take(in.u32be());
  member.unique_id = in.array<16>();
  member.payload = in.take(in.u32be());
  if (!in.ok()) return Unexpected{ParseError::bad_length};
  return member;
}

}  // namespace

bool MemberView::is_shutdown() const { return same(command, kShutdown); }

Bytes shutdown_command() { return kShutdown; }

std::string Identity::name() const {
  const auto address = Address::from_bytes(host);
  if (!address) return "{" + to_hex(host) + "}:" + std::to_string(port);
  const std::string text = address->to_string();
  return (address->is_v4() ? text : "[" + text + "]") + ":" + std::to_string(port);
}

Result<MemberView, ParseError> parse_member(Bytes datagram) {
  ByteReader in(datagram);
  const Bytes begin = in.take(kBegin.size());
  const Bytes body = in.take(in.u32be());
  const Bytes end = in.take(kEnd.size());  // Tomcat tolerates bytes behind it
  if (!in.ok()) return Unexpected{ParseError::too_short};
  if (!same(begin, kBegin)) return Unexpected{ParseError::bad_begin};
  if (!same(end, kEnd)) return Unexpected{ParseError::bad_end};
  return parse_body(body);
}

Classified classify(Bytes datagram) {
  if (begins_with(datagram, kBegin)) {
    const auto member = parse_member(datagram);
    if (!member) return {Kind::malformed, {}};
    return {member->is_shutdown() ? Kind::shutdown : Kind::heartbeat, *member};
  }
  return {begins_with(datagram, kChannelFrame) ? Kind::broadcast : Kind::other, {}};
}

void replace_host(std::span<std::uint8_t> datagram, const MemberView& member, const Address& host) {
  TC_CHECK(member.host.size() == host.bytes().size());
  const auto offset = static_cast<std::size_t>(member.host.data() - datagram.data());
  std::ranges::copy(host.bytes(), datagram.subspan(offset, member.host.size()).begin());
}

Buffer compose_member(const MemberView& member) {
  TC_CHECK(member.host.size() <= 127);  // one signed byte
  ByteWriter body;
  body.u64be(member.alive_milliseconds);
  body.u32be(member.port);
  body.u32be(member.secure_port);
  body.u32be(member.udp_port);
  body.u8(static_cast<std::uint8_t>(member.host.size()));
  body.put(member.host);
  body.u32be(static_cast<std::uint32_t>(member.command.size()));
  body.put(member.command);
  body.u32be(static_cast<std::uint32_t>(member.domain.size()));
  body.put(member.domain);
  body.put(member.unique_id);
  body.u32be(static_cast<std::uint32_t>(member.payload.size()));
  body.put(member.payload);

  ByteWriter out;
  out.put(kBegin);
  out.u32be(static_cast<std::uint32_t>(body.bytes().size()));
  out.put(body.bytes());
  out.put(kEnd);
  return out.release();
}

}  // namespace tribecast::tribes
