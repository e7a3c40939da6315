#include "control/archive.h"

#include <algorithm>
#include <array>

namespace tribecast::control {
namespace {

constexpr std::size_t kBlock = 512;
constexpr std::string_view kRedacted = "[redacted]";
constexpr std::size_t kHexKey = 64;
constexpr std::size_t kBase64Key = 43;  // 32 bytes, without the `=`

std::string octal(std::uint64_t value, std::size_t digits) {
  std::string out(digits, '0');
  for (std::size_t i = digits; i-- > 0; value >>= 3U) {
    out[i] = static_cast<char>('0' + (value & 7U));
  }
  return out;
}

// IEEE Std 1003.1, pax, "ustar Interchange Format".
std::string header_of(const ArchiveFile& file, std::uint64_t when_seconds) {
  std::string out(kBlock, '\0');
  const auto put = [&out](std::size_t at, std::string_view text) {
    std::ranges::copy(text, out.begin() + static_cast<std::ptrdiff_t>(at));
  };
  put(0, std::string_view(file.name).substr(0, 100));
  put(100, "0000600");
  put(108, "0000000");
  put(116, "0000000");
  put(124, octal(file.text.size(), 11));
  put(136, octal(when_seconds, 11));
  put(148, "        ");  // counts as blanks in its own sum
  put(156, "0");
  put(257, std::string_view("ustar\00000", 8));
  std::uint64_t sum = 0;
  for (const char c : out) sum += static_cast<unsigned char>(c);
  put(148, octal(sum, 6));
  out[154] = '\0';
  return out;
}

bool is_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_small(char c) { return c >= 'a' && c <= 'z'; }
bool is_capital(char c) { return c >= 'A' && c <= 'Z'; }

bool is_base64(char c) {
  return is_digit(c) || is_small(c) || is_capital(c) || c == '+' || c == '/';
}

// A long path has no capitals or digits as a rule; a key has all three.
bool like_base64_key(std::string_view run) {
  return run.size() >= kBase64Key && std::ranges::any_of(run, is_digit) &&
         std::ranges::any_of(run, is_small) && std::ranges::any_of(run, is_capital);
}

bool like_hex_key(std::string_view run) {
  std::size_t row = 0;
  for (const char c : run) {
    row = is_hex(c) ? row + 1 : 0;
    if (row == kHexKey) return true;
  }
  return false;
}

bool names_a_secret(std::string_view line, std::size_t& behind) {
  static constexpr std::array<std::string_view, 6> kWords = {"password", "passwd",     "secret",
                                                             "token",    "access-key", "accesskey"};
  std::string low(line);
  std::ranges::transform(low, low.begin(),
                         [](char c) { return is_capital(c) ? static_cast<char>(c + 32) : c; });
  behind = std::string::npos;
  for (const std::string_view word : kWords) {
    const std::size_t at = low.find(word);
    if (at != low.npos) behind = std::min(behind, at + word.size());
  }
  return behind != std::string::npos;
}

void append_redacted(std::string_view line, std::string& out) {
  std::size_t behind = 0;
  if (names_a_secret(line, behind) && behind < line.size()) {
    out += std::string(line.substr(0, behind)) + " " + std::string(kRedacted);
    return;
  }
  while (!line.empty()) {
    const auto* end = std::ranges::find_if_not(line, is_base64);
    const auto size = static_cast<std::size_t>(end - line.begin());
    const std::string_view run = line.substr(0, size);
    const bool secret = like_hex_key(run) || like_base64_key(run);
    out += secret ? kRedacted : run;
    line.remove_prefix(size);
    const auto* next = std::ranges::find_if(line, is_base64);
    const auto between = static_cast<std::size_t>(next - line.begin());
    out += line.substr(0, between);
    line.remove_prefix(between);
  }
}

}  // namespace

std::string archive(const std::vector<ArchiveFile>& files, std::uint64_t when_seconds) {
  std::string out;
  for (const ArchiveFile& file : files) {
    out += header_of(file, when_seconds) + file.text;
    out.append((kBlock - file.text.size() % kBlock) % kBlock, '\0');
  }
  return out.append(2 * kBlock, '\0');
}

std::string redacted(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    append_redacted(text.substr(0, end), out);
    if (end < text.size()) out += '\n';
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

}  // namespace tribecast::control
