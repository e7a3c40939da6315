// A full mesh of many agents, with real seals on a fake clock, in one process: how long until
// everybody hears everybody, and what an agent costs then. The figures of docs/scale.md.
//
// Time goes in steps of a millisecond; what a host has to do in a step is done at once, and its
// processor time is read around that. Sockets, capture and injection have no part in it.
//
//   TRIBECAST_SCALE_AGENTS   how many (default: 60, and 300 where the build is optimised)
#define BOOST_TEST_MODULE sim_scale
#include <malloc.h>

#include <array>
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <random>

#include "relay/core.h"
#include "unit/figure.h"

using namespace tribecast;

namespace {

#ifdef __SANITIZE_ADDRESS__
constexpr std::size_t kUsualAgents = 60;
#else
constexpr std::size_t kUsualAgents = 300;
#endif
constexpr std::size_t kMembers = 4;
constexpr Duration kStep = milliseconds(1);
constexpr int kStepsPerBeat = 500;
constexpr std::size_t kMaxDelaySteps = 8;
constexpr int kStepsMeasured = 5000;
constexpr int kMostStepsToConverge = 10000;
const Endpoint kGroup{Address::v4(0xe4000004), 45564};

std::size_t agents_wanted() {
  const char* given = std::getenv("TRIBECAST_SCALE_AGENTS");
  return given == nullptr ? kUsualAgents : std::strtoull(given, nullptr, 10);
}

Duration processor_time() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

double in(Duration time, Duration unit) {
  return static_cast<double>(time.count()) / static_cast<double>(unit.count());
}

struct Traffic {
  std::array<std::uint64_t, 5> datagrams{};  // by type
  std::array<std::uint64_t, 5> bytes{};
  std::uint64_t beats = 0;
  std::uint64_t injected = 0;
  Duration processor{};  // of the cores

  [[nodiscard]] std::uint64_t of(seal::Type type) const {
    return datagrams.at(static_cast<std::size_t>(type));
  }
  [[nodiscard]] std::uint64_t all() const {
    return datagrams[1] + datagrams[2] + datagrams[3] + datagrams[4];
  }
  [[nodiscard]] std::uint64_t all_bytes() const {
    return bytes[1] + bytes[2] + bytes[3] + bytes[4];
  }
  Traffic operator-(const Traffic& before) const {
    Traffic less = *this;
    for (std::size_t i = 0; i < datagrams.size(); ++i) {
      less.datagrams.at(i) -= before.datagrams.at(i);
      less.bytes.at(i) -= before.bytes.at(i);
    }
    less.beats -= before.beats;
    less.injected -= before.injected;
    less.processor -= before.processor;
    return less;
  }
};

class Mesh {
 public:
  Mesh(std::size_t agents, std::uint64_t seed) : random_(seed), hosts_(agents) {
    for (auto& arrivals : arriving_) arrivals.resize(agents);
    for (std::size_t h = 0; h < agents; ++h) {
      Host& host = hosts_[h];
      host.address = address_of(h);
      host.clock_offset = microseconds(static_cast<std::int64_t>(random_() % 100000000000));
      host.heard.resize(agents * kMembers);
      for (int& phase : host.phases) phase = static_cast<int>(random_() % kStepsPerBeat);
    }
    for (std::size_t h = 0; h < agents; ++h) start(h);
  }

  Traffic traffic;

  void step() {
    now_ += kStep;
    ++steps_;
    auto& arrivals = arriving_.at(static_cast<std::size_t>(steps_) % arriving_.size());
    for (std::size_t h = 0; h < hosts_.size(); ++h) work(h, arrivals[h]);
  }

  // Every host has injected a heartbeat of every other host's members.
  [[nodiscard]] bool complete() const { return heard_ == hosts_.size() * everybody_else(); }
  [[nodiscard]] std::size_t everybody_else() const { return (hosts_.size() - 1) * kMembers; }

  [[nodiscard]] bool all_up() const {
    return std::ranges::all_of(hosts_, [&](const Host& host) {
      const auto report = host.core->report(now_ + host.clock_offset);
      return std::ranges::count(report.peers, relay::PeerState::up, &relay::PeerReport::state) ==
             static_cast<std::ptrdiff_t>(hosts_.size() - 1);
    });
  }

  [[nodiscard]] ReasonCounters drops() const {
    ReasonCounters all;
    for (const Host& host : hosts_) all.add(host.core->report(now_ + host.clock_offset).drops);
    return all;
  }

