// A small cluster's status, for the tests of what is derived from one.
#pragma once

#include "control/status.h"

namespace tribecast::control {

inline Peer peer(const char* name, PeerState state) {
  Peer p;
  p.name = name;
  p.state = state;
  return p;
}

inline Status with_peers(std::vector<PeerState> states) {
  Status s;
  char name[] = "a";
  for (const PeerState state : states) {
    s.peers.push_back(peer(name, state));
    ++name[0];
  }
  return s;
}

inline Member member(const char* host, Origin origin, MemberState state) {
  Member m;
  m.group = "tomcat";
  m.host = host;
  m.port = 4000;
  m.origin = origin;
  m.via = origin == Origin::local ? "eth0" : "web-2";
  m.state = state;
  return m;
}

// Three nodes; this one sees web-2 and has lost web-3.
inline Status cluster() {
  Status s;
  s.node = {"web-1", "hall 3", "00ff", "0.1.0", 273120, "sock_diag"};
  Peer self = peer("web-1", PeerState::self);
  Peer up = peer("web-2", PeerState::up);
  up.site = "hall 4";
  up.version = "0.9";
  up.endpoint = "172.16.0.12:45565";
  up.rtt_seconds = 0.0121;
  up.loss_ratio = 0.002;
  up.loss_out_ratio = 0.002;
  up.clock_offset_seconds = -0.0008;
  up.mtu_bytes = 1232;
  up.last_heard_seconds = 0.2;
  up.key_id = 2;
  up.heard_key_id = 1;
  up.keys = {{2, "0a0b0c0d", true}, {1, "01020304", false}};
  up.datagrams.sent = 10;
  up.datagrams.received = 9;
  up.datagrams.rejected.add(Reason::stale, 3);
  Peer silent = peer("web-3", PeerState::silent);
  silent.last_heard_seconds = 14;
  s.peers = {self, up, silent};
  s.groups.push_back({"tomcat", "228.0.0.4:45564", {"eth0"}, 1234567, 2, 3, 4, {}});
  s.groups[0].dropped.add(Reason::not_heartbeat, 5);
  s.members = {member("10.0.0.1", Origin::local, MemberState::alive),
               member("10.0.0.2", Origin::remote, MemberState::late),
               member("10.0.0.3", Origin::remote, MemberState::lost)};
  s.members[0].unique_id = "abcd";
  s.members[0].alive_seconds = 93600;
  s.members[0].last_heartbeat_seconds = 0.31;
  s.members[0].interval_seconds = 0.5;
  s.latency = {0.0009, 0.0028, 0.0061};
  s.drops.add(Reason::forged, 7);
  s.rates = {6, 18, 12};
  s.verdict = judge(s);
  return s;
}

}  // namespace tribecast::control
