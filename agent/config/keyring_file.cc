#include "config/keyring_file.h"

#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>

namespace tribecast::config {
namespace {

constexpr std::size_t kMaxKeyringBytes = 65536;

std::string octal(unsigned mode) {
  std::string out = "0";
  for (const unsigned shift : {6U, 3U, 0U}) out += static_cast<char>('0' + (mode >> shift & 7U));
  return out;
}

// How messages speak of one kind of file.
struct FileWords {
  std::string_view name;
  std::string_view maker;    // the command that prints what belongs into it
  std::string_view exposed;  // what others could do with it
};
constexpr FileWords kKeyringWords = {"keyring", "tribecast keygen",
                                     "anyone on this host could forge cluster members"};
constexpr FileWords kPrivateKeyWords = {"private key", "tribecast keygen --private-key",
                                        "anyone on this host could pass for this node"};

void cannot_read(const std::string& path, const FileWords& words, int error, SecretFile& file) {
  file.denied = error == EACCES;
  file.findings.push_back(
      finding(path, "the " + std::string(words.name) + " cannot be read: " + std::strerror(error),
              file.denied ? "give its group to the daemon's, with mode 0640"
                          : "(umask 077; " + std::string(words.maker) + " > " + path + ")"));
}

void check_readers(const std::string& path, const FileWords& words, unsigned mode,
                   Diagnostics& findings) {
  if ((mode & unsigned{S_IRWXO}) == 0) return;
  Diagnostic d = finding(
      path, "the " + std::string(words.name) + " is readable by others (mode " + octal(mode) + ")",
      "chmod o-rwx " + path);
  d.why = words.exposed;
  findings.push_back(std::move(d));
}

// False when there is nothing that could be read.
bool look_at(const std::string& path, const FileWords& words, SecretFile& file) {
  struct stat info {};
  if (stat(path.c_str(), &info) != 0) {
    cannot_read(path, words, errno, file);
    return false;
  }
  file.mark = {info.st_dev, info.st_ino, info.st_size, info.st_mtim};
  check_readers(path, words, info.st_mode, file.findings);
  const bool too_large = info.st_size > off_t{kMaxKeyringBytes};
  if (S_ISREG(info.st_mode) && !too_large) return true;
  cannot_read(path, words, S_ISREG(info.st_mode) ? EFBIG : EINVAL, file);
  return false;
}

bool read_secret(const std::string& path, const FileWords& words, SecretFile& file,
                 seal::SecretText& text) {
  std::ifstream in;
  in.rdbuf()->pubsetbuf(nullptr, 0);  // which would keep a copy
  in.open(path, std::ios::binary);
  if (!in) {
    cannot_read(path, words, errno, file);
    return false;
  }
  text.fill([&](char* room, std::size_t size) {
    in.read(room, static_cast<std::streamsize>(size));
    return static_cast<std::size_t>(in.gcount());
  });
  return true;
}

void add_error(const std::string& path, const seal::KeyringError& error, SecretFile& file) {
  file.findings.push_back(finding(path, error.what, error.fix));
  file.findings.back().line = static_cast<unsigned>(error.line);
}

KeyringFile load_ring(const std::string& path, const KeyringFile* known, seal::SecretText& text) {
  KeyringFile file;
  if (!look_at(path, kKeyringWords, file)) return file;
  if (known != nullptr && known->ring && known->mark == file.mark) {
    file.ring = known->ring;
  } else if (read_secret(path, kKeyringWords, file, text)) {
    auto ring = seal::parse_keyring(text.view());
    if (ring) {
      file.ring = std::move(*ring);
    } else {
      for (const seal::KeyringError& error : ring.error()) add_error(path, error, file);
    }
  }
  if (!file.findings.empty()) file.ring.reset();
  return file;
}

}  // namespace

bool FileMark::operator==(const FileMark& other) const {
  const auto same = [](const timespec& a, const timespec& b) {
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
  };
  return device == other.device && inode == other.inode && size == other.size &&
         same(modified, other.modified);
}

KeyringText load_keyring_text(const std::string& path) {
  KeyringText read{{}, seal::SecretText(kMaxKeyringBytes)};
  read.file = load_ring(path, nullptr, read.text);
  return read;
}

KeyringFile load_keyring(const std::string& path, const KeyringFile* known) {
  seal::SecretText text(kMaxKeyringBytes);
  return load_ring(path, known, text);
}

PrivateKeyFile load_private_key(const std::string& path, const PrivateKeyFile* known) {
  PrivateKeyFile file;
  seal::SecretText text(kMaxKeyringBytes);
  if (!look_at(path, kPrivateKeyWords, file)) return file;
  if (known != nullptr && known->pair && known->mark == file.mark) {
    file.pair = known->pair;
  } else if (read_secret(path, kPrivateKeyWords, file, text)) {
    const auto pair = seal::parse_private_key(text.view());
    if (pair) {
      file.pair = *pair;
    } else {
      add_error(path, pair.error(), file);
    }
  }
  if (!file.findings.empty()) file.pair.reset();
  return file;
}

KeyFiles load_keys(const Security& security, const Security* before, const KeyFiles* known) {
  KeyFiles files;
  if (!security.keyring.empty()) {
    const bool same = before != nullptr && before->keyring == security.keyring;
    files.keyring = load_keyring(security.keyring, same ? &known->keyring : nullptr);
  }
  if (!security.private_key.empty()) {
    const bool same = before != nullptr && before->private_key == security.private_key;
    files.private_key =
        load_private_key(security.private_key, same ? &known->private_key : nullptr);
  }
  return files;
}

Diagnostics KeyFiles::findings() const {
  Diagnostics all = keyring.findings;
  all.insert(all.end(), private_key.findings.begin(), private_key.findings.end());
  return all;
}

seal::Credentials KeyFiles::credentials(Auth auth) const {
  return {keyring.ring.value_or(seal::Keyring{}),
          auth == Auth::public_key ? private_key.pair : std::nullopt};
}

}  // namespace tribecast::config
