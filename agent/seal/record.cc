#include "seal/record.h"

#include <sodium.h>

#include <algorithm>

#include "base/check.h"

namespace tribecast::seal {
namespace {

constexpr std::size_t kHashBytes = 32;
constexpr std::size_t kHeadBytes = 2;
constexpr std::size_t kNonceBytes = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t kTagBytes = crypto_aead_xchacha20poly1305_ietf_ABYTES;
static_assert(RecordSeal::kOverhead == kNonceBytes + 4 + kTagBytes);

constexpr std::string_view kNamePurpose = "tribecast record name v1";
constexpr std::string_view kContentPurpose = "tribecast record content v1";

}  // namespace

RecordSeal::RecordSeal(const Keyring& ring) {
  for (const RingKey& one : ring.keys) {
    Keys keys{one.id, hashed(one.key, kNamePurpose), hashed(one.key, kContentPurpose)};
    keys_.insert(one.id == ring.primary_id ? keys_.begin() : keys_.end(), std::move(keys));
  }
  TC_CHECK(!keys_.empty() && keys_.front().id == ring.primary_id);
}

Buffer RecordSeal::key_of(Bytes key) const {
  Buffer made(kHeadBytes + kHashBytes);
  made[0] = kSealed;
  made[1] = keys_.front().id;
  crypto_generichash(made.data() + kHeadBytes, kHashBytes, key.data(), key.size(),
                     keys_.front().name.bytes().data(), Key::kSize);
  return made;
}

Record RecordSeal::seal(Bytes key, Bytes value, const RandomSource& random) const {
  Record sealed{key_of(key), Buffer(kOverhead + key.size() + value.size())};
  ByteWriter plain;
  plain.u32be(static_cast<std::uint32_t>(key.size()));
  plain.put(key);
  plain.put(value);
  const MutableBytes nonce = MutableBytes(sealed.value).first(kNonceBytes);
  random(nonce);
  crypto_aead_xchacha20poly1305_ietf_encrypt(sealed.value.data() + kNonceBytes, nullptr,
                                             plain.bytes().data(), plain.bytes().size(),
                                             sealed.key.data(), sealed.key.size(), nullptr,
                                             nonce.data(), keys_.front().content.bytes().data());
  return sealed;
}

Result<Record, RecordError> RecordSeal::open(Bytes sealed_key, Bytes sealed_value) const {
  const bool is_whole = is_sealed(sealed_key) && sealed_key.size() == kHeadBytes + kHashBytes &&
                        sealed_value.size() >= kOverhead;
  if (!is_whole) return Unexpected{RecordError::malformed};
  const auto keys = std::ranges::find(keys_, sealed_key[1], &Keys::id);
  if (keys == keys_.end()) return Unexpected{RecordError::no_key};
  Buffer plain(sealed_value.size() - kNonceBytes - kTagBytes);
  const Bytes body = sealed_value.subspan(kNonceBytes);
  const int failed = crypto_aead_xchacha20poly1305_ietf_decrypt(
      plain.data(), nullptr, nullptr, body.data(), body.size(), sealed_key.data(),
      sealed_key.size(), sealed_value.data(), keys->content.bytes().data());
  if (failed != 0) return Unexpected{RecordError::forged};
  ByteReader in(plain);
  const std::uint32_t key_size = in.u32be();
  const Bytes key = in.take(key_size);
  if (!in.ok()) return Unexpected{RecordError::malformed};
  const Bytes value = in.take_rest();
  return Record{copy_of(key), copy_of(value)};
}

bool RecordSeal::is_current(Bytes sealed_key) const {
  return is_sealed(sealed_key) && sealed_key.size() > 1 && sealed_key[1] == keys_.front().id;
}

}  // namespace tribecast::seal
