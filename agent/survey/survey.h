// The edge of the doctor: looks at this host and fills in the facts. Changes nothing; needs no
// right, but knows less without root, and then says so in the facts (std::nullopt).
#pragma once

#include "base/time.h"
#include "doctor/facts.h"

namespace tribecast::survey {

// `facts` comes with what the agent and the files say. Takes about `time`: so long it listens to
// the groups (joined on a socket of its own, at which no other process's datagrams are taken away),
// while members' ports and names are tried.
void survey(doctor::Facts& facts, Duration time);

// The parts, in this order.
//
// Interfaces, routes of the groups, memberships, rights (network.cc). Before anything is joined.
void look_at_network(doctor::Facts& facts);
// Sockets, and whose they are (processes.cc).
void look_at_processes(doctor::Facts& facts);
// Tomcats among these processes of this network namespace, and those that lie where Tomcats usually
// do, or where $CATALINA_BASE says (tomcats.cc). Called by the former.
void look_at_tomcats(doctor::Facts& facts, const std::vector<doctor::Process>& processes);
// Connections of members' ports (processes.cc); more come with each call.
void look_at_connections(doctor::Facts& facts);
// `nft list ruleset` (packet_filter.cc).
void look_at_packet_filter(doctor::Facts& facts);
// Heartbeats, ports, names (listen.cc).
void listen_and_try(doctor::Facts& facts, Duration time);

// A whole file, also of /proc, where none has a size; nullopt when it cannot be read or is larger.
std::optional<std::string> read_file(const std::string& path, std::size_t most = 16U << 20U);

}  // namespace tribecast::survey
