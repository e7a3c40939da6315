#include "cli/terminal.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "base/check.h"
#include "config/settings.h"
#include "control/json.h"

namespace tribecast::cli {
namespace {

int output_error = 0;

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// The first that is set decides, as in setlocale(3).
bool utf8_locale() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    std::string value = environment(name);
    if (value.empty()) continue;
    std::ranges::transform(value, value.begin(), [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return value.find("utf-8") != value.npos || value.find("utf8") != value.npos;
  }
  return false;
}

}  // namespace

bool print(std::string_view text) {
  if (output_error != 0) return false;
  const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
  if (!written || std::fflush(stdout) != 0) output_error = errno;
  return output_error == 0;
}

std::size_t read_input(char* room, std::size_t size) {
  std::size_t filled = 0;
  while (filled < size) {
    const ssize_t got = ::read(STDIN_FILENO, room + filled, size - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    filled += static_cast<std::size_t>(got);
  }
  return filled;
}

bool output_failed() {
  if (output_error == 0 || output_error == EPIPE) return false;
  std::fprintf(stderr, "tribecast: cannot write: %s\n", std::strerror(output_error));
  return true;
}

Exit complain(const control::Failure& failure) {
  std::fprintf(stderr, "tribecast: %s\n", failure.error.c_str());
  return failure.code;
}

Exit complain_usage(const UsageError& error) {
  std::fprintf(stderr, "tribecast: %s\n", error.what.c_str());
  if (!error.hint.empty()) std::fprintf(stderr, "    %s\n", error.hint.c_str());
  std::fputs("    help: tribecast help\n", stderr);
  return Exit::usage;
}

control::Style style_of(const Invocation& in) {
  const bool terminal = isatty(STDOUT_FILENO) == 1;
  const std::string when = in.text("color", "auto");
  const bool wanted = terminal && environment("NO_COLOR").empty() && environment("TERM") != "dumb";
  control::Style style;
  style.color = when == "always" || (when == "auto" && wanted);
  style.unicode = terminal && utf8_locale();
  return style;
}

Client client_of(const Invocation& in) {
  const config::Setting* setting = config::find_setting("control", "socket");
  TC_CHECK(setting != nullptr);
  return Client(in.text("socket", setting->fallback));
}

std::string timestamp() { return control::rfc3339(std::chrono::system_clock::now()); }

}  // namespace tribecast::cli
