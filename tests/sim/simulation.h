// Whole clusters on a fake clock: real relay cores with real seals on an in-memory network, Tomcat
// members that beat and keep a view. Everything random comes from one seed, so a failure can be
// run again.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <queue>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "relay/core.h"

namespace tribecast::sim {

// What the network does to a datagram on its way from one host to another.
struct Weather {
  double loss = 0;
  double duplicate = 0;
  Duration delay = microseconds(300);
  Duration jitter{};  // uniformly added; more than the gap between datagrams reorders them
};

// What went wrong, as sentences; empty in a good run.
using Faults = std::vector<std::string>;

struct Tomcat {
  std::string name;
  Address host;
  std::uint32_t port = 4000;
  tribes::UniqueId unique_id{};
  Instant started;
  bool running = false;
  std::uint64_t life = 0;                    // counts starts, so that old timers are recognised
  std::map<tribes::Identity, Instant> view;  // who was heard, when last
};

class Simulation {
 public:
  Simulation(std::uint64_t seed, std::size_t hosts, std::size_t members_per_host);

  Weather weather;  // of every path without one of its own
  std::map<std::pair<std::size_t, std::size_t>, Weather> paths;  // from, to

  void run_for(Duration time);
  void partition(const std::set<std::size_t>& one_side);
  void heal() { cut_.clear(); }
  unsigned copies = 1;            // of each datagram, for agents started from now on
  bool firewall_rejects = false;  // TCP to the members is refused by a packet filter
  void start_agent(std::size_t host);
  void kill_agent(std::size_t host);
  // As `tribecast doctor --all` does; the agents' views are their numbers, many times over.
  void call_roll(std::size_t host, Duration time);
  [[nodiscard]] static Buffer view_of(std::size_t host);
  std::vector<relay::PeerView> roll_call;  // the answers, once they are there
  // While frozen an agent handles nothing; what arrives waits for it, as after SIGSTOP.
  void freeze_agent(std::size_t host, bool frozen);
  // How far its wall clock is from that of the simulation.
  void set_wall_clock(std::size_t host, Duration offset);
  void start_tomcat(std::size_t host, std::size_t index);
  void kill_tomcat(std::size_t host, std::size_t index);
  void stop_tomcat(std::size_t host, std::size_t index);

  [[nodiscard]] Instant now() const { return now_; }
  [[nodiscard]] std::uint64_t seed() const { return seed_; }
  [[nodiscard]] relay::Report report(std::size_t host) const;
  [[nodiscard]] std::size_t hosts() const { return hosts_.size(); }
  [[nodiscard]] std::size_t view_size(std::size_t host, std::size_t index) const;
  // Every running Tomcat lists every other running one, and nobody else.
  [[nodiscard]] bool complete() const;
  // Sends every datagram that was ever sent to this host once more.
  std::size_t replay_recorded(std::size_t host);
  void record(bool on) { recording_ = on; }

  // Judged all the time: stale injections and loops always; false drops and ghosts while `judging`.
  Faults faults;
  bool judging = false;
  std::uint64_t datagrams = 0;
  std::uint64_t injections = 0;
  std::uint64_t false_drops = 0;
  std::map<relay::EventKind, std::uint64_t> events;  // of all agents
  std::uint64_t wrong_goodbyes = 0;  // that an agent said for a member that lives and is reachable

 private:
  struct Host {
    Address address;
    std::unique_ptr<relay::Core> core;
    Duration clock_offset{};  // every host counts from its own start
    std::vector<Tomcat> tomcats;
    bool frozen = false;
    std::vector<std::function<void()>> waiting;  // what a frozen agent has not handled yet
    Instant timer = kNever;                      // in the simulation's time
    std::uint64_t beats = 0;                     // by local Tomcats while the agent ran
    std::uint64_t next_instance = 0;
    std::vector<std::pair<relay::Path, Buffer>> recorded;
    std::set<Endpoint> watched;                   // listeners
    std::vector<relay::MemberRecord> remembered;  // as on disk
    bool makes_view = false;
  };
  struct Event {
    Instant at;
    std::uint64_t order;
    std::function<void()> what;
    bool operator>(const Event& other) const {
      return at != other.at ? at > other.at : order > other.order;
    }
  };

  void at(Instant when, std::function<void()> what);
  bool chance(double probability);
  [[nodiscard]] Instant local_time(const Host& host) const { return now_ + host.clock_offset; }
  void when_awake(std::size_t host, std::function<void()> what);
  void act(std::size_t host, const relay::Actions& actions);
  void arm(std::size_t host);
  void make_view(std::size_t host);
  void transmit(std::size_t from, const relay::Path& path, const Buffer& datagram);
  void deliver(std::size_t host, const relay::Path& path, const Buffer& datagram);
  void capture(std::size_t host, Instant captured, const Buffer& frame);
  void inject(std::size_t host, const relay::Inject& injection);
  void watch(std::size_t host, const Endpoint& listener, bool restored);
  void tell_gone(std::size_t host, const Endpoint& listener);
  void knock(std::size_t host, const relay::Knock& knock);
  [[nodiscard]] bool listens(const Endpoint& at) const;
  void beat(std::size_t host, std::size_t index, std::uint64_t life);
  void send_heartbeat(std::size_t host, Tomcat& tomcat, bool shutdown);
  void hear(Tomcat& listener, const tribes::MemberView& member);
  void judge();
  [[nodiscard]] const Tomcat* owner_of(const tribes::Identity& identity) const;
  void fault(const std::string& text);

  std::uint64_t seed_;
  std::mt19937_64 random_;
  Instant now_{seconds(1000)};
  std::uint64_t order_ = 0;
  std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
  std::vector<Host> hosts_;
  std::map<Address, std::size_t> by_address_;
  std::set<std::pair<std::size_t, std::size_t>> cut_;
  std::map<tribes::Identity, Instant> deaths_;
  bool recording_ = false;
};

}  // namespace tribecast::sim
