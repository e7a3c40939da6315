// The cloud's network as a value: what is carried, what is dropped and why, and that chance keeps
// both to the shares that are set and to its seed.
#define BOOST_TEST_MODULE vpcsim_model
#include <bit>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <nlohmann/json.hpp>

#include "packet/datagram.h"
#include "vpcsim/model.h"
#include "vpcsim/queue.h"
#include "vpcsim/report.h"

using namespace tribecast;
using namespace tribecast::vpcsim;

namespace {

constexpr std::uint64_t kSeed = 20260727;
constexpr Instant kNow{seconds(1000)};
constexpr HostId kA = 0;
constexpr HostId kB = 1;
constexpr HostId kC = 2;
constexpr HostId kWatcher = 3;
constexpr int kMany = 5000;

std::vector<Host> four_hosts() {
  const auto own = [](std::string_view text) { return std::vector{*Prefix::parse(text)}; };
  return {{"a", own("10.83.0.1/24"), false},
          {"b", own("10.83.0.2/24"), false},
          {"c", own("10.84.0.1/16"), false},
          {"watcher", own("10.83.0.254/24"), true}};
}

Address address_of(HostId host) { return four_hosts()[host].addresses[0].address; }

Buffer udp(const Address& from, const Address& to, std::uint16_t port = 45565,
           std::size_t size = 100) {
  Buffer payload(size);
  for (std::size_t i = 0; i < size; ++i) payload[i] = static_cast<std::uint8_t>(i * 7);
  const packet::Datagram datagram{{from, 45565}, {to, port}, payload};
  return packet::compose(datagram, {9000, 64, 1}).front();
}

struct Net {
  Model model{four_hosts(), kSeed};

  Verdict carry(HostId from, Buffer packet, Instant now = kNow) {
    return model.on_packet(now, from, packet);
  }
  Verdict carry(HostId from, HostId to, std::uint16_t port = 45565, std::size_t size = 100) {
    return carry(from, udp(address_of(from), address_of(to), port, size));
  }
  // The error, or empty.
  std::string tell(const std::string& line) {
    const auto command = parse_command(line, {{"a", "b", "c", "watcher"}});
    BOOST_REQUIRE_MESSAGE(command, (command ? "" : command.error()));
    std::string error;
    std::visit(
        [&](const auto& c) {
          using T = std::decay_t<decltype(c)>;
          if constexpr (std::is_same_v<T, Set> || std::is_same_v<T, Rule>) {
            const auto done = model.apply(c);
            if (!done) error = done.error();
          } else if constexpr (!std::is_same_v<T, Counters> && !std::is_same_v<T, Quit>) {
            model.apply(c);
          }
        },
        *command);
    return error;
  }
  bool arrives(HostId from, HostId to, std::uint16_t port = 45565) {
    return carry(from, to, port).copies > 0;
  }
};

// Within five standard deviations of the binomial distribution.
void check_share(std::uint64_t hits, double share, int of) {
  const double expected = share * of;
  const double tolerance = 5 * std::sqrt(of * share * (1 - share));
  BOOST_TEST(std::abs(static_cast<double>(hits) - expected) <= tolerance,
             hits << " of " << of << ", expected " << expected << " +- " << tolerance << ", seed "
                  << kSeed);
}

std::size_t different_bits(Bytes a, Bytes b) {
  BOOST_REQUIRE(a.size() == b.size());
  std::size_t bits = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    bits += static_cast<std::size_t>(std::popcount(static_cast<unsigned>(a[i] ^ b[i])));
  }
  return bits;
}

// The one's complement sum of a UDP packet with its pseudo header: 0xffff when the checksum holds.
std::uint32_t udp_sum(Bytes packet) {
  const auto ip = packet::parse_frame(packet::LinkType::raw_ip, packet);
  BOOST_REQUIRE(ip);
  ByteWriter pseudo;
  pseudo.put(ip->source.bytes());
  pseudo.put(ip->destination.bytes());
  pseudo.u16be(packet::kProtocolUdp);
  pseudo.u16be(static_cast<std::uint16_t>(ip->body.size()));
  pseudo.put(ip->body);
  if (ip->body.size() % 2 == 1) pseudo.u8(0);
  std::uint32_t sum = 0;
  ByteReader in(pseudo.bytes());
  while (in.left() > 0) sum += in.u16be();
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return sum;
}

}  // namespace

