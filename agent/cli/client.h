// Asks the agent over its control socket: connect, one line out, one line back. Blocks, but never
// longer than the timeout, next_events() apart.
#pragma once

#include <optional>
#include <string>

#include "base/time.h"
#include "control/bench.h"
#include "control/capture.h"
#include "control/events.h"
#include "control/reply.h"
#include "control/request.h"
#include "control/view.h"

namespace tribecast::cli {

inline constexpr Duration kAnswerTimeout = seconds(5);

// What this side refuses to do, without asking the agent or for what it answered.
inline Unexpected<control::Failure> refused(control::Exit code, std::string what) {
  return {{code, std::move(what)}};
}

// Who is asked, in words and as a unit of the service manager.
struct Service {
  const char* name = "the agent";
  const char* unit = "tribecast";
};

class Client {
 public:
  explicit Client(std::string socket_path, Service service = {})
      : path_(std::move(socket_path)), service_(service) {}

  // One line out, one line back; `patient`: for as long as it takes.
  Result<std::string, control::Failure> answer(const std::string& line, bool patient = false) const;

  Result<control::Status, control::Failure> status() const;
  Result<control::Ping, control::Failure> ping(const std::string& peer) const;
  Result<control::RunningConfig, control::Failure> config() const;
  // What is kept; what comes after a sequence, waiting for it as long as it takes.
  Result<control::EventList, control::Failure> events() const;
  Result<control::EventList, control::Failure> next_events(std::uint64_t after) const;
  // The sequence of the last datagram; what came after one, within two seconds.
  Result<control::SeenList, control::Failure> captured(std::optional<std::uint64_t> after) const;
  // One second of it.
  Result<control::BenchResult, control::Failure> bench(const control::BenchRequest& what) const;
  // What all agents see, within the timeout.
  Result<control::RollCall, control::Failure> roll_call() const;
  Result<std::string, control::Failure> text(control::Verb verb,
                                             const std::string& argument = {}) const;

 private:
  Result<std::string, control::Failure> ask(const control::Request& request,
                                            bool patient = false) const;

  std::string path_;
  Service service_;
};

}  // namespace tribecast::cli
