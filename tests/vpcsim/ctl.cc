#include "vpcsim/ctl.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <cstdio>

namespace tribecast::vpcsim {
namespace {

namespace asio = boost::asio;

constexpr int kRefused = 1;
constexpr int kUsage = 64;
constexpr int kUnavailable = 69;
constexpr std::size_t kMostAnswer = std::size_t{16} << 20U;

// The answer's line, without its end.
std::string ask(const std::string& socket, const std::string& line) {
  asio::io_context context(1);
  asio::local::stream_protocol::socket connection(context);
  connection.connect(asio::local::stream_protocol::endpoint(socket));
  asio::write(connection, asio::buffer(line + "\n"));
  std::string answer;
  const std::size_t size =
      asio::read_until(connection, asio::dynamic_buffer(answer, kMostAnswer), '\n');
  return answer.substr(0, size - 1);
}

}  // namespace

int ctl(const std::vector<std::string>& words) {
  if (words.size() < 2) {
    std::fprintf(stderr, "usage: vpcsim ctl SOCKET COMMAND...\n");
    return kUsage;
  }
  std::string line;
  for (std::size_t i = 1; i < words.size(); ++i) line += (i == 1 ? "" : " ") + words[i];
  try {
    const std::string answer = ask(words[0], line);
    const bool refused = answer.starts_with("error:");
    std::fprintf(refused ? stderr : stdout, "%s\n", answer.c_str());
    return refused ? kRefused : 0;
  } catch (const boost::system::system_error& error) {
    std::fprintf(stderr, "vpcsim: %s: %s\n", words[0].c_str(), error.what());
    return kUnavailable;
  }
}

}  // namespace tribecast::vpcsim