BOOST_AUTO_TEST_CASE(unicast_arrives_at_once_and_unchanged) {
  Net net;
  Buffer packet = udp(address_of(kA), address_of(kC));
  const Buffer before = packet;
  const Verdict verdict = net.model.on_packet(kNow, kA, packet);
  BOOST_TEST(!verdict.drop.has_value());
  BOOST_TEST(verdict.to == kC);
  BOOST_TEST(verdict.copies == 1U);
  BOOST_TEST((verdict.at[0] == kNow));
  BOOST_TEST(same(packet, before));
  BOOST_TEST(net.model.counters(kA, kC).received == 1U);
}

BOOST_AUTO_TEST_CASE(what_a_cloud_does_not_carry) {
  struct Case {
    std::string_view source;
    std::string_view destination;
    Drop reason;
  };
  const std::vector<Case> cases = {
      {"10.83.0.1", "228.0.0.4", Drop::multicast},
      {"0.0.0.0", "224.0.0.22", Drop::multicast},
      {"10.83.0.1", "255.255.255.255", Drop::broadcast},
      {"10.83.0.1", "10.83.0.255", Drop::broadcast},
      {"10.83.0.1", "10.84.255.255", Drop::broadcast},
      {"10.83.0.2", "10.84.0.1", Drop::spoofed},
      {"192.0.2.1", "10.83.0.2", Drop::spoofed},
      {"10.83.0.1", "10.83.0.77", Drop::unknown_destination},
      {"10.83.0.1", "192.0.2.1", Drop::unknown_destination},
  };
  Net net;
  for (const Case& c : cases) {
    const auto verdict =
        net.carry(kA, udp(*Address::parse(c.source), *Address::parse(c.destination)));
    BOOST_TEST((verdict.drop == c.reason), c.source << " to " << c.destination);
    BOOST_TEST(verdict.copies == 0U);
  }
  BOOST_TEST(net.model.dropped(kA)[Drop::multicast] == 2U);
  BOOST_TEST(net.model.dropped(kA)[Drop::broadcast] == 3U);
  BOOST_TEST(net.model.dropped(kA)[Drop::spoofed] == 2U);
  BOOST_TEST(net.model.dropped(kA)[Drop::unknown_destination] == 2U);
}

BOOST_AUTO_TEST_CASE(what_is_no_packet) {
  Net net;
  BOOST_TEST((net.carry(kA, Buffer{}).drop == Drop::malformed));
  BOOST_TEST((net.carry(kA, Buffer(40, 0x60)).drop == Drop::not_ipv4));
  Buffer cut = udp(address_of(kA), address_of(kB));
  cut.resize(60);
  BOOST_TEST((net.carry(kA, cut).drop == Drop::malformed));
}

BOOST_AUTO_TEST_CASE(shares_are_kept) {
  Net net;
  net.tell("set a->b loss=30");
  net.tell("set b->a duplicate=30");
  net.tell("set a->c delay=20ms reorder=25");
  net.tell("set c->a corrupt=10");
  net.tell("set b->c tamper=10");
  for (int i = 0; i < kMany; ++i) {
    net.carry(kA, kB);
    net.carry(kB, kA);
    net.carry(kA, kC);
    net.carry(kC, kA);
    net.carry(kB, kC);
  }
  check_share(net.model.counters(kA, kB).dropped[Drop::loss], 0.30, kMany);
  check_share(net.model.counters(kB, kA).duplicated, 0.30, kMany);
  check_share(net.model.counters(kA, kC).reordered, 0.25, kMany);
  check_share(net.model.counters(kC, kA).corrupted, 0.10, kMany);
  check_share(net.model.counters(kB, kC).tampered, 0.10, kMany);
}

