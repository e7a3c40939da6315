// The engine's configuration: text to plain values, by a table of its own, with the agent's scanner
// and its way to name mistakes. parse_config() is pure; load() reads one file.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/time.h"
#include "config/config.h"
#include "config/settings.h"
#include "engine/channel/membership.h"
#include "engine/keeper/keeper.h"

namespace tribecast::engine {

inline constexpr std::uint16_t kTribesPort = 4000;
inline constexpr std::size_t kMaxStaticMembers = 64;

// One of [channel] interceptors, in server.xml's order.
enum class InterceptorKind : std::uint8_t {
  gzip,         // compresses, and says so in the options: Tomcat 9.0 and later
  gzip_always,  // compresses all and says nothing: Tomcat 7.0 and 8.5
  fragmentation,
  order,
  domain_filter,
  encrypt,
};

// EncryptInterceptor's algorithm, and whether the release has replay protection.
enum class EncryptKind : std::uint8_t { cbc, cbc_replay, gcm, gcm_replay };

// When what was written is safe from a loss of power.
enum class Fsync : std::uint8_t {
  always,    // before it counts as written
  interval,  // with each commit-interval
  off,       // when the kernel writes it
};

struct Config {
  std::string name;  // may be empty
  Endpoint listen{Address(), kTribesPort};
  std::optional<Address> announce;  // nullopt = what is listened on, else what the route says
  std::optional<tribes::UniqueId> unique_id;  // nullopt = that of the state directory
  std::string state_directory;
  std::string domain;
  std::vector<Prefix> allow;  // empty = any
  keeper::Heal heal = keeper::Heal::yes;
  bool answers_first = true;  // false: it announces that it is young
  std::string control_socket;
  std::string control_group;  // that may ask, when started as root

  std::optional<Endpoint> group;  // nullopt = none: static members alone
  Duration frequency = milliseconds(500);
  Duration drop_time = seconds(3);
  std::uint64_t ttl_hops = 1;

  std::vector<InterceptorKind> interceptors;
  std::uint64_t fragment_bytes = 0;
  EncryptKind encrypt = EncryptKind::gcm_replay;
  std::string encrypt_key_file;

  std::uint64_t max_connections = 0;
  std::uint64_t max_message_bytes = 0;
  std::uint64_t receive_memory_bytes = 0;  // of all messages that are not whole yet
  std::uint64_t send_memory_bytes = 0;     // that waits for one member
  Duration send_timeout = seconds(3);

  std::uint64_t memory_limit_bytes = 0;  // of sessions
  std::uint64_t fetch_limit_sessions = 0;
  bool on_disk = true;
  std::string key_file;  // empty: what is on the disk is not sealed
  Fsync fsync = Fsync::interval;
  Duration commit_interval = milliseconds(100);
  keeper::AckLevel ack = keeper::AckLevel::memory;
  Duration restart_grace{};

  std::vector<channel::StaticMember> members;
};

struct Outcome {
  std::optional<Config> config;  // set when no finding is an error
  config::Diagnostics findings;
};

Outcome parse_config(const std::vector<config::Source>& sources);
Outcome load(const std::string& path);

const config::Table& table();

}  // namespace tribecast::engine
