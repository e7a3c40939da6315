// The agent: one thread that feeds what the edges see to the relay core and carries out what the
// core decides. Everything that travels passes through act().
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "config/config.h"
#include "config/keyring_file.h"
#include "config/roster.h"
#include "control/reply.h"
#include "control/request.h"
#include "daemon/bench.h"
#include "daemon/capture_tap.h"
#include "daemon/discovery.h"
#include "daemon/events.h"
#include "daemon/interfaces.h"
#include "daemon/log.h"
#include "daemon/member_watch.h"
#include "daemon/trial.h"
#include "daemon/view_maker.h"
#include "host/syscall_filter.h"
#include "io/control_server.h"
#include "io/deadline_timer.h"
#include "io/name_table.h"
#include "io/sd_notify.h"
#include "io/udp_socket.h"
#include "relay/core.h"

namespace tribecast::daemon {

class Agent {
 public:
  Agent(io::Loop& loop, Log& log, std::string config_path);

  // Opens what needs rights: capture, injection, netlink, the transport's sockets, the control
  // socket. The configuration and the keys are good.
  io::OsResult<Done> open(const config::Config& config, config::KeyFiles keys);
  // From now on everything runs; says ready.
  void start();
  // From then on the system calls are filtered (host/syscall_filter.h). Without a source that is a
  // program none can be started, and none be added by a reload.
  void forbid_calls(host::OnForbidden on_forbidden);

  // Reads the files again and applies what differs. With a trial time it goes back by itself when
  // that is over, unless confirm() comes before. What is said, errors too, is text for people.
  Result<std::string, control::Failure> reload(std::optional<Duration> trial = std::nullopt);
  Result<std::string, control::Failure> confirm();
  // Back to what was in force before the last reload.
  Result<std::string, control::Failure> undo();
  // Tells every peer; nothing runs after it but what is already on its way.
  void say_goodbye();
  [[nodiscard]] control::Status status();

 private:
  using Sockets = std::vector<std::unique_ptr<io::UdpSocket>>;
  struct Fresh {
    InForce in_force;
    config::Diagnostics warnings;
  };
  struct Ping {
    std::string peer;
    relay::Stamp sent = 0;
    Instant deadline;
    io::ControlServer::Reply reply;
  };

  io::OsResult<Done> open_control(const config::Control& control);
  io::OsResult<Sockets> open_sockets(const std::vector<Endpoint>& listen);
  void start_socket(io::UdpSocket& socket);
  void apply(const config::Config& config);

  // Peers (peers.cc).
  void open_discovery();
  void use_peers();
  void merge_peers();
  void merge_again();
  void apply_names();
  [[nodiscard]] std::vector<Endpoint> endpoints_of(const config::PeerAddress& address) const;
  void set_endpoints(const config::Peer& peer);
  void on_resolved(const std::string& name);
  [[nodiscard]] std::string too_many_peers() const;
  void show_discovery(control::Status& status) const;

  // Reload (reload.cc).
  [[nodiscard]] std::string config_file() const;
  Result<std::string, control::Failure> change(const control::Request& request);
  Result<Fresh, control::Failure> read_files();
  io::OsResult<Done> switch_to(const InForce& next);
  Result<std::string, control::Failure> go_back(const std::string& why);
  void end_trial();

  // The way out and the way in.
  void on_frame(const host::Frame& frame);
  void on_datagram(const io::UdpSocket::Received& received);
  void on_timer();
  void open_member_watch();
  void prepare_injections(Instant now);
  void act(Instant now);
  [[nodiscard]] io::UdpSocket* socket_for(const relay::Path& path);
  void send(const relay::Send& send);
  void inject(Instant now, const relay::Inject& injection);
  void log_event(const relay::Event& event);
  // A line in the log, and an event for those who ask.
  void note(Severity severity, std::string_view id, const std::string& subject,
            const std::string& text);

  // Control.
  void on_request(const std::string& line, const io::Caller& caller,
                  io::ControlServer::Reply reply);
  void send_events(const std::string& after, io::ControlServer::Reply reply);
  void send_capture(const std::string& after, io::ControlServer::Reply reply);
  void show(Instant now, std::vector<relay::Observation>&& observations);
  void on_tap_timer();
  void start_bench(const std::string& argument, io::ControlServer::Reply reply);
  void on_bench_timer();
  // Roll calls (agent_views.cc).
  void make_view();
  void on_view_made(std::vector<control::PortTry> ports);
  void start_roll_call(io::ControlServer::Reply reply);
  void finish_roll_call();
  void start_ping(const std::string& peer, io::ControlServer::Reply reply);
  void finish_ping(const relay::Answer& answer);
  void expire_pings();
  [[nodiscard]] std::vector<control::Warning> warnings() const;
  void notify_soon(Instant now);
  void notify_status();
  void arm_watchdog();

  io::Loop& loop_;
  Log& log_;
  std::string config_path_;
  config::Config config_;
  config::KeyFiles keys_;
  Instant started_;
  Trial trial_;
  bool may_start_programs_ = true;
  Events events_;
  CaptureTap tap_;
  Bench bench_;

  relay::Core core_;
  relay::Actions actions_;  // what the core has asked for and act() has not done yet
  io::DeadlineTimer timer_;
  io::DeadlineTimer ping_timer_;
  io::DeadlineTimer watchdog_timer_;
  io::DeadlineTimer notify_timer_;
  io::DeadlineTimer trial_timer_;
  io::DeadlineTimer event_timer_;
  io::DeadlineTimer tidy_timer_;
  io::DeadlineTimer merge_timer_;
  io::DeadlineTimer tap_timer_;
  io::DeadlineTimer bench_timer_;
  io::ServiceNotifier notifier_;
  std::unique_ptr<Interfaces> interfaces_;
  std::unique_ptr<MemberWatch> member_watch_;
  Sockets sockets_;
  std::unique_ptr<io::NameTable> names_;
  std::set<std::string> used_names_;
  std::unique_ptr<Discovery> discovery_;
  config::Roster roster_;  // all peers that are used
  std::unique_ptr<io::ControlServer> control_;
  std::vector<Ping> pings_;
  ViewMaker view_maker_;
  std::vector<io::ControlServer::Reply> roll_callers_;     // who wait for the one that goes on
  std::optional<std::vector<relay::PeerView>> roll_call_;  // what the peers answered
  Instant prepared_at_ = Instant::min();
  Instant listeners_at_ = Instant::min();
  std::set<std::string> several_interfaces_;  // groups that were told about
};

}  // namespace tribecast::daemon
