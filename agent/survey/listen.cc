// Heartbeats as a Tomcat of this host would hear them, the members' TCP ports, and names.
//
// Told apart without any right: what an agent of this host injects comes with TTL 0, what comes by
// the wire or from this host itself with at least 1.
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <boost/asio/io_context.hpp>
#include <cstring>
#include <map>
#include <memory>
#include <set>

#include "base/hex.h"
#include "io/clock.h"
#include "io/deadline_timer.h"
#include "io/fd.h"
#include "io/port_probe.h"
#include "io/readable.h"
#include "io/resolver.h"
#include "io/sockaddr.h"
#include "survey/survey.h"
#include "tribes/member.h"

namespace tribecast::survey {
namespace {

using doctor::Facts;
using doctor::GroupFacts;
using doctor::Heard;

constexpr std::size_t kMostHeard = 4096;
constexpr std::size_t kMostTries = 64;  // ports; the first of a large cluster say enough
constexpr int kPerTurn = 64;

struct Arrival {
  Address source;
  int ttl_hops = 1;
  Bytes payload;
};

// One socket for a group, joined wherever the group is.
class Ear {
 public:
  using OnArrival = std::function<void(const Arrival&)>;

  // Nothing is heard when it cannot be opened.
  Ear(io::Loop& loop, const Facts& facts, const GroupFacts& group, OnArrival on_arrival)
      : on_arrival_(std::move(on_arrival)) {
    if (!open(facts, group)) return;
    readable_ = std::make_unique<io::Readable>(loop, socket_.get(), [this] { receive(); });
  }
  [[nodiscard]] bool listens() const { return readable_ != nullptr; }

 private:
  bool open(const Facts& facts, const GroupFacts& group) {
    socket_ = io::Fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    // Bound to the group: a wildcard would take other applications' unicast away.
    const io::SockAddr own(Endpoint{group.settings.address, group.settings.port});
    if (!socket_ || !set(SOL_SOCKET, SO_REUSEADDR, 1) || !set(IPPROTO_IP, IP_MULTICAST_ALL, 0) ||
        !set(IPPROTO_IP, IP_RECVTTL, 1) || bind(socket_.get(), own.get(), own.size()) != 0) {
      return false;
    }
    bool joined = false;
    for (const std::string& name : group.interfaces) {
      const auto at = std::ranges::find(facts.interfaces, name, &doctor::Interface::name);
      if (at == facts.interfaces.end()) continue;
      ip_mreqn request{};
      request.imr_multiaddr = io::to_in_addr(group.settings.address);
      request.imr_ifindex = at->index;
      joined |=
          setsockopt(socket_.get(), IPPROTO_IP, IP_ADD_MEMBERSHIP, &request, sizeof request) == 0;
    }
    return joined;
  }

  bool set(int level, int option, int value) {
    return setsockopt(socket_.get(), level, option, &value, sizeof value) == 0;
  }

  void receive() {
    for (int n = 0; n < kPerTurn; ++n) {
      io::SockAddr from;
      iovec part{buffer_.data(), buffer_.size()};
      alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> ancillary{};
      msghdr message{};
      message.msg_name = from.get();
      message.msg_namelen = io::SockAddr::kCapacity;
      message.msg_iov = &part;
      message.msg_iovlen = 1;
      message.msg_control = ancillary.data();
      message.msg_controllen = ancillary.size();
      const ssize_t size = recvmsg(socket_.get(), &message, 0);
      if (size < 0) return;
      Arrival arrival{from.endpoint().address, 1,
                      Bytes(buffer_).first(static_cast<std::size_t>(size))};
      const cmsghdr* control = CMSG_FIRSTHDR(&message);
      if (control != nullptr && control->cmsg_type == IP_TTL) {
        std::memcpy(&arrival.ttl_hops, CMSG_DATA(control), sizeof arrival.ttl_hops);
      }
      on_arrival_(arrival);
    }
  }

  OnArrival on_arrival_;
  io::Fd socket_;
  std::array<std::uint8_t, 65535> buffer_{};
  std::unique_ptr<io::Readable> readable_;
};

// Gathers what all ears hear.
class Notes {
 public:
  void note(const std::string& group, const Arrival& arrival) {
    const auto heartbeat = tribes::parse_member(arrival.payload);
    if (!heartbeat || heartbeat->is_shutdown()) return;
    const auto host = heartbeat->address();
    if (!host || heartbeat->port > 65535) return;
    const Instant now = io::now();
    const Key key{group,
                  {*host, static_cast<std::uint16_t>(heartbeat->port)},
                  to_hex(heartbeat->unique_id),
                  arrival.source,
                  arrival.ttl_hops == 0};
    if (heard_.size() >= kMostHeard && !heard_.contains(key)) return;
    Times& times = heard_[key];
    if (times.count++ == 0) times.first = now;
    times.last = now;
    times.domain = text_of(heartbeat->domain);
  }

