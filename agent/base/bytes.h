// Reading and writing raw bytes: the only code that touches them. Every integer on tribecast's and
// Tribes' wire is big endian.
//
// A ByteReader borrows its bytes; once a read asked for more than was left it stays failed, every
// later read gives zeros or empty views, and ok() tells at the end. ByteWriter grows a vector;
// SpanWriter fills a span of settled size and fails in the same sticky way.
#pragma once

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tribecast {

using Bytes = std::span<const std::uint8_t>;
using MutableBytes = std::span<std::uint8_t>;
using Buffer = std::vector<std::uint8_t>;

inline bool same(Bytes a, Bytes b) { return std::ranges::equal(a, b); }

// The characters of a text as bytes; valid as long as the text is.
inline Bytes bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

// The bytes as characters; valid as long as they are.
inline std::string_view view_of(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

inline std::string text_of(Bytes bytes) { return {bytes.begin(), bytes.end()}; }

inline Buffer copy_of(Bytes bytes) { return {bytes.begin(), bytes.end()}; }

class ByteReader {
 public:
  explicit ByteReader(Bytes bytes) : rest_(bytes) {}

  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] std::size_t left() const { return rest_.size(); }

  std::uint8_t u8() { return static_cast<std::uint8_t>(big_endian(1)); }
  std::uint16_t u16be() { return static_cast<std::uint16_t>(big_endian(2)); }
  std::uint32_t u32be() { return static_cast<std::uint32_t>(big_endian(4)); }
  std::uint64_t u64be() { return big_endian(8); }

  // The next `size` bytes; borrowed from the input.
  Bytes take(std::size_t size) {
    if (size > rest_.size()) {
      ok_ = false;
      rest_ = {};
    }
    if (!ok_) return {};
    const Bytes taken = rest_.first(size);
    rest_ = rest_.subspan(size);
    return taken;
  }

  Bytes take_rest() { return take(rest_.size()); }

  template <std::size_t N>
  std::array<std::uint8_t, N> array() {
    std::array<std::uint8_t, N> out{};
    std::ranges::copy(take(N), out.begin());
    return out;
  }

 private:
  std::uint64_t big_endian(std::size_t size) {
    std::uint64_t value = 0;
    for (const std::uint8_t byte : take(size)) value = value << 8U | byte;
    return value;
  }

  Bytes rest_;
  bool ok_ = true;
};

class SpanWriter {
 public:
  explicit SpanWriter(MutableBytes out) : rest_(out) {}

  // False once something did not fit.
  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] std::size_t left() const { return rest_.size(); }

  void u8(std::uint8_t value) { big_endian(value, 1); }
  void u16be(std::uint16_t value) { big_endian(value, 2); }
  void u32be(std::uint32_t value) { big_endian(value, 4); }
  void u64be(std::uint64_t value) { big_endian(value, 8); }

  void put(Bytes bytes) {
    const MutableBytes target = reserve(bytes.size());
    std::copy_n(bytes.begin(), target.size(), target.begin());
  }

  // The next `size` bytes, to be filled by the caller; empty when they do not fit.
  MutableBytes reserve(std::size_t size) {
    if (size > rest_.size()) {
      ok_ = false;
      rest_ = {};
    }
    if (!ok_) return {};
    const MutableBytes target = rest_.first(size);
    rest_ = rest_.subspan(size);
    return target;
  }

 private:
  void big_endian(std::uint64_t value, std::size_t size) {
    const MutableBytes target = reserve(size);
    for (std::size_t i = target.size(); i > 0; --i) {
      target[i - 1] = static_cast<std::uint8_t>(value);
      value >>= 8U;
    }
  }

  MutableBytes rest_;
  bool ok_ = true;
};

class ByteWriter {
 public:
  void u8(std::uint8_t value) { SpanWriter(grow(1)).u8(value); }
  void u16be(std::uint16_t value) { SpanWriter(grow(2)).u16be(value); }
  void u32be(std::uint32_t value) { SpanWriter(grow(4)).u32be(value); }
  void u64be(std::uint64_t value) { SpanWriter(grow(8)).u64be(value); }
  void put(Bytes bytes) { bytes_.insert(bytes_.end(), bytes.begin(), bytes.end()); }

  [[nodiscard]] Bytes bytes() const { return bytes_; }
  [[nodiscard]] Buffer release() { return std::move(bytes_); }

 private:
  MutableBytes grow(std::size_t size) {
    const std::size_t before = bytes_.size();
    bytes_.resize(before + size);
    return MutableBytes(bytes_).subspan(before);
  }

  Buffer bytes_;
};

}  // namespace tribecast
