// Any text as a keyring: a ring that parses is sound and survives being written and read again; an
// error says where, what and how to mend it, and shows nothing of a key.
#include <cctype>
#include <set>

#include "base/check.h"
#include "base/hex.h"
#include "seal/keyring.h"

namespace {

using namespace tribecast;

void check_ring(const seal::Keyring& ring) {
  std::set<unsigned> ids;
  std::string text;
  for (const seal::RingKey& key : ring.keys) {
    TC_CHECK(key.id != 0 && ids.insert(key.id).second);
    text += std::to_string(key.id) + " " + to_hex(key.key.bytes());
    text += key.id == ring.primary_id ? " primary\n" : "\n";
  }
  TC_CHECK(ring.find(ring.primary_id) == &ring.primary());
  const auto again = seal::parse_keyring(text);
  TC_CHECK(again && *again == ring);
}

void check_error(const seal::KeyringError& error, int lines) {
  TC_CHECK(error.line >= 0 && error.line <= lines);
  TC_CHECK(!error.what.empty() && !error.fix.empty());
  int digits = 0;
  for (const char c : error.what + "|" + error.fix) {
    digits = std::isxdigit(static_cast<unsigned char>(c)) != 0 ? digits + 1 : 0;
    TC_CHECK(digits < 8);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(data, data + size);
  const auto ring = seal::parse_keyring(text);
  if (ring) {
    check_ring(*ring);
    return 0;
  }
  TC_CHECK(!ring.error().empty());
  const int lines = 1 + static_cast<int>(std::ranges::count(text, '\n'));
  for (const auto& error : ring.error()) check_error(error, lines);
  return 0;
}
