#include "io/child.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <utility>

#include "base/utf8.h"
#include "io/clock.h"
#include "io/deadline_timer.h"
#include "io/fd.h"
#include "io/readable.h"

namespace tribecast::io {
namespace {

constexpr std::size_t kMaxComplaint = 4096;
constexpr std::size_t kMostQuotedComplaint = 200;
constexpr int kNotStarted = 127;

struct Pipe {
  Fd read;
  Fd write;
};

std::optional<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) return std::nullopt;
  return Pipe{Fd(ends[0]), Fd(ends[1])};
}

// --- in the child, between fork and exec

void close_all_above(int last) {
  if (syscall(SYS_close_range, static_cast<unsigned>(last) + 1, UINT_MAX, 0) == 0) return;
  const long limit = std::clamp(sysconf(_SC_OPEN_MAX), 256L, 65536L);
  for (int fd = last + 1; fd < limit; ++fd) close(fd);
}

// Where the service's system call filter forbids it: with none ambient, a user other than root
// loses them by the exec anyway.
bool drop_capabilities() {
  const bool none_ambient = prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) == 0;
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> none{};
  if (syscall(SYS_capset, &header, none.data()) == 0) return true;
  return errno == EPERM && none_ambient && geteuid() != 0;
}

void reset_signals() {
  for (int signal = 1; signal < NSIG; ++signal) std::signal(signal, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

// The agent is one thread, so this may allocate.
[[noreturn]] void become(const std::vector<std::string>& words, int output, int complaints) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int nothing = open("/dev/null", O_RDONLY);
  const bool placed = nothing >= 0 && dup2(nothing, STDIN_FILENO) >= 0 &&
                      dup2(output, STDOUT_FILENO) >= 0 && dup2(complaints, STDERR_FILENO) >= 0;
  close_all_above(STDERR_FILENO);
  reset_signals();
  const bool ready = placed && drop_capabilities() && chdir("/") == 0 &&
                     prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
  std::vector<char*> arguments;
  arguments.reserve(words.size() + 1);
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  std::string path = std::string("PATH=") + kChildPath;
  std::array<char*, 2> environment = {path.data(), nullptr};
  if (ready) execve(arguments.front(), arguments.data(), environment.data());
  const std::string why = std::string("cannot be started: ") + std::strerror(errno);
  static_cast<void>(write(STDERR_FILENO, why.data(), why.size()) > 0);
  _exit(kNotStarted);
}

// The last line that says something.
std::string last_line(std::string_view text) {
  const std::size_t end = text.find_last_not_of(" \t\r\n");
  if (end == text.npos) return {};
  text = text.substr(0, end + 1);
  const std::size_t begin = text.rfind('\n');
  if (begin != text.npos) text.remove_prefix(begin + 1);
  return printable(text.substr(0, kMostQuotedComplaint));
}

}  // namespace

struct Child::State : std::enable_shared_from_this<State> {
  State(Loop& event_loop, const Command& command, Answer on_answer)
      : loop(event_loop),
        answer(std::move(on_answer)),
        limit(command.timeout),
        max_output(command.max_output),
        timer(loop, [this] { fail("no answer within its timeout"); }),
        signals(loop) {}

  void start(const std::vector<std::string>& words) {
    auto out = make_pipe();
    auto err = make_pipe();
    if (!out || !err) return fail_soon(std::strerror(errno));
    // Before the fork: its end may come at once.
    boost::system::error_code error;
    signals.add(SIGCHLD, error);
    await_end();
    pid = fork();
    if (pid < 0) return fail_soon(std::strerror(errno));
    if (pid == 0) become(words, writable(out->write), writable(err->write));
    setpgid(pid, pid);  // whoever of the two is first
    output = std::move(out->read);
    complaints = std::move(err->read);
    watch_output = std::make_unique<Readable>(loop, output.get(), [this] { read_output(); });
    watch_complaints =
        std::make_unique<Readable>(loop, complaints.get(), [this] { read_complaints(); });
    timer.arm(now() + limit);
  }

