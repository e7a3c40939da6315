#include "seal/keyring.h"

#include <sodium.h>

#include <algorithm>
#include <charconv>

#include "base/check.h"
#include "base/hex.h"

namespace tribecast::seal {
namespace {

constexpr std::string_view kPskPurpose = "tribecast psk v1";
constexpr std::string_view kFingerprintPurpose = "tribecast fingerprint v1";
constexpr std::string_view kPrimary = "primary";
constexpr std::string_view kSpace = " \t\r";

std::vector<std::string_view> words_of(std::string_view line) {
  line = line.substr(0, line.find('#'));
  std::vector<std::string_view> words;
  while (true) {
    const std::size_t begin = line.find_first_not_of(kSpace);
    if (begin == std::string_view::npos) return words;
    line.remove_prefix(begin);
    const std::size_t end = std::min(line.find_first_of(kSpace), line.size());
    words.push_back(line.substr(0, end));
    line.remove_prefix(end);
  }
}

std::uint8_t parse_id(std::string_view text) {
  unsigned id = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, id);
  return error == std::errc{} && stop == end && id <= 255 ? static_cast<std::uint8_t>(id)
                                                          : std::uint8_t{0};
}

// Calls `line(TEXT)` for each line, its end included.
template <class Line>
void for_each_line(std::string_view text, Line&& line) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size() - 1) + 1;
    line(text.substr(0, end));
    text.remove_prefix(end);
  }
}

// Nothing but the word goes, and the space before it.
void append_without_primary(std::string_view line, SecretText& out) {
  const auto words = words_of(line.substr(0, line.find('\n')));
  if (words.size() < 3) return out.append(line);
  const auto key_end = static_cast<std::size_t>(words[1].end() - line.begin());
  out.append(line.substr(0, key_end));
  out.append(line.substr(static_cast<std::size_t>(words[2].end() - line.begin())));
}

void append_with_primary(std::string_view line, SecretText& out) {
  const auto words = words_of(line.substr(0, line.find('\n')));
  if (words.size() > 2) return out.append(line);
  const auto key_end = static_cast<std::size_t>(words[1].end() - line.begin());
  out.append(line.substr(0, key_end));
  out.append(" ");
  out.append(kPrimary);
  out.append(line.substr(key_end));
}

// 0 for a line without a key.
std::uint8_t id_of(std::string_view line) {
  const auto words = words_of(line.substr(0, line.find('\n')));
  return words.empty() ? std::uint8_t{0} : parse_id(words[0]);
}

class KeyringReader {
 public:
  void line(int number, std::string_view text) {
    const auto words = words_of(text);
    if (words.empty()) return;
    const std::uint8_t id = parse_id(words[0]);
    if (id == 0) return error(number, "the key id is not in 1-255", "begin the line with a number");
    if (ring_.find(id) != nullptr) {
      return error(number, "key id " + std::to_string(id) + " is there twice", "choose another id");
    }
    auto raw = from_hex(words.size() > 1 ? words[1] : "");
    if (!raw || raw->size() != Key::kSize) {
      return error(number, "the key is not 64 hexadecimal digits",
                   "take the line that `tribecast keygen` prints");
    }
    const bool primary = words.size() == 3 && words[2] == kPrimary;
    if (words.size() > 2 && !primary) {
      return error(number, "unexpected text after the key", "only the word `primary` may follow");
    }
    ring_.keys.push_back({id, Key(*raw)});
    wipe(*raw);
    if (!primary) return;
    if (ring_.primary_id != 0) {
      return error(number, "a second primary key; the first is " + std::to_string(ring_.primary_id),
                   "leave `primary` on one line only");
    }
    ring_.primary_id = id;
  }

  Result<Keyring, std::vector<KeyringError>> finish() {
    if (errors_.empty() && ring_.keys.empty()) {
      error(0, "the keyring holds no key", "tribecast keygen > FILE; chmod 0600 FILE");
    }
    if (errors_.empty() && ring_.primary_id == 0) {
      error(0, "no key is primary", "add the word `primary` to one line");
    }
    if (!errors_.empty()) return Unexpected{std::move(errors_)};
    return std::move(ring_);
  }

