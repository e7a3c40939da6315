// The filter of system calls, each case in a process of its own. Without sanitizers, under which
// there is no filter; linked dynamically and statically.
#include "host/syscall_filter.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <functional>
#include <string>

namespace {

using tribecast::host::filter_syscalls;
using tribecast::host::OnForbidden;

int failures = 0;

void check(const std::string& what, bool holds) {
  std::printf("%s: %s\n", holds ? "ok" : "FAIL", what.c_str());
  if (!holds) ++failures;
}

struct Outcome {
  int status = 0;
  std::string told;  // on standard error
};

// What becomes of a process that runs `body` behind the filter; its value is the exit code.
Outcome behind(OnForbidden on_forbidden, bool starts_programs, const std::function<int()>& body) {
  std::array<int, 2> ends{};
  if (pipe(ends.data()) != 0) std::abort();
  std::fflush(stdout);
  const pid_t child = fork();
  if (child == 0) {
    dup2(ends[1], STDERR_FILENO);
    close(ends[0]);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (!filter_syscalls(on_forbidden, starts_programs)) _exit(99);
    _exit(body());
  }
  close(ends[1]);
  Outcome outcome;
  std::array<char, 4096> block{};
  for (ssize_t size = 0; (size = read(ends[0], block.data(), block.size())) > 0;) {
    outcome.told.append(block.data(), static_cast<std::size_t>(size));
  }
  close(ends[0]);
  waitpid(child, &outcome.status, 0);
  return outcome;
}

bool ended_well(const Outcome& outcome) {
  return WIFEXITED(outcome.status) && WEXITSTATUS(outcome.status) == 0;
}
bool was_killed(const Outcome& outcome) {
  return WIFSIGNALED(outcome.status) && WTERMSIG(outcome.status) == SIGSYS;
}

// 0: refused with EPERM; 1: anything else.
int refused(long result) { return result == -1 && errno == EPERM ? 0 : 1; }

int run_program() {
  const pid_t child = fork();
  if (child < 0) return refused(-1) == 0 ? 2 : 3;
  if (child == 0) {
    execl("/bin/true", "true", nullptr);
    _exit(1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 4;
}
int start_program() {
  execl("/bin/true", "true", nullptr);
  return refused(-1);
}
int trace() { return refused(ptrace(PTRACE_TRACEME, 0, nullptr, nullptr)); }
int map_code() {
  return refused(mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
                         MAP_FAILED
                     ? -1
                     : 0);
}
int unknown_call() { return refused(syscall(4000)); }
#ifdef __x86_64__
int x32_call() { return refused(syscall(0x40000000 | SYS_getpid)); }
#endif
int useful_calls() {
  const int fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
  std::array<char, 64> block{};
  const bool read_some = read(fd, block.data(), block.size()) > 0;
  const int s = socket(AF_INET, SOCK_DGRAM, 0);
  void* data = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return read_some && s >= 0 && data != MAP_FAILED && getpid() > 0 ? 0 : 1;
}

void forbids(const std::string& what, bool starts_programs, int (*call)()) {
  const Outcome refusal = behind(OnForbidden::refuse, starts_programs, call);
  check(what + " is refused", ended_well(refusal));
  check(what + " is told",
        refusal.told.find("warning forbidden_call: refused system call number ") == 0);
  check(what + " kills", was_killed(behind(OnForbidden::kill, starts_programs, call)));
}

}  // namespace

int main() {
  check("what the agent needs works", ended_well(behind(OnForbidden::kill, false, useful_calls)));
  forbids("to become a program", false, start_program);
  forbids("to be traced", false, trace);
  forbids("to map code", false, map_code);
  forbids("a call that nobody knows", false, unknown_call);
#ifdef __x86_64__
  forbids("a call by another interface", false, x32_call);
#endif
  check("no process is started", !ended_well(behind(OnForbidden::refuse, false, run_program)));
  check("with a source that is a program one is started",
        ended_well(behind(OnForbidden::kill, true, run_program)));
  check("and what the agent needs works",
        ended_well(behind(OnForbidden::kill, true, useful_calls)));
  forbids("to be traced, then too,", true, trace);
  check("allow: no filter", ended_well(behind(OnForbidden::allow, false, run_program)));
  return failures == 0 ? 0 : 1;
}
