// Reading the frozen files under vectors/: whole binaries, and lines of words (`name hex...`, with
// comments behind `#`). Numbers for property tests come from a fixed seed.
#pragma once

#include <fstream>
#include <iterator>
#include <random>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/hex.h"

namespace tribecast::test {

inline std::string vector_text(const std::string& path) {
  std::ifstream in(std::string(TEST_VECTORS) + "/" + path, std::ios::binary);
  if (!in) throw std::runtime_error("no test vector " + path);
  return {std::istreambuf_iterator<char>(in), {}};
}

inline Buffer vector_bytes(const std::string& path) { return copy_of(bytes_of(vector_text(path))); }

inline std::vector<std::vector<std::string>> vector_lines(const std::string& path) {
  std::vector<std::vector<std::string>> lines;
  std::istringstream text(vector_text(path));
  for (std::string line; std::getline(text, line);) {
    std::istringstream words(line.substr(0, line.find('#')));
    std::vector<std::string> found{std::istream_iterator<std::string>(words), {}};
    if (!found.empty()) lines.push_back(std::move(found));
  }
  return lines;
}

// Bytes written in hexadecimal, with blanks for the reader's eye.
inline Buffer hex(std::string text) {
  std::erase_if(text, [](char c) { return c == ' ' || c == '\n'; });
  auto bytes = from_hex(text);
  if (!bytes) throw std::runtime_error("not hexadecimal: " + text);
  return std::move(*bytes);
}

class Random {
 public:
  // Uniform in [0, limit).
  std::uint64_t below(std::uint64_t limit) { return engine_() % limit; }
  Buffer bytes(std::size_t size) {
    Buffer out(size);
    for (std::uint8_t& byte : out) byte = static_cast<std::uint8_t>(engine_());
    return out;
  }
  template <class T>
  void shuffle(std::vector<T>& items) {
    for (std::size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[below(i)]);
  }

 private:
  std::mt19937_64 engine_{20240229};
};

}  // namespace tribecast::test
