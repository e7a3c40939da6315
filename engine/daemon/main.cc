// tribecast-engine: reads its configuration, opens what needs rights, gives them up, runs.
#include <fmt/format.h>
#include <malloc.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/program_options.hpp>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <optional>

#include "base/check.h"
#include "config/keyring_file.h"
#include "engine/daemon/config.h"
#include "engine/daemon/engine.h"
#include "engine/keeper/keeper.h"
#include "host/accounts.h"
#include "host/privileges.h"
#include "io/clock.h"
#include "seal/keyring.h"

namespace {

namespace po = boost::program_options;
using namespace tribecast;
using daemon::Severity;

constexpr int kFailed = 1;
constexpr int kUsage = 64;
constexpr int kBadConfig = 65;
constexpr const char* kDefaultConfig = "/etc/tribecast/engine.conf";

// From the drop time of a member until its port was tried, and some more.
constexpr Duration kNoticed = seconds(5);

struct Options {
  std::string config;
  std::string user;
  bool check = false;
};

// The exit code, when there is nothing to run.
std::optional<int> parse_options(int argc, char** argv, Options& options) {
  po::options_description known(
      "tribecast-engine [--config FILE] [--user NAME]: a member of a Tomcat cluster");
  known.add_options()("config", po::value(&options.config)->default_value(kDefaultConfig),
                      "configuration file")("user", po::value(&options.user),
                                            "user to become; needed when started as root")(
      "check", po::bool_switch(&options.check),
      "only read the configuration, and name its mistakes")("help", "this text")("version",
                                                                                 "the version");
  try {
    po::variables_map values;
    po::store(po::command_line_parser(argc, argv).options(known).positional({}).run(), values);
    po::notify(values);
    if (values.count("help") != 0) return std::cout << known, 0;
    if (values.count("version") != 0) {
      return fmt::print("tribecast-engine {}\n", TRIBECAST_VERSION), 0;
    }
  } catch (const po::error& error) {
    fmt::print(stderr, "tribecast-engine: {}\n{}", error.what(), "see: tribecast-engine --help\n");
    return kUsage;
  }
  return std::nullopt;
}

std::string state_directory(const engine::Config& config) {
  if (const char* state = std::getenv("STATE_DIRECTORY"); state != nullptr && *state == '/') {
    return state;
  }
  return config.state_directory;
}

// Opens, gives the state directory away, gives up the rights, loads.
io::OsResult<Done> open_and_drop(engine::Engine& engine, const engine::Config& config,
                                 const std::optional<seal::Keyring>& ring, const Options& options,
                                 daemon::Log& log) {
  const std::string directory = state_directory(config);
  if (auto opened = engine.open(config, directory); !opened) return opened;
  const bool root = host::is_root();
  if (root) {
    const auto account = host::find_user(options.user);
    if (!account || account->uid == 0) {
      return Unexpected{io::OsError{0, "user " + options.user, "no such user, or root itself"}};
    }
    if (auto given = engine::give_identity_to(directory, account->uid, account->gid); !given) {
      return given;
    }
  }
  const std::vector<std::string> users = {options.user};
  const auto identity = host::drop_privileges(users, host::Keeps::nothing);
  if (!identity) return Unexpected{identity.error()};
  if (!identity->warning.empty()) log.write(Severity::warning, "no_user", identity->warning);
  return engine.load(config, directory, ring);
}

// Large messages and commits come and go; what they took goes back to the system, each by itself.
// Left alone, the allocator raises this bound with the first of them that is freed, and then they
// lie between the sessions, and stay.
void keep_large_memory_apart() {
  constexpr int kLargeBytes = 128 << 10;  // the allocator's own bound at the beginning
  static_cast<void>(mallopt(M_MMAP_THRESHOLD, kLargeBytes));
}

keeper::Settings keeper_settings(const engine::Config& config) {
  keeper::Settings settings;
  settings.store.memory_limit_bytes = config.memory_limit_bytes;
  settings.store.tracks_changes = config.on_disk;
  settings.fetch.limit_sessions = config.fetch_limit_sessions;
  settings.push.heal = config.heal;
  settings.push.limit_sessions = config.fetch_limit_sessions;
  settings.push.lookback = config.drop_time + kNoticed;
  settings.ack = config.ack;
  return settings;
}

// As long as this process is root, if it is.
config::KeyringFile key_file(const engine::Config& config) {
  TC_CHECK(seal::initialise());
  return config.key_file.empty() ? config::KeyringFile() : config::load_keyring(config.key_file);
}

int run(const Options& options) {
  const engine::Outcome outcome = engine::load(options.config);
  if (!outcome.findings.empty()) fmt::print(stderr, "{}", config::to_text(outcome.findings));
  if (!outcome.config) return kBadConfig;
  const config::KeyringFile keys = key_file(*outcome.config);
  fmt::print(stderr, "{}", config::to_text(keys.findings));
  if (config::has_errors(keys.findings)) return kBadConfig;
  if (options.check) return 0;
  if (host::is_root() && options.user.empty()) {
    fmt::print(
        stderr,
        "tribecast-engine: it parses what the network sends, and does not run as root; start "
        "it as another user, or name one: --user tribecast-engine\n");
    return kUsage;
  }
  daemon::Log log;
  io::Loop loop(1);
  keeper::Keeper keeper(keeper_settings(*outcome.config), io::now());
  engine::Engine engine(loop, log, keeper);
  if (const auto opened = open_and_drop(engine, *outcome.config, keys.ring, options, log);
      !opened) {
    log.write(Severity::error, "start_failed", opened.error().message());
    return kFailed;
  }
  boost::asio::signal_set signals(loop, SIGTERM, SIGINT);
  signals.async_wait([&](const boost::system::error_code& error, int) {
    if (!error) engine.stop([&loop] { loop.stop(); });
  });
  engine.start();
  loop.run();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  if (const auto code = parse_options(argc, argv, options)) return *code;
  keep_large_memory_apart();
  try {
    return run(options);
  } catch (const std::exception& error) {
    fmt::print(stderr, "tribecast-engine: {}\n", error.what());
    return kFailed;
  }
}
