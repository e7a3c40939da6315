#include "seal/secret.h"

#include <sodium.h>
#include <sys/resource.h>

#include "base/check.h"

namespace tribecast::seal {

void wipe(MutableBytes bytes) { sodium_memzero(bytes.data(), bytes.size()); }

Key::Key(Bytes bytes) {
  TC_CHECK(bytes.size() >= kSize);
  std::ranges::copy(bytes.first(kSize), bytes_.begin());
}

Key hashed(const Key& key, std::string_view purpose) {
  Key out;
  const Bytes in = bytes_of(purpose);
  crypto_generichash(out.bytes().data(), Key::kSize, in.data(), in.size(), key.bytes().data(),
                     Key::kSize);
  return out;
}

SecretText& SecretText::operator=(SecretText&& other) noexcept {
  std::swap(text_, other.text_);
  return *this;
}

SecretText::~SecretText() {
  text_.resize(text_.capacity());
  sodium_memzero(text_.data(), text_.size());
}

void SecretText::append(std::string_view text) {
  TC_CHECK(text_.size() + text.size() <= text_.capacity());
  text_ += text;
}

// A limit of 0 does not stop a core dump that goes to a program; 1 is too small for a file, and
// the kernel takes it as "none" for programs (core(5)).
bool forbid_core_dumps() {
  const rlimit none{1, 1};
  return setrlimit(RLIMIT_CORE, &none) == 0;
}

bool Key::operator==(const Key& other) const {
  return sodium_memcmp(bytes_.data(), other.bytes_.data(), kSize) == 0;
}

}  // namespace tribecast::seal
