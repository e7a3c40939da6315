#include "base/address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

namespace tribecast {
namespace {

constexpr std::array<std::uint8_t, 12> kMappedV4 = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

std::optional<unsigned> parse_number(std::string_view text, unsigned limit) {
  unsigned value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || stop != end || value > limit) return std::nullopt;
  return value;
}

// FNV-1a; the tables hashed with it hold configured or authenticated addresses only.
std::size_t hash_bytes(Bytes bytes, std::size_t seed) {
  for (const std::uint8_t byte : bytes) seed = (seed ^ byte) * 1099511628211U;
  return seed;
}

constexpr std::size_t kHashSeed = 14695981039346656037U;

}  // namespace

Address Address::v4(std::uint32_t host_order) {
  Address a;
  SpanWriter(a.bytes_).u32be(host_order);
  return a;
}

std::optional<Address> Address::from_bytes(Bytes bytes) {
  if (bytes.size() == 16 && same(bytes.first(12), kMappedV4)) bytes = bytes.subspan(12);
  if (bytes.size() != 4 && bytes.size() != 16) return std::nullopt;
  Address a;
  a.size_ = static_cast<std::uint8_t>(bytes.size());
  std::ranges::copy(bytes, a.bytes_.begin());
  return a;
}

std::optional<Address> Address::parse(std::string_view text) {
  if (text.find('\0') != std::string_view::npos) return std::nullopt;  // would end it for inet_pton
  const std::string terminated(text);
  std::array<std::uint8_t, 16> raw{};
  const bool six = text.find(':') != std::string_view::npos;
  if (inet_pton(six ? AF_INET6 : AF_INET, terminated.c_str(), raw.data()) != 1) return std::nullopt;
  return from_bytes(Bytes(raw).first(six ? 16 : 4));
}

std::uint32_t Address::v4_host_order() const { return ByteReader(bytes()).u32be(); }

bool Address::is_unspecified() const {
  return std::ranges::all_of(bytes(), [](std::uint8_t b) { return b == 0; });
}

bool Address::is_loopback() const {
  if (is_v4()) return bytes_[0] == 127;
  const Bytes all = bytes();
  return all[15] == 1 && std::ranges::all_of(all.first(15), [](std::uint8_t b) { return b == 0; });
}

bool Address::is_multicast() const {
  return is_v4() ? (bytes_[0] & 0xf0U) == 0xe0U : bytes_[0] == 0xff;
}

std::string Address::to_string() const {
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(is_v4() ? AF_INET : AF_INET6, bytes_.data(), text.data(), text.size());
  return text.data();
}

std::optional<Endpoint> Endpoint::parse(std::string_view text, std::uint16_t default_port) {
  std::string_view host = text;
  std::string_view port;
  bool has_port = false;
  if (text.starts_with('[')) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) return std::nullopt;
    host = text.substr(1, close - 1);
    const std::string_view rest = text.substr(close + 1);
    if (!rest.empty() && !rest.starts_with(':')) return std::nullopt;
    has_port = !rest.empty();
    if (has_port) port = rest.substr(1);
  } else if (const std::size_t colon = text.find(':'); colon != std::string_view::npos) {
    // Several colons without brackets: an IPv6 address without a port.
    has_port = colon == text.rfind(':');
    if (has_port) {
      host = text.substr(0, colon);
      port = text.substr(colon + 1);
    }
  }
  const auto address = Address::parse(host);
  if (!address || (!has_port && default_port == 0)) return std::nullopt;
  if (!has_port) return Endpoint{*address, default_port};
  const auto number = parse_number(port, 65535);
  if (!number || *number == 0) return std::nullopt;
  return Endpoint{*address, static_cast<std::uint16_t>(*number)};
}

std::string Endpoint::to_string() const {
  const std::string host = address.is_v4() ? address.to_string() : "[" + address.to_string() + "]";
  return host + ":" + std::to_string(port);
}

std::optional<Prefix> Prefix::parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto address = Address::parse(text.substr(0, slash));
  if (!address) return std::nullopt;
  const unsigned width = address->is_v4() ? 32 : 128;
  if (slash == std::string_view::npos) return Prefix{*address, width};
  const auto bits = parse_number(text.substr(slash + 1), width);
  if (!bits) return std::nullopt;
  return Prefix{*address, *bits};
}

bool Prefix::contains(const Address& candidate) const {
  if (candidate.is_v4() != address.is_v4()) return false;
  const Bytes a = address.bytes();
  const Bytes b = candidate.bytes();
  const std::size_t whole = bits / 8;
  if (!same(a.first(whole), b.first(whole))) return false;
  const unsigned rest = bits % 8;
  if (rest == 0) return true;
  const unsigned mask = 0xff00U >> rest & 0xffU;
  return (a[whole] & mask) == (b[whole] & mask);
}

bool Prefix::overlaps(const Prefix& other) const {
  return bits <= other.bits ? contains(other.address) : other.contains(address);
}

std::string Prefix::to_string() const { return address.to_string() + "/" + std::to_string(bits); }

std::optional<Address> Translation::apply(const Address& address) const {
  if (!from.contains(address)) return std::nullopt;
  std::array<std::uint8_t, 16> host{};
  const Bytes network = to.address.bytes();
  for (std::size_t i = 0; i < network.size(); ++i) {
    const std::size_t covered = std::clamp<std::size_t>(to.bits, i * 8, i * 8 + 8) - i * 8;
    const unsigned mask = 0xff00U >> covered & 0xffU;
    host[i] = static_cast<std::uint8_t>((network[i] & mask) | (address.bytes()[i] & ~mask));
  }
  return Address::from_bytes(Bytes(host).first(network.size()));
}

std::string Translation::to_string() const { return from.to_string() + " -> " + to.to_string(); }

std::size_t AddressHash::operator()(const Address& a) const {
  return hash_bytes(a.bytes(), kHashSeed);
}

std::size_t EndpointHash::operator()(const Endpoint& e) const {
  return hash_bytes(e.address.bytes(), (kHashSeed ^ e.port) * 1099511628211U);
}

}  // namespace tribecast