  // The heap that all cores hold; they are gone then.
  std::size_t free_cores() {
    const std::size_t before = mallinfo2().uordblks;
    for (Host& host : hosts_) host.core.reset();
    return before - mallinfo2().uordblks;
  }

 private:
  struct Arrival {
    relay::Path path;
    std::shared_ptr<const Buffer> datagram;  // one for all receivers
  };
  struct Host {
    Address address;
    Duration clock_offset{};
    std::unique_ptr<relay::Core> core;
    std::array<int, kMembers> phases{};
    std::vector<bool> heard;  // members, by number
    relay::Actions actions;
  };

  static Address address_of(std::size_t host) {
    return Address::v4(0x0a000000U + static_cast<std::uint32_t>(host + 1));
  }

  static seal::Keyring ring() {
    seal::Keyring ring;
    ring.keys.push_back({1, seal::Key(Buffer(32, 0x5a))});
    ring.primary_id = 1;
    return ring;
  }

  void start(std::size_t h) {
    Host& host = hosts_[h];
    auto engine = std::make_shared<std::mt19937_64>(random_());
    host.core = std::make_unique<relay::Core>([engine](MutableBytes out) {
      for (std::uint8_t& byte : out) byte = static_cast<std::uint8_t>((*engine)());
    });
    relay::Settings settings;
    settings.node_name = "host" + std::to_string(h);
    settings.groups.push_back({"tomcat", kGroup.address, kGroup.port, relay::Format::tribes, false,
                               seconds(1), seconds(3)});
    for (std::size_t p = 0; p < hosts_.size(); ++p) {
      settings.peers.push_back({"host" + std::to_string(p), {}});
    }
    const Instant now = now_ + host.clock_offset;
    host.core->set_local_addresses({host.address});
    host.core->configure(now, settings, ring(), host.actions);
    for (std::size_t p = 0; p < hosts_.size(); ++p) {
      host.core->set_endpoints(now, "host" + std::to_string(p), {{address_of(p), 45565}});
    }
    host.core->set_listeners("tomcat", {2});
    act(h);
  }

  void work(std::size_t h, std::vector<Arrival>& arrivals) {
    Host& host = hosts_[h];
    const Instant now = now_ + host.clock_offset;
    std::vector<Buffer> frames;
    for (std::size_t m = 0; m < kMembers; ++m) {
      if (steps_ % kStepsPerBeat == host.phases.at(m)) frames.push_back(beat(host, m));
    }
    if (arrivals.empty() && frames.empty() && host.core->next_deadline() > now) return;
    const Duration began = processor_time();
    for (const Arrival& arrival : arrivals) {
      host.core->on_datagram(now, arrival.path, *arrival.datagram, host.actions);
    }
    for (const Buffer& frame : frames) {
      host.core->on_frame(now, {now, packet::LinkType::raw_ip, frame, false}, host.actions);
    }
    if (host.core->next_deadline() <= now) host.core->on_timer(now, host.actions);
    traffic.processor += processor_time() - began;
    traffic.beats += frames.size();
    arrivals.clear();
    act(h);
  }

  Buffer beat(const Host& host, std::size_t m) const {
    tribes::MemberView member;
    member.alive_milliseconds = static_cast<std::uint64_t>(steps_);
    member.port = static_cast<std::uint32_t>(4000 + m);
    member.secure_port = member.udp_port = 0xffffffff;
    member.host = host.address.bytes();
    member.unique_id[0] = static_cast<std::uint8_t>(m + 1);
    const Buffer payload = tribes::compose_member(member);
    const packet::Datagram datagram{{host.address, 45564}, kGroup, payload};
    return packet::compose(datagram, {1500, 1, 0}).front();
  }

  void act(std::size_t h) {
    Host& host = hosts_[h];
    for (relay::Send& send : host.actions.sends) {
      const auto datagram = std::make_shared<const Buffer>(std::move(send.datagram));
      for (const relay::Path& path : send.to) transmit(h, path, datagram);
    }
    for (const relay::Inject& injection : host.actions.injects) hear(host, injection.payload);
    host.actions.clear();
  }

  void transmit(std::size_t from, const relay::Path& path,
                const std::shared_ptr<const Buffer>& datagram) {
    const std::size_t to = path.remote.address.v4_host_order() - 0x0a000001U;
    const auto type = static_cast<std::size_t>(seal::decode(*datagram)->header.type);
    ++traffic.datagrams.at(type);
    traffic.bytes.at(type) += datagram->size();
    const std::size_t delay = 1 + (from * 31 + to * 17) % (kMaxDelaySteps - 2);
    arriving_.at((static_cast<std::size_t>(steps_) + delay) % arriving_.size())
        .at(to)
        .push_back({{{hosts_[from].address, 45565}, hosts_[to].address}, datagram});
  }

