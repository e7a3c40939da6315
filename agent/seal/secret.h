// A key in memory: wiped when it goes out of scope, never printed.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "base/bytes.h"

namespace tribecast::seal {

// Overwrites the bytes in a way that no optimiser removes.
void wipe(MutableBytes bytes);

class Key {
 public:
  static constexpr std::size_t kSize = 32;

  Key() = default;
  // The first 32 bytes of `bytes`, which must hold at least as many.
  explicit Key(Bytes bytes);
  Key(const Key&) = default;
  Key& operator=(const Key&) = default;
  ~Key() { wipe(bytes_); }

  [[nodiscard]] Bytes bytes() const { return bytes_; }
  [[nodiscard]] MutableBytes bytes() { return bytes_; }
  // In constant time.
  bool operator==(const Key& other) const;

 private:
  std::array<std::uint8_t, kSize> bytes_{};
};

// The key, for one purpose alone (BLAKE2b, keyed).
Key hashed(const Key& key, std::string_view purpose);

// Text that holds keys. It never grows beyond the room that it was made with, so that no copy of it
// is left behind.
class SecretText {
 public:
  explicit SecretText(std::size_t room) { text_.reserve(room); }
  SecretText(SecretText&& other) noexcept : text_(std::exchange(other.text_, {})) {}
  SecretText& operator=(SecretText&& other) noexcept;
  SecretText(const SecretText&) = delete;
  SecretText& operator=(const SecretText&) = delete;
  ~SecretText();

  void append(std::string_view text);
  // As many bytes as `fill` says that it has written into the room.
  template <class Fill>
  void fill(Fill&& write) {
    text_.resize(text_.capacity());
    text_.resize(write(text_.data(), text_.size()));
  }
  [[nodiscard]] std::string_view view() const { return text_; }

 private:
  std::string text_;
};

// No core dump of this process is written, nor handed to a program that would store it.
[[nodiscard]] bool forbid_core_dumps();

}  // namespace tribecast::seal
