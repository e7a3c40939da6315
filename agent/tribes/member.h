// The Tribes membership heartbeat: what Tomcat's McastServiceImpl sends to its group and
// MemberImpl.getMember() reads. Layout in docs/wire-format.md; the same block is the address inside
// every TCP frame of the channel.
//
// Parsing is never stricter than Tomcat, but every length is checked against what remains: a forged
// huge length kills Tomcat's receiver thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "base/address.h"
#include "base/bytes.h"
#include "base/result.h"

namespace tribecast::tribes {

using UniqueId = std::array<std::uint8_t, 16>;

// Borrowed view of a heartbeat; valid while the datagram is.
struct MemberView {
  std::uint64_t alive_milliseconds = 0;
  std::uint32_t port = 0;         // TCP port of the receiver
  std::uint32_t secure_port = 0;  // 0xffffffff = none
  std::uint32_t udp_port = 0;     // 0xffffffff = none
  Bytes host;                     // 4 or 16 bytes where Tomcat made them
  Bytes command;
  Bytes domain;
  UniqueId unique_id{};
  Bytes payload;

  // Tomcat's goodbye: the member leaves every table at once, without a probe.
  [[nodiscard]] bool is_shutdown() const;
  // The announced host, when it is an IPv4 or IPv6 address.
  [[nodiscard]] std::optional<Address> address() const { return Address::from_bytes(host); }
};

// Puts another host of the same size into `datagram`, of which `member` is the view.
void replace_host(std::span<std::uint8_t> datagram, const MemberView& member, const Address& host);

// What makes two heartbeats the same member (MemberImpl.equals): host, TCP port, unique id.
struct Identity {
  Buffer host;
  std::uint32_t port = 0;
  UniqueId unique_id{};

  static Identity of(const MemberView& member) {
    return {copy_of(member.host), member.port, member.unique_id};
  }
  // `10.0.0.1:4000`, or the host in hexadecimal when it is no address.
  [[nodiscard]] std::string name() const;
  auto operator<=>(const Identity&) const = default;
};

enum class ParseError : std::uint8_t { too_short, bad_begin, bad_end, bad_length };

// What fits in a datagram. Who takes a block from anything else should take no larger one.
inline constexpr std::size_t kMaxMemberBytes = 65535;

Result<MemberView, ParseError> parse_member(Bytes datagram);

enum class Kind : std::uint8_t {
  heartbeat,
  shutdown,   // a heartbeat with the command BABY-ALEX
  broadcast,  // a channel message, begins with FLT2002
  other,
  malformed,  // begins as a heartbeat and is none
};

struct Classified {
  Kind kind = Kind::other;
  std::optional<MemberView> member;  // for heartbeat and shutdown
};

Classified classify(Bytes datagram);

// The heartbeat with these fields, as Tomcat would write it; the host has at most 127 bytes.
Buffer compose_member(const MemberView& member);

// The nine bytes of a goodbye, McastService's shutdown payload.
Bytes shutdown_command();

}  // namespace tribecast::tribes
