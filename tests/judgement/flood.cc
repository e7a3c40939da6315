// Somebody floods an agent with datagrams that it must refuse, each as expensive as a stranger can
// make it.
//
//   flood REMOTE RATE SECONDS SAMPLES
//
// SAMPLES: a file of genuine datagrams on their way to REMOTE, one a line in hexadecimal. By turns:
// noise; an init with a good header and a random body; a response; a genuine datagram with a bit
// changed at its end, so that its session or key is found; one with another counter as well.
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <fstream>
#include <random>
#include <vector>

#include "base/hex.h"
#include "bench/program.h"
#include "io/clock.h"
#include "io/fd.h"
#include "io/sockaddr.h"

using namespace tribecast;
using namespace tribecast::bench;

namespace {

constexpr unsigned kBatch = 32;
constexpr std::size_t kInitSize = 84;
constexpr std::size_t kSmallest = 32;
constexpr std::size_t kNoiseSize = 120;
constexpr std::size_t kCounterOffset = 8;

class Forger {
 public:
  explicit Forger(std::vector<Buffer> samples) : samples_(std::move(samples)) {}

  Buffer next() {
    const std::uint64_t n = number_++;
    switch (n % 5) {
      case 0:
        return noise(kNoiseSize);
      case 1:
        return handshake(1);
      case 2:
        return handshake(2);
      case 3:
        return changed(n);
      default:
        return with_counter(changed(n));
    }
  }

 private:
  Buffer noise(std::size_t size) {
    Buffer bytes(size);
    for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random_());
    return bytes;
  }

  Buffer handshake(std::uint8_t type) {
    Buffer bytes = noise(kInitSize);
    bytes[0] = 0xb7;
    bytes[1] = static_cast<std::uint8_t>(0x10 | type);
    bytes[2] = 0;
    bytes[3] = 1;
    std::fill_n(bytes.begin() + kCounterOffset, 8, std::uint8_t{0});
    return bytes;
  }

  Buffer changed(std::uint64_t n) {
    Buffer bytes = samples_[n / 5 % samples_.size()];
    bytes.back() ^= static_cast<std::uint8_t>(1U + random_() % 255U);
    return bytes;
  }

  // Beyond what was seen, so that no window refuses it.
  Buffer with_counter(Buffer bytes) {
    bytes[kCounterOffset + 3] ^= static_cast<std::uint8_t>(1U + random_() % 255U);
    return bytes;
  }

  std::vector<Buffer> samples_;
  std::uint64_t number_ = 0;
  std::mt19937_64 random_{1};
};

void wait_until(Instant then) {
  const auto ns = then.time_since_epoch().count();
  const timespec at{ns / 1'000'000'000, ns % 1'000'000'000};
  clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, nullptr);
}

std::size_t send_batch(int fd, std::vector<Buffer>& batch) {
  std::array<iovec, kBatch> parts{};
  std::array<mmsghdr, kBatch> messages{};
  for (std::size_t i = 0; i < batch.size(); ++i) {
    parts.at(i) = {batch[i].data(), batch[i].size()};
    messages.at(i).msg_hdr.msg_iov = &parts.at(i);
    messages.at(i).msg_hdr.msg_iovlen = 1;
  }
  const int sent = sendmmsg(fd, messages.data(), static_cast<unsigned>(batch.size()), 0);
  return sent < 0 ? 0 : static_cast<std::size_t>(sent);
}

}  // namespace

int main(int argc, char** argv) {
  const auto args = arguments(argc, argv);
  if (args.size() != 4) die("usage: flood REMOTE RATE SECONDS SAMPLES");
  std::vector<Buffer> samples;
  std::ifstream file(args[3]);
  for (std::string line; std::getline(file, line);) {
    const auto bytes = from_hex(line);
    if (!bytes || bytes->size() < kSmallest) die("no datagram: " + line);
    samples.push_back(*bytes);
  }
  if (samples.empty()) die("no samples in " + args[3]);
  const io::Fd fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const io::SockAddr remote(endpoint(args[0]));
  if (connect(fd.get(), remote.get(), remote.size()) != 0) die("connect " + args[0]);
  const double rate = std::stod(args[1]);
  const double time = std::stod(args[2]);
  Forger forger(std::move(samples));
  // What is sent is made before: the time is the receiver's.
  std::vector<std::vector<Buffer>> batches(2000);
  for (auto& batch : batches) {
    for (unsigned i = 0; i < kBatch; ++i) batch.push_back(forger.next());
  }
  const Instant begin = io::now();
  std::size_t sent = 0;
  for (std::size_t i = 0; to_seconds(io::now() - begin) < time; ++i) {
    const auto due = static_cast<std::size_t>(to_seconds(io::now() - begin) * rate);
    if (sent > due) {
      wait_until(begin +
                 Duration(static_cast<std::int64_t>(static_cast<double>(sent) / rate * 1e9)));
    }
    sent += send_batch(fd.get(), batches[i % batches.size()]);
  }
  say("{} {:.3f}", sent, to_seconds(io::now() - begin));
  return 0;
}
