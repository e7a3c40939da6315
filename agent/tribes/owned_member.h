// A member block that owns its bytes: what a table keeps of a heartbeat, or of the sender in a
// channel frame, after the datagram or frame is gone. The bytes on the wire are tribes/member.h's.
#pragma once

#include "tribes/member.h"

namespace tribecast::tribes {

struct OwnedMember {
  std::uint64_t alive_milliseconds = 0;
  Identity identity;  // host, TCP port, unique id
  std::uint32_t secure_port = 0xffffffff;
  std::uint32_t udp_port = 0xffffffff;
  Buffer command;
  Buffer domain;
  Buffer payload;

  static OwnedMember of(const MemberView& view) {
    return {view.alive_milliseconds, Identity::of(view),   view.secure_port,     view.udp_port,
            copy_of(view.command),   copy_of(view.domain), copy_of(view.payload)};
  }

  // Borrows from this object.
  [[nodiscard]] MemberView view() const {
    return {
        alive_milliseconds, identity.port, secure_port, udp_port, identity.host, command, domain,
        identity.unique_id, payload};
  }

  // Where its receiver listens; nullopt when the host is no address or the port is none of TCP's.
  [[nodiscard]] std::optional<Endpoint> endpoint() const {
    const auto address = Address::from_bytes(identity.host);
    if (!address || identity.port == 0 || identity.port > 65535) return std::nullopt;
    return Endpoint{*address, static_cast<std::uint16_t>(identity.port)};
  }

  bool operator==(const OwnedMember&) const = default;
};

}  // namespace tribecast::tribes
