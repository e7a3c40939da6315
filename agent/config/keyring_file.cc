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

void cannot_read(const std::string& path, int error, KeyringFile& file) {
  file.denied = error == EACCES;
  file.findings.push_back(
      finding(path, std::string("the keyring cannot be read: ") + std::strerror(error),
              file.denied ? "give its group to the daemon's, with mode 0640"
                          : "(umask 077; tribecast keygen > " + path + ")"));
}

void check_readers(const std::string& path, unsigned mode, Diagnostics& findings) {
  if ((mode & unsigned{S_IRWXO}) == 0) return;
  Diagnostic d = finding(path, "the keyring is readable by others (mode " + octal(mode) + ")",
                         "chmod o-rwx " + path);
  d.why = "anyone on this host could forge cluster members";
  findings.push_back(std::move(d));
}

void read_ring(const std::string& path, KeyringFile& file, seal::SecretText& text) {
  std::ifstream in;
  in.rdbuf()->pubsetbuf(nullptr, 0);  // which would keep a copy
  in.open(path, std::ios::binary);
  if (!in) return cannot_read(path, errno, file);
  text.fill([&](char* room, std::size_t size) {
    in.read(room, static_cast<std::streamsize>(size));
    return static_cast<std::size_t>(in.gcount());
  });
  auto ring = seal::parse_keyring(text.view());
  if (ring) {
    file.ring = std::move(*ring);
    return;
  }
  for (const seal::KeyringError& error : ring.error()) {
    file.findings.push_back(finding(path, error.what, error.fix));
    file.findings.back().line = static_cast<unsigned>(error.line);
  }
}

KeyringFile load(const std::string& path, const KeyringFile* known, seal::SecretText& text) {
  KeyringFile file;
  struct stat info {};
  if (stat(path.c_str(), &info) != 0) {
    cannot_read(path, errno, file);
    return file;
  }
  file.mark = {info.st_dev, info.st_ino, info.st_size, info.st_mtim};
  check_readers(path, info.st_mode, file.findings);
  if (!S_ISREG(info.st_mode)) {
    cannot_read(path, EINVAL, file);
  } else if (info.st_size > off_t{kMaxKeyringBytes}) {
    cannot_read(path, EFBIG, file);
  } else if (known != nullptr && known->ring && known->mark == file.mark) {
    file.ring = known->ring;
  } else {
    read_ring(path, file, text);
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
  read.file = load(path, nullptr, read.text);
  return read;
}

KeyringFile load_keyring(const std::string& path, const KeyringFile* known) {
  seal::SecretText text(kMaxKeyringBytes);
  return load(path, known, text);
}

}  // namespace tribecast::config