  // The child's own end must wait when it is full.
  static int writable(const Fd& fd) {
    fcntl(fd.get(), F_SETFL, fcntl(fd.get(), F_GETFL) & ~O_NONBLOCK);
    return fd.get();
  }

  void await_end() {
    signals.async_wait([self = shared_from_this()](boost::system::error_code error, int) {
      if (error) return;
      if (!self->over) self->on_child_signal();
      if (self->over) self->reap();
      if (self->pid > 0) self->await_end();
    });
  }

  // Seen, but not reaped: so nobody else has its process group's number yet.
  void on_child_signal() {
    siginfo_t info{};
    if (pid <= 0) return;
    if (waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT | WNOHANG) != 0) return;
    if (info.si_pid != pid) return;
    read_complaints();
    while (!over && output && read_output()) {
    }
    if (over) return;
    if (info.si_code == CLD_EXITED && info.si_status == 0) return finish(std::move(text));
    fail(info.si_code == CLD_EXITED ? "exit status " + std::to_string(info.si_status)
                                    : "ended by signal " + std::to_string(info.si_status));
  }

  // True when there may be more.
  bool read_output() {
    std::array<char, 65536> block;
    const ssize_t size = read(output.get(), block.data(), block.size());
    if (size > 0) {
      text.append(block.data(), static_cast<std::size_t>(size));
      if (text.size() <= max_output) return true;
      fail("it prints more than " + std::to_string(max_output) + " bytes");
    } else if (size == 0) {
      watch_output->stop();
    }
    return false;
  }

  void read_complaints() {
    std::array<char, 4096> block;
    const ssize_t size = read(complaints.get(), block.data(), block.size());
    if (size == 0) watch_complaints->stop();
    if (size <= 0) return;
    complaint.append(block.data(), static_cast<std::size_t>(size));
    if (complaint.size() > kMaxComplaint) complaint.erase(0, complaint.size() - kMaxComplaint);
  }

  void fail(std::string why) {
    const std::string said = last_line(complaint);
    finish(Unexpected{std::move(why) + (said.empty() ? "" : ": " + said)});
  }

  // Nobody is called from inside the constructor.
  void fail_soon(std::string why) {
    pid = -1;
    boost::asio::post(loop, [self = shared_from_this(), why = std::move(why)] {
      if (!self->over) self->fail("cannot be started: " + why);
    });
  }

  void finish(const Result<std::string, std::string>& result) {
    end();
    answer(result);
  }

  void end() {
    over = true;
    timer.arm(kNever);
    watch_output.reset();
    watch_complaints.reset();
    output.reset();
    complaints.reset();
    if (pid > 0) {
      kill(-pid, SIGKILL);
      kill(pid, SIGKILL);  // before it has made its group
    }
    reap();
  }

  // Without waiting: who hangs in the kernel dies later, and its signal comes here again.
  void reap() {
    if (pid > 0 && waitpid(pid, nullptr, WNOHANG) == 0) return;
    pid = -1;
    boost::system::error_code ignored;
    signals.cancel(ignored);
    signals.clear(ignored);
  }

  Loop& loop;
  Answer answer;
  Duration limit;
  std::size_t max_output;
  DeadlineTimer timer;
  boost::asio::signal_set signals;
  pid_t pid = -1;
  Fd output;
  Fd complaints;
  std::unique_ptr<Readable> watch_output;
  std::unique_ptr<Readable> watch_complaints;
  std::string text;
  std::string complaint;
  bool over = false;
};

Child::Child(Loop& loop, const Command& command, Answer answer)
    : state_(std::make_shared<State>(loop, command, std::move(answer))) {
  state_->start(command.words);
}

Child::~Child() {
  if (!state_->over) state_->end();
}

}  // namespace tribecast::io
