// Two agents' cores through very many datagrams on a fake clock, one heartbeat a millisecond by
// turns: every one is injected once, every copy and forgery is counted, and nothing grows.
//
//   soak [COUNT]   datagrams that are delivered; default 10^6, and 10^8 with TRIBECAST_LONG in the
//                  environment; with sanitizers, which take twenty times as long, a tenth of each
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <random>
#include <string>

#include "relay/core.h"
#include "seal/keyring.h"
#include "unit/figure.h"

using namespace tribecast;

namespace {

#ifdef __SANITIZE_ADDRESS__
constexpr std::uint64_t kUsual = 100000;
constexpr std::uint64_t kLong = 10000000;
#else
constexpr std::uint64_t kUsual = 1000000;
constexpr std::uint64_t kLong = 100000000;
#endif
constexpr std::size_t kMembers = 64;
constexpr Duration kStep = milliseconds(1);
// Of the datagrams, one in so many comes twice, and one comes with a bit changed as well.
constexpr std::uint64_t kEachCopied = 10;
constexpr std::uint64_t kEachForged = 7;
constexpr std::uint64_t kMaxGrowthBytes = 1 << 20;
const Endpoint kGroup{Address::v4(0xe4000004), 45564};

std::uint64_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::uint64_t total = 0;
  std::uint64_t resident = 0;
  file >> total >> resident;
  return resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

struct Host {
  Endpoint at;
  Duration clock_offset{};
  relay::Core core;
  std::array<Buffer, kMembers> frames;
  relay::Actions actions;
  std::uint64_t captured = 0;
  std::uint64_t injected = 0;
};

RandomSource seeded(std::uint64_t seed) {
  return [engine = std::mt19937_64(seed)](MutableBytes out) mutable {
    for (std::uint8_t& byte : out) byte = static_cast<std::uint8_t>(engine());
  };
}

Buffer frame_of(const Address& host, std::size_t member) {
  tribes::MemberView view;
  view.host = host.bytes();
  view.port = static_cast<std::uint32_t>(4000 + member);
  view.secure_port = view.udp_port = 0xffffffff;
  view.unique_id[0] = static_cast<std::uint8_t>(member + 1);
  const Buffer payload = tribes::compose_member(view);
  return packet::compose({{host, 45564}, kGroup, payload}, {1500, 1, 0}).front();
}

class Soak {
 public:
  explicit Soak(std::uint64_t count) : count_(count) {
    for (std::size_t h = 0; h < 2; ++h) start(h);
  }

  // Returns what is wrong, as sentences.
  std::string run() {
    while (delivered_ < count_) {
      now_ += kStep;
      step(beats_ % 2);
      if (warm_bytes_ == 0 && delivered_ >= count_ / 10) warm_bytes_ = resident_bytes();
    }
    for (int i = 0; i < 1000; ++i) {
      now_ += kStep;
      for (std::size_t h = 0; h < 2; ++h) timers(h);
    }
    return judge();
  }

 private:
  void start(std::size_t h) {
    Host& host = hosts_.at(h);
    host.at = {Address::v4(0x0a000001U + static_cast<std::uint32_t>(h)), 45565};
    const Endpoint other{Address::v4(0x0a000002U - static_cast<std::uint32_t>(h)), 45565};
    host.clock_offset = seconds(static_cast<int>(h) * 777);
    for (std::size_t m = 0; m < kMembers; ++m) host.frames.at(m) = frame_of(host.at.address, m);
    relay::Settings settings;
    settings.groups.push_back({"tomcat", kGroup.address, kGroup.port, relay::Format::tribes, false,
                               seconds(1), seconds(3)});
    settings.peers.push_back({"other", {}});
    seal::Keyring ring;
    ring.keys.push_back({1, seal::Key(Buffer(32, 0x5a))});
    ring.primary_id = 1;
    host.core.set_local_addresses({host.at.address});
    host.core.configure(now_ + host.clock_offset, settings, ring, host.actions);
    host.core.set_endpoints(now_ + host.clock_offset, "other", {other});
    host.core.set_listeners("tomcat", {2});
    act(h);
  }

  // Beats once both sides are up.
  void step(std::size_t h) {
    for (std::size_t i = 0; i < 2; ++i) timers(i);
    ++beats_;
    if (beats_ < 1000) return;
    Host& host = hosts_.at(h);
    const Instant now = now_ + host.clock_offset;
    const Buffer& frame = host.frames.at(beats_ / 2 % kMembers);
    host.core.on_frame(now, {now, packet::LinkType::raw_ip, frame, false}, host.actions);
    ++host.captured;
    act(h);
  }

