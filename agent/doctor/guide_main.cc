// Prints docs/troubleshooting.md.
#include <cstdio>

#include "doctor/checks.h"

int main() {
  const std::string text = tribecast::doctor::troubleshooting_markdown();
  return std::fwrite(text.data(), 1, text.size(), stdout) == text.size() ? 0 : 1;
}
