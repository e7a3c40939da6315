// Runs nft, as this user: only root may ask it.
#include "doctor/packet_filter.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "io/clock.h"
#include "io/fd.h"
#include "survey/survey.h"

namespace tribecast::survey {
namespace {

constexpr Duration kLimit = seconds(5);

// What it printed to `out` until the end or the deadline; nullopt then, or when it is too much.
std::optional<std::string> read_all(int out) {
  const Instant deadline = io::now() + kLimit;
  std::string text;
  std::array<char, 65536> part{};
  while (text.size() <= doctor::kMaxPacketFilterBytes) {
    const auto left = duration_cast<milliseconds>(deadline - io::now()).count();
    pollfd one{out, POLLIN, 0};
    if (left <= 0 || poll(&one, 1, static_cast<int>(left)) == 0) return std::nullopt;
    const ssize_t got = read(out, part.data(), part.size());
    if (got == 0) return text;
    if (got > 0) text.append(part.data(), static_cast<std::size_t>(got));
    if (got < 0 && errno != EINTR) return std::nullopt;
  }
  return std::nullopt;
}

// Standard output of a program without arguments from outside; its complaints are dropped.
std::optional<std::string> output_of(const char* path, char* const* words, std::string& error) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) {
    error = std::strerror(errno);
    return std::nullopt;
  }
  const io::Fd in(ends[0]);
  io::Fd out(ends[1]);
  posix_spawn_file_actions_t actions{};
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, out.get(), STDOUT_FILENO);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  std::array<char*, 1> environment{};
  pid_t pid = 0;
  const int failed = posix_spawn(&pid, path, &actions, nullptr, words, environment.data());
  posix_spawn_file_actions_destroy(&actions);
  out.reset();
  if (failed != 0) {
    error = std::strerror(failed);
    return std::nullopt;
  }
  auto text = read_all(in.get());
  if (!text) kill(pid, SIGKILL);
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (text && WIFEXITED(status) && WEXITSTATUS(status) == 0) return text;
  error = "nft list ruleset failed";
  return std::nullopt;
}

}  // namespace

void look_at_packet_filter(doctor::Facts& facts) {
  if (!facts.root) {
    facts.packet_filter_error = "only root may list its rules";
    return;
  }
  if (const auto legacy = read_file("/proc/net/ip_tables_names"); legacy && !legacy->empty()) {
    facts.packet_filter_error =
        "rules of iptables-legacy are in use: iptables-legacy -S lists them";
    return;
  }
  const char* path = nullptr;
  for (const char* candidate : {"/usr/sbin/nft", "/sbin/nft", "/usr/bin/nft"}) {
    if (path == nullptr && access(candidate, X_OK) == 0) path = candidate;
  }
  if (path == nullptr) {
    facts.packet_filter_error = "nft (package nftables) is not installed";
    return;
  }
  std::string name = "nft";
  std::string list = "list";
  std::string ruleset = "ruleset";
  const std::array<char*, 4> words = {name.data(), list.data(), ruleset.data(), nullptr};
  facts.packet_filter = output_of(path, words.data(), facts.packet_filter_error);
}

}  // namespace tribecast::survey
