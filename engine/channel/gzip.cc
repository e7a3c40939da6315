#include "engine/channel/gzip.h"

#include <zlib.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "base/check.h"

namespace tribecast::channel {
namespace {

constexpr int kGzipWindow = 15 + 16;  // zlib: the largest window, in a gzip stream
constexpr int kDefaultMemory = 8;
constexpr std::size_t kFirstPiece = 4096;
// Where a gzip header tells the operating system, and the value that says "unknown".
constexpr std::size_t kSystemOffset = 9;
constexpr std::uint8_t kUnknownSystem = 0xff;

Bytef* input_of(Bytes bytes) { return const_cast<Bytef*>(bytes.data()); }

// Ends it, whatever happens.
struct Inflating {
  z_stream stream{};
  Inflating() { TC_CHECK(inflateInit2(&stream, kGzipWindow) == Z_OK); }
  Inflating(const Inflating&) = delete;
  Inflating& operator=(const Inflating&) = delete;
  ~Inflating() { inflateEnd(&stream); }
};

}  // namespace

Buffer gzip(Bytes plain) {
  TC_CHECK(plain.size() <= std::numeric_limits<uInt>::max());
  z_stream stream{};
  TC_CHECK(deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kGzipWindow, kDefaultMemory,
                        Z_DEFAULT_STRATEGY) == Z_OK);
  Buffer packed(deflateBound(&stream, plain.size()));
  stream.next_in = input_of(plain);
  stream.avail_in = static_cast<uInt>(plain.size());
  stream.next_out = packed.data();
  stream.avail_out = static_cast<uInt>(packed.size());
  TC_CHECK(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  packed[kSystemOffset] = kUnknownSystem;
  return packed;
}

Result<Buffer, GunzipError> gunzip(Bytes packed, std::size_t max_bytes) {
  if (packed.size() > std::numeric_limits<uInt>::max()) return Unexpected{GunzipError::too_large};
  Inflating inflating;
  z_stream& stream = inflating.stream;
  stream.next_in = input_of(packed);
  stream.avail_in = static_cast<uInt>(packed.size());
  Buffer plain;
  for (int status = Z_OK; status != Z_STREAM_END;) {
    const std::size_t done = plain.size();
    if (done > max_bytes) return Unexpected{GunzipError::too_large};
    // One byte more than allowed tells that it is more.
    plain.resize(std::min(max_bytes + 1, std::max(kFirstPiece, 2 * done)));
    stream.next_out = plain.data() + done;
    stream.avail_out = static_cast<uInt>(plain.size() - done);
    status = inflate(&stream, Z_NO_FLUSH);
    plain.resize(plain.size() - stream.avail_out);
    const bool stuck = status == Z_OK && stream.avail_in == 0 && stream.avail_out != 0;
    if ((status != Z_OK && status != Z_STREAM_END) || stuck) return Unexpected{GunzipError::bad};
  }
  if (plain.size() > max_bytes) return Unexpected{GunzipError::too_large};
  if (stream.avail_in != 0) return Unexpected{GunzipError::bad};
  return plain;
}

void Gzip::send(const Context& /*context*/, const tribes::Identity& /*to*/, Message message,
                Messages& out) {
  if (layout_ == GzipLayout::always || message.body.size() > min_bytes_) {
    message.body = gzip(message.body);
    if (layout_ == GzipLayout::flagged) message.options |= option::kCompressed;
  }
  out.push_back(std::move(message));
}

void Gzip::receive(const Context& context, Message message, Messages& out) {
  const bool packed = layout_ == GzipLayout::always || (message.options & option::kCompressed) != 0;
  if (packed) {
    auto plain = gunzip(message.body, max_bytes_);
    if (!plain) {
      const bool large = plain.error() == GunzipError::too_large;
      return context.drops.count(large ? Drop::gzip_too_large : Drop::bad_gzip);
    }
    message.body = std::move(*plain);
    message.options &= ~option::kCompressed;
  }
  out.push_back(std::move(message));
}

}  // namespace tribecast::channel
