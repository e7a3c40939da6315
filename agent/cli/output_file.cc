#include "cli/output_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "cli/descriptor.h"

namespace tribecast::cli {
namespace {

using control::Exit;
using control::Failure;

Unexpected<Failure> not_written(const std::string& path, int error) {
  const bool denied = error == EACCES || error == EPERM || error == EROFS;
  std::string text = "cannot write " + path + ": " + std::strerror(error);
  if (error == EEXIST) text += "; it was not touched";
  return {{denied ? Exit::no_permission : Exit::critical, text}};
}

bool put(int descriptor, std::string_view content) {
  while (!content.empty()) {
    const ssize_t written = write(descriptor, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

bool write_aside(const std::string& path, std::string_view content, const FileAccess& access) {
  const Descriptor file(
      open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR));
  return file && (!access.group || fchown(file.get(), geteuid(), *access.group) == 0) &&
         fchmod(file.get(), access.mode) == 0 && put(file.get(), content) && fsync(file.get()) == 0;
}

using Settle = int (*)(const char* from, const char* to);

Result<Done, Failure> write_then(const std::string& path, std::string_view content,
                                 const FileAccess& access, Settle settle) {
  const std::filesystem::path whole(path);
  const std::string aside = (whole.parent_path() / ("." + whole.filename().string() + "." +
                                                    std::to_string(getpid()) + ".new"))
                                .string();
  const bool good = write_aside(aside, content, access) && settle(aside.c_str(), path.c_str()) == 0;
  const int error = errno;
  unlink(aside.c_str());  // the second name of a file that was linked, or what a failure left
  if (!good) return not_written(path, error);
  return Done{};
}

}  // namespace

Result<Done, Failure> create_file(const std::string& path, std::string_view content,
                                  const FileAccess& access) {
  return write_then(path, content, access, link);
}

Result<Done, Failure> replace_file(const std::string& path, std::string_view content,
                                   const FileAccess& access) {
  return write_then(path, content, access, std::rename);
}

}  // namespace tribecast::cli
