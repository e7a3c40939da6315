// Reading values out of a graph: contents written by hand (block data and objects in turn), fields
// by name, the boxes of java.lang, strings.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "engine/java/graph.h"

namespace tribecast::java {

// Reads as ObjectInputStream does: block data is one stream of bytes however it was cut, and ends
// where an object stands. Once a read fails it stays failed, gives zeros and nulls, and ok() tells
// at the end. Borrows graph and items.
class ContentReader {
 public:
  ContentReader(const Graph& graph, std::span<const Item> items) : graph_(graph), items_(items) {}

  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] bool at_end() const { return block_.empty() && next_value() == items_.size(); }

  bool boolean() { return u8() != 0; }
  std::uint8_t u8() { return static_cast<std::uint8_t>(big_endian(1)); }
  std::uint16_t u16() { return static_cast<std::uint16_t>(big_endian(2)); }
  std::uint32_t u32() { return static_cast<std::uint32_t>(big_endian(4)); }
  std::uint64_t u64() { return big_endian(8); }
  // `size` bytes of block data; fails, without taking the memory, where there are less.
  Buffer bytes(std::size_t size);
  // A text with its length of two bytes before it.
  Buffer utf() { return bytes(u16()); }

  // The next value; fails where block data has not been read to its end. It may be broken.
  Item object();
  // The same, which stays the next one. Null, not failed, where there is none.
  [[nodiscard]] Item peek_object() const;

 private:
  std::uint64_t big_endian(std::size_t size);
  bool next_block();
  void fail();
  // Index of the next item that is no reset.
  [[nodiscard]] std::size_t next_value() const;
  [[nodiscard]] std::size_t bytes_ahead(std::size_t enough) const;

  const Graph& graph_;
  std::span<const Item> items_;
  Bytes block_;
  bool ok_ = true;
};

// A field of an object: bytes of a primitive, or a value.
struct FieldValue {
  char type = 0;
  Bytes primitive = {};
  Item value = Item::of(ItemKind::null);
};

struct NamedField {
  std::string_view name;  // borrowed from the stream
  FieldValue field;
};

// All fields of an object, the topmost class's first. None of an Externalizable or broken object,
// and of one that did not write its fields first.
std::vector<NamedField> fields_of(const Graph& graph, NodeId object);

// The one of that name; of two classes with one, the lower class's.
std::optional<FieldValue> field_of(std::span<const NamedField> fields, std::string_view name);
std::optional<FieldValue> field_of(const Graph& graph, NodeId object, std::string_view name);

// The name of an object's class; empty for what is no object.
std::string_view class_name_of(const Graph& graph, Item item);

// What an Externalizable object wrote, without the end.
std::span<const Item> external_contents(const Graph& graph, NodeId object);

// java.lang.Integer, Long, Boolean; nullopt for anything else.
std::optional<std::int32_t> integer_of(const Graph& graph, Item item);
std::optional<std::int64_t> long_of(const Graph& graph, Item item);
std::optional<bool> boolean_of(const Graph& graph, Item item);

// The text of a String; nullopt for anything else.
std::optional<Bytes> text_of_string(const Graph& graph, Item item);
// The elements of a byte[]; nullopt for anything else.
std::optional<Bytes> bytes_of_array(const Graph& graph, Item item);

}  // namespace tribecast::java
