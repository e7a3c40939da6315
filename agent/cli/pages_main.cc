// Writes a generated page: tribecast_pages NAME FILE; for a page of section 8 the daemon's
// help text comes by standard input.
#include <array>
#include <cstdio>
#include <fstream>

#include "cli/pages.h"

namespace {

std::string standard_input() {
  std::string text;
  std::array<char, 4096> part{};
  while (const std::size_t size = std::fread(part.data(), 1, part.size(), stdin)) {
    text.append(part.data(), size);
  }
  return text;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 64;
  const std::string name = argv[1];
  const std::string text = name.ends_with(".8")
                               ? tribecast::cli::daemon_page(name, standard_input())
                               : tribecast::cli::page(name);
  std::ofstream out(argv[2], std::ios::binary);
  out << text;
  return text.empty() || !out.flush() ? 1 : 0;
}
