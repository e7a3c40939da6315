// Texts of /proc that the doctor reads. Pure; lines that make no sense are skipped.
#pragma once

#include <bit>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"

namespace tribecast::doctor {

// A line of /proc/net/{udp,udp6,tcp,tcp6}; of TCP the listeners alone. Addresses are hexadecimal
// words in the host's byte order; an IPv4-mapped one is the IPv4 address.
struct ProcSocket {
  Endpoint local;
  std::uint64_t inode = 0;
  std::uint64_t drops = 0;  // UDP only

  bool operator==(const ProcSocket&) const = default;
};
std::vector<ProcSocket> parse_udp_sockets(std::string_view text,
                                          std::endian byte_order = std::endian::native);
std::vector<ProcSocket> parse_tcp_listeners(std::string_view text,
                                            std::endian byte_order = std::endian::native);

// A connection of /proc/net/{tcp,tcp6}: a line that is no listener.
struct ProcConnection {
  Endpoint local;
  Endpoint remote;
  bool established = false;                // both ends hold it open
  std::uint32_t unacknowledged_bytes = 0;  // sent or to be sent, not acknowledged
  std::uint32_t repeats = 0;               // how often in a row its oldest segment was sent again

  bool operator==(const ProcConnection&) const = default;
};
std::vector<ProcConnection> parse_tcp_connections(std::string_view text,
                                                  std::endian byte_order = std::endian::native);

// `socket:[12345]`, what a link of /proc/PID/fd says.
std::optional<std::uint64_t> socket_inode(std::string_view link);

// A counter of /proc/net/netstat: `TcpExt: Name Name...` and a line of numbers below.
std::optional<std::uint64_t> netstat_counter(std::string_view text, std::string_view name);

// What a Java's arguments, one after each zero byte, say of its Tomcat; nullopt without
// -Dcatalina.base.
struct JavaOptions {
  std::string catalina_base;
  bool prefers_ipv4 = false;
};
std::optional<JavaOptions> parse_java_arguments(std::string_view arguments);
// The same option in the environment (JAVA_TOOL_OPTIONS, JDK_JAVA_OPTIONS).
bool environment_prefers_ipv4(std::string_view environment);

}  // namespace tribecast::doctor
