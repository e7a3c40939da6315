#include "daemon/found_store.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <utility>

namespace tribecast::daemon {
namespace {

std::string read_whole(int file, std::size_t most) {
  struct stat status {};
  if (fstat(file, &status) != 0 || status.st_size <= 0) return {};
  std::string text(std::min(static_cast<std::size_t>(status.st_size), most + 1), '\0');
  std::size_t size = 0;
  while (size < text.size()) {
    const ssize_t more =
        pread(file, text.data() + size, text.size() - size, static_cast<off_t>(size));
    if (more <= 0) break;
    size += static_cast<std::size_t>(more);
  }
  text.resize(size);
  return text;
}

bool write_whole(int file, const std::string& text) {
  // First to nothing: a part of this one before the end of the last one would be taken for whole.
  if (ftruncate(file, 0) != 0) return false;
  return pwrite(file, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size());
}

}  // namespace

std::string found_store_path(const std::string& control_socket) {
  if (const char* state = std::getenv("STATE_DIRECTORY"); state != nullptr && *state == '/') {
    return std::string(state) + "/discovered";
  }
  return std::filesystem::path(control_socket).replace_extension(".discovered").string();
}

FoundStore::FoundStore(Log& log, std::string path) : log_(log), path_(std::move(path)) {
  for (std::size_t i = 0; i < files_.size(); ++i) {
    const std::string file = fmt::format("{}.{}", path_, i + 1);
    files_[i] = io::Fd(open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640));
    if (!files_[i]) warn(file, std::strerror(errno));
  }
}

void FoundStore::warn(const std::string& file, const std::string& why) {
  log_.write(Severity::warning, "no_discovered_list",
             fmt::format("{}: {}; found peers are not remembered over a restart", file, why));
}

std::vector<config::FoundRecord> FoundStore::recall() {
  config::FoundList best;
  for (std::size_t i = 0; i < files_.size(); ++i) {
    if (!files_[i]) continue;
    const std::string text = read_whole(files_[i].get(), config::kMaxFoundListBytes);
    if (text.empty()) continue;
    auto list = config::parse_found_list(text);
    if (!list) {
      log_.write(Severity::warning, "bad_discovered_list",
                 fmt::format("{}.{}: {}; it is not used", path_, i + 1, list.error()));
    } else if (list->generation >= best.generation) {
      best = std::move(*list);
      newest_ = i;
    }
  }
  generation_ = best.generation;
  return std::move(best.records);
}

void FoundStore::keep(std::vector<config::FoundRecord> records) {
  const std::size_t next = 1 - newest_;
  if (!files_[next]) return;
  const std::string text = config::to_text({++generation_, std::move(records)});
  const bool good = write_whole(files_[next].get(), text);
  if (good) {
    newest_ = next;
  } else if (!write_failed_) {
    warn(fmt::format("{}.{}", path_, next + 1), std::strerror(errno));
  }
  write_failed_ = !good;
}

}  // namespace tribecast::daemon
