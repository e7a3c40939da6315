#include "engine/channel/encrypt.h"

#include <openssl/evp.h>

#include <limits>
#include <memory>
#include <utility>

#include "base/check.h"

namespace tribecast::channel {
namespace {

constexpr std::size_t kBlockBytes = 16;
constexpr std::size_t kGcmIvBytes = 12;
constexpr std::size_t kTagBytes = 16;
constexpr std::size_t kTimestampBytes = 8;

using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;

CipherContext make_context() {
  CipherContext context(EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free);
  TC_CHECK(context != nullptr);
  return context;
}

const EVP_CIPHER* cipher_for(CipherMode mode, std::size_t key_bytes) {
  const bool gcm = mode == CipherMode::gcm;
  switch (key_bytes) {
    case 16:
      return gcm ? EVP_aes_128_gcm() : EVP_aes_128_cbc();
    case 24:
      return gcm ? EVP_aes_192_gcm() : EVP_aes_192_cbc();
    default:
      return gcm ? EVP_aes_256_gcm() : EVP_aes_256_cbc();
  }
}

int size_as_int(std::size_t size) {
  TC_CHECK(size <= std::numeric_limits<int>::max());
  return static_cast<int>(size);
}

}  // namespace

bool is_aes_key(Bytes key) { return key.size() == 16 || key.size() == 24 || key.size() == 32; }

std::size_t iv_size(CipherMode mode) { return mode == CipherMode::gcm ? kGcmIvBytes : kBlockBytes; }

Buffer encrypt_body(CipherMode mode, Bytes key, Bytes iv, Bytes plain) {
  TC_CHECK(is_aes_key(key) && iv.size() == iv_size(mode));
  const CipherContext context = make_context();
  const std::size_t tag = mode == CipherMode::gcm ? kTagBytes : 0;
  Buffer out(iv.size() + plain.size() + kBlockBytes + tag);
  std::ranges::copy(iv, out.begin());
  int written = 0;
  int last = 0;
  TC_CHECK(EVP_EncryptInit_ex(context.get(), cipher_for(mode, key.size()), nullptr, key.data(),
                              iv.data()) == 1);
  TC_CHECK(EVP_EncryptUpdate(context.get(), out.data() + iv.size(), &written, plain.data(),
                             size_as_int(plain.size())) == 1);
  TC_CHECK(EVP_EncryptFinal_ex(context.get(), out.data() + iv.size() + written, &last) == 1);
  const std::size_t end =
      iv.size() + static_cast<std::size_t>(written) + static_cast<std::size_t>(last);
  if (tag != 0) {
    TC_CHECK(
        EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, kTagBytes, out.data() + end) == 1);
  }
  out.resize(end + tag);
  return out;
}

std::optional<Buffer> decrypt_body(CipherMode mode, Bytes key, Bytes body) {
  TC_CHECK(is_aes_key(key));
  const std::size_t tag = mode == CipherMode::gcm ? kTagBytes : 0;
  if (body.size() < iv_size(mode) + tag) return std::nullopt;
  if (body.size() > std::numeric_limits<int>::max()) return std::nullopt;
  const Bytes iv = body.first(iv_size(mode));
  const Bytes sealed = body.subspan(iv.size(), body.size() - iv.size() - tag);
  const CipherContext context = make_context();
  Buffer plain(sealed.size() + kBlockBytes);
  int written = 0;
  int last = 0;
  TC_CHECK(EVP_DecryptInit_ex(context.get(), cipher_for(mode, key.size()), nullptr, key.data(),
                              iv.data()) == 1);
  if (EVP_DecryptUpdate(context.get(), plain.data(), &written, sealed.data(),
                        size_as_int(sealed.size())) != 1) {
    return std::nullopt;
  }
  if (tag != 0) {
    Buffer expected = copy_of(body.last(tag));
    TC_CHECK(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, kTagBytes, expected.data()) ==
             1);
  }
  if (EVP_DecryptFinal_ex(context.get(), plain.data() + written, &last) != 1) return std::nullopt;
  plain.resize(static_cast<std::size_t>(written) + static_cast<std::size_t>(last));
  return plain;
}

Encrypt::Encrypt(EncryptSettings settings) : settings_(std::move(settings)) {
  TC_CHECK(is_aes_key(settings_.key));
}

void Encrypt::send(const Context& context, const tribes::Identity& /*to*/, Message message,
                   Messages& out) {
  Buffer iv(iv_size(settings_.mode));
  context.random(iv);
  if (settings_.replay_protection) {
    ByteWriter stamped;
    stamped.u64be(message.timestamp_milliseconds);
    stamped.put(message.body);
    message.body = stamped.release();
  }
  message.body = encrypt_body(settings_.mode, settings_.key, iv, message.body);
  out.push_back(std::move(message));
}

void Encrypt::receive(const Context& context, Message message, Messages& out) {
  auto plain = decrypt_body(settings_.mode, settings_.key, message.body);
  if (!plain) return context.drops.count(Drop::bad_cipher);
  if (settings_.replay_protection) {
    if (plain->size() < kTimestampBytes) return context.drops.count(Drop::bad_cipher);
    const std::uint64_t stamp = ByteReader(*plain).u64be();
    const Buffer iv = copy_of(Bytes(message.body).first(iv_size(settings_.mode)));
    if (!is_fresh(context, stamp, iv)) return;
    plain->erase(plain->begin(), plain->begin() + kTimestampBytes);
  }
  message.body = std::move(*plain);
  out.push_back(std::move(message));
}

bool Encrypt::is_fresh(const Context& context, std::uint64_t milliseconds, const Buffer& iv) {
  const std::uint64_t now = context.moment.wall_milliseconds;
  const std::uint64_t apart = milliseconds > now ? milliseconds - now : now - milliseconds;
  const auto most = static_cast<std::uint64_t>(
      duration_cast<std::chrono::milliseconds>(settings_.replay_window).count());
  if (apart > most) {
    context.drops.count(Drop::stale);
    return false;
  }
  const auto [it, is_new] = seen_.insert(iv);
  if (!is_new) {
    context.drops.count(Drop::replayed);
    return false;
  }
  seen_in_order_.push_back(it);
  if (seen_in_order_.size() > settings_.remembered) {
    seen_.erase(seen_in_order_.front());
    seen_in_order_.pop_front();
  }
  return true;
}

}  // namespace tribecast::channel
