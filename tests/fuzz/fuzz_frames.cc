// The plain texts behind the seals, as a peer with the keys may send them: what decodes is bounded
// by its input, and comes back the same from what it encodes to.
#include "base/check.h"
#include "relay/frames.h"
#include "seal/keyring.h"

namespace {

using namespace tribecast;
using namespace tribecast::relay;

void check_frames(Bytes plain) {
  const auto frames = decode_frames(plain);
  if (!frames) return;
  TC_CHECK(frames->grants.size() <= 4);
  const Buffer once = encode(*frames);
  TC_CHECK(once.size() <= plain.size());
  const auto again = decode_frames(once);
  TC_CHECK(again && same(encode(*again), once));
  TC_CHECK(!frames->view_part || frames->view_part->bytes.size() <= kViewPartBytes);
  TC_CHECK(again->view_part.has_value() == frames->view_part.has_value());
  TC_CHECK(again->bye == frames->bye && again->probe.has_value() == frames->probe.has_value());
}

void check_parcel(Bytes plain) {
  const auto parcel = decode_parcel(plain);
  if (!parcel) return;
  TC_CHECK(parcel->piece < parcel->pieces);
  TC_CHECK(parcel->group.address.is_multicast() && parcel->group.address.is_v4());
  TC_CHECK(parcel->payload.size() + kParcelHeaderSize == plain.size());
  TC_CHECK(same(encode(*parcel), plain));
}

void check_greeting(Bytes payload) {
  const auto greeting = decode_greeting(payload);
  if (!greeting) return;
  const Buffer once = encode(*greeting);
  TC_CHECK(same(once, payload.first(once.size())));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const bool ready = seal::initialise();
  TC_CHECK(ready);
  const Bytes plain(data, size);
  check_frames(plain);
  check_parcel(plain);
  check_greeting(plain);
  return 0;
}
