// Any key and value of a disk: what opens was sealed with this key ring; and every record comes
// back.
#include <algorithm>

#include "base/check.h"
#include "seal/record.h"

namespace {

using namespace tribecast;

// The bytes 0 to 31, as key 1: the corpus holds a record that is sealed with it.
seal::RecordSeal fixed_seal() {
  seal::Keyring ring;
  ring.primary_id = 1;
  ring.keys.push_back({1, {}});
  std::uint8_t next = 0;
  for (std::uint8_t& byte : ring.keys[0].key.bytes()) byte = next++;
  return seal::RecordSeal(ring);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const bool ready = seal::initialise();
  TC_CHECK(ready);
  static const seal::RecordSeal seal = fixed_seal();
  const Bytes input(data, size);
  const std::size_t cut = std::min<std::size_t>(size, 34);
  const Bytes key = input.first(cut);
  const Bytes value = input.subspan(cut);
  if (const auto opened = seal.open(key, value)) TC_CHECK(same(seal.key_of(opened->key), key));
  const seal::Record sealed = seal.seal(key, value, seal::system_random());
  const auto again = seal.open(sealed.key, sealed.value);
  TC_CHECK(again && same(again->key, key) && same(again->value, value));
  return 0;
}
