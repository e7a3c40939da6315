#include "survey/program.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "io/clock.h"
#include "io/fd.h"

namespace tribecast::survey {
namespace {

constexpr Duration kLimit = seconds(5);

// What it printed to `out` until the end or the deadline; nullopt then, or when it is too much.
std::optional<std::string> read_all(int out, std::size_t most) {
  const Instant deadline = io::now() + kLimit;
  std::string text;
  std::array<char, 65536> part{};
  while (text.size() <= most) {
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

// Its process, with standard output in `out`; 0 and errno when it was not started.
pid_t spawn(const std::vector<std::string>& words, int out) {
  std::vector<char*> arguments;
  for (const std::string& word : words) {
    arguments.push_back(const_cast<char*>(word.c_str()));  // NOLINT: what execve wants, unchanged
  }
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions{};
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  std::array<char*, 1> environment{};
  pid_t pid = 0;
  errno = posix_spawn(&pid, arguments[0], &actions, nullptr, arguments.data(), environment.data());
  const int failed = errno;
  posix_spawn_file_actions_destroy(&actions);
  errno = failed;
  return failed == 0 ? pid : 0;
}

}  // namespace

std::optional<std::string> find_program(const std::string& name) {
  for (const char* directory : {"/usr/sbin/", "/sbin/", "/usr/bin/", "/bin/"}) {
    const std::string path = directory + name;
    if (access(path.c_str(), X_OK) == 0) return path;
  }
  return std::nullopt;
}

Result<std::string, std::string> run_program(std::vector<std::string> words, std::size_t most) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return Unexpected{std::string(std::strerror(errno))};
  const io::Fd in(ends[0]);
  io::Fd out(ends[1]);
  const pid_t pid = spawn(words, out.get());
  out.reset();
  if (pid == 0) return Unexpected{words[0] + ": " + std::strerror(errno)};
  auto text = read_all(in.get(), most);
  if (!text) kill(pid, SIGKILL);
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (!text) return Unexpected{words[0] + ": too slow, or too much to say"};
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return std::move(*text);
  for (std::string& word : words) word += " ";
  std::string failed;
  for (const std::string& word : words) failed += word;
  return Unexpected{failed + "failed"};
}

}  // namespace tribecast::survey
