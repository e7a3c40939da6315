// An archive of texts (POSIX.1-1988 ustar), and what must not be in one.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tribecast::control {

struct ArchiveFile {
  std::string name;  // at most 100 bytes, with the directory
  std::string text;
};

// Files of mode 0600 that nobody owns; `when` is since 1970. A longer name is cut.
std::string archive(const std::vector<ArchiveFile>& files, std::uint64_t when_seconds);

// The text without what could be a secret: anything of the form of a key of ours (64 hexadecimal
// digits or more in a row, 43 base64 characters or more that hold capitals, small letters and
// digits), and what stands behind a word like `password`, `secret` or `token`.
std::string redacted(std::string_view text);

}  // namespace tribecast::control