  [[nodiscard]] std::vector<Heard> all() const {
    std::vector<Heard> out;
    for (const auto& [key, times] : heard_) {
      Heard one{key.group,  key.member,   key.unique_id, times.domain,
                key.source, key.injected, times.count,   std::nullopt};
      if (times.count > 1)
        one.interval = (times.last - times.first) / static_cast<std::int64_t>(times.count - 1);
      out.push_back(std::move(one));
    }
    return out;
  }

 private:
  struct Key {
    std::string group;
    Endpoint member;
    std::string unique_id;
    Address source;
    bool injected;
    auto operator<=>(const Key&) const = default;
  };
  struct Times {
    Instant first;
    Instant last;
    std::uint64_t count = 0;
    std::string domain;
  };
  std::map<Key, Times> heard_;
};

doctor::Outcome outcome_of(io::ProbeOutcome outcome) {
  switch (outcome) {
    case io::ProbeOutcome::accepted:
      return doctor::Outcome::accepted;
    case io::ProbeOutcome::refused:
      return doctor::Outcome::refused;
    case io::ProbeOutcome::no_answer:
      return doctor::Outcome::no_answer;
    case io::ProbeOutcome::not_tried:
      break;
  }
  return doctor::Outcome::not_tried;
}

// The receivers of remote members that the agent knows.
std::set<Endpoint> ports_to_try(const Facts& facts) {
  std::set<Endpoint> ports;
  if (!facts.agent.status) return ports;
  for (const control::Member& member : facts.agent.status->members) {
    const auto host = Address::parse(member.host);
    const bool there = member.state == control::MemberState::alive;
    if (member.origin != control::Origin::remote || !there || !host || member.port == 0) continue;
    if (!facts.only_peer.empty() && facts.only_peer != member.via) continue;
    if (ports.size() < kMostTries) ports.insert({*host, member.port});
  }
  return ports;
}

std::set<std::string> names_to_resolve(const Facts& facts) {
  std::set<std::string> names;
  if (facts.settings() == nullptr) return names;
  for (const config::Peer& peer : facts.settings()->peers) {
    if (!facts.only_peer.empty() && facts.only_peer != peer.name) continue;
    for (const config::PeerAddress& address : peer.addresses) {
      if (!address.literal() && names.size() < kMostTries) names.insert(address.host);
    }
  }
  return names;
}

doctor::Resolved resolved(const std::string& name,
                          const Result<io::Resolution, std::string>& answer) {
  if (answer) return {name, answer->addresses, ""};
  return {name, {}, answer.error()};
}

// nss-myhostname lets the own name stand for the host's addresses, whatever DNS and the hosts file
// say; Java asks it too.
void ask_name_switch(Facts& facts) {
  const auto text = read_file("/etc/nsswitch.conf");
  if (!text || text->find("myhostname") == text->npos) return;
  if (!facts.own_name->addresses.empty()) return;
  for (const doctor::Interface& interface : facts.interfaces) {
    if (interface.loopback) continue;
    auto& addresses = facts.own_name->addresses;
    addresses.insert(addresses.end(), interface.addresses.begin(), interface.addresses.end());
  }
}

}  // namespace

void listen_and_try(Facts& facts, Duration time) {
  io::Loop loop(1);
  Notes notes;
  std::vector<std::unique_ptr<Ear>> ears;
  bool listens = false;
  for (const GroupFacts& group : facts.groups) {
    const bool can = group.settings.address.is_v4() && group.settings.port != 0;
    if (!can || group.settings.format != config::Format::tribes) continue;
    ears.push_back(std::make_unique<Ear>(
        loop, facts, group, [&notes, name = group.settings.name](const Arrival& arrival) {
          notes.note(name, arrival);
        }));
    listens |= ears.back()->listens();
  }
  io::PortProbe probe(loop);
  for (const Endpoint& port : ports_to_try(facts)) {
    probe.probe(port, time, [&facts, port](io::ProbeOutcome outcome) {
      facts.ports.push_back({port, outcome_of(outcome)});
    });
  }
  io::Resolver resolver(loop);
  const auto unanswered = [](const std::string& name) {
    return doctor::Resolved{name, {}, "no answer in time"};
  };
  facts.own_name = unanswered(facts.host);
  resolver.resolve(facts.host, [&facts](const Result<io::Resolution, std::string>& answer) {
    facts.own_name = resolved(facts.host, answer);
  });
  for (const std::string& name : names_to_resolve(facts)) {
    const std::size_t at = facts.peer_names.size();
    facts.peer_names.push_back(unanswered(name));
    resolver.resolve(name, [&facts, name, at](const Result<io::Resolution, std::string>& answer) {
      facts.peer_names[at] = resolved(name, answer);
    });
  }
  // A probe answers at the end of its time at the latest.
  io::DeadlineTimer end(loop, [&loop] { loop.stop(); });
  end.arm(io::now() + time + milliseconds(200));
  loop.run();
  if (listens) facts.heard = notes.all();
  facts.listened = time;
  ask_name_switch(facts);
}

}  // namespace tribecast::survey
