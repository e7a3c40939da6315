// Any datagram at the agents' port: what decodes encodes to the same header, what opens was sealed
// with exactly this header and plain text; and every plain text comes back.
#include "base/check.h"
#include "seal/envelope.h"
#include "seal/keyring.h"

namespace {

using namespace tribecast;

// The bytes 0 to 31: the corpus holds datagrams that are sealed with it.
seal::Key fixed_key() {
  seal::Key key;
  std::uint8_t next = 0;
  for (std::uint8_t& byte : key.bytes()) byte = next++;
  return key;
}

void receive(const seal::Key& key, Bytes datagram) {
  const auto envelope = seal::decode(datagram);
  if (!envelope) return;
  TC_CHECK(same(seal::encode(envelope->header), envelope->associated));
  TC_CHECK(envelope->associated.size() + envelope->body.size() == datagram.size());
  const auto plain = seal::open_datagram(key, *envelope);
  if (plain) TC_CHECK(same(seal::seal_datagram(key, envelope->header, *plain), datagram));
}

void send(const seal::Key& key, Bytes input) {
  ByteReader in(input);
  seal::Header header;
  header.type = static_cast<seal::Type>(1 + in.u8() % 6);
  header.ring_id = in.u8();
  header.index = in.u32be();
  header.counter = in.u64be();
  const Bytes plain = in.take_rest();
  const Buffer datagram = seal::seal_datagram(key, header, plain);
  const auto envelope = seal::decode(datagram);
  TC_CHECK(envelope && envelope->header == header);
  const auto opened = seal::open_datagram(key, *envelope);
  TC_CHECK(opened && same(*opened, plain));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const bool ready = seal::initialise();
  TC_CHECK(ready);
  static const seal::Key key = fixed_key();
  receive(key, Bytes(data, size));
  send(key, Bytes(data, size));
  return 0;
}
