// What the relay core is told to do: plain values, made by the daemon from the configuration.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/time.h"
#include "seal/noise.h"

namespace tribecast::relay {

// Limits of the tables; each is counted as table_full when it is reached.
inline constexpr std::size_t kMaxPeers = 1024;
inline constexpr std::size_t kMaxGroups = 64;
inline constexpr unsigned kMaxDataCopies = 3;

enum class Format : std::uint8_t {
  tribes,  // Tomcat heartbeats: classified, checked, listed as members
  raw,     // any UDP payload
};

struct GroupSettings {
  std::string name;
  Address address;
  std::uint16_t port = 0;  // 0 = any port
  Format format = Format::tribes;
  bool broadcasts = false;
  Duration max_age = seconds(1);
  Duration drop_time = seconds(3);

  bool operator==(const GroupSettings&) const = default;
};

struct PeerSettings {
  std::string name;
  std::vector<std::string> groups;  // empty = all
  std::vector<Prefix> members{};    // only members with these addresses come from it; empty = any
  std::vector<Translation> rewrites{};  // of the addresses that it relays; applied first
  std::size_t max_members = 512;
  unsigned max_rate = 10000;        // datagrams a second from it, and in one burst
  bool agentless = false;           // no agent there: its Tomcat gets what is captured, as it is
  unsigned copies = 1;              // how many times data is sent, 1 to 3
  Duration dead_time = seconds(1);  // silence after which its members are probed
  // Set for each peer, or for none: its static key, which is then who it is.
  std::optional<seal::PublicKey> public_key{};
  // Where it is followed to, and may begin from, beside its endpoints. Empty: with a key anywhere,
  // without one nowhere.
  std::vector<Prefix> roaming{};

  bool operator==(const PeerSettings&) const = default;
};

struct Settings {
  std::string node_name;
  std::string site;
  std::string version;
  // UDP payload, 576 to 65507; nullopt: what the path to every live peer carries is found out.
  std::optional<std::size_t> max_datagram_bytes = 1232;
  std::vector<GroupSettings> groups;
  std::vector<PeerSettings> peers;
};

}  // namespace tribecast::relay
