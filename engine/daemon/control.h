// The engine's control socket: what `tribecast engine` asks, answered from its parts
// (engine/report). What goes over all sessions is done in portions, each in a turn of the loop of
// its own. Nobody can change anything by it.
#pragma once

#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <string>

#include "control/engine_request.h"
#include "daemon/log.h"
#include "engine/channel/channel.h"
#include "engine/daemon/config.h"
#include "engine/keeper/keeper.h"
#include "engine/report/report.h"
#include "io/control_server.h"
#include "io/deadline_timer.h"
#include "io/loop.h"

namespace tribecast::engine {

class Control {
 public:
  struct Parts {
    keeper::Keeper& keeper;
    const channel::Channel& channel;
    std::function<bool()> disk_failed;
    std::function<void()> wake;            // the keeper's next deadline has changed
    std::uint64_t since_milliseconds = 0;  // since 1970, the first start
  };

  // Listens, or says in the log why not: an engine that nobody can ask still serves its members.
  // All must outlive it.
  Control(io::Loop& loop, daemon::Log& log, const Config& config, Parts parts);
  Control(const Control&) = delete;
  Control& operator=(const Control&) = delete;
  ~Control();

  // Counts messages for the rate; to be called now and then, at any time.
  void sample(Instant now);

 private:
  using Reply = io::ControlServer::Reply;
  struct Sample {
    Instant at;
    std::uint64_t messages = 0;
  };
  struct Alarm {
    Instant at;
    daemon::Severity severity{};
    std::string id;
    std::string text;
  };
  // Does its next portion; false once it has replied.
  using Job = std::function<bool(const channel::Moment&)>;

  void listen(const Config& config);
  void on_request(const std::string& line, Reply reply);
  void begin(Job job);
  void go_on();
  void list(const control::EngineRequest& request, Reply reply);
  void search(const control::EngineRequest& request, Reply reply);
  void verify(Reply reply);
  void look_at_verify();
  void note(daemon::Severity severity, std::string_view id, std::string_view text);
  [[nodiscard]] control::EngineStatus status() const;

  io::Loop& loop_;
  daemon::Log& log_;
  Parts parts_;
  control::EngineStatus fixed_;  // what does not change
  Instant started_;
  std::deque<Sample> samples_;
  std::deque<Alarm> alarms_;  // oldest first
  std::list<Job> jobs_;
  io::DeadlineTimer turn_;
  io::DeadlineTimer verify_turn_;
  Reply verify_reply_;
  Instant verify_began_;
  std::unique_ptr<io::ControlServer> server_;
};

}  // namespace tribecast::engine
