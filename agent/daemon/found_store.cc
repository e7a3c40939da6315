#include "daemon/found_store.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "io/whole_file.h"

namespace tribecast::daemon {
namespace {

bool write_whole(int file, const std::string& text) {
  // First to nothing: a part of this one before the end of the last one would be taken for whole.
  if (ftruncate(file, 0) != 0) return false;
  return pwrite(file, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size());
}

}  // namespace

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
    const auto text = io::read_whole(files_[i].get(), config::kMaxFoundListBytes);
    if (!text || text->empty()) continue;
    auto list = config::parse_found_list(*text);
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
