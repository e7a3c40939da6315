#include "engine/daemon/engine.h"

#include <fmt/format.h>
#include <sys/random.h>
#include <sys/resource.h>

#include <utility>

#include "base/check.h"
#include "base/hex.h"
#include "engine/daemon/moment.h"
#include "engine/daemon/stack.h"
#include "engine/keeper/fetches.h"
#include "io/clock.h"

namespace tribecast::engine {
namespace {

using daemon::Severity;

constexpr Duration kStopTime = milliseconds(200);
constexpr Duration kLastCommitTime = seconds(10);
constexpr Duration kDiskRetry = seconds(1);
constexpr Duration kStopStep = milliseconds(5);
// Own heartbeats come back: a group that is silent for so long is joined anew.
constexpr Duration kDeafTime = seconds(5);

void system_random(MutableBytes out) {
  while (!out.empty()) {
    const ssize_t got = getrandom(out.data(), out.size(), 0);
    TC_CHECK(got > 0 || errno == EINTR);
    if (got > 0) out = out.subspan(static_cast<std::size_t>(got));
  }
}

// Each connection is a descriptor.
void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  static_cast<void>(setrlimit(RLIMIT_NOFILE, &limit));
}

struct Words {
  Severity severity;
  const char* id;
  const char* text;
};

Words words_for(channel::MemberChange change) {
  switch (change) {
    case channel::MemberChange::came:
      return {Severity::notice, "member_came", "is a member"};
    case channel::MemberChange::left:
      return {Severity::notice, "member_left", "has left"};
    case channel::MemberChange::replaced:
      return {Severity::notice, "member_replaced", "was started again"};
    case channel::MemberChange::told:
      return {Severity::info, "member_told", "has said what it is"};
    case channel::MemberChange::silent:
      return {Severity::info, "silent", "is not heard, but its port answers: it stays a member"};
    case channel::MemberChange::heard:
      return {Severity::info, "heard_again", "is heard again"};
    case channel::MemberChange::lost:
      break;
  }
  return {Severity::warning, "member_lost", "is gone: no heartbeat, and its port does not answer"};
}

struct Noted {
  Severity severity;
  const char* id;
  std::string text;
};

std::string context_in_words(const std::string& context) {
  return context == keeper::kEveryContext ? "every context" : context;
}

Noted words_for(const keeper::Notice& notice) {
  switch (notice.kind) {
    case keeper::NoticeKind::memory_alarm:
      return {Severity::warning, "memory_alarm",
              fmt::format("{} bytes of sessions, 90 % of memory-limit; at 100 % new sessions and "
                          "changes are refused",
                          notice.count)};
    case keeper::NoticeKind::memory_full:
      return {Severity::error, "memory_full",
              fmt::format("{} bytes of sessions, and memory-limit is reached: new sessions and "
                          "changes are refused; raise memory-limit",
                          notice.count)};
    case keeper::NoticeKind::memory_fine:
      return {Severity::notice, "memory_fine",
              fmt::format("{} bytes of sessions, well below memory-limit", notice.count)};
    case keeper::NoticeKind::answering:
      return {Severity::info, "answering",
              fmt::format("{} asks for {} and is given {} sessions", notice.member,
                          context_in_words(notice.context), notice.count)};
    case keeper::NoticeKind::fetching:
      return {Severity::info, "fetching",
              fmt::format("{} is asked for {}", notice.member, context_in_words(notice.context))};
    case keeper::NoticeKind::in_sync:
      return {Severity::notice, "in_sync",
              fmt::format("in sync, with {} sessions; starting Tomcats may ask for them",
                          notice.count)};
    case keeper::NoticeKind::healing:
      return {Severity::notice, "healing",
              fmt::format("{} lacked {} sessions of {}, or something of them", notice.member,
                          notice.count, notice.context)};
    case keeper::NoticeKind::took:
      return {Severity::notice, "took",
              fmt::format("{} alone had something newer of {} sessions of {}", notice.member,
                          notice.count, notice.context)};
    case keeper::NoticeKind::copies_fail:
      return {Severity::error, "copies_failed",
              "no other engine takes a copy: with ack = peer, what waits for an acknowledgement is "
              "refused"};
    case keeper::NoticeKind::copies_taken:
      return {Severity::notice, "copies", "another engine takes copies"};
    case keeper::NoticeKind::not_in_sync:
      break;
  }
  return {Severity::notice, "not_in_sync",
          "not in sync: others have been alive for longer and may know more"};
}

}  // namespace

Engine::Engine(io::Loop& loop, daemon::Log& log, keeper::Keeper& keeper)
    : loop_(loop), log_(log), keeper_(keeper), timer_(loop, [this] { on_timer(); }) {}

Engine::~Engine() = default;

