// Prints docs/configuration.md.
#include <cstdio>

#include "config/settings.h"

int main() {
  const std::string text = tribecast::config::reference_markdown();
  return std::fwrite(text.data(), 1, text.size(), stdout) == text.size() ? 0 : 1;
}
