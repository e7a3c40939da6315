// tribecastd: reads its configuration, opens what needs rights, gives them up, runs.
#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/program_options.hpp>
#include <csignal>
#include <cstdio>
#include <iostream>
#include <iterator>

#include "control/exit_code.h"
#include "daemon/agent.h"
#include "host/privileges.h"

namespace {

namespace po = boost::program_options;
using namespace tribecast;
using daemon::Severity;

constexpr int kFailed = 1;
constexpr int kUsage = static_cast<int>(control::Exit::usage);
constexpr int kBadConfig = static_cast<int>(control::Exit::bad_config);
constexpr const char* kDefaultConfig = "/etc/tribecast/tribecast.conf";

struct Options {
  std::string config;
  std::vector<std::string> users;
  host::OnForbidden on_forbidden = host::OnForbidden::refuse;
};

// The exit code, when there is nothing to run.
std::optional<int> parse(int argc, char** argv, Options& options) {
  std::string user;
  std::string forbidden;
  po::options_description known(
      "tribecastd [--config FILE] [--user NAME] [--forbidden-calls WHAT]: relays multicast to "
      "peers on networks that carry none");
  known.add_options()("config", po::value(&options.config)->default_value(kDefaultConfig),
                      "configuration file")("user", po::value(&user)->default_value("tribecast"),
                                            "user to become when started as root")(
      "forbidden-calls", po::value(&forbidden)->default_value("refuse"),
      "what becomes of system calls that it should not make: refuse, kill (the agent), allow")(
      "help", "this text")("version", "the version");
  try {
    po::variables_map values;
    po::store(po::command_line_parser(argc, argv).options(known).positional({}).run(), values);
    po::notify(values);
    if (values.count("help") != 0) return std::cout << known, 0;
    if (values.count("version") != 0) return fmt::print("tribecastd {}\n", TRIBECAST_VERSION), 0;
  } catch (const po::error& error) {
    fmt::print(stderr, "tribecastd: {}\n{}", error.what(), "see: tribecastd --help\n");
    return kUsage;
  }
  const auto on_forbidden = host::to_on_forbidden(forbidden);
  if (!on_forbidden) {
    fmt::print(stderr, "tribecastd: --forbidden-calls {}: refuse, kill or allow\n", forbidden);
    return kUsage;
  }
  options.on_forbidden = *on_forbidden;
  options.users = {user, "nobody"};
  return std::nullopt;
}

// SIGHUP reloads; SIGTERM and SIGINT end the loop.
class Signals {
 public:
  Signals(io::Loop& loop, daemon::Agent& agent)
      : loop_(loop), agent_(agent), set_(loop, SIGHUP, SIGTERM, SIGINT) {
    wait();
  }

 private:
  void wait() {
    set_.async_wait([this](const boost::system::error_code& error, int signal) {
      if (error) return;
      if (signal != SIGHUP) return loop_.stop();
      // Its error is in the log.
      static_cast<void>(static_cast<bool>(agent_.reload()));
      wait();
    });
  }

  io::Loop& loop_;
  daemon::Agent& agent_;
  boost::asio::signal_set set_;
};

int run(const Options& options) {
  daemon::Log log;
  auto outcome = config::load(options.config);
  config::KeyFiles keys;
  if (outcome.config) keys = config::load_keys(outcome.config->security);
  config::Diagnostics findings = outcome.diagnostics;
  std::ranges::move(keys.findings(), std::back_inserter(findings));
  if (!findings.empty()) fmt::print(stderr, "{}", config::to_text(findings));
  if (!outcome.config || has_errors(findings)) return kBadConfig;

  io::Loop loop(1);
  daemon::Agent agent(loop, log, options.config);
  if (const auto opened = agent.open(*outcome.config, std::move(keys)); !opened) {
    log.write(Severity::error, "start_failed", opened.error().message());
    return kFailed;
  }
  const auto identity = host::drop_privileges(options.users);
  if (!identity) {
    log.write(Severity::error, "start_failed", identity.error().message());
    return kFailed;
  }
  if (!identity->warning.empty()) log.write(Severity::warning, "no_user", identity->warning);
  Signals signals(loop, agent);
  agent.start();
  agent.forbid_calls(options.on_forbidden);
  loop.run();
  agent.say_goodbye();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  if (const auto code = parse(argc, argv, options)) return *code;
  if (!seal::initialise()) {
    fmt::print(stderr, "tribecastd: libsodium cannot be used on this machine\n");
    return kFailed;
  }
  try {
    return run(options);
  } catch (const std::exception& error) {
    fmt::print(stderr, "tribecastd: {}\n", error.what());
    return kFailed;
  }
}
