#include "engine/java/head.h"

#include "engine/java/graph.h"

namespace tribecast::java {

std::string class_at_head(Bytes stream) {
  ByteReader in(stream);
  if (in.u16be() != kMagic || in.u16be() != kVersion) return {};
  const auto what = static_cast<Code>(in.u8());
  if (!in.ok()) return {};
  switch (what) {
    case Code::null:
      return "null";
    case Code::string:
    case Code::long_string:
      return "java.lang.String";
    case Code::block:
    case Code::long_block:
      return "(block data)";
    case Code::klass:
      return "java.lang.Class";
    case Code::object:
    case Code::array:
    case Code::enumeration:
      break;
    default:
      return {};
  }
  const auto descriptor = static_cast<Code>(in.u8());
  if (descriptor == Code::proxy_class_desc) return "(proxy)";
  if (descriptor != Code::class_desc) return {};
  std::string name = text_of(in.take(in.u16be()));
  return in.ok() ? name : std::string();
}

}  // namespace tribecast::java
