#include <csignal>
#include <exception>

#include "cli/terminal.h"

namespace {

int run(int argc, char** argv) {
  using namespace tribecast::cli;
  std::signal(SIGPIPE, SIG_IGN);
  const auto invocation = understand({argv + 1, argv + argc});
  if (!invocation) return static_cast<int>(complain_usage(invocation.error()));
  const Exit code = invocation->command->run(*invocation);
  return static_cast<int>(output_failed() ? Exit::critical : code);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    return static_cast<int>(
        tribecast::cli::complain({tribecast::control::Exit::critical, error.what()}));
  }
}
