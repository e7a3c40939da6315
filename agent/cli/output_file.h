// Files that the tool writes for people and other programs: whole or not at all.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "control/reply.h"

namespace tribecast::cli {

struct FileAccess {
  mode_t mode = 0644;
  std::optional<gid_t> group{};  // else that of the process
};

// A new file; one that is there already stays as it is, and is an error.
Result<Done, control::Failure> create_file(const std::string& path, std::string_view content,
                                           const FileAccess& access);
// In the place of the file that is there, or a new one; a reader sees the one before or this one.
Result<Done, control::Failure> replace_file(const std::string& path, std::string_view content,
                                            const FileAccess& access);

}  // namespace tribecast::cli
