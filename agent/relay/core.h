// The relay: what to do with each datagram. Single threaded; owns no descriptor, clock or file.
//
// on_frame() is a heartbeat's way out: captured frame -> datagram -> group -> checks -> sealed once
// for all live peers. on_datagram() is its way in: sealed datagram -> checks -> an injection on
// every interface where a local process listens. Both append to `out` what the edge has to do.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "packet/datagram.h"
#include "packet/reassembly.h"
#include "relay/actions.h"
#include "relay/inquests.h"
#include "relay/links.h"
#include "relay/members.h"
#include "relay/meters.h"
#include "relay/pacer.h"
#include "relay/settings.h"

namespace tribecast::relay {

struct GroupCounters {
  std::uint64_t captured = 0;  // datagrams to the group that a local process sent
  std::uint64_t relayed = 0;   // copies of them sent to peers
  std::uint64_t received = 0;  // datagrams that peers sent, opened and whole
  std::uint64_t injected = 0;  // injections, one an interface; goodbyes of our own too
  ReasonCounters dropped;
};

struct GroupReport {
  std::string name;
  Address address;
  std::uint16_t port = 0;
  GroupCounters counters;
};

// A member that is not relayed, for as long as it goes on (60 s after the last time).
struct Refusal {
  std::string member;
  std::string via;  // the peer that sent it; empty for a local one
  Reason reason = Reason::loopback_member;
  Instant last;
};

struct Rates {
  double captured_per_second = 0;
  double relayed_per_second = 0;
  double injected_per_second = 0;
};

// A peer whose agent is silent while some of its members answer. Tomcat notices the death of a
// member without heartbeats by itself for 300 s only.
struct Away {
  std::string peer;
  Duration silent_for{};
  std::size_t answering = 0;
};

struct Report {
  std::uint64_t instance = 0;
  std::vector<PeerReport> peers;
  std::vector<GroupReport> groups;
  std::vector<MemberReport> members;
  std::vector<Refusal> refusals;
  std::optional<Quantiles> latency;  // capture to injection, all peers, last 60 s
  Rates rates;
  std::vector<Away> away;
  ReasonCounters drops;  // everything, since the start
};

// One frame from a capture handle.
struct CapturedFrame {
  Instant captured;
  packet::LinkType link = packet::LinkType::ethernet;
  Bytes bytes;
  bool truncated = false;  // longer than any packet of the interface: a GSO batch
};

class Core {
 public:
  explicit Core(RandomSource random);

  // Applies what differs from the settings in force; what stays is not touched.
  void configure(Instant now, const Settings& settings, const seal::Credentials& credentials,
                 Actions& out);
  void set_endpoints(Instant now, const std::string& peer, std::vector<Endpoint> endpoints);
  void set_local_addresses(const std::vector<Address>& addresses);
  // The wall clock less the monotonic one; for people only, decides nothing.
  void set_wall_clock(Duration offset) { links_.set_wall_clock(offset); }
  // The interfaces, by index, where a local process has joined the group and injection is wanted.
  void set_listeners(const std::string& group, std::vector<int> interfaces);

  void on_frame(Instant now, const CapturedFrame& frame, Actions& out);
  void on_datagram(Instant now, const Path& from, Bytes sealed, Actions& out);
  void on_timer(Instant now, Actions& out);
  [[nodiscard]] Instant next_deadline() const;

  // The TCP listener of a local member, named in Actions::watches, is gone: its process has died.
  void on_listener_gone(Instant now, const Endpoint& listener, Actions& out);
  void on_knock(Instant now, std::uint64_t token, KnockResult result, Actions& out);
  // The local members that the agent's last process knew; who is gone meanwhile is told of to all
  // peers, also to those that become live later.
  void restore(Instant now, const std::vector<MemberRecord>& members, Actions& out);
  [[nodiscard]] std::vector<MemberRecord> local_members() const { return members_.local(); }

  // Tells of every datagram of a group what was done with it, as long as this is on.
  void observe(bool on) { observing_ = on; }

