// GzipInterceptor: message bodies as gzip streams (RFC 1952).
#pragma once

#include <cstddef>

#include "engine/channel/interceptor.h"

namespace tribecast::channel {

enum class GzipLayout : std::uint8_t {
  always,   // Tomcat 7.0 and 8.5: every body, and nothing says so
  flagged,  // 9.0 and later: option 0x100 says so
};

class Gzip : public Interceptor {
 public:
  // Bodies that are not longer than `min_bytes` stay as they are (compressionMinSize; flagged
  // only). What unpacks to more than `max_bytes` is dropped.
  Gzip(GzipLayout layout, std::size_t max_bytes, std::size_t min_bytes = 0)
      : layout_(layout), max_bytes_(max_bytes), min_bytes_(min_bytes) {}

  void send(const Context& context, const tribes::Identity& to, Message message,
            Messages& out) override;
  void receive(const Context& context, Message message, Messages& out) override;

 private:
  GzipLayout layout_;
  std::size_t max_bytes_;
  std::size_t min_bytes_;
};

// As java.util.zip.GZIPOutputStream of JDK 16 and later writes it.
Buffer gzip(Bytes plain);

enum class GunzipError : std::uint8_t { bad, too_large };
// One gzip stream and nothing behind it.
Result<Buffer, GunzipError> gunzip(Bytes packed, std::size_t max_bytes);

}  // namespace tribecast::channel
