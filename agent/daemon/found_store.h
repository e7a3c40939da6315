// The peers that were found, kept over restarts of the agent (config/found_list.h).
//
// The directory may not be ours once root was given up, so a file cannot be replaced by rename. Two
// files are written in turn instead: whatever happens while one is written, the other is whole.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "config/found_list.h"
#include "daemon/log.h"
#include "io/fd.h"

namespace tribecast::daemon {

class FoundStore {
 public:
  // Opens `path`.1 and `path`.2, which may need rights. Without them the rest works, and the log
  // says what is missing.
  FoundStore(Log& log, std::string path);

  // What was kept by the agent's last process.
  std::vector<config::FoundRecord> recall();
  void keep(std::vector<config::FoundRecord> records);

 private:
  void warn(const std::string& file, const std::string& why);

  Log& log_;
  std::string path_;
  std::array<io::Fd, 2> files_;
  std::size_t newest_ = 0;  // of the two
  std::uint64_t generation_ = 0;
  bool write_failed_ = false;
};

}  // namespace tribecast::daemon
