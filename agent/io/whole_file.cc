#include "io/whole_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

namespace tribecast::io {

OsResult<std::string> read_whole(int file, std::size_t most) {
  struct stat info {};
  if (fstat(file, &info) != 0) return os_error("cannot be read");
  const auto length = static_cast<std::size_t>(std::max<off_t>(info.st_size, 0));
  std::string text(std::min(length, most) + 1, '\0');
  std::size_t size = 0;
  while (size < text.size()) {
    const ssize_t more =
        pread(file, text.data() + size, text.size() - size, static_cast<off_t>(size));
    if (more < 0) return os_error("cannot be read");
    if (more == 0) break;
    size += static_cast<std::size_t>(more);
  }
  text.resize(size);
  return text;
}

}  // namespace tribecast::io
