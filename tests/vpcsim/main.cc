// vpcsim: a cloud's network between network namespaces, with impairment on command. See README.md.
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/program_options.hpp>
#include <csignal>
#include <cstdio>
#include <iostream>
#include <optional>
#include <random>
#include <set>

#include "io/control_server.h"
#include "vpcsim/ctl.h"
#include "vpcsim/router.h"

namespace {

using namespace tribecast;
using namespace tribecast::vpcsim;
namespace po = boost::program_options;

constexpr int kFailed = 1;
constexpr int kUsage = 64;

struct Options {
  std::string socket;
  std::vector<std::string> hosts;
  std::vector<std::string> observers;
  std::string tap;
  std::optional<std::uint64_t> seed;
};

po::options_description description(Options& options) {
  po::options_description d(
      "usage: vpcsim --socket PATH --host NAME=NETNS:INTERFACE:ADDRESS[/BITS][,...] ...\n"
      "       vpcsim ctl SOCKET COMMAND...\n");
  d.add_options()("help", "this text")("socket", po::value(&options.socket)->required(),
                                       "where commands are taken, one a line")(
      "host", po::value(&options.hosts)->required()->composing(),
      "a host; its interface is made in its network namespace")(
      "observer", po::value(&options.observers)->composing(),
      "the name of a host that '*' does not mean")(
      "seed", po::value<std::uint64_t>()->notifier([&](std::uint64_t s) { options.seed = s; }),
      "what chance is made of; printed at the start")("tap", po::value(&options.tap),
                                                      "a pcap file of what is delivered");
  return d;
}

int complain(const std::string& what) {
  std::fprintf(stderr, "vpcsim: %s\n", what.c_str());
  return kUsage;
}

// The hosts of the arguments, for the model; the mistake when there is one.
Result<std::vector<HostArgument>, std::string> read_hosts(const Options& options) {
  if (options.hosts.size() > kMaxHosts) return Unexpected{std::string("more than 64 hosts")};
  std::vector<HostArgument> hosts;
  std::set<std::string> names;
  std::set<Address> addresses;
  for (const std::string& text : options.hosts) {
    auto host = parse_host(text);
    if (!host) return Unexpected{host.error()};
    if (!names.insert(host->name).second) return Unexpected{"two hosts are called " + host->name};
    for (const Prefix& prefix : host->addresses) {
      if (addresses.insert(prefix.address).second) continue;
      return Unexpected{prefix.address.to_string() + " is given twice"};
    }
    hosts.push_back(std::move(*host));
  }
  for (const std::string& name : options.observers) {
    if (!names.contains(name))
      return Unexpected{"--observer " + name + ": no --host has this name"};
  }
  return hosts;
}

int fail(const io::OsError& error) {
  std::fprintf(stderr, "vpcsim: %s\n", error.message().c_str());
  return kFailed;
}

int run(const Options& options, const std::vector<HostArgument>& arguments) {
  const std::uint64_t seed = options.seed ? *options.seed : std::random_device()();
  std::vector<Host> hosts;
  std::vector<Tun> tuns;
  for (const HostArgument& argument : arguments) {
    const bool observer = std::ranges::count(options.observers, argument.name) != 0;
    hosts.push_back({argument.name, argument.addresses, observer});
    auto tun = Tun::open(argument.netns, argument.interface);
    if (!tun) return fail(tun.error());
    tuns.push_back(std::move(*tun));
  }
  std::unique_ptr<Tap> tap;
  if (!options.tap.empty()) {
    auto opened = Tap::open(options.tap);
    if (!opened) return fail(opened.error());
    tap = std::move(*opened);
  }

  io::Loop loop(1);
  Router router(loop, Model(std::move(hosts), seed), std::move(tuns), std::move(tap));
  const auto server = io::ControlServer::open(
      loop, {options.socket, {}, {}},
      [&](const std::string& line, const io::Caller&, const io::ControlServer::Reply& reply) {
        reply(router.answer(line));
      });
  if (!server) return fail(server.error());
  boost::asio::signal_set signals(loop, SIGTERM, SIGINT);
  signals.async_wait([&](boost::system::error_code, int) { loop.stop(); });
  std::printf("ready seed=%llu\n", static_cast<unsigned long long>(seed));
  std::fflush(stdout);
  loop.run();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::string_view(argv[1]) == "ctl") return ctl({argv + 2, argv + argc});
  try {
    Options options;
    const po::options_description known = description(options);
    po::variables_map values;
    po::store(po::parse_command_line(argc, argv, known), values);
    if (values.count("help") != 0) {
      std::cout << known;
      return 0;
    }
    po::notify(values);
    const auto hosts = read_hosts(options);
    return hosts ? run(options, *hosts) : complain(hosts.error());
  } catch (const std::exception& error) {
    return complain(error.what());
  }
}
