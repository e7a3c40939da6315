// What single steps cost, without any system call: a plain loop and a steady clock, the median of
// 15 rounds. Prints a line for each: NAME <tab> NS.
//
//   micro [SECONDS_PER_STEP]
#include <algorithm>
#include <array>
#include <functional>

#include "io/clock.h"
#include "program.h"
#include "relay/core.h"

using namespace tribecast;
using namespace tribecast::bench;

namespace {

constexpr std::size_t kRounds = 15;
const Endpoint kGroup{Address::v4(0xe4000004), 45564};
const Endpoint kHere{Address::v4(0x0a000001), 45565};
const Endpoint kThere{Address::v4(0x0a000101), 45565};

double median_ns(Duration budget, const std::function<void(std::size_t)>& step) {
  std::size_t steps = 1;
  std::size_t done = 0;
  const auto round = [&] {
    const Instant begin = io::now();
    for (std::size_t i = 0; i < steps; ++i) step(done++);
    return io::now() - begin;
  };
  while (round() < budget / static_cast<int>(kRounds) / 2) steps *= 2;
  std::array<double, kRounds> times{};
  for (double& time : times) time = to_seconds(round()) * 1e9 / static_cast<double>(steps);
  std::ranges::nth_element(times, times.begin() + kRounds / 2);
  return times[kRounds / 2];
}

// An agent with one peer and one group.
class Node {
 public:
  Node(Instant now, const Endpoint& self, const Endpoint& peer)
      : core(seal::system_random()), self_(self) {
    relay::Settings settings;
    settings.groups.push_back({"bench", kGroup.address, kGroup.port});
    settings.peers.push_back({"peer", {}});
    seal::Keyring ring;
    ring.keys.push_back({1, seal::Key(Buffer(32, 0x5a))});
    ring.primary_id = 1;
    core.set_local_addresses({self.address});
    core.configure(now, settings, ring, out);
    core.set_endpoints(now, "peer", {peer});
    core.set_listeners("bench", {2});
  }

  // Hands over what this node has to send.
  void deliver_to(Instant now, Node& other) {
    const auto sends = std::move(out.sends);
    out.clear();
    for (const relay::Send& send : sends) {
      other.core.on_datagram(now, {self_, other.self_.address}, send.datagram, other.out);
    }
  }

  relay::Core core;
  relay::Actions out;

 private:
  Endpoint self_;
};

Buffer frame_of(const Endpoint& source, Bytes payload) {
  return packet::compose({source, kGroup, payload}, {1500, 1, 0}).front();
}

// Two agents that know each other, on a clock that goes on by 20 us with each step: slow enough for
// the pacer, and probes are too rare to be seen.
class Pair {
 public:
  Pair() {
    there.core.on_timer(now, there.out);
    if (!there.out.sends.empty()) init = there.out.sends.front().datagram;
    for (int i = 0; i < 10; ++i) exchange();
    seal_one();
    if (init.empty() || sealed.empty()) die("the two agents do not find each other");
  }

  void step() {
    now += microseconds(20);
    if (now < next_timer_) return;
    here.core.on_timer(now, here.out);
    there.core.on_timer(now, there.out);
    for (int i = 0; i < 3; ++i) exchange();
    next_timer_ = std::min(here.core.next_deadline(), there.core.next_deadline());
  }

  // A fresh heartbeat from there.
  void seal_one() {
    there.core.on_frame(now, {now, packet::LinkType::raw_ip, frame_, false}, there.out);
    if (!there.out.sends.empty()) sealed = std::move(there.out.sends.back().datagram);
    there.out.clear();
  }

  Instant now{seconds(1000)};
  Node here{now, kHere, kThere};
  Node there{now, kThere, kHere};
  Buffer init;  // there's first handshake message
  Buffer sealed;

 private:
  void exchange() {
    there.deliver_to(now, here);
    here.deliver_to(now, there);
  }

