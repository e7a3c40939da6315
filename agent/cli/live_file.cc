#include "cli/live_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <thread>

namespace tribecast::cli {
namespace {

namespace fs = std::filesystem;
using control::Exit;
using control::Failure;

constexpr int kLockTries = 100;
constexpr auto kLockPause = std::chrono::milliseconds(100);
constexpr mode_t kFileMode = 0644;  // whatever the umask: the agent's own user must read it
constexpr mode_t kDirectoryMode = 0755;

Unexpected<Failure> not_changed(const std::string& path, int error) {
  const bool denied = error == EACCES || error == EPERM || error == EROFS;
  return {{denied ? Exit::no_permission : Exit::critical,
           "the configuration was not changed\n    why: " + path + ": " + std::strerror(error)}};
}

std::string directory_of(const std::string& path) {
  const std::string directory = fs::path(path).parent_path().string();
  return directory.empty() ? "." : directory;
}

// A hidden name, which the agent does not read: of one change, or left by one that was cut short.
std::string hidden(const std::string& path, std::string_view what) {
  const fs::path whole(path);
  return (whole.parent_path() / ("." + whole.filename().string() + std::string(what))).string();
}

// A rename is on disk when its directory is. Not every file system can do that: no error.
void sync_directory(const std::string& directory) {
  const Descriptor opened(open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (opened) fsync(opened.get());
}

bool write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(descriptor, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

struct Access {
  mode_t mode = kFileMode;
  uid_t user = geteuid();
  gid_t group = getegid();
};

// On disk, mode and owner included; for nobody else to read before it has them.
bool write_file(const std::string& path, std::string_view text, const Access& access = {}) {
  unlink(path.c_str());
  const Descriptor file(
      open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR));
  struct stat made {};
  if (!file || fstat(file.get(), &made) != 0) return false;
  const bool own = made.st_uid == access.user && made.st_gid == access.group;
  return (own || fchown(file.get(), access.user, access.group) == 0) &&
         fchmod(file.get(), access.mode) == 0 && write_all(file.get(), text) &&
         fsync(file.get()) == 0;
}

bool rename_in(const std::string& directory, const std::string& from, const std::string& to) {
  if (std::rename(from.c_str(), to.c_str()) != 0) return false;
  sync_directory(directory);
  return true;
}

}  // namespace

Result<std::unique_ptr<FilesLock>, Failure> FilesLock::take(const std::string& main_file) {
  const std::string directory = directory_of(main_file);
  const int descriptor = open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return not_changed(directory, errno);
  std::unique_ptr<FilesLock> lock(new FilesLock(descriptor));
  for (int tries = 1; flock(descriptor, LOCK_EX | LOCK_NB) != 0; ++tries) {
    if (errno != EWOULDBLOCK && errno != EINTR) return not_changed(directory, errno);
    if (tries == kLockTries) {
      return Unexpected<Failure>{
          {Exit::critical,
           "the configuration was not changed\n    why: another tribecast has been "
           "changing " +
               directory + " for 10 s"}};
    }
    std::this_thread::sleep_for(kLockPause);
  }
  return lock;
}

Result<FileChange, Failure> FileChange::write(const std::string& path, const std::string& text) {
  const std::string directory = directory_of(path);
  const bool made = mkdir(directory.c_str(), kDirectoryMode) == 0;
  if (!made && errno != EEXIST) return not_changed(directory, errno);
  if (made && chmod(directory.c_str(), kDirectoryMode) != 0) return not_changed(directory, errno);
  const FileChange change(path, "", made ? directory : "");
  if (access(path.c_str(), F_OK) == 0) return not_changed(path, EEXIST);
  const std::string fresh = hidden(path, ".new");
  if (!write_file(fresh, text) || !rename_in(directory, fresh, path)) {
    const int error = errno;
    unlink(fresh.c_str());
    if (made) rmdir(directory.c_str());
    return not_changed(path, error);
  }
  return change;
}

Result<FileChange, Failure> FileChange::replace(const std::string& path, std::string_view text) {
  struct stat before {};
  if (stat(path.c_str(), &before) != 0) return not_changed(path, errno);
  const std::string fresh = hidden(path, ".new");
  const std::string aside = hidden(path, ".before");
  unlink(aside.c_str());
  const Access access{before.st_mode & mode_t{07777}, before.st_uid, before.st_gid};
  if (!write_file(fresh, text, access) || link(path.c_str(), aside.c_str()) != 0 ||
      !rename_in(directory_of(path), fresh, path)) {
    const int error = errno;
    unlink(fresh.c_str());
    unlink(aside.c_str());
    return not_changed(path, error);
  }
  return FileChange(path, aside, "");
}

Result<FileChange, Failure> FileChange::remove(const std::string& path) {
  const std::string aside = hidden(path, ".removed");
  if (!rename_in(directory_of(path), path, aside)) return not_changed(path, errno);
  return FileChange(path, aside, "");
}

Result<Done, Failure> FileChange::put_back() const {
  const std::string directory = directory_of(path_);
  if (!aside_.empty()) {
    if (!rename_in(directory, aside_, path_)) return not_changed(path_, errno);
    return Done{};
  }
  if (unlink(path_.c_str()) != 0) return not_changed(path_, errno);
  sync_directory(directory);
  if (!new_directory_.empty()) rmdir(new_directory_.c_str());
  return Done{};
}

void FileChange::keep() const {
  if (!aside_.empty()) unlink(aside_.c_str());
}

}  // namespace tribecast::cli