  void timers(std::size_t h) {
    Host& host = hosts_.at(h);
    const Instant now = now_ + host.clock_offset;
    if (host.core.next_deadline() > now) return;
    host.core.on_timer(now, host.actions);
    act(h);
  }

  void act(std::size_t h) {
    Host& host = hosts_.at(h);
    const relay::Actions actions = std::exchange(host.actions, {});
    for (const relay::Inject& injection : actions.injects)
      host.injected += injection.interfaces.size();
    for (const relay::Send& send : actions.sends) {
      ++sent_;
      if (sent_ % kEachForged == 0) {
        Buffer forged = send.datagram;
        forged[sent_ % forged.size()] ^= static_cast<std::uint8_t>(1U << sent_ % 8);
        deliver(1 - h, forged);
        ++forged_;
      }
      deliver(1 - h, send.datagram);
      if (sent_ % kEachCopied != 0) continue;
      deliver(1 - h, send.datagram);
      ++copied_;
    }
  }

  void deliver(std::size_t h, const Buffer& datagram) {
    Host& host = hosts_.at(h);
    ++delivered_;
    host.core.on_datagram(now_ + host.clock_offset, {hosts_.at(1 - h).at, host.at.address},
                          datagram, host.actions);
    act(h);
  }

  std::string judge() {
    std::string wrong;
    std::uint64_t refused = 0;
    std::uint64_t injected = 0;
    for (std::size_t h = 0; h < 2; ++h) {
      const Host& host = hosts_.at(h);
      const Host& other = hosts_.at(1 - h);
      const relay::Report report = host.core.report(now_ + host.clock_offset);
      const relay::GroupCounters& group = report.groups.front().counters;
      refused += report.drops.total();
      injected += host.injected;
      if (group.captured != host.captured) wrong += "captured is miscounted. ";
      if (group.relayed != host.captured) wrong += "a heartbeat was not relayed once. ";
      if (group.received != other.captured) wrong += "a heartbeat did not arrive once. ";
      if (group.injected != host.injected || host.injected != other.captured) {
        wrong += "a heartbeat was not injected once. ";
      }
      if (report.members.size() != 2 * kMembers) wrong += "members are miscounted. ";
    }
    if (refused != forged_ + copied_) wrong += "a refusal was not counted once. ";
    const auto now = resident_bytes();
    const std::uint64_t growth = now > warm_bytes_ ? now - warm_bytes_ : 0;
#ifndef __SANITIZE_ADDRESS__
    if (growth >= kMaxGrowthBytes) wrong += "memory has grown. ";
#endif
    test::figure(
        "soak: ", delivered_, " datagrams, ",
        std::chrono::duration_cast<std::chrono::hours>(now_ - kBegin).count(),
        " h of simulated time: ", injected, " heartbeats injected once, ", refused, " of ",
        forged_ + copied_, " forgeries and copies refused and counted, resident memory grew by ",
        growth / 1024, " KiB, ",
        static_cast<double>(std::clock()) / CLOCKS_PER_SEC * 1e9 / static_cast<double>(delivered_),
        " ns of processor time a datagram, seed 1");
    return wrong;
  }

  static constexpr Instant kBegin{seconds(1000)};
  std::uint64_t count_;
  Instant now_ = kBegin;
  std::array<Host, 2> hosts_{Host{{}, {}, relay::Core(seeded(1)), {}, {}},
                             Host{{}, {}, relay::Core(seeded(2)), {}, {}}};
  std::uint64_t beats_ = 0;
  std::uint64_t sent_ = 0;
  std::uint64_t delivered_ = 0;
  std::uint64_t forged_ = 0;
  std::uint64_t copied_ = 0;
  std::uint64_t warm_bytes_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  if (!seal::initialise()) return 1;
  std::uint64_t count = std::getenv("TRIBECAST_LONG") == nullptr ? kUsual : kLong;
  if (argc > 1) count = std::strtoull(argv[1], nullptr, 10);
  const std::string wrong = Soak(count).run();
  if (wrong.empty()) return 0;
  std::printf("FAILED: %s\n", wrong.c_str());
  return 1;
}
