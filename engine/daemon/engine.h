// The engine: glues its channel to sockets, timers and the log. One thread, one loop.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "daemon/log.h"
#include "engine/channel/channel.h"
#include "engine/daemon/config.h"
#include "engine/daemon/control.h"
#include "engine/daemon/disk.h"
#include "engine/daemon/identity.h"
#include "engine/daemon/inbound.h"
#include "engine/daemon/multicast.h"
#include "engine/daemon/outbound.h"
#include "engine/keeper/keeper.h"
#include "io/deadline_timer.h"
#include "io/loop.h"
#include "io/sd_notify.h"

namespace tribecast::engine {

class Engine {
 public:
  // All must outlive it.
  Engine(io::Loop& loop, daemon::Log& log, keeper::Keeper& keeper);
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;
  ~Engine();

  // Opens what the configuration names: state directory, listener, group.
  io::OsResult<Done> open(const Config& config, const std::string& state_directory);
  // Loads what is kept on the disk; after the rights are given up, before start().
  // What is written is sealed with `ring`, if there is one.
  io::OsResult<Done> load(const Config& config, const std::string& state_directory,
                          const std::optional<seal::Keyring>& ring);
  // Begins to take part, and says that it is ready.
  void start();
  // Says goodbye; `when_done` is called once nothing waits to be sent, or after 200 ms.
  void stop(std::function<void()> when_done);

 private:
  io::OsResult<Address> announced(const Config& config) const;
  void make_channel(const Config& config, Address announce, channel::Stack stack);
  void act(channel::Actions actions);
  void report(const channel::MemberEvent& event);
  io::OsResult<Done> write_anew(const Disk::Loaded& loaded, const std::string& state_directory);
  void commit();
  void on_written(const std::string& why_not);
  [[nodiscard]] bool is_written() const;
  void report_drops();
  void listen_to_group();
  void check_group(Instant now);
  void report_notices();
  void send_to_group(const Buffer& datagram);
  void on_timer();
  void arm();

  io::Loop& loop_;
  daemon::Log& log_;
  keeper::Keeper& keeper_;
  io::ServiceNotifier notifier_;
  Identity identity_;
  std::function<io::OsResult<std::unique_ptr<Multicast>>()> open_group_;
  std::unique_ptr<Inbound> inbound_;
  std::unique_ptr<Multicast> multicast_;
  std::unique_ptr<Outbound> outbound_;
  std::unique_ptr<channel::Channel> channel_;
  std::unique_ptr<Control> control_;
  std::unique_ptr<Disk> disk_;  // null: nothing is kept
  Duration commit_interval_{};
  Instant next_commit_;
  bool disk_failed_ = false;
  io::DeadlineTimer timer_;
  Instant next_watchdog_ = kNever;
  Instant stop_by_ = kNever;
  std::function<void()> when_stopped_;
  Instant heard_;  // anything from the group
  bool group_failed_ = false;
  channel::Drops reported_drops_;
};

}  // namespace tribecast::engine
