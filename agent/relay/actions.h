// What the relay core asks the edge to do. Values, carried out in order.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/bytes.h"
#include "base/reason.h"
#include "base/time.h"

namespace tribecast::relay {

// The way to a peer: where to send, and from which local address; an unspecified local address
// leaves the choice to the kernel.
struct Path {
  Endpoint remote;
  Address local;

  bool operator==(const Path&) const = default;
};

// One sealed datagram, to be sent once along each path.
struct Send {
  Buffer datagram;
  std::vector<Path> to;
  bool may_be_too_large = false;  // it is sent to find that out: no drop to count
};

// One multicast datagram, to be injected once on each interface (by index). Not after `expires`,
// by a clock that is read just before: the process may have been stopped since it was received.
struct Inject {
  std::vector<int> interfaces;
  Endpoint source;
  Endpoint group;
  Buffer payload;
  Instant expires = kNever;
};

// A change of state worth a line in the log.
enum class EventKind : std::uint8_t {
  peer_up,
  peer_silent,
  peer_stopped,
  peer_restarted,
  peer_key_rejected,
  peer_is_self,
  unconfigured_peer,
  member_refused,
  member_joined,
  member_left,
  member_lost,
  member_dead,      // its process is gone: it was told to have left
  member_replaced,  // another one has its address: it was told to have left
  peer_away,        // the peer's agent is silent, its members answer
};

struct Event {
  EventKind kind;
  std::string subject;  // the peer's or member's name
  std::string text;     // what happened, for people
};

// A peer's answer to a ping.
struct Answer {
  std::string peer;
  std::uint64_t sent = 0;  // the stamp that Core::ping() returned
  Duration round_trip{};
};

// What was done with one datagram of a group; told only after Core::observe(true).
struct Observation {
  std::string group;  // its name
  std::string peer;   // who sent it; empty = it was captured on this host
  Endpoint source;
  Endpoint destination;
  Buffer payload;
  std::optional<Reason> dropped;
  std::size_t copies = 0;  // to so many peers, or injected on so many interfaces
};

enum class KnockResult : std::uint8_t {
  accepted,
  refused,    // by the host itself: nobody listens there
  no_answer,  // in 300 ms
  not_tried,  // this host could not ask
};

// Ask whether somebody listens there, by a TCP connection that carries nothing; the answer goes to
// Core::on_knock() with the token. Every knock is answered once.
struct Knock {
  std::uint64_t token = 0;
  Endpoint at;
};

// How far the question for a peer's view has come.
enum class ViewAnswer : std::uint8_t {
  no_session,  // there is nobody to ask: no session, not heard, or stopped
  none,        // asked, and nothing came: lost, or an agent that does not know the question
  unfinished,  // something came
  whole,
};

// What a peer's agent knows of the cluster, as it answered a roll call.
struct PeerView {
  std::string peer;
  ViewAnswer answer = ViewAnswer::none;
  Buffer bytes;    // only when whole; the relay does not look into them
  Duration age{};  // since it was made
};

struct Actions {
  std::vector<Send> sends;
  std::vector<Inject> injects;
  std::vector<Event> events;
  std::vector<Answer> answers;
  std::vector<Knock> knocks;
  // TCP listeners of local members: tell Core::on_listener_gone(). Again for one whose member does
  // not beat: look whether it is still there.
  std::vector<Endpoint> watches;
  std::vector<Observation> observations;
  bool view_wanted = false;  // a peer asked: make our view, then call Core::set_view()
  std::optional<std::vector<PeerView>> roll_call;  // that Core::call_roll() began is over
  bool remember = false;  // the local members have changed: keep Core::local_members()

  void clear() {
    sends.clear();
    injects.clear();
    events.clear();
    answers.clear();
    knocks.clear();
    watches.clear();
    observations.clear();
    view_wanted = false;
    roll_call.reset();
    remember = false;
  }
};

}  // namespace tribecast::relay
