#include "seal/envelope.h"

namespace tribecast::seal {

HeaderBytes encode(const Header& header) {
  HeaderBytes bytes{};
  SpanWriter out(bytes);
  out.u8(kMagic);
  out.u8(static_cast<std::uint8_t>(kVersion << 4U | static_cast<unsigned>(header.type)));
  out.u8(0);
  out.u8(header.ring_id);
  out.u32be(header.index);
  out.u64be(header.counter);
  return bytes;
}

std::optional<Envelope> decode(Bytes datagram) {
  ByteReader in(datagram);
  const std::uint8_t magic = in.u8();
  const std::uint8_t version_and_type = in.u8();
  const std::uint8_t zero = in.u8();
  Envelope envelope;
  envelope.header.ring_id = in.u8();
  envelope.header.index = in.u32be();
  envelope.header.counter = in.u64be();
  envelope.body = in.take_rest();
  const unsigned type = version_and_type & 0xfU;
  const bool ours = in.ok() && magic == kMagic && version_and_type >> 4U == kVersion && type >= 1 &&
                    type <= 6 && zero == 0 && envelope.body.size() >= kTagSize;
  if (!ours) return std::nullopt;
  envelope.header.type = static_cast<Type>(type);
  envelope.associated = datagram.first(kHeaderSize);
  return envelope;
}

Buffer seal_datagram(const Key& key, const Header& header, Bytes plain) {
  Buffer datagram(kOverhead + plain.size());
  const HeaderBytes associated = encode(header);
  SpanWriter out(datagram);
  out.put(associated);
  aead_seal(key, header.counter, associated, plain, out.reserve(plain.size() + kTagSize));
  return datagram;
}

std::optional<Buffer> open_datagram(const Key& key, const Envelope& envelope) {
  return aead_open(key, envelope.header.counter, envelope.associated, envelope.body);
}

}  // namespace tribecast::seal
