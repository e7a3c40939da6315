// Any datagram from a group: classification, and what parses survives being composed again.
#include "base/check.h"
#include "tribes/member.h"

namespace {

using namespace tribecast;

void check_same_fields(const tribes::MemberView& a, const tribes::MemberView& b) {
  TC_CHECK(a.alive_milliseconds == b.alive_milliseconds);
  TC_CHECK(a.port == b.port && a.secure_port == b.secure_port && a.udp_port == b.udp_port);
  TC_CHECK(same(a.host, b.host) && same(a.command, b.command) && same(a.domain, b.domain));
  TC_CHECK(a.unique_id == b.unique_id && same(a.payload, b.payload));
  TC_CHECK(tribes::Identity::of(a) == tribes::Identity::of(b));
}

void check_member(tribes::Kind kind, const tribes::MemberView& member, Bytes datagram) {
  const bool is_member = kind == tribes::Kind::heartbeat || kind == tribes::Kind::shutdown;
  TC_CHECK(is_member);
  TC_CHECK(member.is_shutdown() == (kind == tribes::Kind::shutdown));
  TC_CHECK(!tribes::Identity::of(member).name().empty());
  const Buffer composed = tribes::compose_member(member);
  // The input may have more behind the fields or the end marker, never less.
  TC_CHECK(composed.size() <= datagram.size());
  const auto again = tribes::classify(composed);
  TC_CHECK(again.kind == kind && again.member.has_value());
  check_same_fields(member, *again.member);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes datagram(data, size);
  const auto classified = tribes::classify(datagram);
  TC_CHECK(classified.member.has_value() == static_cast<bool>(tribes::parse_member(datagram)));
  if (classified.member) check_member(classified.kind, *classified.member, datagram);
  return 0;
}
