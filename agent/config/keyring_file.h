// The keyring and the node's private key as files: who may read them is part of what is checked.
#pragma once

#include <sys/types.h>

#include <ctime>
#include <optional>
#include <string>

#include "config/config.h"
#include "config/diagnostic.h"
#include "seal/node_key.h"

namespace tribecast::config {

// What tells that a file is still the one that was read.
struct FileMark {
  dev_t device = 0;
  ino_t inode = 0;
  off_t size = 0;
  timespec modified{};

  bool operator==(const FileMark& other) const;
};

struct SecretFile {
  FileMark mark;
  bool denied = false;   // this user may not read it
  Diagnostics findings;  // never contain a part of a key
};

struct KeyringFile : SecretFile {
  std::optional<seal::Keyring> ring;  // set when nothing is wrong
};

struct PrivateKeyFile : SecretFile {
  std::optional<seal::KeyPair> pair;  // set when nothing is wrong
};

// Exists, is not readable by others, and holds a ring. A file that is still `known` is not read
// again: its ring is taken over, so that a daemon that gave up root can be reloaded.
KeyringFile load_keyring(const std::string& path, const KeyringFile* known = nullptr);

// The same for a private key.
PrivateKeyFile load_private_key(const std::string& path, const PrivateKeyFile* known = nullptr);

// The files that a configuration names; what it does not name stays empty.
struct KeyFiles {
  KeyringFile keyring;
  PrivateKeyFile private_key;

  [[nodiscard]] Diagnostics findings() const;
  [[nodiscard]] seal::Credentials credentials(Auth auth) const;
  // Whether the same keys are in them.
  [[nodiscard]] bool same_keys(const KeyFiles& other) const {
    return keyring.ring == other.keyring.ring && private_key.pair == other.private_key.pair;
  }
};
// `known` was read for the configuration `before`; both or none.
KeyFiles load_keys(const Security& security, const Security* before = nullptr,
                   const KeyFiles* known = nullptr);

// To be edited: the same, with the text that the ring was read from.
struct KeyringText {
  KeyringFile file;
  seal::SecretText text;
};
KeyringText load_keyring_text(const std::string& path);

}  // namespace tribecast::config
