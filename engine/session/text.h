// Texts and values that stay as they are, in no more memory than they need: a store has very many.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace tribecast::session {

// An id: one allocation, and a pointer to it.
class Text {
 public:
  explicit Text(std::string_view text)
      : bytes_(std::make_unique_for_overwrite<std::uint8_t[]>(kHead + text.size())) {
    SpanWriter out({bytes_.get(), kHead + text.size()});
    out.u32be(static_cast<std::uint32_t>(text.size()));
    out.put(bytes_of(text));
  }

  [[nodiscard]] std::string_view view() const {
    const std::size_t size = ByteReader({bytes_.get(), kHead}).u32be();
    return view_of(Bytes(bytes_.get(), kHead + size).subspan(kHead));
  }
  [[nodiscard]] std::string str() const { return std::string(view()); }
  // It is found and hashed as a text.
  operator std::string_view() const { return view(); }
  friend bool operator==(const Text& a, const Text& b) { return a.view() == b.view(); }
  friend bool operator==(const Text& a, std::string_view b) { return a.view() == b; }

 private:
  static constexpr std::size_t kHead = 4;
  std::unique_ptr<std::uint8_t[]> bytes_;  // u32 size  text
};

// A name and what it stands for, together in one allocation.
class NamedValue {
 public:
  NamedValue() = default;
  NamedValue(std::string_view name, Bytes value)
      : bytes_(std::make_unique_for_overwrite<std::uint8_t[]>(name.size() + value.size())),
        name_size_(static_cast<std::uint32_t>(name.size())),
        value_size_(static_cast<std::uint32_t>(value.size())) {
    SpanWriter out({bytes_.get(), size()});
    out.put(bytes_of(name));
    out.put(value);
  }

  [[nodiscard]] std::string_view name() const { return view_of(all().first(name_size_)); }
  [[nodiscard]] Bytes value() const { return all().subspan(name_size_); }
  [[nodiscard]] std::size_t size() const { return std::size_t{name_size_} + value_size_; }

 private:
  [[nodiscard]] Bytes all() const { return {bytes_.get(), size()}; }

  std::unique_ptr<std::uint8_t[]> bytes_;
  std::uint32_t name_size_ = 0;
  std::uint32_t value_size_ = 0;
};

}  // namespace tribecast::session
