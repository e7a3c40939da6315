// The transport's socket. Arguments:
//   receive LISTEN                            prints each datagram; counters at the end
//   send LISTEN REMOTE LOCAL|- SIZE COUNT     prints how the sends ended
//   fanout REMOTES COUNT                      cost of a copy beside a bare sendto loop
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>

#include "driver.h"
#include "io/clock.h"
#include "io/sockaddr.h"
#include "io/udp_socket.h"

using namespace tribecast;
using namespace tribecast::netns;

namespace {

constexpr std::array kNames = {"sent",        "would_block", "no_buffers", "too_large",
                               "unreachable", "denied",      "failed"};
static_assert(kNames.size() == io::kSendStatusCount);

struct Path {
  Endpoint remote;
  Address local;
};

int receive(boost::asio::io_context& loop, const Endpoint& listen) {
  const auto socket = need(io::UdpSocket::open(loop, listen));
  std::uint64_t batches = 0;
  socket->start(
      [](const io::UdpSocket::Received& r) {
        say("got {} > {} interface={} bytes={}", r.remote.to_string(), r.local.to_string(),
            r.interface, r.datagram.size());
      },
      [&] { ++batches; });
  say("ready");
  run(loop);
  const auto& c = socket->counters();
  say("received={} errors={} kernel_drops={} batches={}", c.received, c.receive_errors,
      c.kernel_drops, batches);
  return 0;
}

int send(boost::asio::io_context& loop, const std::vector<std::string>& args) {
  const auto socket = need(io::UdpSocket::open(loop, endpoint(args[1])));
  const Path path{endpoint(args[2]), args[3] == "-" ? Address() : address(args[3])};
  const Buffer datagram(std::stoul(args[4]), 'u');
  const std::vector<Path> paths(std::stoul(args[5]), path);
  socket->send_to_all(datagram, std::span<const Path>(paths), [](const Path&, io::SendStatus) {});
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    const std::uint64_t n = socket->counters().sends.by_status[i];
    if (n > 0) say("{} {}", kNames[i], n);
  }
  return 0;
}

// Rounds of both loops in turn; the least of each counts.
int fanout(boost::asio::io_context& loop, unsigned remotes, unsigned rounds) {
  const auto socket = need(io::UdpSocket::open(loop, endpoint("0.0.0.0:45565")));
  const io::Fd bare(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  std::vector<Path> paths;
  std::vector<io::SockAddr> addresses;
  for (unsigned i = 0; i < remotes; ++i) {
    paths.push_back({{Address::v4(0x0a010002U + i), 45565}, {}});
    addresses.emplace_back(paths.back().remote);
  }
  const Buffer datagram(140, 'f');
  Duration ours = Duration::max();
  Duration theirs = Duration::max();
  for (unsigned r = 0; r < rounds; ++r) {
    const Instant begin = io::now();
    for (const io::SockAddr& a : addresses) {
      static_cast<void>(sendto(bare.get(), datagram.data(), datagram.size(), 0, a.get(), a.size()));
    }
    const Instant middle = io::now();
    socket->send_to_all(datagram, std::span<const Path>(paths), [](const Path&, io::SendStatus) {});
    theirs = std::min(theirs, middle - begin);
    ours = std::min(ours, io::now() - middle);
  }
  say("remotes={} bare={}ns ours={}ns ratio={:.3f}", remotes, theirs.count() / remotes,
      ours.count() / remotes, to_seconds(ours) / to_seconds(theirs));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const auto args = arguments(argc, argv);
  boost::asio::io_context loop;
  if (args.size() == 2 && args[0] == "receive") return receive(loop, endpoint(args[1]));
  if (args.size() == 6 && args[0] == "send") return send(loop, args);
  if (args.size() == 3 && args[0] == "fanout") {
    return fanout(loop, static_cast<unsigned>(std::stoul(args[1])),
                  static_cast<unsigned>(std::stoul(args[2])));
  }
  die("usage: netns_udp receive|send|fanout ...");
}
