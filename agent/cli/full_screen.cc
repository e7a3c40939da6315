#include "cli/full_screen.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <string_view>

#include "cli/terminal.h"

namespace tribecast::cli {
namespace {

// Alternate screen, no cursor, no wrapping; and back.
constexpr std::string_view kEnter = "\033[?1049h\033[?25l\033[?7l";
constexpr std::string_view kLeave = "\033[?7h\033[?25h\033[?1049l";

sigset_t watched_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGWINCH}) {
    sigaddset(&set, signal);
  }
  return set;
}

bool can_be_painted() {
  const char* kind = std::getenv("TERM");
  return isatty(STDOUT_FILENO) == 1 && kind != nullptr && *kind != 0 &&
         std::string_view(kind) != "dumb";
}

}  // namespace

std::unique_ptr<FullScreen> FullScreen::open() {
  if (!can_be_painted()) return nullptr;
  const sigset_t watched = watched_signals();
  sigset_t before;
  if (sigprocmask(SIG_BLOCK, &watched, &before) != 0) return nullptr;
  const int signals = signalfd(-1, &watched, SFD_NONBLOCK | SFD_CLOEXEC);
  if (signals < 0) return nullptr;
  return std::unique_ptr<FullScreen>(new FullScreen(signals, before));
}

FullScreen::FullScreen(int signals, sigset_t before) : signals_(signals), mask_before_(before) {
  enter();
}

FullScreen::~FullScreen() {
  leave();
  // What ended the program is what its parent is told.
  if (signal_ != 0) {
    std::signal(signal_, SIG_DFL);
    std::raise(signal_);
  }
  sigprocmask(SIG_SETMASK, &mask_before_, nullptr);
}

void FullScreen::enter() {
  keys_changed_ = tcgetattr(STDIN_FILENO, &keys_before_) == 0;
  if (keys_changed_) {
    termios silent = keys_before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    silent.c_cc[VMIN] = 1;
    silent.c_cc[VTIME] = 0;
    tcsetattr(STDIN_FILENO, TCSANOW, &silent);
  }
  print(kEnter);
}

void FullScreen::leave() {
  print(kLeave);
  if (keys_changed_) tcsetattr(STDIN_FILENO, TCSANOW, &keys_before_);
}

control::ScreenSize FullScreen::size() {
  winsize window{};
  control::ScreenSize size;
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) != 0 || window.ws_col == 0) return size;
  size.columns = window.ws_col;
  size.rows = window.ws_row;
  return size;
}

FullScreen::Wake FullScreen::take_signal() {
  signalfd_siginfo info{};
  if (read(signals_.get(), &info, sizeof(info)) != sizeof(info)) return Wake::time_is_up;
  const int signal = static_cast<int>(info.ssi_signo);
  if (signal == SIGWINCH) return Wake::repaint;
  if (signal != SIGTSTP) {
    signal_ = signal;
    return Wake::quit;
  }
  leave();
  std::raise(SIGSTOP);
  enter();
  return Wake::repaint;
}

FullScreen::Wake FullScreen::sleep(Duration at_most) {
  std::array<pollfd, 2> both = {pollfd{signals_.get(), POLLIN, 0},
                                pollfd{input_ended_ ? -1 : STDIN_FILENO, POLLIN, 0}};
  const auto time = std::chrono::ceil<milliseconds>(at_most).count();
  const int ready = poll(both.data(), both.size(), static_cast<int>(time));
  if (ready <= 0) return Wake::time_is_up;
  if (both[0].revents != 0) return take_signal();
  char key = 0;
  const ssize_t got = read(STDIN_FILENO, &key, 1);
  if (got == 0 || (got < 0 && errno != EINTR && errno != EAGAIN)) input_ended_ = true;
  return got == 1 && (key == 'q' || key == 'Q') ? Wake::quit : Wake::repaint;
}

}  // namespace tribecast::cli
