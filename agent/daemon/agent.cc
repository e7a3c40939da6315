#include "daemon/agent.h"

#include <fmt/format.h>
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "config/values.h"
#include "control/json.h"
#include "control/request.h"
#include "daemon/state_path.h"
#include "daemon/translate.h"
#include "host/accounts.h"
#include "io/clock.h"
#include "seal/keyring.h"

namespace tribecast::daemon {
namespace {

constexpr Duration kPingTime = seconds(1);
// The service manager hears about changes at most so often: to count everybody takes long where
// thousands of members come at once.
constexpr Duration kNotifyInterval = seconds(1);
// A status of thousands of members takes megabytes for a moment; given back after this time.
constexpr Duration kTidyDelay = seconds(1);

struct EventLine {
  relay::EventKind kind;
  Severity severity;
  std::string_view id;
};

// Log ids are stable; the order is that of relay::EventKind.
constexpr std::array kEventLines = {
    EventLine{relay::EventKind::peer_up, Severity::notice, "peer_up"},
    EventLine{relay::EventKind::peer_silent, Severity::warning, "peer_silent"},
    EventLine{relay::EventKind::peer_stopped, Severity::notice, "peer_stopped"},
    EventLine{relay::EventKind::peer_restarted, Severity::notice, "peer_restarted"},
    EventLine{relay::EventKind::peer_key_rejected, Severity::warning, "peer_key_rejected"},
    EventLine{relay::EventKind::peer_is_self, Severity::info, "peer_is_self"},
    EventLine{relay::EventKind::unconfigured_peer, Severity::warning, "unconfigured_peer"},
    EventLine{relay::EventKind::member_refused, Severity::warning, "member_refused"},
    EventLine{relay::EventKind::member_joined, Severity::info, "member_joined"},
    EventLine{relay::EventKind::member_left, Severity::info, "member_left"},
    EventLine{relay::EventKind::member_lost, Severity::notice, "member_lost"},
    EventLine{relay::EventKind::member_dead, Severity::notice, "member_dead"},
    EventLine{relay::EventKind::member_replaced, Severity::notice, "member_replaced"},
    EventLine{relay::EventKind::peer_away, Severity::warning, "peer_away"},
};

}  // namespace

Agent::Agent(io::Loop& loop, Log& log, std::string config_path)
    : loop_(loop),
      log_(log),
      config_path_(std::move(config_path)),
      started_(io::now()),
      core_(seal::system_random()),
      timer_(loop, [this] { on_timer(); }),
      ping_timer_(loop, [this] { expire_pings(); }),
      watchdog_timer_(loop, [this] { arm_watchdog(); }),
      notify_timer_(loop, [this] { notify_status(); }),
      trial_timer_(loop, [this] { end_trial(); }),
      event_timer_(loop, [this] { events_.answer(); }),
      tidy_timer_(loop, [] { malloc_trim(0); }),
      merge_timer_(loop, [this] { merge_again(); }),
      tap_timer_(loop, [this] { on_tap_timer(); }),
      bench_timer_(loop, [this] { on_bench_timer(); }),
      view_maker_(loop) {}

// --- start, reload, stop -------------------------------------------------------------------------

io::OsResult<Done> Agent::open(const config::Config& config, config::KeyFiles keys) {
  config_ = config;
  keys_ = std::move(keys);
  names_ = std::make_unique<io::NameTable>(
      loop_, seal::system_random(),
      [this](const std::string& name, const std::vector<Address>&) { on_resolved(name); });
  auto sockets = open_sockets(config.relay.listen);
  if (!sockets) return Unexpected{sockets.error()};
  sockets_ = std::move(*sockets);

  Interfaces::Handlers handlers;
  handlers.on_frame = [this](const host::Frame& frame) { on_frame(frame); };
  handlers.on_drained = [this] { act(io::now()); };
  handlers.on_addresses = [this] {
    core_.set_local_addresses(interfaces_->local_addresses());
    act(io::now());
  };
  handlers.on_problem = [this](const control::Warning& problem) {
    note(Severity::warning, problem.id, "", problem.text);
  };
  auto interfaces = Interfaces::open(loop_, std::move(handlers));
  if (!interfaces) return Unexpected{interfaces.error()};
  interfaces_ = std::move(*interfaces);
  interfaces_->configure(config.groups);
  auto control = open_control(config.control);
  if (control) open_member_watch();
  if (control) open_discovery();
  return control;
}

void Agent::open_member_watch() {
  MemberWatch::Handlers handlers;
  handlers.on_gone = [this](const Endpoint& listener) {
    const Instant now = io::now();
    prepare_injections(now);
    core_.on_listener_gone(now, listener, actions_);
    act(now);
  };
  handlers.on_knock = [this](std::uint64_t token, relay::KnockResult result) {
    const Instant now = io::now();
    prepare_injections(now);
    core_.on_knock(now, token, result, actions_);
    act(now);
  };
  handlers.on_watched = [this] { member_watch_->remember(core_.local_members()); };
  member_watch_ = std::make_unique<MemberWatch>(loop_, log_, std::move(handlers),
                                                state_path(config_.control.socket, "members"));
}

io::OsResult<Done> Agent::open_control(const config::Control& control) {
  std::error_code ignored;  // the server's own error is the better one
  std::filesystem::create_directories(std::filesystem::path(control.socket).parent_path(), ignored);
  const auto group = host::find_group(control.group);
  auto server = io::ControlServer::open(
      loop_, {control.socket, std::nullopt, geteuid() == 0 ? group : std::nullopt},
      [this](const std::string& line, const io::Caller& caller, io::ControlServer::Reply reply) {
        on_request(line, caller, std::move(reply));
      });
  if (!server) return Unexpected{server.error()};
  control_ = std::move(*server);
  if (control_->not_given()) {
    note(
        Severity::warning, "control_private", "",
        fmt::format("{}: only this process's own user can ask the agent, not the group {}; give it "
                    "CAP_CHOWN, or run it as a user of that group",
                    control_->not_given()->message(), control.group));
  }
  return Done{};
}

io::OsResult<Agent::Sockets> Agent::open_sockets(const std::vector<Endpoint>& listen) {
  Sockets sockets;
  for (const Endpoint& endpoint : listen) {
    auto socket = io::UdpSocket::open(loop_, endpoint);
    if (!socket) return Unexpected{socket.error()};
    sockets.push_back(std::move(*socket));
  }
  return sockets;
}

void Agent::start_socket(io::UdpSocket& socket) {
  socket.start([this](const io::UdpSocket::Received& received) { on_datagram(received); },
               [this] { act(io::now()); });
}

void Agent::start() {
  core_.set_local_addresses(interfaces_->local_addresses());
  discovery_->configure(config_);
  apply(config_);
  core_.restore(io::now(), member_watch_->recall(), actions_);
  act(io::now());
  for (const auto& socket : sockets_) start_socket(*socket);
  events_.set_instance(fmt::format("{:016x}", core_.report(io::now()).instance));
  note(Severity::notice, "ready", "",
       fmt::format("ready: {} peers, {} groups, listening on {}", roster_.peers.size(),
                   config_.groups.size(), sockets_.front()->local().to_string()));
  notifier_.ready();
  notify_status();
  arm_watchdog();
}

void Agent::forbid_calls(host::OnForbidden on_forbidden) {
  const bool starts_programs = needs_programs(config_);
  const auto filtered = host::filter_syscalls(on_forbidden, starts_programs);
  if (!filtered) note(Severity::warning, "no_syscall_filter", "", filtered.error().message());
  may_start_programs_ = starts_programs || !filtered || !*filtered;
}

void Agent::apply(const config::Config& config) {
  config_ = config;
  listeners_at_ = Instant::min();
  use_peers();
}

void Agent::say_goodbye() {
  notifier_.stopping();
  const Instant now = io::now();
  core_.say_goodbye(now, actions_);
  act(now);
  log_.write(Severity::notice, "stopped", "said goodbye to the peers");
}

// --- out and in ----------------------------------------------------------------------------------

void Agent::on_frame(const host::Frame& frame) {
  core_.on_frame(io::now(), {frame.captured, frame.link, frame.bytes, frame.truncated}, actions_);
}

void Agent::on_datagram(const io::UdpSocket::Received& received) {
  prepare_injections(received.now);
  core_.on_datagram(received.now, {received.remote, received.local}, received.datagram, actions_);
  act(received.now);
}

void Agent::on_timer() {
  const Instant now = io::now();
  core_.set_wall_clock(io::wall_clock() - now.time_since_epoch());
  prepare_injections(now);
  core_.on_timer(now, actions_);
  act(now);
}

// What the host has become, and who listens: known before the core decides about an injection.
void Agent::prepare_injections(Instant now) {
  if (now == prepared_at_) return;  // one wake-up, one look
  prepared_at_ = now;
  interfaces_->catch_up();
  if (listeners_at_ != Instant::min() && now - listeners_at_ < host::Membership::kSnapshotAge) {
    return;
  }
  listeners_at_ = now;
  for (const config::Group& group : config_.groups) {
    auto interfaces = interfaces_->listeners(now, group);
    if (interfaces.size() > 1 && several_interfaces_.insert(group.name).second) {
      log_.write(Severity::notice, "several_interfaces",
                 fmt::format("group {}: applications have joined on several interfaces; one that "
                             "joined on a single one without IP_MULTICAST_ALL=0 (Java sets it) "
                             "gets each datagram once an interface",
                             group.name));
    }
    core_.set_listeners(group.name, std::move(interfaces));
  }
}

void Agent::act(Instant now) {
  relay::Actions actions = std::exchange(actions_, {});
  for (const relay::Send& datagram : actions.sends) send(datagram);
  for (const relay::Inject& injection : actions.injects) inject(now, injection);
  for (const relay::Event& event : actions.events) log_event(event);
  for (const relay::Answer& answer : actions.answers) finish_ping(answer);
  for (const Endpoint& listener : actions.watches) member_watch_->watch(listener);
  for (const relay::Knock& knock : actions.knocks) member_watch_->knock(knock);
  if (actions.view_wanted) make_view();
  if (actions.roll_call) {
    roll_call_ = std::move(actions.roll_call);
    finish_roll_call();
  }
  if (actions.remember) member_watch_->remember(core_.local_members());
  if (!actions.observations.empty()) show(now, std::move(actions.observations));
  if (!actions.events.empty()) notify_soon(now);
  timer_.arm(core_.next_deadline());
}

// The socket of the path's family, bound to its local address where several are.
io::UdpSocket* Agent::socket_for(const relay::Path& path) {
  io::UdpSocket* of_family = nullptr;
  for (const auto& socket : sockets_) {
    const Address& bound = socket->local().address;
    if (bound.is_v4() != path.remote.address.is_v4()) continue;
    if (path.local.is_unspecified() || bound.is_unspecified() || bound == path.local) {
      return socket.get();
    }
    of_family = socket.get();
  }
  return of_family;
}

// Neighbours that share a socket, nearly always all, are sent by few system calls.
void Agent::send(const relay::Send& send) {
  std::span<const relay::Path> rest(send.to);
  while (!rest.empty()) {
    io::UdpSocket* socket = socket_for(rest.front());
    const auto other =
        std::ranges::find_if(rest, [&](const relay::Path& p) { return socket_for(p) != socket; });
    const auto paths = rest.first(static_cast<std::size_t>(other - rest.begin()));
    rest = rest.subspan(paths.size());
    if (socket == nullptr) continue;  // shown as a silent peer
    socket->send_to_all(send.datagram, paths, [&](const relay::Path&, io::SendStatus status) {
      if (status == io::SendStatus::too_large && !send.may_be_too_large) {
        core_.count_drop(Reason::too_large, 1);
      }
      if (status == io::SendStatus::would_block || status == io::SendStatus::no_buffers) {
        core_.count_drop(Reason::kernel_drop, 1);
      }
    });
  }
}

void Agent::inject(Instant now, const relay::Inject& injection) {
  if (io::now() > injection.expires) return core_.count_drop(Reason::stale, 1);
  const packet::Datagram datagram{injection.source, injection.group, injection.payload};
  for (const int interface : injection.interfaces) {
    switch (interfaces_->inject(now, datagram, interface)) {
      case host::InjectStatus::injected:
        break;
      case host::InjectStatus::no_buffers:
        core_.count_drop(Reason::kernel_drop, 1);
        break;
      case host::InjectStatus::too_large:
        core_.count_drop(Reason::too_large, 1);
        break;
      case host::InjectStatus::not_member:
      case host::InjectStatus::unreachable:
      case host::InjectStatus::failed:
        core_.count_drop(Reason::no_listener, 1);
        break;
    }
  }
}

void Agent::log_event(const relay::Event& event) {
  const auto line = std::ranges::find(kEventLines, event.kind, &EventLine::kind);
  if (line == kEventLines.end()) return;
  note(line->severity, line->id, event.subject, event.text);
}

// Those who wait are answered once a wake-up, however much happened.
void Agent::note(Severity severity, std::string_view id, const std::string& subject,
                 const std::string& text) {
  log_.write(severity, id, subject.empty() ? text : subject + " " + text);
  events_.add({0, control::rfc3339(std::chrono::system_clock::now()),
               std::string(name_of(severity)), std::string(id), subject, text});
  if (events_.anybody_waits()) event_timer_.arm(io::now());
}

// --- control -------------------------------------------------------------------------------------

void Agent::on_request(const std::string& line, const io::Caller& caller,
                       io::ControlServer::Reply reply) {
  const auto request = control::parse_request(line);
  if (!request) return reply(control::error_reply(control::Exit::usage, request.error()));
  switch (request->verb) {
    case control::Verb::status:
      reply(control::status_reply(status()));
      if (tidy_timer_.deadline() == kNever) tidy_timer_.arm(io::now() + kTidyDelay);
      return;
    case control::Verb::config_show:
      return reply(control::config_reply({config::to_text(config_), config_file()}));
    case control::Verb::events:
      return send_events(request->argument, std::move(reply));
    case control::Verb::ping:
      return start_ping(request->argument, std::move(reply));
    case control::Verb::roll_call:
      return start_roll_call(std::move(reply));
    case control::Verb::reload:
    case control::Verb::confirm:
    case control::Verb::undo:
    case control::Verb::capture:
    case control::Verb::bench:
      break;
  }
  if (caller.uid != 0 && caller.uid != geteuid()) {
    return reply(control::error_reply(control::Exit::no_permission,
                                      "only root and the agent's own user may change anything, or "
                                      "see what is relayed, or load a peer"));
  }
  if (request->verb == control::Verb::capture) {
    return send_capture(request->argument, std::move(reply));
  }
  if (request->verb == control::Verb::bench) {
    return start_bench(request->argument, std::move(reply));
  }
  const auto done = change(*request);
  reply(done ? control::text_reply(*done)
             : control::error_reply(done.error().code, done.error().error));
}

void Agent::send_events(const std::string& after, io::ControlServer::Reply reply) {
  if (after.empty()) return events_.ask(std::nullopt, std::move(reply));
  const auto sequence = config::to_number(after);
  if (!sequence) return reply(control::error_reply(control::Exit::usage, sequence.error()));
  events_.ask(*sequence, std::move(reply));
}

void Agent::start_ping(const std::string& peer, io::ControlServer::Reply reply) {
  if (std::ranges::find(roster_.peers, peer, &config::Peer::name) == roster_.peers.end()) {
    return reply(control::error_reply(
        control::Exit::critical, fmt::format("no peer is named {}; see: tribecast peers", peer)));
  }
  const Instant now = io::now();
  const auto stamp = core_.ping(now, peer, actions_);
  if (!stamp) return reply(control::ping_reply({peer, std::nullopt, std::nullopt}));
  pings_.push_back({peer, *stamp, now + kPingTime, std::move(reply)});
  ping_timer_.arm(pings_.front().deadline);
  act(now);
}

void Agent::finish_ping(const relay::Answer& answer) {
  if (bench_.answered(answer.peer, answer.sent, answer.round_trip)) return;
  const auto found = std::ranges::find_if(pings_, [&](const Ping& ping) {
    return ping.peer == answer.peer && ping.sent == answer.sent;
  });
  if (found == pings_.end()) return;
  control::Ping ping{answer.peer, std::nullopt, to_seconds(answer.round_trip)};
  for (const control::Peer& peer : status().peers) {
    if (peer.name == answer.peer) ping.endpoint = peer.endpoint;
  }
  found->reply(control::ping_reply(ping));
  pings_.erase(found);
}

void Agent::expire_pings() {
  const Instant now = io::now();
  while (!pings_.empty() && pings_.front().deadline <= now) {
    pings_.front().reply(control::ping_reply({pings_.front().peer, std::nullopt, std::nullopt}));
    pings_.erase(pings_.begin());
  }
  ping_timer_.arm(pings_.empty() ? kNever : pings_.front().deadline);
}

std::vector<control::Warning> Agent::warnings() const {
  std::vector<control::Warning> all = interfaces_->problems();
  std::ranges::move(trial_.warnings(io::now()), std::back_inserter(all));
  for (const std::string& name : used_names_) {
    const io::NameState* state = names_->find(name);
    if (state == nullptr || state->error.empty()) continue;
    all.push_back({"name_unresolved",
                   fmt::format("{} cannot be resolved: {}{}", name, state->error,
                               state->addresses.empty() ? "" : "; its last address is used")});
  }
  return all;
}

control::Status Agent::status() {
  const Instant now = io::now();
  control::Status status = to_status(core_.report(now), config_);
  status.node.uptime_seconds = to_seconds(now - started_);
  status.node.death_watch = member_watch_->means();
  for (control::Group& group : status.groups) group.interfaces = interfaces_->names_of(group.name);
  for (control::Member& member : status.members) {
    if (member.origin != control::Origin::local) continue;
    const auto names = interfaces_->names_of(member.group);
    if (!names.empty()) member.via = names.front();
  }
  status.drops.add(Reason::kernel_drop, interfaces_->kernel_drops());
  for (const auto& socket : sockets_) {
    status.drops.add(Reason::kernel_drop, socket->counters().kernel_drops);
  }
  for (control::Warning& warning : warnings()) status.warnings.push_back(std::move(warning));
  show_discovery(status);
  status.verdict = control::judge(status);
  return status;
}

void Agent::notify_soon(Instant now) {
  if (!notifier_.active() || notify_timer_.deadline() != kNever) return;
  notify_timer_.arm(now + kNotifyInterval);
}

void Agent::notify_status() {
  if (!notifier_.active()) return;
  const control::Status now = status();
  const auto up = std::ranges::count(now.peers, control::PeerState::up, &control::Peer::state);
  notifier_.status(fmt::format("{}: {} of {} peers up, {} members", name_of(now.verdict.level), up,
                               now.peers.size(), now.members.size()));
}

void Agent::arm_watchdog() {
  const auto interval = notifier_.watchdog_interval();
  if (!interval) return;
  notifier_.watchdog();
  watchdog_timer_.arm(io::now() + *interval);
}

}  // namespace tribecast::daemon
