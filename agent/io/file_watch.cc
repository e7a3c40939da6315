#include "io/file_watch.h"

#include <sys/inotify.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <utility>

#include "io/clock.h"

namespace tribecast::io {
namespace {

namespace fs = std::filesystem;

// A rename is several events.
constexpr Duration kSettle = milliseconds(20);
constexpr std::uint32_t kAnything = IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM |
                                    IN_MOVED_TO | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF;
// Above the file's directory only the way to it matters.
constexpr std::uint32_t kTheWay =
    IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF;

}  // namespace

OsResult<std::unique_ptr<FileWatch>> FileWatch::open(Loop& loop, const std::string& path,
                                                     std::function<void()> on_change) {
  Fd fd(inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  if (!fd) return Unexpected{OsError{errno, "inotify", {}}};
  return std::make_unique<FileWatch>(loop, std::move(fd), path, std::move(on_change));
}

FileWatch::FileWatch(Loop& loop, Fd fd, std::string path, std::function<void()> on_change)
    : fd_(std::move(fd)),
      path_(std::move(path)),
      on_change_(std::move(on_change)),
      settle_(loop,
              [this] {
                watch();
                on_change_();
              }),
      readable_(loop, fd_.get(), [this] { on_events(); }) {
  watch();
}

// The directory; where it is a symbolic link or not there, what leads to it as well. Adding a watch
// again is free, and those of directories that are gone are dropped by the kernel.
void FileWatch::watch() {
  fs::path directory = fs::path(path_).parent_path();
  const auto look_at_directory = [&] {
    return inotify_add_watch(fd_.get(), directory.c_str(), kAnything | IN_ONLYDIR) >= 0;
  };
  std::error_code ignored;
  if (look_at_directory() && !fs::is_symlink(directory, ignored)) return;
  fs::path above = directory;
  while (above.has_relative_path()) {
    above = above.parent_path();
    if (inotify_add_watch(fd_.get(), above.c_str(), kTheWay | IN_ONLYDIR) >= 0) break;
  }
  look_at_directory();  // that was made meanwhile
}

void FileWatch::on_events() {
  // What happened does not matter, and more than this comes in the next turn.
  std::array<char, 16384> events;
  const ssize_t size = read(fd_.get(), events.data(), events.size());
  if (size > 0 && settle_.deadline() == kNever) settle_.arm(now() + kSettle);
}

}  // namespace tribecast::io