io::OsResult<Address> Engine::announced(const Config& config) const {
  if (config.announce) return *config.announce;
  if (!config.listen.address.is_unspecified()) return config.listen.address;
  return local_address_towards(config.group ? *config.group : config.members.front().endpoint);
}

io::OsResult<Done> Engine::open(const Config& config, const std::string& state_directory) {
  raise_descriptor_limit();
  auto stack = make_stack(config);
  if (!stack) return Unexpected{stack.error()};
  auto identity = load_identity(state_directory, moment_now().wall_milliseconds);
  if (!identity) return Unexpected{identity.error()};
  identity_ = std::move(*identity);
  if (config.unique_id) identity_.unique_id = *config.unique_id;
  const InboundLimits limits{config.max_connections, config.max_message_bytes,
                             config.receive_memory_bytes};
  auto inbound = Inbound::open(loop_, config.listen, limits, config.allow);
  if (!inbound) return Unexpected{inbound.error()};
  inbound_ = std::move(*inbound);
  const auto announce = announced(config);
  if (!announce) return Unexpected{announce.error()};
  if (config.group) {
    open_group_ = [this, group = *config.group, local = *announce,
                   ttl_hops = static_cast<unsigned>(config.ttl_hops)] {
      return Multicast::open(loop_, group, local, ttl_hops);
    };
    auto multicast = open_group_();
    if (!multicast) return Unexpected{multicast.error()};
    multicast_ = std::move(*multicast);
  }
  if (announce->is_loopback()) {
    log_.write(
        Severity::warning, "loopback",
        announce->to_string() + " is announced, which no other host can reach; set announce");
  }
  make_channel(config, *announce, std::move(*stack));
  control_ =
      std::make_unique<Control>(loop_, log_, config,
                                Control::Parts{keeper_, *channel_, [this] { return disk_failed_; },
                                               [this] { arm(); }, identity_.since_milliseconds});
  return Done{};
}

void Engine::make_channel(const Config& config, Address announce, channel::Stack stack) {
  const channel::Moment moment = moment_now();
  channel::ChannelSettings settings;
  settings.self.identity = {copy_of(announce.bytes()), inbound_->local().port, identity_.unique_id};
  settings.self.domain = copy_of(bytes_of(config.domain));
  // A clock that was set back makes it young, never older than it is.
  settings.self.alive_milliseconds =
      moment.wall_milliseconds - std::min(identity_.since_milliseconds, moment.wall_milliseconds);
  settings.self.payload = copy_of(bytes_of(keeper::kEnginePayload));
  settings.multicast = config.group.has_value();
  settings.frequency = config.frequency;
  settings.stays_young = !config.answers_first;
  settings.acknowledges_when_done = config.ack != keeper::AckLevel::memory;
  settings.membership.drop_time = config.drop_time;
  settings.membership.allowed = config.allow;
  settings.membership.static_members = config.members;
  if (std::ranges::find(config.interceptors, InterceptorKind::domain_filter) !=
      config.interceptors.end()) {
    settings.membership.only_domain = settings.self.domain;
  }
  log_.write(
      Severity::info, "identity",
      fmt::format("{}member {} with unique id {}{}", config.name.empty() ? "" : config.name + ": ",
                  settings.self.identity.name(), to_hex(identity_.unique_id),
                  identity_.is_new ? ", which is new" : ""));
  keeper_.begin(settings.self, moment);
  channel_ = std::make_unique<channel::Channel>(std::move(settings), std::move(stack), keeper_,
                                                system_random, moment.now);
  OutboundLimits limits;
  limits.memory_bytes = config.send_memory_bytes;
  limits.timeout = config.send_timeout;
  outbound_ = std::make_unique<Outbound>(
      loop_, limits,
      Outbound::Handler{[this](channel::TransmitId id, channel::SendOutcome outcome) {
                          channel::Actions actions;
                          channel_->on_transmitted(moment_now(), id, outcome, actions);
                          act(std::move(actions));
                        },
                        [this](const tribes::Identity& member, channel::ProbeResult result) {
                          channel::Actions actions;
                          channel_->on_probed(moment_now(), member, result, actions);
                          act(std::move(actions));
                        }});
}

