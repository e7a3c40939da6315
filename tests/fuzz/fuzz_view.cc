// A peer's view, as whoever holds the keys may send it: what decodes is bounded by its input, and
// comes back the same from what it encodes to.
#include <algorithm>

#include "base/check.h"
#include "control/view.h"

using namespace tribecast;
using namespace tribecast::control;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kRoom = 1U << 20U;
  const Bytes bytes(data, size);
  const auto view = decode_view(bytes);
  if (!view) return 0;
  // Each of them takes some bytes at least.
  TC_CHECK(view->status.peers.size() + view->status.members.size() <= size);
  const Buffer once = encode(*view, kRoom);
  TC_CHECK(once.size() <= kRoom);
  const auto again = decode_view(once);
  TC_CHECK(again.has_value());
  TC_CHECK(again->status.peers.size() == view->status.peers.size());
  TC_CHECK(again->groups.size() == std::min<std::size_t>(view->groups.size(), 64));
  TC_CHECK(same(encode(*again, kRoom), once));
  TC_CHECK(encode(*view, 0).size() <= 8192);
  return 0;
}
