// Sends session messages over TCP to one member of a cluster, as Tomcats do that replicate with
// channelSendOptions 6, and counts what was acknowledged.
//
//   engine_load HOST:PORT CONNECTIONS WINDOW SESSIONS BYTES SECONDS
//
// First every session is created, with one attribute, a byte[] of BYTES random bytes; prints
// `created`. Then, for each line on standard input, new values of the attributes go out for
// SECONDS; prints `MESSAGES SECONDS`. Each connection is a member of its own, has its share of the
// sessions, and waits for an acknowledgement when WINDOW messages are without one; a Tomcat's
// window is 1.
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <functional>
#include <iostream>
#include <random>
#include <thread>
#include <vector>

#include "engine/channel/frame.h"
#include "engine/channel/message.h"
#include "engine/java/write.h"
#include "engine/session/delta.h"
#include "engine/session/message.h"
#include "io/clock.h"
#include "io/fd.h"
#include "io/sockaddr.h"
#include "program.h"

using namespace tribecast;
using namespace tribecast::bench;

namespace {

constexpr std::uint32_t kOptions =
    channel::option::kUseAck | channel::option::kSynchronizedAck;  // 6
const char* const kContext = "localhost#/bench";

struct Task {
  Endpoint to;
  std::size_t window = 1;
  std::size_t sessions = 0;
  std::size_t bytes = 0;
};

std::int64_t wall_ms() { return duration_cast<milliseconds>(io::wall_clock()).count(); }

// One connection to the member, and the sessions whose owner is at this end of it.
class Sender {
 public:
  Sender(const Task& task, std::uint32_t number)
      : task_(task), number_(number), random_(number), fd_(connect_to(task.to)) {}

  void create() {
    for (std::size_t i = 0; i < task_.sessions; ++i) {
      send(event(session::Event::created, i));
      send(change(i));
    }
    drain();
  }

  // How many were acknowledged until `end`.
  std::uint64_t change_until(Instant end) {
    const std::uint64_t before = acknowledged_;
    while (io::now() < end) send(change(next_++ % task_.sessions));
    drain();
    return acknowledged_ - before;
  }

 private:
  static io::Fd connect_to(const Endpoint& to) {
    io::Fd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const io::SockAddr address(to);
    if (!fd || connect(fd.get(), address.get(), address.size()) != 0) {
      die(to.to_string() + ": " + std::strerror(errno));
    }
    return fd;
  }

  session::Message event(session::Event event, std::size_t session) {
    session::Message message;
    message.event = static_cast<std::int32_t>(event);
    // Two changes of one session never have the same time.
    time_ms_ = std::max(time_ms_ + 1, wall_ms());
    message.time_ms = time_ms_;
    message.context = kContext;
    message.session_id = fmt::format("{:08X}{:024X}", number_, session);
    return message;
  }

  session::Message change(std::size_t session) {
    Buffer content(task_.bytes);
    std::ranges::generate(content, [&] { return static_cast<std::uint8_t>(random_()); });
    java::Writer value;
    value.byte_array(content);
    session::Message message = event(session::Event::delta, session);
    session::Action set;
    set.name = "cart";
    set.value = value.release();
    message.payload = session::compose_delta({message.session_id, false, {std::move(set)}});
    return message;
  }

  void send(const session::Message& message) {
    const Buffer body = session::compose_message(message);
    SpanWriter(unique_id_).u64be(++sent_);
    tribes::MemberView self;
    self.port = 4000 + number_;
    self.host = host_;
    self.unique_id[0] = static_cast<std::uint8_t>(number_ + 1);
    const Buffer frame = channel::compose_frame(channel::compose_message(
        {kOptions, static_cast<std::uint64_t>(wall_ms()), unique_id_, self, body}));
    pending_.insert(pending_.end(), frame.begin(), frame.end());
    // Written together, as far as the window reaches.
    if (sent_ - acknowledged_ < task_.window) return;
    flush();
    receive();
  }

  void drain() {
    flush();
    while (acknowledged_ < sent_) receive();
  }

  void flush() {
    for (Bytes rest = pending_; !rest.empty();) {
      const ssize_t count = ::send(fd_.get(), rest.data(), rest.size(), MSG_NOSIGNAL);
      if (count < 0) die(std::string("send: ") + std::strerror(errno));
      rest = rest.subspan(static_cast<std::size_t>(count));
    }
    pending_.clear();
  }

  void receive() {
    std::array<std::uint8_t, 4096> bytes{};
    const ssize_t count = recv(fd_.get(), bytes.data(), bytes.size(), 0);
    if (count <= 0) die("the member has closed the connection");
    decoder_.feed(Bytes(bytes).first(static_cast<std::size_t>(count)));
    while (const auto data = decoder_.next()) {
      if (channel::parse_acknowledgement(*data) != channel::Acknowledgement::good) {
        die("the member refuses");
      }
      ++acknowledged_;
    }
  }

  Task task_;
  std::uint32_t number_;
  std::minstd_rand random_;
  io::Fd fd_;
  channel::FrameDecoder decoder_{64};
  std::array<std::uint8_t, 16> unique_id_{};
  std::array<std::uint8_t, 4> host_{127, 0, 0, 1};
  Buffer pending_;
  std::uint64_t sent_ = 0;
  std::uint64_t acknowledged_ = 0;
  std::size_t next_ = 0;
  std::int64_t time_ms_ = 0;
};

void each_at_once(std::vector<Sender>& senders, const std::function<void(Sender&)>& run) {
  std::vector<std::jthread> threads;
  threads.reserve(senders.size());
  for (Sender& sender : senders) threads.emplace_back([&] { run(sender); });
}

}  // namespace

int main(int argc, char** argv) {
  const auto words = arguments(argc, argv);
  if (words.size() != 6) die("engine_load HOST:PORT CONNECTIONS WINDOW SESSIONS BYTES SECONDS");
  const std::size_t connections = number(words[1]);
  const Task task{endpoint(words[0]), number(words[2]), number(words[3]) / connections,
                  number(words[4])};
  const Duration time = seconds(static_cast<long>(number(words[5])));
  std::vector<Sender> senders;
  senders.reserve(connections);
  for (std::uint32_t i = 0; i < connections; ++i) senders.emplace_back(task, i);
  each_at_once(senders, [](Sender& sender) { sender.create(); });
  say("created");
  for (std::string line; std::getline(std::cin, line);) {
    std::atomic<std::uint64_t> messages = 0;
    const Instant begin = io::now();
    each_at_once(senders, [&](Sender& sender) { messages += sender.change_until(begin + time); });
    say("{} {:.6f}", messages.load(), to_seconds(io::now() - begin));
  }
}
