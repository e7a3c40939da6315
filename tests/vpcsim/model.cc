#include "vpcsim/model.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace tribecast::vpcsim {
namespace {

constexpr std::size_t kUdpHeader = 8;
constexpr std::size_t kUdpChecksumAt = 6;
const Address kLimitedBroadcast = Address::v4(0xffffffff);

std::size_t header_size(Bytes packet) { return std::size_t{ByteReader(packet).u8() & 0xfU} * 4; }

// The destination port, where the packet has one: TCP or UDP, and no later fragment.
std::optional<std::uint16_t> destination_port(const packet::Ipv4Packet& ip) {
  const auto protocol = static_cast<Protocol>(ip.protocol);
  if (protocol != Protocol::udp && protocol != Protocol::tcp) return std::nullopt;
  if (ip.fragment_offset != 0) return std::nullopt;
  ByteReader in(ip.body);
  in.take(2);
  const std::uint16_t port = in.u16be();
  return in.ok() ? std::optional(port) : std::nullopt;
}

void flip(std::uint8_t& byte, std::uint64_t bit) {
  byte = static_cast<std::uint8_t>(byte ^ 1U << bit % 8);
}

// One bit behind the IP header; false when there is nothing.
bool corrupt(MutableBytes packet, std::size_t header, const Chance& chance) {
  const MutableBytes body = packet.subspan(header);
  if (body.empty()) return false;
  const std::uint64_t bit = chance.below(Question::which_bit, body.size() * 8);
  flip(body[bit / 8], bit);
  return true;
}

// The checksum after the byte at `place` became another (RFC 1624, equation 3).
std::uint16_t amended(std::uint16_t checksum, std::size_t place, std::uint8_t before,
                      std::uint8_t after) {
  const unsigned shift = place % 2 == 0 ? 8 : 0;
  const std::uint32_t old_word = std::uint32_t{before} << shift;
  const std::uint32_t new_word = std::uint32_t{after} << shift;
  std::uint32_t sum = (~std::uint32_t{checksum} & 0xffffU) + (~old_word & 0xffffU) + new_word;
  while (sum > 0xffffU) sum = (sum & 0xffffU) + (sum >> 16U);
  const auto result = static_cast<std::uint16_t>(~sum);
  return result == 0 ? std::uint16_t{0xffff} : result;
}

// One bit of the payload of a whole UDP datagram, so that its checksum still holds; false when this
// is none, or it is empty.
bool tamper(MutableBytes packet, const packet::Ipv4Packet& ip, std::size_t header,
            const Chance& chance) {
  if (static_cast<Protocol>(ip.protocol) != Protocol::udp || ip.is_fragment()) return false;
  const auto udp = packet::parse_udp(ip.source, ip.destination, ip.body);
  if (!udp || udp->payload.empty()) return false;
  const std::uint64_t bit = chance.below(Question::which_bit, udp->payload.size() * 8);
  const std::size_t place = kUdpHeader + bit / 8;
  const MutableBytes body = packet.subspan(header);
  const std::uint8_t before = body[place];
  flip(body[place], bit);
  const MutableBytes checksum = body.subspan(kUdpChecksumAt, 2);
  const std::uint16_t was = ByteReader(checksum).u16be();
  if (was != 0) SpanWriter(checksum).u16be(amended(was, place, before, body[place]));
  return true;
}

template <class T>
void take(T& value, const std::optional<T>& changed) {
  if (changed) value = *changed;
}

Impairment changed(Impairment impairment, const Change& change) {
  take(impairment.loss, change.loss);
  take(impairment.duplicate, change.duplicate);
  take(impairment.reorder, change.reorder);
  take(impairment.corrupt, change.corrupt);
  take(impairment.tamper, change.tamper);
  take(impairment.delay, change.delay);
  take(impairment.jitter, change.jitter);
  take(impairment.mtu_bytes, change.mtu_bytes);
  take(impairment.rate_bits, change.rate_bits);
  return impairment;
}

Duration latency(const Impairment& impairment, const Chance& chance, Question jitter) {
  const auto spread =
      static_cast<std::uint64_t>((impairment.jitter.most - impairment.jitter.least).count());
  const auto drawn = static_cast<Duration::rep>(chance.below(jitter, spread + 1));
  return impairment.delay + impairment.jitter.least + Duration(drawn);
}

// How long a packet takes at this rate.
Duration sending_time(std::size_t bytes, std::uint64_t rate_bits) {
  return Duration(static_cast<Duration::rep>(bytes * 8 * std::uint64_t{1'000'000'000} / rate_bits));
}

}  // namespace

Model::Model(std::vector<Host> hosts, std::uint64_t seed)
    : hosts_(std::move(hosts)),
      seed_(seed),
      pairs_(hosts_.size() * hosts_.size()),
      dropped_(hosts_.size()),
      side_(hosts_.size()) {
  TC_CHECK(hosts_.size() <= kMaxHosts);
  for (HostId id = 0; id < hosts_.size(); ++id) {
    for (const Prefix& prefix : hosts_[id].addresses) {
      TC_CHECK(by_address_.emplace(prefix.address, id).second);
    }
  }
}

Verdict Model::on_packet(Instant now, HostId from, MutableBytes packet) {
  Verdict out;
  const auto ip = packet::parse_frame(packet::LinkType::raw_ip, packet);
  if (!ip) {
    const bool other_version = !packet.empty() && packet[0] >> 4U != 4;
    out.drop = other_version ? Drop::not_ipv4 : Drop::malformed;
  } else {
    out.drop = unroutable(from, *ip);
  }
  if (out.drop) {
    dropped_[from].add(*out.drop);
    return out;
  }

  out.to = by_address_.at(ip->destination);
  Pair& way = pair(from, out.to);
  const Chance chance(seed_, from * kMaxHosts + out.to, way.counters.received++);
  const Impairment& impairment = way.impairment;
  if (parted(from, out.to)) {
    out.drop = Drop::partition;
  } else if (denied(from, out.to, *ip)) {
    out.drop = Drop::rule;
  } else if (impairment.mtu_bytes != 0 && packet.size() > impairment.mtu_bytes) {
    out.drop = Drop::mtu;
  } else if (chance.hits(Question::lost, impairment.loss)) {
    out.drop = Drop::loss;
  } else {
    schedule(now, packet.size(), chance, way, out);
  }
  if (out.drop) {
    way.counters.dropped.add(*out.drop);
    return out;
  }

  const std::size_t header = header_size(packet);
  if (chance.hits(Question::tampered, impairment.tamper) && tamper(packet, *ip, header, chance)) {
    ++way.counters.tampered;
  } else if (chance.hits(Question::corrupted, impairment.corrupt) &&
             corrupt(packet, header, chance)) {
    ++way.counters.corrupted;
  }
  return out;
}

void Model::schedule(Instant now, std::size_t bytes, const Chance& chance, Pair& pair,
                     Verdict& out) {
  const Impairment& impairment = pair.impairment;
  Instant leaves = now;
  if (impairment.rate_bits != 0) {
    leaves = std::max(now, pair.busy_until) + sending_time(bytes, impairment.rate_bits);
    if (leaves - now > kLongestRateQueue) {
      out.drop = Drop::rate;
      return;
    }
    pair.busy_until = leaves;
  }
  const bool overtakes = chance.hits(Question::overtakes, impairment.reorder);
  if (overtakes) ++pair.counters.reordered;
  out.at[out.copies++] =
      overtakes ? leaves : leaves + latency(impairment, chance, Question::jitter);
  if (!chance.hits(Question::twice, impairment.duplicate)) return;
  ++pair.counters.duplicated;
  out.at[out.copies++] = leaves + latency(impairment, chance, Question::second_jitter);
}

std::optional<Drop> Model::unroutable(HostId from, const packet::Ipv4Packet& ip) const {
  if (ip.destination.is_multicast()) return Drop::multicast;
  if (is_broadcast(ip.destination)) return Drop::broadcast;
  const auto source = by_address_.find(ip.source);
  if (source == by_address_.end() || source->second != from) return Drop::spoofed;
  const auto destination = by_address_.find(ip.destination);
  if (destination == by_address_.end()) return Drop::unknown_destination;
  return std::nullopt;
}

// The limited broadcast, and the last address of a subnet that a host is in.
bool Model::is_broadcast(const Address& destination) const {
  if (destination == kLimitedBroadcast) return true;
  if (by_address_.contains(destination)) return false;
  const auto ends_subnet = [&](const Prefix& prefix) {
    const std::uint32_t host_bits = prefix.bits == 0 ? 0xffffffffU : (1U << (32 - prefix.bits)) - 1;
    return prefix.bits < 31 && prefix.contains(destination) &&
           (destination.v4_host_order() & host_bits) == host_bits;
  };
  return std::ranges::any_of(
      hosts_, [&](const Host& host) { return std::ranges::any_of(host.addresses, ends_subnet); });
}

// A host that no group names reaches all.
bool Model::parted(HostId from, HostId to) const {
  return side_[from] && side_[to] && side_[from] != side_[to];
}

bool Model::denied(HostId from, HostId to, const packet::Ipv4Packet& ip) const {
  if (rules_.empty()) return false;
  const auto port = destination_port(ip);
  const auto matches = [&](const Rule& rule) {
    if (!covers(rule.pairs, from, to)) return false;
    const auto protocol = static_cast<Protocol>(ip.protocol);
    if (rule.protocol != Protocol::any && rule.protocol != protocol) return false;
    return rule.any_port() || (port && *port >= rule.first_port && *port <= rule.last_port);
  };
  const auto last = std::find_if(rules_.rbegin(), rules_.rend(), matches);
  return last != rules_.rend() && !last->allow;
}

bool Model::covers(const Pairs& pairs, HostId from, HostId to) const {
  const auto is = [&](const std::optional<HostId>& pattern, HostId host) {
    return pattern ? *pattern == host : !hosts_[host].observer;
  };
  return (is(pairs.from, from) && is(pairs.to, to)) ||
         (pairs.both_ways && is(pairs.from, to) && is(pairs.to, from));
}

// Does `wide` decide about all that `narrow` does?
bool Model::covers(const Rule& wide, const Rule& narrow) const {
  if (wide.protocol != Protocol::any && wide.protocol != narrow.protocol) return false;
  if (wide.first_port > narrow.first_port || wide.last_port < narrow.last_port) return false;
  for (HostId from = 0; from < hosts_.size(); ++from) {
    for (HostId to = 0; to < hosts_.size(); ++to) {
      if (covers(narrow.pairs, from, to) && !covers(wide.pairs, from, to)) return false;
    }
  }
  return true;
}

Result<Done, std::string> Model::apply(const Set& set) {
  std::vector<std::pair<Impairment*, Impairment>> changes;
  for (HostId from = 0; from < hosts_.size(); ++from) {
    for (HostId to = 0; to < hosts_.size(); ++to) {
      if (!covers(set.pairs, from, to)) continue;
      Impairment& now = pair(from, to).impairment;
      changes.emplace_back(&now, changed(now, set.change));
      const Impairment& next = changes.back().second;
      const bool waits = next.delay > Duration::zero() || next.jitter.most > Duration::zero();
      if (next.reorder.ppm != 0 && !waits) {
        return Unexpected{
            std::string("reorder needs a delay or jitter: reordered packets skip it")};
      }
    }
  }
  for (auto& [now, next] : changes) *now = next;
  return Done{};
}

void Model::apply(const Clear& clear) {
  for (HostId from = 0; from < hosts_.size(); ++from) {
    for (HostId to = 0; to < hosts_.size(); ++to) {
      if (covers(clear.pairs, from, to)) pair(from, to).impairment = {};
    }
  }
}

Result<Done, std::string> Model::apply(const Rule& rule) {
  std::vector<Rule> rules = rules_;
  std::erase_if(rules, [&](const Rule& old) { return covers(rule, old); });
  rules.push_back(rule);
  const bool nothing_denied = std::ranges::all_of(rules, &Rule::allow);
  if (nothing_denied) rules.clear();
  if (rules.size() > kMaxRules) {
    return Unexpected{"there are " + std::to_string(kMaxRules) +
                      " rules already; 'allow *' ends all"};
  }
  rules_ = std::move(rules);
  return Done{};
}

void Model::apply(const Partition& partition) {
  side_.assign(hosts_.size(), std::nullopt);
  for (std::size_t group = 0; group < partition.groups.size(); ++group) {
    for (const HostId host : partition.groups[group]) side_[host] = group;
  }
}

void Model::apply(const Heal&) { side_.assign(hosts_.size(), std::nullopt); }

}  // namespace tribecast::vpcsim