io::OsResult<Done> Engine::load(const Config& config, const std::string& state_directory,
                                const std::optional<seal::Keyring>& ring) {
  if (!config.on_disk) return Done{};
  std::optional<seal::RecordSeal> seal;
  if (ring) seal.emplace(*ring);
  auto disk =
      Disk::open(loop_, state_directory + "/sessions", config.fsync != Fsync::off, std::move(seal));
  if (!disk) return Unexpected{disk.error()};
  disk_ = std::move(*disk);
  // With `always` nothing is waited for: what comes during one commit is the next one.
  commit_interval_ = config.fsync == Fsync::always ? Duration() : config.commit_interval;
  const Instant began = io::now();
  const channel::Moment moment = moment_now();
  std::uint64_t unknown = 0;
  const auto loaded = disk_->load([&](Bytes key, Bytes value) {
    if (!keeper_.restore(key, value, moment)) ++unknown;
  });
  if (!loaded) return Unexpected{loaded.error()};
  if (loaded->outdated > 0 && unknown > 0) {
    return Unexpected{
        io::OsError{0, state_directory + "/sessions",
                    fmt::format("{} records are of another version of tribecast and "
                                "cannot be sealed; start that one, or without the new "
                                "key-file",
                                unknown)}};
  }
  const bool anew = !loaded->damage.empty() || loaded->outdated > 0;
  keeper_.restored(moment, config.restart_grace, anew);
  log_.write(Severity::notice, "loaded",
             fmt::format("{} sessions, from {} records in {} ms", keeper_.kept_count(),
                         loaded->records, duration_cast<milliseconds>(io::now() - began).count()));
  if (anew) {
    if (auto written = write_anew(*loaded, state_directory); !written) return written;
  }
  if (unknown > 0) {
    log_.write(
        Severity::error, "records_unknown",
        fmt::format("{} records are of another version of tribecast, and are not used", unknown));
  }
  return Done{};
}

// Before anybody waits for it.
io::OsResult<Done> Engine::write_anew(const Disk::Loaded& loaded,
                                      const std::string& state_directory) {
  std::string why_not;
  while (keeper_.has_changes() && why_not.empty()) {
    why_not = disk_->write_now(keeper_.begin_commit(moment_now()));
    channel::Outbox nobody_waits;
    keeper_.end_commit(why_not.empty(), nobody_waits);
  }
  if (loaded.outdated > 0) {
    if (why_not.empty()) why_not = disk_->drop_outdated();
    // A key is a promise: what cannot be sealed is not served.
    if (!why_not.empty()) return Unexpected{io::OsError{0, state_directory + "/sessions", why_not}};
    log_.write(
        Severity::notice, "resealed",
        fmt::format("{} records were not sealed with the primary key of key-file, and are now",
                    loaded.outdated));
  }
  if (loaded.damage.empty()) return Done{};
  log_.write(
      Severity::error, "disk_damaged",
      fmt::format("{}; what could be read is kept, and {}; the damaged files are in "
                  "{}/sessions.damaged",
                  loaded.damage, why_not.empty() ? "written anew" : "not written: " + why_not,
                  state_directory));
  return Done{};
}

void Engine::start() {
  inbound_->start(
      {[this](channel::ConnectionId connection, Bytes data) {
         channel::Actions actions;
         const bool good = channel_->on_frame(moment_now(), connection, data, actions);
         act(std::move(actions));
         return good;
       },
       [this](channel::ConnectionId connection) { channel_->on_disconnected(connection); },
       [this](const std::string& what) { log_.write(Severity::warning, "bad_connection", what); }});
  if (multicast_) listen_to_group();
  channel::Actions actions;
  channel_->start(moment_now(), actions);
  act(std::move(actions));
  if (notifier_.watchdog_interval()) next_watchdog_ = io::now();
  arm();
  notifier_.ready();
  log_.write(Severity::notice, "ready", "ready");
}

void Engine::listen_to_group() {
  heard_ = io::now();
  multicast_->start([this](Bytes datagram) {
    const channel::Moment moment = moment_now();
    heard_ = moment.now;
    channel::Actions actions;
    channel_->on_datagram(moment, datagram, actions);
    act(std::move(actions));
  });
}

// An interface that went and came has forgotten who joined on it.
void Engine::check_group(Instant now) {
  if (!multicast_ || now - heard_ < kDeafTime) return;
  heard_ = now;
  auto again = open_group_();
  const std::string what = "not even the own heartbeats are heard; ";
  if (!again) {
    return log_.write(Severity::warning, "group_silent", what + again.error().message());
  }
  log_.write(Severity::warning, "group_silent", what + "the group was joined anew");
  multicast_ = std::move(*again);
  listen_to_group();
}

void Engine::stop(std::function<void()> when_done) {
  notifier_.stopping();
  when_stopped_ = std::move(when_done);
  channel::Actions actions;
  channel_->stop(moment_now(), actions);
  act(std::move(actions));
  stop_by_ = io::now() + kStopTime;
  log_.write(Severity::notice, "goodbye",
             fmt::format("goodbye; {} messages came, {} of them again, {} were sent",
                         channel_->counters().delivered + channel_->counters().repeated,
                         channel_->counters().repeated, channel_->counters().sent));
  timer_.arm(io::now());
}

