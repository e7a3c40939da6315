#include "engine/daemon/identity.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <sstream>

#include "base/hex.h"

namespace tribecast::engine {
namespace {

constexpr std::size_t kMaxFile = 1024;

std::string path_of(const std::string& directory) { return directory + "/identity"; }

io::OsError bad_file(const std::string& path, std::string reason) {
  return {EINVAL, path, std::move(reason) + "; remove it to begin as a new member"};
}

// `unique-id HEX32` and `since MILLISECONDS`, a line each.
io::OsResult<Identity> parse_identity(const std::string& path, const std::string& text) {
  Identity identity;
  std::istringstream words(text);
  std::string key;
  std::string id;
  std::string since_key;
  std::string since;
  words >> key >> id >> since_key >> since;
  const auto raw = from_hex(id);
  if (key != "unique-id" || !raw || raw->size() != identity.unique_id.size()) {
    return Unexpected{bad_file(path, "no 'unique-id' with 32 hexadecimal digits")};
  }
  std::ranges::copy(*raw, identity.unique_id.begin());
  const auto [end, error] =
      std::from_chars(since.data(), since.data() + since.size(), identity.since_milliseconds);
  if (since_key != "since" || error != std::errc() || end != since.data() + since.size()) {
    return Unexpected{bad_file(path, "no 'since' with milliseconds")};
  }
  return identity;
}

// A version 4 UUID (RFC 4122), as Tomcat makes it.
io::OsResult<tribes::UniqueId> new_unique_id() {
  tribes::UniqueId id{};
  if (getrandom(id.data(), id.size(), 0) != static_cast<ssize_t>(id.size())) {
    return io::os_error("random bytes");
  }
  id[6] = static_cast<std::uint8_t>((id[6] & 0x0fU) | 0x40U);
  id[8] = static_cast<std::uint8_t>((id[8] & 0x3fU) | 0x80U);
  return id;
}

io::OsResult<Done> write_identity(int fd, const std::string& path, const Identity& identity) {
  const std::string text = fmt::format("unique-id {}\nsince {}\n", to_hex(identity.unique_id),
                                       identity.since_milliseconds);
  if (pwrite(fd, text.data(), text.size(), 0) != static_cast<ssize_t>(text.size()) ||
      fsync(fd) != 0) {
    return io::os_error("write " + path);
  }
  return Done{};
}

}  // namespace

io::OsResult<Identity> load_identity(const std::string& directory, std::uint64_t now_milliseconds) {
  if (mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) return io::os_error(directory);
  const std::string path = path_of(directory);
  io::Fd file(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file) return io::os_error(path);
  if (flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    return Unexpected{io::OsError{errno, path, "another engine runs with this state directory"}};
  }
  std::array<char, kMaxFile> text{};
  const ssize_t size = pread(file.get(), text.data(), text.size(), 0);
  if (size < 0) return io::os_error(path);
  if (size > 0) {
    auto identity = parse_identity(path, {text.data(), static_cast<std::size_t>(size)});
    if (identity) identity->lock = std::move(file);
    return identity;
  }
  const auto id = new_unique_id();
  if (!id) return Unexpected{id.error()};
  Identity identity;
  identity.unique_id = *id;
  identity.since_milliseconds = now_milliseconds;
  identity.is_new = true;
  if (auto written = write_identity(file.get(), path, identity); !written) {
    return Unexpected{written.error()};
  }
  identity.lock = std::move(file);
  return identity;
}

io::OsResult<Done> give_identity_to(const std::string& directory, unsigned uid, unsigned gid) {
  for (const std::string& path : {directory, path_of(directory)}) {
    if (lchown(path.c_str(), uid, gid) != 0) return io::os_error("owner of " + path);
  }
  return Done{};
}

}  // namespace tribecast::engine
