#include "daemon/interfaces.h"

#include <fmt/format.h>

#include <algorithm>

#include "io/clock.h"

namespace tribecast::daemon {
namespace {

// What could not be opened although the interface is up is tried again after this time.
constexpr Duration kRetry = seconds(1);

bool contains(const std::vector<control::Warning>& list, const control::Warning& warning) {
  return std::ranges::any_of(list, [&](const control::Warning& w) {
    return w.id == warning.id && w.text == warning.text;
  });
}

}  // namespace

Interfaces::Interfaces(io::Loop& loop, Handlers handlers, host::Membership membership)
    : loop_(loop),
      handlers_(std::move(handlers)),
      membership_(std::move(membership)),
      retry_(loop, [this] { update(); }) {}

io::OsResult<std::unique_ptr<Interfaces>> Interfaces::open(io::Loop& loop, Handlers handlers) {
  auto membership = host::Membership::open();
  if (!membership) return Unexpected{membership.error()};
  std::unique_ptr<Interfaces> self(
      new Interfaces(loop, std::move(handlers), std::move(*membership)));
  auto injector = host::Injector::open(self->membership_);
  if (!injector) return Unexpected{injector.error()};
  self->injector_ = std::make_unique<host::Injector>(std::move(*injector));
  auto monitor = host::LinkMonitor::open(
      loop, [raw = self.get()](const host::HostChange& change) { raw->on_change(change); });
  if (!monitor) return Unexpected{monitor.error()};
  self->monitor_ = std::move(*monitor);
  return self;
}

void Interfaces::configure(const std::vector<config::Group>& groups) {
  groups_ = groups;
  update();
}

void Interfaces::on_change(const host::HostChange& change) {
  // The kernel may have forgotten our memberships there: joined again before anything is injected.
  for (const int interface : change.touched) membership_.rejoin(interface);
  membership_.forget_snapshot();
  update();
  if (change.links) handlers_.on_addresses();
}

void Interfaces::update() {
  retry_.arm(kNever);
  before_ = std::exchange(problems_, {});
  interfaces_.clear();
  Wanted wanted;
  for (const config::Group& group : groups_) {
    interfaces_[group.name] = resolve(group);
    for (const int index : interfaces_[group.name]) {
      wanted[index].push_back({group.address, group.port});
    }
  }
  update_memberships();
  update_captures(wanted);
  for (const control::Warning& warning : problems_) {
    if (!contains(before_, warning)) handlers_.on_problem(warning);
  }
}

std::vector<int> Interfaces::resolve(const config::Group& group) {
  if (group.interfaces.empty()) return resolve_auto(group);
  std::vector<int> indexes;
  for (const std::string& name : group.interfaces) {
    const host::Interface* interface = monitor_->view().find(name);
    if (interface == nullptr) {
      problem("interface_missing",
              fmt::format("group {}: interface {} is not there", group.name, name));
    } else if (!interface->up) {
      problem("interface_down", fmt::format("group {}: interface {} is down", group.name, name));
    } else {
      indexes.push_back(interface->index);
    }
  }
  return indexes;
}

std::vector<int> Interfaces::resolve_auto(const config::Group& group) {
  const auto route = monitor_->route_interface(group.address);
  if (!route) {
    problem("no_multicast_route",
            fmt::format("group {}: no route leads to {}, so no application can join or send; "
                        "add a default route or: ip route add 224.0.0.0/4 dev INTERFACE",
                        group.name, group.address.to_string()));
    return {};
  }
  if (route->loopback) {
    problem("route_is_loopback",
            fmt::format("group {}: the route to {} leads to the loopback interface; "
                        "name another one with interface =",
                        group.name, group.address.to_string()));
  }
  return {route->index};
}

void Interfaces::update_memberships() {
  std::set<std::pair<Address, int>> wanted;
  for (const config::Group& group : groups_) {
    for (const int index : interfaces_[group.name]) wanted.emplace(group.address, index);
  }
  for (const auto& [address, index] : joined_) {
    if (!wanted.contains({address, index})) membership_.leave(address, index);
  }
  for (const auto& [address, index] : wanted) {
    const auto joined = membership_.join(address, index);
    if (joined) continue;
    problem("join_failed", joined.error().message());
    retry_.arm(io::now() + kRetry);
  }
  joined_ = std::move(wanted);
  membership_.forget_snapshot();
}

void Interfaces::update_captures(const Wanted& wanted) {
  for (auto entry = captures_.begin(); entry != captures_.end();) {
    if (wanted.contains(entry->first)) {
      ++entry;
      continue;
    }
    closed_drops_ += entry->second.handle->kernel_drops();
    entry = captures_.erase(entry);
  }
  for (const auto& [index, targets] : wanted) {
    const host::Interface* interface = monitor_->view().find(index);
    if (interface != nullptr && interface->up) capture_on(*interface, targets);
  }
}

void Interfaces::capture_on(const host::Interface& interface,
                            std::vector<host::CaptureTarget> targets) {
  std::ranges::sort(targets);
  Capture& capture = captures_[interface.index];
  const bool renamed = capture.handle && capture.handle->interface() != interface.name;
  if (!capture.handle || renamed) {
    if (renamed) closed_drops_ += capture.handle->kernel_drops();
    capture.handle = std::make_unique<host::PcapCapture>(
        loop_, interface.name,
        host::PcapCapture::Handlers{
            handlers_.on_frame, handlers_.on_drained,
            [this](const io::OsError&) { retry_.arm(io::now() + kRetry); }});
  }
  const bool reopen = !capture.handle->is_open() || interface.mtu_bytes > capture.mtu_bytes;
  if (!reopen && capture.targets == targets) return;
  const auto done = reopen ? capture.handle->open(interface.mtu_bytes, targets)
                           : capture.handle->set_targets(targets);
  if (!done) {
    problem("capture_failed", done.error().message());
    retry_.arm(io::now() + kRetry);
    return;
  }
  if (reopen) capture.mtu_bytes = interface.mtu_bytes;
  capture.targets = std::move(targets);
}

void Interfaces::problem(std::string id, std::string text) {
  problems_.push_back({std::move(id), std::move(text)});
}

std::vector<int> Interfaces::listeners(Instant now, const config::Group& group) {
  const auto found = interfaces_.find(group.name);
  if (found == interfaces_.end()) return {};
  std::vector<int> heard;
  for (const int index : found->second) {
    if (membership_.listeners(now, group.address, index) > 0) heard.push_back(index);
  }
  return heard;
}

host::InjectStatus Interfaces::inject(Instant now, const packet::Datagram& datagram,
                                      int interface) {
  const host::Interface* there = monitor_->view().find(interface);
  if (there == nullptr) return host::InjectStatus::unreachable;
  return injector_->inject(now, datagram, interface, there->mtu_bytes);
}

std::vector<Address> Interfaces::local_addresses() const {
  std::vector<Address> all;
  for (const host::Interface& interface : monitor_->view().interfaces) {
    all.insert(all.end(), interface.addresses.begin(), interface.addresses.end());
  }
  return all;
}

std::vector<std::string> Interfaces::names_of(const std::string& group) const {
  std::vector<std::string> names;
  const auto found = interfaces_.find(group);
  if (found == interfaces_.end()) return names;
  for (const int index : found->second) {
    if (const host::Interface* interface = monitor_->view().find(index)) {
      names.push_back(interface->name);
    }
  }
  return names;
}

std::uint64_t Interfaces::kernel_drops() {
  std::uint64_t drops = closed_drops_;
  for (auto& [index, capture] : captures_) drops += capture.handle->kernel_drops();
  return drops;
}

}  // namespace tribecast::daemon
