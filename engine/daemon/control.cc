#include "engine/daemon/control.h"

#include <unistd.h>

#include <filesystem>
#include <utility>

#include "base/hex.h"
#include "engine/daemon/moment.h"
#include "engine/keeper/clock.h"
#include "host/accounts.h"
#include "io/clock.h"

namespace tribecast::engine {
namespace {

constexpr std::size_t kMaxAlarms = 32;
constexpr std::size_t kMaxJobs = 16;
constexpr std::size_t kMaxAlarmText = 300;
constexpr Duration kRateTime = seconds(10);
constexpr Duration kVerifyLook = milliseconds(20);
constexpr Duration kSampleTime = seconds(1);

}  // namespace

Control::Control(io::Loop& loop, daemon::Log& log, const Config& config, Parts parts)
    : loop_(loop),
      log_(log),
      parts_(std::move(parts)),
      started_(io::now()),
      turn_(loop, [this] { go_on(); }),
      verify_turn_(loop, [this] { look_at_verify(); }) {
  const tribes::Identity& self = parts_.channel.settings().self.identity;
  fixed_.node.name = config.name;
  fixed_.node.member = self.name();
  fixed_.node.unique_id = to_hex(self.unique_id);
  fixed_.node.version = TRIBECAST_VERSION;
  fixed_.memory_limit_bytes = config.memory_limit_bytes;
  fixed_.disk = config.on_disk ? "ok" : "none";
  sample(started_);
  log_.watch([this](daemon::Severity severity, std::string_view id, std::string_view text) {
    note(severity, id, text);
  });
  listen(config);
}

Control::~Control() { log_.watch(nullptr); }

void Control::listen(const Config& config) {
  const std::string& path = config.control_socket;
  std::error_code ignored;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), ignored);
  const auto group =
      geteuid() == 0 ? host::find_group(config.control_group) : std::optional<gid_t>();
  auto server =
      io::ControlServer::open(loop_, {path, std::nullopt, group},
                              [this](const std::string& line, const io::Caller&, Reply reply) {
                                on_request(line, std::move(reply));
                              });
  if (!server) {
    return log_.write(daemon::Severity::warning, "no_control",
                      server.error().message() + "; `tribecast engine` cannot ask this engine");
  }
  server_ = std::move(*server);
}

void Control::note(daemon::Severity severity, std::string_view id, std::string_view text) {
  if (severity != daemon::Severity::error && severity != daemon::Severity::warning) return;
  alarms_.push_back(
      {io::now(), severity, std::string(id), std::string(text.substr(0, kMaxAlarmText))});
  if (alarms_.size() > kMaxAlarms) alarms_.pop_front();
}

void Control::sample(Instant now) {
  if (!samples_.empty() && now - samples_.back().at < kSampleTime) return;
  samples_.push_back({now, parts_.keeper.counters().messages});
  while (samples_.size() > 2 && now - samples_.front().at > kRateTime) samples_.pop_front();
}

control::EngineStatus Control::status() const {
  const channel::Moment moment = moment_now();
  control::EngineStatus status = fixed_;
  status.node.uptime_seconds = to_seconds(moment.now - started_);
  status.age_seconds =
      static_cast<double>(moment.wall_milliseconds -
                          std::min(parts_.since_milliseconds, moment.wall_milliseconds)) /
      1000;
  if (parts_.disk_failed()) status.disk = "failed";
  const double seconds = to_seconds(moment.now - samples_.front().at);
  const std::uint64_t messages = parts_.keeper.counters().messages - samples_.front().messages;
  status.messages_per_second = seconds > 0 ? static_cast<double>(messages) / seconds : 0;
  report::fill(status, parts_.keeper, parts_.channel, moment);
  for (auto alarm = alarms_.rbegin(); alarm != alarms_.rend(); ++alarm) {
    status.alarms.push_back({std::string(daemon::name_of(alarm->severity)), alarm->id, alarm->text,
                             to_seconds(moment.now - alarm->at)});
  }
  status.verdict = control::judge(status);
  return status;
}

void Control::on_request(const std::string& line, Reply reply) {
  const auto request = control::parse_engine_request(line);
  if (!request) return reply(control::error_reply(control::Exit::usage, request.error()));
  switch (request->verb) {
    case control::EngineVerb::status:
      return reply(control::engine_reply(status()));
    case control::EngineVerb::sessions:
      return list(*request, std::move(reply));
    case control::EngineVerb::session:
      return search(*request, std::move(reply));
    case control::EngineVerb::verify:
      return verify(std::move(reply));
  }
}

void Control::verify(Reply reply) {
  std::vector<tribes::OwnedMember> members;
  for (const channel::Membership::Entry* entry : parts_.channel.membership().up()) {
    members.push_back(entry->member);
  }
  if (!parts_.keeper.begin_verify(moment_now(), members)) {
    return reply(control::error_reply(control::Exit::critical, "a verify is under way already"));
  }
  verify_reply_ = std::move(reply);
  verify_began_ = io::now();
  verify_turn_.arm(verify_began_);
  parts_.wake();
}

// While one is under way alone.
void Control::look_at_verify() {
  const auto outcomes = parts_.keeper.take_verified();
  if (!outcomes) return verify_turn_.arm(io::now() + kVerifyLook);
  std::exchange(verify_reply_, nullptr)(
      control::engine_reply(report::report_of(*outcomes, io::now() - verify_began_)));
}

void Control::begin(Job job) {
  jobs_.push_back(std::move(job));
  turn_.arm(io::now());
}

// One portion of the one that has waited longest.
void Control::go_on() {
  if (jobs_.empty()) return;
  Job job = std::move(jobs_.front());
  jobs_.pop_front();
  if (job(moment_now())) jobs_.push_back(std::move(job));
  if (!jobs_.empty()) turn_.arm(io::now());
}

void Control::list(const control::EngineRequest& request, Reply reply) {
  if (jobs_.size() >= kMaxJobs) {
    return reply(control::error_reply(control::Exit::critical, "too many ask at once"));
  }
  auto listing = std::make_shared<report::Listing>(
      parts_.keeper.store(), static_cast<std::size_t>(request.limit), request.context);
  begin([this, listing, reply = std::move(reply)](const channel::Moment& moment) {
    if (listing->step(parts_.keeper.store(), moment.now)) return true;
    reply(control::engine_reply(listing->list(parts_.keeper.store(), keeper::clock_of(moment))));
    return false;
  });
}

void Control::search(const control::EngineRequest& request, Reply reply) {
  if (jobs_.size() >= kMaxJobs) {
    return reply(control::error_reply(control::Exit::critical, "too many ask at once"));
  }
  auto search = std::make_shared<report::Search>(parts_.keeper.store(), request.word,
                                                 request.context, io::now());
  begin([this, search, reply = std::move(reply)](const channel::Moment& moment) {
    if (search->step(parts_.keeper.store(), moment.now)) return true;
    const auto& found = search->found();
    const session::Session* session =
        found.size() != 1 ? nullptr
                          : parts_.keeper.store().find(found[0].first, found[0].second, moment.now);
    if (session != nullptr) {
      reply(control::engine_reply(
          report::detail_of(found[0].first, found[0].second, *session, keeper::clock_of(moment))));
    } else {
      reply(control::error_reply(control::Exit::critical,
                                 found.size() < 2 ? "no session begins so"
                                                  : "more than one session begins so: give more "
                                                    "letters, or its --context"));
    }
    return false;
  });
}

}  // namespace tribecast::engine
