// Internet addresses as values: IPv4 or IPv6 address, endpoint (address and port), CIDR prefix,
// translation between two prefixes.
// Text forms follow RFC 4291 and RFC 5952; no name is ever looked up here.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace tribecast {

class Address {
 public:
  // The IPv4 wildcard, 0.0.0.0.
  Address() = default;
  static Address v4(std::uint32_t host_order);
  // 4 bytes make an IPv4, 16 an IPv6 address; an IPv4-mapped one (::ffff:a.b.c.d) becomes IPv4.
  static std::optional<Address> from_bytes(Bytes bytes);
  static std::optional<Address> parse(std::string_view text);

  [[nodiscard]] bool is_v4() const { return size_ == 4; }
  // Valid for IPv4 only.
  [[nodiscard]] std::uint32_t v4_host_order() const;
  // 4 or 16 bytes in network order; borrowed from this object.
  [[nodiscard]] Bytes bytes() const { return Bytes(bytes_).first(size_); }
  [[nodiscard]] bool is_unspecified() const;
  [[nodiscard]] bool is_loopback() const;
  [[nodiscard]] bool is_multicast() const;
  [[nodiscard]] std::string to_string() const;

  auto operator<=>(const Address&) const = default;

 private:
  std::uint8_t size_ = 4;
  std::array<std::uint8_t, 16> bytes_{};
};

struct Endpoint {
  Address address;
  std::uint16_t port = 0;

  // `10.0.0.1:45565` or `[2001:db8::1]:45565`; a missing port becomes `default_port` if that is
  // not 0.
  static std::optional<Endpoint> parse(std::string_view text, std::uint16_t default_port = 0);
  [[nodiscard]] std::string to_string() const;
  auto operator<=>(const Endpoint&) const = default;
};

struct Prefix {
  Address address;
  unsigned bits = 0;

  // `10.0.0.0/8`, or an address alone, which is its own prefix.
  static std::optional<Prefix> parse(std::string_view text);
  [[nodiscard]] bool contains(const Address& candidate) const;
  [[nodiscard]] bool overlaps(const Prefix& other) const;
  [[nodiscard]] std::string to_string() const;
  auto operator<=>(const Prefix&) const = default;
};

// One prefix seen as another one, host by host (basic NAT, RFC 3022 2.1). Both are of one family
// and one length.
struct Translation {
  Prefix from;
  Prefix to;

  // The same host in `to`; nullopt when the address is not in `from`.
  [[nodiscard]] std::optional<Address> apply(const Address& address) const;
  // `10.0.0.0/16 -> 172.31.0.0/16`
  [[nodiscard]] std::string to_string() const;
  auto operator<=>(const Translation&) const = default;
};

struct AddressHash {
  std::size_t operator()(const Address& a) const;
};

struct EndpointHash {
  std::size_t operator()(const Endpoint& e) const;
};

}  // namespace tribecast
