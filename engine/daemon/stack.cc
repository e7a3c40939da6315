#include "engine/daemon/stack.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <utility>

#include "base/hex.h"
#include "engine/channel/domain_filter.h"
#include "engine/channel/encrypt.h"
#include "engine/channel/fragment.h"
#include "engine/channel/gzip.h"
#include "engine/channel/order.h"
#include "io/fd.h"

namespace tribecast::engine {
namespace {

constexpr std::size_t kMaxKeyFile = 256;

// What the key must never be is repeated in a message.
io::OsResult<Buffer> read_key(const std::string& path) {
  const io::Fd file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return io::os_error(path);
  struct stat status {};
  if (fstat(file.get(), &status) != 0) return io::os_error(path);
  if ((status.st_mode & (S_IROTH | S_IWOTH)) != 0) {
    return Unexpected{io::OsError{EACCES, path, "others can read the key; chmod 0600 " + path}};
  }
  std::array<char, kMaxKeyFile> text{};
  const ssize_t size = read(file.get(), text.data(), text.size());
  if (size < 0) return io::os_error(path);
  std::string digits(text.data(), static_cast<std::size_t>(size));
  while (!digits.empty() && (digits.back() == '\n' || digits.back() == ' ')) digits.pop_back();
  auto key = from_hex(digits);
  if (key && channel::is_aes_key(*key)) return *key;
  return Unexpected{
      io::OsError{EINVAL, path, "no key: 32, 48 or 64 hexadecimal digits are expected"}};
}

io::OsResult<std::unique_ptr<channel::Interceptor>> make_encrypt(const Config& config) {
  auto key = read_key(config.encrypt_key_file);
  if (!key) return Unexpected{key.error()};
  channel::EncryptSettings settings;
  settings.key = std::move(*key);
  const EncryptKind kind = config.encrypt;
  const bool cbc = kind == EncryptKind::cbc || kind == EncryptKind::cbc_replay;
  settings.mode = cbc ? channel::CipherMode::cbc : channel::CipherMode::gcm;
  settings.replay_protection = kind == EncryptKind::cbc_replay || kind == EncryptKind::gcm_replay;
  return std::unique_ptr<channel::Interceptor>(
      std::make_unique<channel::Encrypt>(std::move(settings)));
}

std::unique_ptr<channel::Interceptor> make_interceptor(InterceptorKind kind, const Config& config) {
  switch (kind) {
    case InterceptorKind::gzip:
      return std::make_unique<channel::Gzip>(channel::GzipLayout::flagged,
                                             config.max_message_bytes);
    case InterceptorKind::gzip_always:
      return std::make_unique<channel::Gzip>(channel::GzipLayout::always, config.max_message_bytes);
    case InterceptorKind::fragmentation: {
      channel::FragmentSettings settings;
      settings.piece_bytes = config.fragment_bytes;
      settings.max_bytes = config.receive_memory_bytes;
      return std::make_unique<channel::Fragmentation>(settings);
    }
    case InterceptorKind::order:
      return std::make_unique<channel::Order>(channel::OrderSettings{});
    case InterceptorKind::domain_filter:
    case InterceptorKind::encrypt:
      break;
  }
  return std::make_unique<channel::DomainFilter>(copy_of(bytes_of(config.domain)));
}

}  // namespace

io::OsResult<channel::Stack> make_stack(const Config& config) {
  std::vector<std::unique_ptr<channel::Interceptor>> from_top;
  for (const InterceptorKind kind : config.interceptors) {
    if (kind != InterceptorKind::encrypt) {
      from_top.push_back(make_interceptor(kind, config));
      continue;
    }
    auto encrypt = make_encrypt(config);
    if (!encrypt) return Unexpected{encrypt.error()};
    from_top.push_back(std::move(*encrypt));
  }
  return channel::Stack(std::move(from_top));
}

}  // namespace tribecast::engine