  [[nodiscard]] std::optional<Stamp> ping(Instant now, const std::string& peer, Actions& out);
  void say_goodbye(Instant now, Actions& out);

  // Views (relay/views.h): asks all peers for theirs, and answers them with ours.
  void call_roll(Instant now, Duration time, Actions& out) { links_.call_roll(now, time, out); }
  void set_view(Instant now, Buffer view) { links_.set_view(now, std::move(view)); }

  // Drops that only the edge can see: by the kernel, on the way to an interface.
  void count_drop(Reason reason, std::uint64_t n);
  [[nodiscard]] Report report(Instant now) const;

 private:
  static constexpr Duration kSweepInterval = milliseconds(500);
  static constexpr Duration kRefusalShown = seconds(60);

  struct Group {
    GroupSettings settings;
    std::vector<int> listeners;
    Pacer pacer;
    GroupCounters counters;
  };
  struct Echo {
    std::size_t digest = 0;
    Instant expires;
  };

  [[nodiscard]] Group* find_group(const Endpoint& destination);
  void index_groups();
  void refuse(Group& group, Reason reason);

  // Out.
  void on_packet(Instant now, const CapturedFrame& frame, const packet::Ipv4Packet& packet,
                 Actions& out);
  void refuse_frame(const CapturedFrame& frame, Reason reason);
  void on_captured(Instant now, Instant captured, const packet::Datagram& datagram, Actions& out);
  std::optional<Reason> check_captured(Instant now, Instant captured, const Group& group,
                                       const packet::Datagram& datagram,
                                       const tribes::Classified& classified, Actions& out);
  std::size_t relay(Instant now, const std::string& group, const tribes::Classified& classified,
                    const Links::Outgoing& outgoing, Actions& out);
  void tell_captured(const Group& group, const packet::Datagram& datagram,
                     std::optional<Reason> dropped, std::size_t peers, Actions& out) const;
  [[nodiscard]] bool is_echo(Instant now, const packet::Datagram& datagram);

  // In.
  void on_payload(Instant now, Link& link, Received& received, Buffer& payload, Actions& out);
  static void rewrite(const Link& link, Received& received, const tribes::Classified& classified,
                      Buffer& payload);
  std::optional<Reason> check_received(Instant now, const Group& group, Link& link,
                                       const Received& received,
                                       const tribes::Classified& classified, Duration age,
                                       Actions& out);
  void tell_received(const Group& group, const Link& link, const Received& received, Bytes payload,
                     std::optional<Reason> dropped, Actions& out) const;
  void inject(Instant now, Group& group, PacedInjection injection, bool paced, Actions& out);
  void remember_echo(Instant now, const Inject& injection);

  // Members.
  std::optional<Reason> see(Instant now, const Sighting& sighting, Actions& out);
  void say_goodbye_for(Instant now, const MemberRecord& member, Actions& out);
  void inject_goodbye(Instant now, const MemberRecord& member, Actions& out);
  void sweep(Instant now, Actions& out);
  void inquire(Instant now, Actions& out);
  void tell_away(const std::string& peer, Actions& out);
  [[nodiscard]] std::optional<Reason> check_announced(const tribes::MemberView& member,
                                                      const Address* source) const;
  void note_refusal(Instant now, const tribes::MemberView& member, const std::string& via,
                    Reason reason, Actions& out);

  Settings settings_;
  bool observing_ = false;
  Links links_;
  std::map<std::string, Group> groups_;
  std::unordered_map<Endpoint, Group*, EndpointHash> by_endpoint_;  // port 0: any port
  std::vector<Address> local_addresses_;
  packet::Reassembler reassembler_;
  Members members_;
  Inquests inquests_;
  std::deque<Echo> echoes_;
  std::vector<Refusal> refusals_;
  ReasonCounters unattributed_;
  LatencyMeter latency_;
  RateMeter captured_rate_;
  RateMeter relayed_rate_;
  RateMeter injected_rate_;
  Instant next_sweep_ = kNever;
  Instant next_inquiry_ = kNever;
  Instant restored_until_;  // goodbyes until then are told to late peers as well
};

}  // namespace tribecast::relay