  Instant next_timer_ = Instant::min();
  Buffer frame_ = frame_of({kThere.address, 45564}, heartbeat(kThere.address, 4000));
};

void report(const std::string& name, double ns) { say("{}\t{:.0f}", name, ns); }

// Each with a fresh pair, since the clock of one goes through many rekeys meanwhile.
void rejected(const std::string& name, Duration budget,
              const std::function<Buffer(Pair&)>& make_forgery) {
  Pair pair;
  const Buffer forgery = make_forgery(pair);
  const relay::Path from{kThere, kHere.address};
  report(name, median_ns(budget, [&](std::size_t) {
           pair.step();
           pair.here.core.on_datagram(pair.now, from, forgery, pair.here.out);
         }));
  if (!pair.here.out.injects.empty()) die(name + ": injected");
}

void rejections(Duration budget) {
  rejected("data with one bit flipped", budget, [](Pair& pair) {
    pair.sealed.back() ^= 1;
    return pair.sealed;
  });
  rejected("data under an unknown key id", budget, [](Pair& pair) {
    for (std::size_t i = 4; i < 8; ++i) pair.sealed[i] ^= 0x55;
    return pair.sealed;
  });
  rejected("garbage of 155 bytes", budget, [](Pair&) { return Buffer(155, 0x42); });
  rejected("a forged handshake", budget, [](Pair& pair) {
    pair.init.back() ^= 1;
    return pair.init;
  });
  rejected("a replayed heartbeat", budget, [](Pair& pair) {
    pair.here.core.on_datagram(pair.now, {kThere, kHere.address}, pair.sealed, pair.here.out);
    pair.here.out.clear();
    return pair.sealed;
  });
}

void parts(Duration budget) {
  const Buffer beat = heartbeat(kThere.address, 4000);
  std::size_t good = 0;
  report("parse a heartbeat", median_ns(budget, [&](std::size_t) {
           if (tribes::parse_member(beat)) ++good;
         }));
  const seal::Key key(Buffer(32, 7));
  const seal::Header header{seal::Type::data, 0, 1, 1};
  const Buffer plain(beat.size() + relay::kParcelHeaderSize, 1);
  Buffer sealed = seal::seal_datagram(key, header, plain);
  report("seal it",
         median_ns(budget, [&](std::size_t) { sealed = seal::seal_datagram(key, header, plain); }));
  const auto envelope = seal::decode(sealed);
  report("open it", median_ns(budget, [&](std::size_t) {
           if (seal::open_datagram(key, *envelope)) ++good;
         }));
  relay::Members members;
  std::vector<relay::Event> events;
  std::vector<Buffer> beats;
  for (std::uint32_t i = 0; i < relay::kMaxMembers; ++i) {
    beats.push_back(heartbeat(kThere.address, 4000 + i));
  }
  report("note it in a table of 4096 members", median_ns(budget, [&](std::size_t i) {
           const auto member = tribes::parse_member(beats[i % beats.size()]);
           const Instant now = io::now();
           if (!members
                    .see(now,
                         {"bench", seconds(3), *member, {}, {}, now, relay::Origin::local, "", {}},
                         events)
                    .refused) {
             ++good;
           }
         }));
  if (good == 0) die("nothing was done");
}

void way_out(Duration budget) {
  Pair pair;
  report("way out in the core: frame to sealed datagram", median_ns(budget, [&](std::size_t) {
           pair.step();
           pair.seal_one();
         }));
}

// Each heartbeat can be opened once: a batch is sealed, then the opening of all is timed.
void way_in() {
  Pair pair;
  constexpr std::size_t kBatch = 2000;
  const relay::Path from{kThere, kHere.address};
  std::size_t injected = 0;
  std::array<double, kRounds> times{};
  for (double& time : times) {
    std::vector<std::pair<Instant, Buffer>> batch;
    while (batch.size() < kBatch) {
      pair.step();
      pair.seal_one();
      batch.emplace_back(pair.now, pair.sealed);
    }
    const Instant begin = io::now();
    for (const auto& [now, sealed] : batch) {
      pair.here.core.on_datagram(now, from, sealed, pair.here.out);
      injected += pair.here.out.injects.size();
      pair.here.out.clear();
    }
    time = to_seconds(io::now() - begin) * 1e9 / kBatch;
  }
  if (injected < kBatch) die("nothing was injected");
  std::ranges::nth_element(times, times.begin() + kRounds / 2);
  report("way in in the core: sealed datagram to injection", times[kRounds / 2]);
}

}  // namespace

int main(int argc, char** argv) {
  const auto args = arguments(argc, argv);
  if (!seal::initialise()) die("libsodium cannot be used");
  const double seconds_per_step = args.empty() ? 0.3 : std::stod(args[0]);
  const Duration budget(static_cast<std::int64_t>(seconds_per_step * 1e9));
  rejections(budget);
  parts(budget);
  way_out(budget);
  way_in();
  return 0;
}
