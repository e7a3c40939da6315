// What the benchmark programs share: arguments, line output, and the heartbeat that is measured.
#pragma once

#include <fmt/core.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/address.h"
#include "io/error.h"
#include "tribes/member.h"

namespace tribecast::bench {

template <class... Args>
void say(fmt::format_string<Args...> text, Args&&... args) {
  fmt::print(text, std::forward<Args>(args)...);
  std::fputc('\n', stdout);
  std::fflush(stdout);
}

[[noreturn]] inline void die(const std::string& why) {
  fmt::print(stderr, "error: {}\n", why);
  std::exit(1);
}

template <class T>
T need(io::OsResult<T> result) {
  if (!result) die(result.error().message());
  return std::move(*result);
}

inline Endpoint endpoint(const std::string& text) {
  const auto parsed = Endpoint::parse(text);
  if (!parsed) die("not an endpoint: " + text);
  return *parsed;
}

inline Address address(const std::string& text) {
  const auto parsed = Address::parse(text);
  if (!parsed) die("not an address: " + text);
  return *parsed;
}

inline std::size_t number(const std::string& text) { return std::stoul(text); }

inline std::vector<std::string> arguments(int argc, char** argv) { return {argv + 1, argv + argc}; }

// A heartbeat of 100 bytes, as Tomcat sends it, of the member at `host` with this TCP port. Up to
// 23 bytes of `payload` are kept, the rest is zeros.
inline Buffer heartbeat(const Address& host, std::uint32_t port, Bytes payload = {}) {
  constexpr std::size_t kPayload = 23;
  Buffer filled(payload.begin(), payload.end());
  filled.resize(kPayload);
  tribes::MemberView member;
  member.alive_milliseconds = 1000;
  member.port = port;
  member.secure_port = 0xffffffff;
  member.udp_port = 0xffffffff;
  member.host = host.bytes();
  SpanWriter(member.unique_id).u32be(port);
  member.payload = filled;
  return tribes::compose_member(member);
}

}  // namespace tribecast::bench