BOOST_AUTO_TEST_CASE(loss_comes_without_a_pattern) {
  Net net;
  net.tell("set a->b loss=30");
  int both = 0;
  bool before = false;
  for (int i = 0; i < kMany; ++i) {
    const bool lost = net.carry(kA, kB).drop == Drop::loss;
    both += lost && before;
    before = lost;
  }
  check_share(static_cast<std::uint64_t>(both), 0.09, kMany);
}

namespace {

// What becomes of 500 packets of a->b, while `others` packets of c->b come between them.
std::vector<std::pair<std::size_t, Instant>> fates(std::uint64_t seed, int others) {
  Net net{Model(four_hosts(), seed)};
  net.tell("set * loss=20 duplicate=20 delay=10ms jitter=0-400ms reorder=20");
  std::vector<std::pair<std::size_t, Instant>> out;
  for (int i = 0; i < 500; ++i) {
    for (int n = 0; n < others; ++n) net.carry(kC, kB);
    const Verdict verdict = net.carry(kA, kB);
    out.emplace_back(verdict.copies, verdict.at[0]);
    out.emplace_back(verdict.copies, verdict.at[1]);
  }
  return out;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_seed_repeats_a_run) {
  BOOST_TEST((fates(kSeed, 0) == fates(kSeed, 0)));
  BOOST_TEST((fates(kSeed, 0) == fates(kSeed, 3)), "other pairs' packets change nothing");
  BOOST_TEST((fates(kSeed, 0) != fates(kSeed + 1, 0)));
}

BOOST_AUTO_TEST_CASE(more_of_one_setting_does_not_shift_another) {
  Net some;
  Net more;
  some.tell("set a->b loss=20 jitter=400ms");
  more.tell("set a->b loss=50 jitter=400ms duplicate=10");
  for (int i = 0; i < 1000; ++i) {
    const Verdict one = some.carry(kA, kB);
    const Verdict other = more.carry(kA, kB);
    if (one.drop) BOOST_TEST(other.drop.has_value());
    if (!other.drop) BOOST_TEST((one.at[0] == other.at[0]));
  }
}

BOOST_AUTO_TEST_CASE(delay_and_jitter) {
  Net net;
  net.tell("set a->b delay=20ms jitter=100ms-400ms");
  Instant least = kNever;
  Instant most{};
  for (int i = 0; i < kMany; ++i) {
    const Instant at = net.carry(kA, kB).at[0];
    least = std::min(least, at);
    most = std::max(most, at);
  }
  BOOST_TEST((least >= kNow + milliseconds(120) && least < kNow + milliseconds(121)));
  BOOST_TEST((most <= kNow + milliseconds(420) && most > kNow + milliseconds(419)));
  BOOST_TEST((net.carry(kB, kA).at[0] == kNow), "the other direction is as it was");
}

BOOST_AUTO_TEST_CASE(reordered_packets_skip_the_delay) {
  Net net;
  net.tell("set a->b delay=20ms reorder=25");
  std::uint64_t at_once = 0;
  for (int i = 0; i < kMany; ++i) at_once += net.carry(kA, kB).at[0] == kNow;
  BOOST_TEST(at_once == net.model.counters(kA, kB).reordered);
  BOOST_TEST(net.tell("set a->c reorder=25") ==
             "reorder needs a delay or jitter: reordered packets skip it");
  BOOST_TEST(net.tell("set a->b delay=0") != "");
  BOOST_TEST((net.model.impairment(kA, kB).delay == milliseconds(20)), "a refusal changes nothing");
}

BOOST_AUTO_TEST_CASE(corruption_flips_one_bit_behind_the_ip_header) {
  Net net;
  net.tell("set a->b corrupt=100");
  for (std::uint16_t i = 0; i < 2000; ++i) {
    const Buffer before = udp(address_of(kA), address_of(kB), 45565, i % 50);
    Buffer packet = before;
    BOOST_TEST(net.model.on_packet(kNow, kA, packet).copies == 1U);
    BOOST_TEST(different_bits(packet, before) == 1U);
    BOOST_TEST(same(Bytes(packet).first(20), Bytes(before).first(20)));
  }
  BOOST_TEST(net.model.counters(kA, kB).corrupted == 2000U);
}

BOOST_AUTO_TEST_CASE(tampering_flips_one_bit_of_the_payload_and_the_checksum_holds) {
  Net net;
  net.tell("set a->b tamper=100");
  for (std::uint16_t i = 0; i < 2000; ++i) {
    const Buffer before = udp(address_of(kA), address_of(kB), 45565, 1 + i % 50);
    Buffer packet = before;
    BOOST_TEST(net.model.on_packet(kNow, kA, packet).copies == 1U);
    BOOST_TEST(different_bits(Bytes(packet).subspan(28), Bytes(before).subspan(28)) == 1U);
    BOOST_TEST(same(Bytes(packet).first(26), Bytes(before).first(26)), "all but the checksum");
    BOOST_TEST(udp_sum(packet) == 0xffffU);
  }
  BOOST_TEST(net.model.counters(kA, kB).tampered == 2000U);
  Buffer empty = udp(address_of(kA), address_of(kB), 45565, 0);
  net.model.on_packet(kNow, kA, empty);
  BOOST_TEST(net.model.counters(kA, kB).tampered == 2000U, "there is nothing to tamper with");
}

BOOST_AUTO_TEST_CASE(mtu_hole) {
  Net net;
  net.tell("set a->b mtu=1300");
  BOOST_TEST(net.carry(kA, kB, 45565, 1300 - 28).copies == 1U);
  BOOST_TEST((net.carry(kA, kB, 45565, 1300 - 27).drop == Drop::mtu));
  BOOST_TEST(net.carry(kB, kA, 45565, 1400).copies == 1U);
  net.tell("set a->b mtu=off");
  BOOST_TEST(net.carry(kA, kB, 45565, 1400).copies == 1U);
}

BOOST_AUTO_TEST_CASE(rate) {
  Net net;
  net.tell("set a->b rate=1mbit");  // 128 bytes take 1.024 ms
  const Duration each = microseconds(1024);
  for (int i = 1; i <= 195; ++i) BOOST_TEST((net.carry(kA, kB).at[0] == kNow + i * each));
  BOOST_TEST((net.carry(kA, kB).drop == Drop::rate), "200 ms are waited at most");
  const Verdict later =
      net.carry(kA, udp(address_of(kA), address_of(kB)), kNow + milliseconds(500));
  BOOST_TEST((later.at[0] == kNow + milliseconds(500) + each));
}

BOOST_AUTO_TEST_CASE(rules_are_directed_and_the_last_decides) {
  Net net;
  net.tell("deny a->b udp 45565");
  BOOST_TEST((net.carry(kA, kB).drop == Drop::rule));
  BOOST_TEST(net.arrives(kB, kA));
  BOOST_TEST(net.arrives(kA, kC));
  BOOST_TEST(net.arrives(kA, kB, 45566));
  net.tell("deny *");
  BOOST_TEST(!net.arrives(kB, kA));
  BOOST_TEST(net.arrives(kA, kWatcher), "'*' does not mean an observer");
  net.tell("allow b->a udp 45000-46000");
  BOOST_TEST(net.arrives(kB, kA));
  BOOST_TEST(!net.arrives(kB, kA, 80));
  net.tell("deny a->watcher");
  BOOST_TEST(!net.arrives(kA, kWatcher));
  net.tell("allow *");
  BOOST_TEST(net.arrives(kA, kB));
  BOOST_TEST(!net.arrives(kA, kWatcher));
  net.tell("allow a->watcher");
  BOOST_TEST(net.arrives(kA, kWatcher));
}

BOOST_AUTO_TEST_CASE(rules_are_bounded) {
  Net net;
  for (std::size_t i = 0; i < Model::kMaxRules; ++i) {
    BOOST_TEST(net.tell("deny a->b udp " + std::to_string(i + 1)) == "");
  }
  BOOST_TEST(net.tell("deny a->b udp 9999") == "there are 256 rules already; 'allow *' ends all");
  BOOST_TEST(net.tell("deny a->b udp 1") == "", "replaces the one like it");
  BOOST_TEST(net.tell("allow *") == "");
  BOOST_TEST(net.arrives(kA, kB, 1));
}

BOOST_AUTO_TEST_CASE(later_fragments_have_no_port) {
  const Buffer payload(2000);
  const auto fragments =
      packet::compose({{address_of(kA), 1}, {address_of(kB), 45565}, payload}, {1500, 64, 1});
  BOOST_REQUIRE(fragments.size() == 2U);
  Net net;
  net.tell("deny a->b udp 45565");
  BOOST_TEST((net.carry(kA, fragments[0]).drop == Drop::rule));
  BOOST_TEST(net.carry(kA, fragments[1]).copies == 1U);
  net.tell("deny a->b udp");
  BOOST_TEST((net.carry(kA, fragments[1]).drop == Drop::rule));
}

BOOST_AUTO_TEST_CASE(partition_and_heal) {
  Net net;
  net.tell("partition a,b | c");
  BOOST_TEST(net.arrives(kA, kB));
  BOOST_TEST((net.carry(kA, kC).drop == Drop::partition));
  BOOST_TEST((net.carry(kC, kB).drop == Drop::partition));
  BOOST_TEST(net.arrives(kC, kWatcher), "no group names it");
  net.tell("partition a | b,c");
  BOOST_TEST(!net.arrives(kA, kB));
  BOOST_TEST(net.arrives(kC, kB));
  net.tell("heal");
  BOOST_TEST(net.arrives(kA, kB));
  BOOST_TEST(net.arrives(kC, kA));
}

BOOST_AUTO_TEST_CASE(clear) {
  Net net;
  net.tell("set * loss=100");
  net.tell("clear a->b");
  BOOST_TEST(net.arrives(kA, kB));
  BOOST_TEST(!net.arrives(kB, kA));
  BOOST_TEST(net.arrives(kA, kWatcher));
}

BOOST_AUTO_TEST_CASE(queue_keeps_order_and_bounds) {
  Queue queue;
  BOOST_TEST((queue.next() == kNever));
  BOOST_TEST(queue.push({kNow + seconds(2), kA, kB, {3}}));
  BOOST_TEST(queue.push({kNow + seconds(1), kA, kB, {1}}));
  BOOST_TEST(queue.push({kNow + seconds(1), kA, kB, {2}}));
  BOOST_TEST((queue.next() == kNow + seconds(1)));
  for (const int expected : {1, 2, 3}) BOOST_TEST(queue.pop().packet[0] == expected);
  while (queue.push({kNow, kA, kB, {}})) continue;
  BOOST_TEST(queue.size() == Queue::kMaxPackets);
  while (queue.size() > 0) queue.pop();
  std::size_t large = 0;
  while (queue.push({kNow, kA, kB, Buffer(65535)})) ++large;
  BOOST_TEST(large == Queue::kMaxBytes / 65535);
}

BOOST_AUTO_TEST_CASE(counters_as_json) {
  Net net;
  net.tell("set a->b loss=100");
  net.carry(kA, kB);
  net.carry(kA, udp(address_of(kA), *Address::parse("228.0.0.4")));
  net.model.count_delivered(kB, kA);
  const auto json = nlohmann::json::parse(counters_json(net.model, 7));
  BOOST_TEST(json["seed"] == kSeed);
  BOOST_TEST(json["delayed"] == 7);
  BOOST_TEST(json["hosts"]["a"]["dropped"]["multicast"] == 1);
  BOOST_TEST(json["pairs"]["a->b"]["dropped"]["loss"] == 1);
  BOOST_TEST(json["pairs"]["b->a"]["delivered"] == 1);
  BOOST_TEST(json["pairs"].size() == 12U);
}