 private:
  void error(int line, std::string what, std::string fix) {
    errors_.push_back({line, std::move(what), std::move(fix)});
  }

  Keyring ring_;
  std::vector<KeyringError> errors_;
};

}  // namespace

Key RingKey::psk() const { return hashed(key, kPskPurpose); }

std::uint32_t RingKey::fingerprint() const {
  const Key hash = hashed(key, kFingerprintPurpose);
  return ByteReader(hash.bytes()).u32be();
}

const RingKey* Keyring::find(std::uint8_t id) const {
  const auto found = std::ranges::find(keys, id, &RingKey::id);
  return found == keys.end() ? nullptr : &*found;
}

const RingKey& Keyring::primary() const {
  const RingKey* key = find(primary_id);
  TC_CHECK(key != nullptr);
  return *key;
}

Result<Keyring, std::vector<KeyringError>> parse_keyring(std::string_view text) {
  KeyringReader reader;
  int number = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    reader.line(++number, text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return reader.finish();
}

SecretText with_key(std::string_view text, const RingKey& key) {
  const SecretText line = keyring_line(key, false);
  SecretText out(text.size() + line.view().size() + 2);
  out.append(text);
  if (!text.empty() && !text.ends_with('\n')) out.append("\n");
  out.append(line.view());
  out.append("\n");
  return out;
}

SecretText with_primary(std::string_view text, std::uint8_t id) {
  SecretText out(text.size() + kPrimary.size() + 1);
  // The word goes first: there is never more text than in the end.
  SecretText none(text.size());
  for_each_line(text, [&](std::string_view line) { append_without_primary(line, none); });
  for_each_line(none.view(), [&](std::string_view line) {
    id_of(line) == id ? append_with_primary(line, out) : out.append(line);
  });
  return out;
}

SecretText without_key(std::string_view text, std::uint8_t id) {
  SecretText out(text.size());
  for_each_line(text, [&](std::string_view line) {
    if (id_of(line) != id) out.append(line);
  });
  return out;
}

int line_of_key(std::string_view text, std::uint8_t id) {
  int number = 0;
  int found = 0;
  for_each_line(text, [&](std::string_view line) {
    ++number;
    if (found == 0 && id_of(line) == id) found = number;
  });
  return found;
}

Result<RingKey, KeyringError> parse_keyring_line(std::string_view line) {
  const auto wrong = [](std::string what) -> Unexpected<KeyringError> {
    return {{1, std::move(what), "tribecast keygen --id ID prints such a line"}};
  };
  const auto words = words_of(line);
  const std::uint8_t id = words.empty() ? std::uint8_t{0} : parse_id(words[0]);
  if (id == 0) return wrong("the key id is not in 1-255");
  auto raw = from_hex(words.size() > 1 ? words[1] : "");
  if (!raw || raw->size() != Key::kSize) return wrong("the key is not 64 hexadecimal digits");
  RingKey key{id, Key(*raw)};
  wipe(*raw);
  if (words.size() > 2) return wrong("unexpected text after the key");
  return key;
}

RingKey generate_key(std::uint8_t id, const RandomSource& random) {
  RingKey key{id, {}};
  random(key.key.bytes());
  return key;
}

SecretText keyring_line(const RingKey& key, bool primary) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  SecretText line(4 + 2 * Key::kSize + 1 + kPrimary.size());
  line.append(std::to_string(key.id) + " ");
  for (const std::uint8_t byte : key.key.bytes()) {
    line.append(kDigits.substr(byte >> 4U, 1));
    line.append(kDigits.substr(byte & 0xfU, 1));
  }
  if (primary) line.append(" ");
  if (primary) line.append(kPrimary);
  return line;
}

RandomSource system_random() {
  return [](MutableBytes out) { randombytes_buf(out.data(), out.size()); };
}

bool initialise() { return sodium_init() >= 0; }

}  // namespace tribecast::seal
