// The configuration: text to plain values and back, with every mistake named by file and line.
//
// parse() is pure. load() (load.cc, the only file here that reads files) gathers the main file and
// the files of peers.d/ and conf.d/ beside it, in order of name, and parses them as one text.
// The settings themselves, their defaults and ranges are one table: config/settings.h. A key whose
// feature this version does not have is accepted with its default value only.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/time.h"
#include "config/diagnostic.h"

namespace tribecast::config {

inline constexpr std::uint16_t kDefaultPort = 45565;
inline constexpr std::uint16_t kTomcatPort = 45564;
inline constexpr std::size_t kMaxGroups = 64;
inline constexpr std::size_t kMaxPeers = 1024;
inline constexpr std::size_t kMaxDiscoveries = 16;
inline constexpr std::size_t kMaxFileBytes = 1U << 20U;

struct Node {
  std::string name;  // empty out of parse() when not set; load() puts the host name
  std::string site;

  bool operator==(const Node&) const = default;
};

struct Relay {
  std::vector<Endpoint> listen;                            // never empty
  std::optional<std::uint64_t> max_datagram_bytes = 1232;  // nullopt = auto

  bool operator==(const Relay&) const = default;
};

struct Control {
  std::string socket = "/run/tribecast/tribecast.sock";
  std::string group = "tribecast";

  bool operator==(const Control&) const = default;
};

enum class Auth : std::uint8_t { keyring, public_key };

struct Security {
  std::string keyring;  // path; empty only when there are no peers, or with Auth::public_key
  Auth auth = Auth::keyring;
  std::string private_key;  // path; not empty with Auth::public_key when there are peers

  bool operator==(const Security&) const = default;
};

enum class Format : std::uint8_t { tribes, raw };

struct Group {
  std::string name;
  Address address;
  std::uint16_t port = 0;               // 0 = any port
  std::vector<std::string> interfaces;  // empty = auto
  Format format = Format::tribes;
  bool broadcasts = false;
  Duration max_age = seconds(1);
  Duration drop_time = seconds(3);

  bool operator==(const Group&) const = default;
};

// Where a peer is reached: a literal address or a name that is resolved later.
struct PeerAddress {
  std::string host;
  std::uint16_t port = kDefaultPort;

  // nullopt for a name.
  [[nodiscard]] std::optional<Address> literal() const { return Address::parse(host); }
  // `10.0.0.1:45565`, `[2001:db8::1]:45565` or `name:45565`.
  [[nodiscard]] std::string to_string() const;
  bool operator==(const PeerAddress&) const = default;
};

struct Peer {
  std::string name;
  std::vector<PeerAddress> addresses;  // empty only with Auth::public_key: it comes by itself
  std::vector<Prefix> members;         // empty = any
  std::vector<std::string> groups;     // names of configured groups; empty = all
  std::vector<Translation> rewrites;   // of its members' addresses; none overlap
  bool agentless = false;
  std::size_t max_members = 512;
  unsigned max_rate = 10000;  // datagrams a second from it
  unsigned copies = 1;
  std::optional<Duration> peer_dead_time = seconds(1);  // nullopt = off
  std::string public_key;                               // base64; set with Auth::public_key
  std::vector<Prefix> roaming;  // empty = any with Auth::public_key, else none

  bool operator==(const Peer&) const = default;
};

enum class SourceKind : std::uint8_t { dns, file, exec };
std::string_view name_of(SourceKind kind);  // the key: `dns`

// Where more peers come from.
struct Discovery {
  std::string name;
  SourceKind kind = SourceKind::file;
  std::string source;  // a host name; an absolute path; an absolute path and words
  Duration every = seconds(60);
  Duration timeout = seconds(10);
  std::uint64_t shrink_limit_percent = 50;

  bool operator==(const Discovery&) const = default;
};

struct Config {
  Node node;
  Relay relay;
  Control control;
  Security security;
  std::vector<Group> groups;
  std::vector<Peer> peers;
  std::vector<Discovery> discoveries;

  bool operator==(const Config&) const = default;
};

struct Source {
  std::string file;  // as messages name it
  std::string text;
};

struct Outcome {
  std::optional<Config> config;  // set when no diagnostic is an error
  Diagnostics diagnostics;       // errors first, then warnings; each in order of file and line
};

Outcome parse(const std::vector<Source>& sources);

// The main file and those beside it, in the order in which they count.
struct Files {
  std::vector<Source> sources;
  Diagnostics unreadable;
};
Files read_files(const std::string& path);
// That file alone.
Files read_one_file(const std::string& path);

// parse(), and what is only known on this host: what could not be read, and the host name.
Outcome load(Files files);
// Reads the files; what cannot be read is a diagnostic like any other.
Outcome load(const std::string& path);

// The effective configuration as configuration text: every setting with its value, defaults too.
// Never a key: the keyring is named, not shown. Parses to the same Config.
std::string to_text(const Config& config);

}  // namespace tribecast::config
