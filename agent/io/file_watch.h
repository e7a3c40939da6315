// Tells when a file may have become another: written and closed, replaced by rename, made, removed;
// also when its directory is made or goes, or is swapped behind a symbolic link (as Kubernetes does
// with its volumes). inotify; costs nothing until something happens in that directory.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "io/deadline_timer.h"
#include "io/error.h"
#include "io/fd.h"
#include "io/loop.h"
#include "io/readable.h"

namespace tribecast::io {

class FileWatch {
 public:
  // `path` is absolute. Changes that come together are told once.
  static OsResult<std::unique_ptr<FileWatch>> open(Loop& loop, const std::string& path,
                                                   std::function<void()> on_change);
  FileWatch(Loop& loop, Fd fd, std::string path, std::function<void()> on_change);
  FileWatch(const FileWatch&) = delete;
  FileWatch& operator=(const FileWatch&) = delete;
  ~FileWatch() = default;

 private:
  void watch();
  void on_events();

  Fd fd_;
  std::string path_;
  std::function<void()> on_change_;
  DeadlineTimer settle_;
  Readable readable_;
};

}  // namespace tribecast::io
