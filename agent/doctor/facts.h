// What the doctor looks at: everything that was gathered about this host, its agent and its
// Tomcats, before anybody has judged it. The edge (survey/) fills it; std::nullopt is "not known",
// mostly for want of a right. Nothing here is ever asked for again: the checks are pure functions
// of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/time.h"
#include "config/config.h"
#include "control/status.h"
#include "control/view.h"
#include "doctor/server_xml.h"

namespace tribecast::doctor {

// Whether a kernel facility can be had.
enum class Right : std::uint8_t { had, denied, absent };

enum class Contact : std::uint8_t { answered, denied, unreachable };

struct AgentFacts {
  std::string socket;
  Contact contact = Contact::unreachable;
  std::string error;                      // why it did not answer
  std::optional<control::Status> before;  // when the doctor began
  std::optional<control::Status> status;  // when it had looked at everything else
};

// A file with keys that the configuration names.
struct KeyFile {
  std::string path;
  bool denied = false;  // this user may not read it
  config::Diagnostics findings;
};

struct ConfigFacts {
  std::string file;
  bool missing = false;          // there is no such file
  config::Diagnostics findings;  // of the files
  std::vector<KeyFile> keys;
  std::optional<config::Config> files;    // set when they have no error
  std::optional<config::Config> running;  // what the agent runs
};

struct Interface {
  std::string name;
  int index = 0;
  bool up = false;
  bool loopback = false;
  bool multicast = false;
  std::vector<Address> addresses;
  std::optional<int> reverse_path_filter;  // 0 off, 1 strict, 2 loose; the kernel's effective value
};

// By which interface the kernel sends to a group.
struct GroupRoute {
  std::string interface;  // empty when it was not to be seen
};

struct GroupFacts {
  config::Group settings;
  std::optional<GroupRoute> route;      // nullopt: there is none
  std::vector<std::string> interfaces;  // where it is captured and injected
};

// Sockets that have joined a group on an interface, the doctor's own not among them.
struct Joined {
  std::string interface;
  Address group;
  std::uint32_t sockets = 0;
};

struct Process {
  int pid = 0;
  std::string name;  // as the kernel has it: `java`
};

struct Socket {
  Endpoint local;
  std::uint64_t drops = 0;         // UDP: its receive buffer was full
  std::optional<Process> process;  // nullopt: not permitted to know, or gone
};

// A TCP connection of a member's port, of this host or of another: found when the doctor began, or
// when it ended.
struct Connection {
  Endpoint local;
  Endpoint remote;
  bool established = false;
  std::uint32_t unacknowledged_bytes = 0;
  std::uint32_t repeats = 0;  // of its oldest segment, in a row, without an answer
};

// A Java process with -Dcatalina.base; or one that is not there, as one that failed at its start,
// and whose files lie where they usually do.
struct Tomcat {
  std::optional<Process> process;
  std::string base;
  bool prefers_ipv4 = false;            // -Djava.net.preferIPv4Stack=true
  bool options_known = true;            // false: its environment may hold more options
  std::optional<ServerXml> server_xml;  // nullopt: not readable
};

// A member whose heartbeats came to a socket of the doctor that had joined the group.
struct Heard {
  std::string group;  // its name
  Endpoint member;    // as it announces itself
  std::string unique_id;
  std::string domain;
  Address source;         // of the datagrams
  bool injected = false;  // with TTL 0: by an agent of this host
  std::uint64_t count = 0;
  std::optional<Duration> interval;  // mean; two are needed
};

using Outcome = control::PortOutcome;
using PortTry = control::PortTry;

struct Resolved {
  std::string name;
  std::vector<Address> addresses;  // empty: it did not resolve
  std::string error;
};

// An agent of the cluster that was asked what it sees (`doctor --all`).
struct AskedAgent {
  std::string peer;  // as the agent of this host calls it; empty: that agent itself
  control::CallAnswer answer = control::CallAnswer::none;
  std::optional<control::View> view;  // nullopt: it did not answer, or in a way that was not read
  double age_seconds = 0;             // of the view
};

struct Facts {
  std::string host;       // this host's name
  bool root = false;      // whether this user is root
  std::string only_peer;  // findings about other peers are not wanted; empty = about all
  AgentFacts agent;
  ConfigFacts config;
  Right packet_socket = Right::had;  // what capture needs
  Right raw_socket = Right::had;     // what injection needs
  std::vector<Interface> interfaces;
  std::vector<GroupFacts> groups;
  std::optional<std::vector<Joined>> joined;
  std::optional<std::vector<Socket>> udp;  // bound to a port of a group, or to one of the relay
  std::optional<std::vector<Socket>> listeners;  // TCP
  std::vector<Connection> connections;           // TCP
  std::vector<Tomcat> tomcats;
  std::optional<std::vector<Heard>> heard;
  Duration listened{};
  std::vector<PortTry> ports;
  std::optional<Resolved> own_name;
  std::vector<Resolved> peer_names;
  std::vector<AskedAgent> asked;                    // empty: nobody was
  std::optional<std::uint64_t> reverse_path_drops;  // while the doctor looked
  std::optional<std::uint64_t> receive_buffer_limit_bytes;
  std::optional<std::string> packet_filter;  // `nft list ruleset`
  std::string legacy_packet_filter;          // `iptables-legacy-save`; empty: not in use
  std::string packet_filter_error;           // why it is not known

  // What the agent runs, else what its files say.
  [[nodiscard]] const config::Config* settings() const {
    if (config.running) return &*config.running;
    return config.files ? &*config.files : nullptr;
  }
  [[nodiscard]] bool is_local(const Address& address) const {
    if (address.is_loopback()) return true;
    for (const Interface& interface : interfaces) {
      for (const Address& own : interface.addresses) {
        if (own == address) return true;
      }
    }
    return false;
  }
};

}  // namespace tribecast::doctor