void Engine::act(channel::Actions actions) {
  for (const Buffer& datagram : actions.datagrams) send_to_group(datagram);
  for (const channel::FrameDone& frame : actions.done) inbound_->done(frame);
  for (const channel::MemberEvent& event : actions.events) report(event);
  for (const tribes::Identity& member : actions.disconnect) {
    const auto address = Address::from_bytes(member.host);
    if (address && member.port <= 65535) {
      outbound_->disconnect(member, {*address, static_cast<std::uint16_t>(member.port)});
    }
  }
  for (channel::Probe& probe : actions.probes) outbound_->probe(std::move(probe));
  for (channel::Transmit& transmit : actions.transmits) outbound_->transmit(std::move(transmit));
  report_notices();
  commit();
  if (!when_stopped_) arm();  // any of it may have brought a deadline nearer
}

bool Engine::is_written() const { return !disk_ || (!disk_->is_busy() && !keeper_.has_changes()); }

// Writes what has changed, if it is time; else the timer will come back to it.
void Engine::commit() {
  if (!disk_ || disk_->is_busy() || !keeper_.has_changes()) return;
  const channel::Moment moment = moment_now();
  const bool at_once = !disk_failed_ && (keeper_.is_awaited() || when_stopped_);
  if (moment.now < next_commit_ && !at_once) return;
  next_commit_ = moment.now + commit_interval_;
  disk_->write(keeper_.begin_commit(moment),
               [this](const std::string& why_not) { on_written(why_not); });
}

void Engine::on_written(const std::string& why_not) {
  const bool good = why_not.empty();
  if (!good) next_commit_ = io::now() + kDiskRetry;
  if (!good && !disk_failed_) {
    log_.write(Severity::error, "disk_failed",
               why_not + "; sessions are kept in memory alone until it can be written again");
  }
  if (good && disk_failed_) log_.write(Severity::notice, "disk", "the disk is written again");
  disk_failed_ = !good;
  channel::Outbox outbox;
  keeper_.end_commit(good, outbox);
  channel::Actions actions;
  channel_->carry_out(moment_now(), std::move(outbox), actions);
  act(std::move(actions));
}

// A heartbeat that cannot be sent is tried again with the next one; the log says it once.
void Engine::send_to_group(const Buffer& datagram) {
  if (!multicast_) return;
  const auto sent = multicast_->send(datagram);
  if (!sent && !group_failed_) {
    log_.write(Severity::warning, "no_heartbeat", sent.error().message());
  }
  if (sent && group_failed_) log_.write(Severity::notice, "heartbeat", "heartbeats are sent again");
  group_failed_ = !sent;
}

void Engine::report(const channel::MemberEvent& event) {
  const Words words = words_for(event.change);
  log_.write(words.severity, words.id,
             fmt::format("{} {} ({} members)", event.member.identity.name(), words.text,
                         channel_->membership().up().size()));
}

// Messages that the interceptors dropped since the last time, with why.
void Engine::report_drops() {
  std::string why;
  for (std::size_t i = 0; i < channel::kDropCount; ++i) {
    const auto drop = static_cast<channel::Drop>(i);
    const std::uint64_t more = channel_->drops()[drop] - reported_drops_[drop];
    if (more > 0) why += fmt::format("{}{} {}", why.empty() ? "" : ", ", more, name_of(drop));
  }
  if (why.empty()) return;
  reported_drops_ = channel_->drops();
  log_.write(Severity::warning, "messages_dropped",
             why + "; [channel] must be what the Tomcats' server.xml says");
}

void Engine::report_notices() {
  for (const keeper::Notice& notice : keeper_.take_notices()) {
    const Noted noted = words_for(notice);
    log_.write(noted.severity, noted.id, noted.text);
  }
}

void Engine::on_timer() {
  const channel::Moment moment = moment_now();
  if (when_stopped_) {
    commit();
    const bool is_sent = outbound_->idle() || moment.now >= stop_by_;
    const bool is_kept = is_written() || disk_failed_ || moment.now >= stop_by_ + kLastCommitTime;
    if (is_sent && is_kept) return std::exchange(when_stopped_, nullptr)();
    return timer_.arm(moment.now + kStopStep);
  }
  if (moment.now >= next_watchdog_) {
    notifier_.watchdog();
    next_watchdog_ = moment.now + *notifier_.watchdog_interval();
  }
  channel::Actions actions;
  channel_->on_timer(moment, actions);
  act(std::move(actions));
  report_drops();
  check_group(moment.now);
  control_->sample(moment.now);
  arm();
}

void Engine::arm() {
  Instant next = std::min(channel_->next_deadline(), next_watchdog_);
  if (disk_ && !disk_->is_busy() && keeper_.has_changes()) next = std::min(next, next_commit_);
  timer_.arm(next);
}

}  // namespace tribecast::engine