  void hear(Host& host, Bytes payload) {
    ++traffic.injected;
    const auto member = tribes::parse_member(payload);
    const std::size_t origin = Address::from_bytes(member->host)->v4_host_order() - 0x0a000001U;
    const std::size_t number = origin * kMembers + member->port - 4000;
    if (host.heard.at(number)) return;
    host.heard[number] = true;
    ++heard_;
  }

  std::mt19937_64 random_;
  Instant now_{seconds(1000)};
  int steps_ = 0;
  std::size_t heard_ = 0;  // pairs of a host and a member
  std::vector<Host> hosts_;
  std::array<std::vector<std::vector<Arrival>>, kMaxDelaySteps> arriving_;  // by step, by host
};

struct Sodium {
  Sodium() { BOOST_REQUIRE(seal::initialise()); }
};

}  // namespace

BOOST_TEST_GLOBAL_FIXTURE(Sodium);

BOOST_AUTO_TEST_CASE(many_agents_with_four_members_each) {
  constexpr std::uint64_t kSeed = 1;
  const std::size_t agents = agents_wanted();
  Mesh mesh(agents, kSeed);
  int converged = 0;
  while (!mesh.complete() && converged < kMostStepsToConverge) {
    mesh.step();
    ++converged;
  }
  BOOST_TEST_REQUIRE(mesh.complete());
  BOOST_TEST(converged <= 1500);  // two heartbeats and a handshake
  const Traffic start = mesh.traffic;

  for (int i = 0; i < 2000; ++i) mesh.step();  // all grants acknowledged
  BOOST_TEST(mesh.all_up());
  const Traffic before = mesh.traffic;
  const ReasonCounters dropped = mesh.drops();
  for (int i = 0; i < kStepsMeasured; ++i) mesh.step();
  const Traffic steady = mesh.traffic - before;
  BOOST_TEST(mesh.drops().total() == dropped.total());
  BOOST_TEST(mesh.all_up());

  // One datagram a live peer of each heartbeat, one injection of each datagram, whatever is on the
  // way at the end; probes, and nothing else.
  const auto pairs = static_cast<std::uint64_t>(agents * (agents - 1));
  const std::uint64_t copies = steady.beats * (agents - 1);
  BOOST_TEST(steady.of(seal::Type::data) == copies);
  BOOST_TEST(steady.injected >= copies - copies / 50);
  BOOST_TEST(steady.injected <= copies + copies / 50);
  BOOST_TEST(steady.of(seal::Type::init) + steady.of(seal::Type::response) == 0U);
  BOOST_TEST(steady.of(seal::Type::pair) <= pairs * 2 * (kStepsMeasured / 1000 + 1));
  BOOST_TEST(start.of(seal::Type::response) == pairs / 2);

  const double seconds_measured = in(kStepsMeasured * kStep, seconds(1));
  const double agent_seconds = static_cast<double>(agents) * seconds_measured;
  const auto per_agent_second = [&](std::uint64_t n) {
    return std::to_string(static_cast<std::uint64_t>(static_cast<double>(n) / agent_seconds));
  };
  const double cost = in(steady.processor, microseconds(1)) / agent_seconds;
  const double each =
      in(steady.processor, std::chrono::nanoseconds(1)) / static_cast<double>(steady.all());
  test::figure("scale: ", agents, " agents with ", kMembers, " members each: complete after ",
               converged, " ms of simulated time, ", start.of(seal::Type::response),
               " handshakes (", start.of(seal::Type::init), " begun), core ",
               in(start.processor, seconds(1)) / static_cast<double>(agents),
               " s of processor time an agent until then, seed ", kSeed);
  test::figure("scale: then an agent sends ", per_agent_second(steady.all()), " datagrams and ",
               per_agent_second(steady.all_bytes()), " bytes a second (",
               per_agent_second(steady.of(seal::Type::data)), " data, ",
               per_agent_second(steady.of(seal::Type::pair)), " probes), injects ",
               per_agent_second(steady.injected), "; core ", cost / 1000, " ms a second, ", each,
               " ns a datagram sent and received, 0 dropped");
  const std::size_t heap = mesh.free_cores();
  test::figure("scale: heap of an agent's core ", heap / agents / 1024, " KiB, a peer ",
               heap / (agents * (agents - 1)), " bytes with its members");
}
