// The keyring as a file: who may read it is part of what is checked.
#pragma once

#include <sys/types.h>

#include <ctime>
#include <optional>
#include <string>

#include "config/diagnostic.h"
#include "seal/keyring.h"

namespace tribecast::config {

// What tells that a file is still the one that was read.
struct FileMark {
  dev_t device = 0;
  ino_t inode = 0;
  off_t size = 0;
  timespec modified{};

  bool operator==(const FileMark& other) const;
};

struct KeyringFile {
  std::optional<seal::Keyring> ring;  // set when nothing is wrong
  FileMark mark;
  bool denied = false;   // this user may not read it
  Diagnostics findings;  // never contain a part of a key
};

// Exists, is not readable by others, and holds a ring. A file that is still `known` is not read
// again: its ring is taken over, so that a daemon that gave up root can be reloaded.
KeyringFile load_keyring(const std::string& path, const KeyringFile* known = nullptr);

// To be edited: the same, with the text that the ring was read from.
struct KeyringText {
  KeyringFile file;
  seal::SecretText text;
};
KeyringText load_keyring_text(const std::string& path);

}  // namespace tribecast::config
