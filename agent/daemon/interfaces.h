// Which interface serves which group: resolves `interface = auto` by the kernel's route, keeps the
// capture handles and the agent's own memberships there, and follows every change of the host.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "config/config.h"
#include "control/status.h"
#include "host/injector.h"
#include "host/link_monitor.h"
#include "host/membership.h"
#include "host/pcap_capture.h"
#include "io/deadline_timer.h"

namespace tribecast::daemon {

class Interfaces {
 public:
  struct Handlers {
    std::function<void(const host::Frame&)> on_frame;
    std::function<void()> on_drained;    // after the frames of a wake-up
    std::function<void()> on_addresses;  // the host's own addresses may have changed
    std::function<void(const control::Warning&)> on_problem;  // new ones, for the log
  };

  // Opens everything that needs rights. The loop outlives this.
  static io::OsResult<std::unique_ptr<Interfaces>> open(io::Loop& loop, Handlers handlers);

  // Follows these groups from now on; what stays is not touched.
  void configure(const std::vector<config::Group>& groups);

  // Handles what happened to links and addresses so far: before every batch of injections, because
  // TTL 0 keeps a packet on the host only while our own membership stands.
  void catch_up() { monitor_->drain(); }
  // The group's interfaces where a local process has joined it.
  [[nodiscard]] std::vector<int> listeners(Instant now, const config::Group& group);
  host::InjectStatus inject(Instant now, const packet::Datagram& datagram, int interface);

  [[nodiscard]] std::vector<Address> local_addresses() const;
  [[nodiscard]] std::vector<std::string> names_of(const std::string& group) const;
  [[nodiscard]] const std::vector<control::Warning>& problems() const { return problems_; }
  // Frames the kernel dropped before they could be read.
  [[nodiscard]] std::uint64_t kernel_drops();

 private:
  using Wanted = std::map<int, std::vector<host::CaptureTarget>>;  // by interface

  Interfaces(io::Loop& loop, Handlers handlers, host::Membership membership);
  void on_change(const host::HostChange& change);
  void update();
  [[nodiscard]] std::vector<int> resolve(const config::Group& group);
  [[nodiscard]] std::vector<int> resolve_auto(const config::Group& group);
  void update_memberships();
  void update_captures(const Wanted& wanted);
  void capture_on(const host::Interface& interface, std::vector<host::CaptureTarget> targets);
  void problem(std::string id, std::string text);

  struct Capture {
    std::unique_ptr<host::PcapCapture> handle;
    std::vector<host::CaptureTarget> targets;
    std::uint32_t mtu_bytes = 0;
  };

  io::Loop& loop_;
  Handlers handlers_;
  host::Membership membership_;
  std::unique_ptr<host::Injector> injector_;
  std::unique_ptr<host::LinkMonitor> monitor_;
  io::DeadlineTimer retry_;
  std::vector<config::Group> groups_;
  std::map<std::string, std::vector<int>> interfaces_;  // by group
  std::set<std::pair<Address, int>> joined_;
  std::map<int, Capture> captures_;
  std::uint64_t closed_drops_ = 0;
  std::vector<control::Warning> problems_;
  std::vector<control::Warning> before_;
};

}  // namespace tribecast::daemon
