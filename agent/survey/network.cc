#include <ifaddrs.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "doctor/proc_text.h"
#include "host/igmp.h"
#include "io/fd.h"
#include "io/sockaddr.h"
#include "survey/survey.h"

namespace tribecast::survey {
namespace {

using doctor::Facts;
using doctor::Interface;

std::optional<Address> address_of(const sockaddr* raw) {
  if (raw == nullptr) return std::nullopt;
  if (raw->sa_family == AF_INET) {
    return io::from(reinterpret_cast<const sockaddr_in*>(raw)->sin_addr);
  }
  if (raw->sa_family == AF_INET6) {
    return io::from(reinterpret_cast<const sockaddr_in6*>(raw)->sin6_addr);
  }
  return std::nullopt;
}

std::optional<int> setting_of(const std::string& interface, const std::string& name) {
  const auto text = read_file("/proc/sys/net/ipv4/conf/" + interface + "/" + name);
  if (!text || text->empty() || text->front() < '0' || text->front() > '9') return std::nullopt;
  return text->front() - '0';
}

// The kernel uses the larger of the interface's and that of `all`.
std::optional<int> reverse_path_filter(const std::string& interface) {
  const auto own = setting_of(interface, "rp_filter");
  const auto all = setting_of("all", "rp_filter");
  if (!own || !all) return std::nullopt;
  return std::max(*own, *all);
}

void look_at_interfaces(Facts& facts) {
  ifaddrs* raw = nullptr;
  if (getifaddrs(&raw) != 0) return;
  const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> list(raw, &freeifaddrs);
  for (const ifaddrs* entry = raw; entry != nullptr; entry = entry->ifa_next) {
    auto at = std::ranges::find(facts.interfaces, entry->ifa_name, &Interface::name);
    if (at == facts.interfaces.end()) {
      Interface one;
      one.name = entry->ifa_name;
      one.index = static_cast<int>(if_nametoindex(entry->ifa_name));
      one.up = (entry->ifa_flags & IFF_UP) != 0;
      one.loopback = (entry->ifa_flags & IFF_LOOPBACK) != 0;
      one.multicast = (entry->ifa_flags & IFF_MULTICAST) != 0;
      one.reverse_path_filter = reverse_path_filter(one.name);
      facts.interfaces.push_back(std::move(one));
      at = facts.interfaces.end() - 1;
    }
    if (const auto address = address_of(entry->ifa_addr)) at->addresses.push_back(*address);
  }
}

std::vector<host::IgmpEntry> memberships() {
  const auto text = read_file("/proc/net/igmp");
  return text ? host::parse_igmp(*text) : std::vector<host::IgmpEntry>{};
}

std::uint32_t users_of(const std::vector<host::IgmpEntry>& entries, const Address& group,
                       int interface) {
  const auto at = std::ranges::find_if(entries, [&](const host::IgmpEntry& entry) {
    return entry.group == group && entry.interface == interface;
  });
  return at == entries.end() ? 0 : at->users;
}

// Asks the kernel as Java does: joins without naming an interface, and looks where that led.
std::optional<doctor::GroupRoute> route_of(const Facts& facts, const Address& group) {
  if (!group.is_v4()) return doctor::GroupRoute{};
  const io::Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ip_mreqn request{};
  request.imr_multiaddr = io::to_in_addr(group);
  const auto before = memberships();
  if (!socket ||
      setsockopt(socket.get(), IPPROTO_IP, IP_ADD_MEMBERSHIP, &request, sizeof request) != 0) {
    if (errno == ENODEV) return std::nullopt;
    return doctor::GroupRoute{};
  }
  const auto after = memberships();
  doctor::GroupRoute route;
  for (const Interface& interface : facts.interfaces) {
    if (users_of(after, group, interface.index) > users_of(before, group, interface.index)) {
      route.interface = interface.name;
    }
  }
  return route;
}

void look_at_group(const Facts& facts, doctor::GroupFacts& group) {
  group.route = route_of(facts, group.settings.address);
  if (facts.agent.status) {
    for (const control::Group& known : facts.agent.status->groups) {
      if (known.name == group.settings.name) group.interfaces = known.interfaces;
    }
  } else if (!group.settings.interfaces.empty()) {
    group.interfaces = group.settings.interfaces;
  } else if (group.route && !group.route->interface.empty()) {
    group.interfaces = {group.route->interface};
  }
}

// Those of the agent of this host are its own, one for each group and interface;
// look_at_processes() takes them off.
void look_at_memberships(Facts& facts) {
  if (!read_file("/proc/net/igmp")) return;
  facts.joined.emplace();
  for (const host::IgmpEntry& entry : memberships()) {
    const auto at = std::ranges::find(facts.interfaces, entry.interface, &Interface::index);
    if (at == facts.interfaces.end()) continue;
    facts.joined->push_back({at->name, entry.group, entry.users});
  }
}

doctor::Right right_to(int family, int type, int protocol) {
  const io::Fd socket(::socket(family, type | SOCK_CLOEXEC, protocol));
  if (socket) return doctor::Right::had;
  return errno == EPERM || errno == EACCES ? doctor::Right::denied : doctor::Right::absent;
}

}  // namespace

void look_at_network(Facts& facts) {
  look_at_interfaces(facts);
  for (doctor::GroupFacts& group : facts.groups) look_at_group(facts, group);
  look_at_memberships(facts);
  facts.packet_socket = right_to(AF_PACKET, SOCK_RAW, 0);
  facts.raw_socket = right_to(AF_INET, SOCK_RAW, IPPROTO_RAW);
  if (const auto text = read_file("/proc/sys/net/core/rmem_max")) {
    facts.receive_buffer_limit_bytes = std::strtoull(text->c_str(), nullptr, 10);
  }
}

}  // namespace tribecast::survey
