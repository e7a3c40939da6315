// Bodies from anyone, through every interceptor and through a stack of all: what is held is
// bounded, what is sent comes back as it was. The first byte chooses, the second divides.
#include "base/check.h"
#include "engine/channel/domain_filter.h"
#include "engine/channel/encrypt.h"
#include "engine/channel/fragment.h"
#include "engine/channel/gzip.h"
#include "engine/channel/order.h"

namespace {

using namespace tribecast;
using namespace tribecast::channel;

constexpr std::size_t kMaxBody = 1U << 16U;
const tribes::Identity kTo = {{10, 0, 0, 2}, 4000, {}};

std::unique_ptr<Interceptor> make(std::uint8_t kind) {
  FragmentSettings fragments;
  fragments.piece_bytes = 100;
  fragments.max_count = 64;
  fragments.max_messages = 4;
  fragments.max_bytes = 4096;
  OrderSettings order;
  order.max_held = 4;
  order.max_held_bytes = 4096;
  order.max_members = 4;
  EncryptSettings encrypt;
  encrypt.key = Buffer(16, 1);
  encrypt.mode = kind % 2 == 0 ? CipherMode::cbc : CipherMode::gcm;
  encrypt.remembered = 4;
  switch (kind % 7) {
    case 0:
      return std::make_unique<Gzip>(GzipLayout::always, kMaxBody);
    case 1:
      return std::make_unique<Gzip>(GzipLayout::flagged, kMaxBody);
    case 2:
      return std::make_unique<Fragmentation>(fragments);
    case 3:
      return std::make_unique<Order>(order);
    case 4:
      return std::make_unique<DomainFilter>(Buffer());
    default:
      return std::make_unique<Encrypt>(std::move(encrypt));
  }
}

Stack make_stack(std::uint8_t choice) {
  std::vector<std::unique_ptr<Interceptor>> from_top;
  if (choice < 7) {
    from_top.push_back(make(choice));
  } else {
    for (const unsigned kind : {3U, 1U, 5U, 2U, 4U}) {
      from_top.push_back(make(static_cast<std::uint8_t>(kind)));
    }
  }
  return Stack(std::move(from_top));
}

Message message(Bytes body, std::uint8_t sender) {
  Message made;
  made.options = sender % 2 == 0 ? 6 : 6 | option::kCompressed;
  made.timestamp_milliseconds = 1700000000123;
  made.unique_id = Buffer(16, sender);
  made.sender.identity = {{10, 0, 0, sender}, 4000, {}};
  made.body = copy_of(body);
  return made;
}

// Pieces of the input as bodies that came, then the same bytes sent and received by a pair.
void run(std::uint8_t choice, std::size_t step, Bytes input) {
  const RandomSource random = [n = std::uint8_t{0}](MutableBytes out) mutable {
    for (std::uint8_t& byte : out) byte = n++;
  };
  Drops drops;
  Context context{{Instant(seconds(1)), 1700000000123}, random, drops};
  Stack hostile = make_stack(choice);
  std::uint8_t sender = 0;
  for (Bytes rest = input; !rest.empty(); ++sender) {
    const std::size_t size = std::min(step, rest.size());
    for (const Message& up : hostile.receive(context, message(rest.first(size), sender % 6))) {
      TC_CHECK(up.body.size() <= kMaxBody);
    }
    rest = rest.subspan(size);
    context.moment.now += seconds(1);
    static_cast<void>(hostile.on_timer(context));
  }

  Stack from = make_stack(choice);
  Stack to = make_stack(choice);
  Messages arrived;
  for (const Message& piece : from.send(context, kTo, message(input, 0))) {
    for (Message& up : to.receive(context, piece)) arrived.push_back(std::move(up));
  }
  TC_CHECK(arrived.size() == 1 && same(arrived[0].body, input));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  run(data[0] % 8, 1 + data[1] * std::size_t{4}, Bytes(data, size).subspan(2));
  return 0;
}
