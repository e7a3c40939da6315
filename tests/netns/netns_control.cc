// A control server to be abused. Arguments: PATH [GID]. Requests:
//   echo TEXT | big BYTES | later MS TEXT | twice TEXT | drop (no answer) | hold (never an answer)
//   who (the caller) | counters
#include <list>
#include <memory>

#include "driver.h"
#include "io/clock.h"
#include "io/control_server.h"
#include "io/deadline_timer.h"

using namespace tribecast;
using namespace tribecast::netns;

namespace {

class Service {
 public:
  Service(boost::asio::io_context& loop, const io::ControlOptions& options)
      : loop_(loop),
        server_(need(io::ControlServer::open(
            loop, options, [this](std::string line, const io::Caller& caller, auto reply) {
              handle(line, caller, std::move(reply));
            }))) {
    if (server_->not_given()) say("private: {}", server_->not_given()->message());
  }

 private:
  void handle(const std::string& line, const io::Caller& caller, io::ControlServer::Reply reply) {
    const std::string verb = line.substr(0, line.find(' '));
    const std::string rest = line.size() > verb.size() ? line.substr(verb.size() + 1) : "";
    if (verb == "echo") return reply(rest + "\n");
    if (verb == "big") return reply(std::string(std::stoul(rest), 'x') + "\n");
    if (verb == "twice") {
      reply(rest + "\n");
      return reply("never seen\n");
    }
    if (verb == "who") return reply(fmt::format("{} {}\n", caller.uid, caller.gid));
    if (verb == "hold") return held_.push_back(std::move(reply));
    if (verb == "later") return answer_later(rest, std::move(reply));
    if (verb == "counters") return reply(counters());
  }

  std::string counters() const {
    const auto c = server_->counters();
    return fmt::format("accepted={} requests={} long={} idle={} slow={} clients={}\n", c.accepted,
                       c.requests, c.cut_too_long, c.cut_idle, c.cut_slow_reader, c.clients);
  }

  void answer_later(const std::string& rest, io::ControlServer::Reply reply) {
    const Duration delay = milliseconds(std::stoul(rest));
    const std::string text = rest.substr(rest.find(' ') + 1);
    timers_.push_back(std::make_unique<io::DeadlineTimer>(
        loop_, [text, reply = std::move(reply)] { reply(text + "\n"); }));
    timers_.back()->arm(io::now() + delay);
  }

  boost::asio::io_context& loop_;
  std::vector<io::ControlServer::Reply> held_;
  std::list<std::unique_ptr<io::DeadlineTimer>> timers_;
  std::unique_ptr<io::ControlServer> server_;
};

}  // namespace

int main(int argc, char** argv) {
  const auto args = arguments(argc, argv);
  if (args.empty()) die("usage: netns_control PATH [GID]");
  boost::asio::io_context loop;
  io::ControlOptions options;
  options.path = args[0];
  if (args.size() > 1) options.group = static_cast<gid_t>(std::stoul(args[1]));
  const Service service(loop, options);
  say("ready");
  run(loop);
}
