// Any bytes on a Tribes connection: however they are divided, the same frames come out, and those
// that hold a message hold the one that is composed again.
#include "base/check.h"
#include "engine/channel/frame.h"
#include "engine/channel/message.h"
#include "engine/channel/rpc.h"

namespace {

using namespace tribecast;
using namespace tribecast::channel;

constexpr std::size_t kLimit = 4096;

void check_message(Bytes data) {
  const auto message = parse_message(data);
  if (!message) return;
  const Buffer again = compose_message(*message);
  // The member block may have more behind its fields, or behind its end.
  TC_CHECK(again.size() <= data.size());
  const auto second = parse_message(again);
  TC_CHECK(second && same(compose_message(*second), again));
  TC_CHECK(same(second->body, message->body) && same(second->unique_id, message->unique_id));
  const Message owned = Message::of(*message);
  TC_CHECK(same(compose_message(owned.view()), again));
}

struct Decoded {
  std::vector<Buffer> frames;
  std::optional<FrameError> error;
  bool operator==(const Decoded&) const = default;
};

Decoded decode(Bytes stream, std::size_t step) {
  FrameDecoder decoder(kLimit);
  Decoded out;
  while (!stream.empty()) {
    const std::size_t size = std::min(step, stream.size());
    decoder.feed(stream.first(size));
    stream = stream.subspan(size);
    while (const auto data = decoder.next()) {
      TC_CHECK(data->size() <= kLimit);
      out.frames.push_back(copy_of(*data));
    }
    TC_CHECK(decoder.buffered() <= kLimit + kFrameOverhead + size);
  }
  out.error = decoder.error();
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes stream(data, size);
  const Decoded whole = decode(stream, size + 1);
  TC_CHECK(decode(stream, 1) == whole);
  TC_CHECK(decode(stream, 7) == whole);
  for (const Buffer& frame : whole.frames) {
    if (const auto kind = parse_acknowledgement(frame)) {
      TC_CHECK(same(compose_frame(frame), acknowledgement_frame(*kind)));
    }
    check_message(frame);
  }
  check_message(stream);
  if (const auto rpc = parse_rpc(stream)) {
    const Buffer again = compose_rpc(*rpc);
    const auto second = parse_rpc(again);
    TC_CHECK(second && second->kind == rpc->kind && same(second->object, rpc->object));
  }
  return 0;
}
