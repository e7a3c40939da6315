#include "engine/java/head.h"

namespace tribecast::java {
namespace {

// Object Serialization Stream Protocol, section 6.4.2.
constexpr std::uint32_t kMagicAndVersion = 0xaced0005;
constexpr std::uint8_t kNull = 0x70;
constexpr std::uint8_t kClassDescriptor = 0x72;
constexpr std::uint8_t kObject = 0x73;
constexpr std::uint8_t kString = 0x74;
constexpr std::uint8_t kArray = 0x75;
constexpr std::uint8_t kClass = 0x76;
constexpr std::uint8_t kBlockData = 0x77;
constexpr std::uint8_t kLongBlockData = 0x7a;
constexpr std::uint8_t kLongString = 0x7c;
constexpr std::uint8_t kProxyDescriptor = 0x7d;
constexpr std::uint8_t kEnum = 0x7e;

}  // namespace

std::string class_at_head(Bytes stream) {
  ByteReader in(stream);
  if (in.u32be() != kMagicAndVersion) return {};
  const std::uint8_t what = in.u8();
  if (!in.ok()) return {};
  if (what == kNull) return "null";
  if (what == kString || what == kLongString) return "java.lang.String";
  if (what == kBlockData || what == kLongBlockData) return "(block data)";
  if (what == kClass) return "java.lang.Class";
  if (what != kObject && what != kArray && what != kEnum) return {};
  const std::uint8_t descriptor = in.u8();
  if (descriptor == kProxyDescriptor) return "(proxy)";
  if (descriptor != kClassDescriptor) return {};
  std::string name = text_of(in.take(in.u16be()));
  return in.ok() ? name : std::string();
}

}  // namespace tribecast::java
