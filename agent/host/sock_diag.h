// TCP sockets as the kernel's sock_diag describes them, and which of its notifications are wanted.
// Pure.
//
// A notification or an answer is a row of netlink messages: nlmsghdr, inet_diag_msg, attributes
// (linux/netlink.h, linux/inet_diag.h), integers in the host's byte order, ports and addresses in
// network order. When a socket goes (net/core/sock_diag.c, groups SKNLGRP_INET*_TCP_DESTROY) its
// message has the state CLOSE whatever it was before, its own address and port, uid 0 and inode 0;
// of a listener, unlike of an accepted connection, the other port is 0.
#pragma once

#include <linux/filter.h>

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/address.h"
#include "base/bytes.h"

namespace tribecast::host {

struct DiagSocket {
  Endpoint local;  // an IPv4-mapped address is the IPv4 address
  std::uint16_t remote_port = 0;
  std::uint8_t state = 0;    // TCP_LISTEN, TCP_CLOSE... of netinet/tcp.h
  std::uint64_t cookie = 0;  // no other socket of this boot has the same
  bool v6_only = false;      // an IPv6 listener that refuses IPv4

  bool operator==(const DiagSocket&) const = default;
};

struct DiagMessages {
  std::vector<DiagSocket> sockets;
  bool done = false;  // the end of a dump
  int error = 0;      // errno by which the kernel ended a dump; 0 = none
};

// One datagram of the kernel. nullopt when anything in it is cut off or of an impossible size.
std::optional<DiagMessages> parse_diag(Bytes datagram);

// Whether connections to `endpoint` may reach this socket: a listener of that port, on that very
// address or on the wildcard of its family; the IPv6 wildcard serves IPv4 too unless it is v6_only.
bool listens_on(const DiagSocket& socket, const Endpoint& endpoint);

// Whether this may be the end of a listener: also of a socket that was bound and did nothing, so
// the cookie decides.
bool may_be_ended_listener(const DiagSocket& socket);

// A classic BPF program for a socket of the destroy groups: accepts may_be_ended_listener() of
// these ports, drops everything else before it takes room or wakes anybody. At most
// kMaxFilterPorts.
inline constexpr std::size_t kMaxFilterPorts = 256;
std::vector<sock_filter> destroy_filter(std::span<const std::uint16_t> ports);

}  // namespace tribecast::host
