// The terminal as one screen, given back as it was: at the end of the scope, and when a signal ends
// or stops the program.
#pragma once

#include <termios.h>

#include <csignal>
#include <memory>

#include "base/time.h"
#include "cli/descriptor.h"
#include "control/screen.h"

namespace tribecast::cli {

class FullScreen {
 public:
  // Standard output is a terminal that can be painted on; else nullptr.
  static std::unique_ptr<FullScreen> open();
  FullScreen(const FullScreen&) = delete;
  FullScreen& operator=(const FullScreen&) = delete;
  ~FullScreen();

  [[nodiscard]] static control::ScreenSize size();

  enum class Wake { time_is_up, repaint, quit };
  // Sleeps at most so long: until a key is struck, the size changes or a signal comes. `q` quits.
  Wake sleep(Duration at_most);
  // The signal that asked to quit; 0 when it was a key.
  [[nodiscard]] int signal() const { return signal_; }

 private:
  FullScreen(int signals, sigset_t before);

  void enter();
  void leave();
  Wake take_signal();

  Descriptor signals_;
  sigset_t mask_before_;
  termios keys_before_{};
  bool keys_changed_ = false;
  bool input_ended_ = false;
  int signal_ = 0;
};

}  // namespace tribecast::cli
