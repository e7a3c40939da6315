// What the test programs of this directory share: a loop that ends by signal, and line output.
#pragma once

#include <fmt/core.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/address.h"
#include "io/error.h"

namespace tribecast::netns {

template <class... Args>
void say(fmt::format_string<Args...> text, Args&&... args) {
  fmt::print(text, std::forward<Args>(args)...);
  std::fputc('\n', stdout);
  std::fflush(stdout);
}

[[noreturn]] inline void die(const std::string& why) {
  say("error: {}", why);
  std::exit(1);
}

template <class T>
T need(io::OsResult<T> result) {
  if (!result) die(result.error().message());
  return std::move(*result);
}

inline Endpoint endpoint(const std::string& text) {
  const auto parsed = Endpoint::parse(text);
  if (!parsed) die("not an endpoint: " + text);
  return *parsed;
}

inline Address address(const std::string& text) {
  const auto parsed = Address::parse(text);
  if (!parsed) die("not an address: " + text);
  return *parsed;
}

inline std::vector<std::string> arguments(int argc, char** argv) { return {argv + 1, argv + argc}; }

// Until SIGTERM or SIGINT.
inline void run(boost::asio::io_context& loop) {
  boost::asio::signal_set signals(loop, SIGTERM, SIGINT);
  signals.async_wait([&](boost::system::error_code, int) { loop.stop(); });
  loop.run();
}

}  // namespace tribecast::netns
