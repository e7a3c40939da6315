// A Java serialization stream (Object Serialization Stream Protocol, version 5) as a graph of
// values.
//
// No class is needed and nothing is instantiated: objects of classes that nobody here has keep
// every byte. A Graph borrows the stream's bytes and is valid while they are. It holds two flat
// tables: nodes, one for each handle of the stream in the order in which the stream gives them, and
// items, the contents of the nodes. Every accepted stream is written back byte for byte (write.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/bytes.h"

namespace tribecast::java {

// java.io.ObjectStreamConstants.
enum class Code : std::uint8_t {
  null = 0x70,
  reference,
  class_desc,
  object,
  string,
  array,
  klass,
  block,
  end_block,
  reset,
  long_block,
  exception,
  long_string,
  proxy_class_desc,
  enumeration,
};

inline constexpr std::uint16_t kMagic = 0xaced;
inline constexpr std::uint16_t kVersion = 5;
inline constexpr std::uint32_t kBaseHandle = 0x7e0000;

// Flags of a class descriptor.
inline constexpr std::uint8_t kWriteMethod = 1;
inline constexpr std::uint8_t kSerializable = 2;
inline constexpr std::uint8_t kExternalizable = 4;
inline constexpr std::uint8_t kBlockData = 8;
inline constexpr std::uint8_t kEnum = 16;

using NodeId = std::uint32_t;   // index among the graph's nodes
using ClassId = std::uint32_t;  // index among the graph's classes
inline constexpr ClassId kNoClass = 0xffffffff;

enum class ItemKind : std::uint8_t {
  null,
  node,        // a value with a handle: here for the first time, or again
  raw,         // primitive values as they are: fields, array elements, parts of a descriptor
  block,       // block data of at most 255 bytes
  long_block,  // block data with a length of four bytes
  end,         // of an annotation
  reset,       // all handles are forgotten (top level only)
  exception,   // the writer failed here: the Throwable's node. The values around it are broken
};

// One entry of a node's contents or of the stream's top level. Eight bytes, so that a stream of a
// million nulls stays small; positions and sizes have 30 bits.
class Item {
 public:
  static constexpr Item of(ItemKind kind, std::size_t at, std::size_t size) {
    return Item(static_cast<std::uint64_t>(kind) << 60U | static_cast<std::uint64_t>(at) << 30U |
                static_cast<std::uint64_t>(size));
  }
  static constexpr Item of(ItemKind kind) { return of(kind, 0, 0); }
  static constexpr Item of_node(NodeId node) { return of(ItemKind::node, 0, node); }
  static constexpr Item of_exception(NodeId node) { return of(ItemKind::exception, 0, node); }

  [[nodiscard]] constexpr ItemKind kind() const { return static_cast<ItemKind>(bits_ >> 60U); }
  [[nodiscard]] constexpr bool is(ItemKind kind) const { return this->kind() == kind; }
  // Of node and exception.
  [[nodiscard]] constexpr NodeId node() const { return static_cast<NodeId>(bits_ & kMask); }
  // Of raw, block and long_block: where the bytes lie in the stream.
  [[nodiscard]] constexpr std::size_t at() const { return bits_ >> 30U & kMask; }
  [[nodiscard]] constexpr std::size_t size() const { return bits_ & kMask; }

  friend constexpr bool operator==(Item, Item) = default;

 private:
  static constexpr std::uint64_t kMask = (1U << 30U) - 1;
  explicit constexpr Item(std::uint64_t bits) : bits_(bits) {}
  std::uint64_t bits_;
};

// What the positions of an Item can reach.
inline constexpr std::size_t kMaxStreamBytes = (1U << 30U) - 1;

enum class NodeKind : std::uint8_t {
  string,
  long_string,
  class_desc,  // items: name to flags and fields as raw, type strings between, annotation, super
  proxy_class_desc,  // items: interfaces as raw, annotation, super
  klass,             // items: the descriptor
  object,            // items: the descriptor; for each class from the top fields and annotation
  array,             // items: the descriptor; count and primitives as raw, or values
  enumeration,       // items: the descriptor, the constant's name
};

struct Node {
  NodeKind kind = NodeKind::string;
  bool broken = false;       // an exception ends it early: never to be taken out alone
  bool by_hand = false;      // of objects: fields do not come first (Layout in parser.h)
  std::uint32_t first = 0;   // first item; of strings: where the text lies in the stream
  std::uint32_t count = 0;   // items; of strings: bytes of text
  ClassId klass = kNoClass;  // its class; of descriptors: the class described
};

struct Field {
  char type = 0;  // B C D F I J S Z, or L and [ for objects and arrays
  std::uint16_t name_size = 0;
  std::uint32_t name_at = 0;
  NodeId signature = 0;  // of L and [: a string
};

// What a class descriptor says about the values of its objects. Of a proxy all but the super class
// is empty.
struct Class {
  NodeId node = 0;
  ClassId super = kNoClass;
  std::uint8_t flags = 0;
  bool finished = false;  // read to its end
  bool plain = false;     // no proxy and no annotation: name, uid, flags, fields and super are all
  std::uint16_t name_size = 0;
  std::uint32_t name_at = 0;
  std::uint32_t first_field = 0;
  std::uint32_t fields = 0;
  std::uint32_t primitive_bytes = 0;  // of the fields, which stand first
  std::uint32_t object_fields = 0;    // then the others
  std::uint32_t levels = 1;           // classes from here up
  ClassId next_with_data = kNoClass;  // nearest class above that writes anything

  // Does an object of it have anything from this very class?
  [[nodiscard]] bool has_data() const {
    return primitive_bytes + object_fields > 0 || (flags & kWriteMethod) != 0;
  }
};

class Graph {
 public:
  explicit Graph(Bytes stream) : stream_(stream) {}

  // What stands at the stream's top level, in order.
  [[nodiscard]] std::span<const Item> roots() const { return roots_; }
  [[nodiscard]] std::size_t node_count() const { return nodes_.size(); }
  [[nodiscard]] const Node& node(NodeId id) const { return nodes_[id]; }
  [[nodiscard]] const Class& class_at(ClassId id) const { return classes_[id]; }

  // The contents of a node; empty for strings.
  [[nodiscard]] std::span<const Item> items(NodeId id) const;
  // The bytes of raw, block and long_block.
  [[nodiscard]] Bytes bytes(Item item) const { return stream_.subspan(item.at(), item.size()); }
  // The text of a string, in modified UTF-8 (utf.h).
  [[nodiscard]] Bytes text(NodeId string) const;
  [[nodiscard]] Bytes name(const Class& c) const { return stream_.subspan(c.name_at, c.name_size); }
  [[nodiscard]] Bytes name(const Field& f) const { return stream_.subspan(f.name_at, f.name_size); }
  // serialVersionUID; the class is no proxy.
  [[nodiscard]] std::uint64_t uid(const Class& c) const;
  [[nodiscard]] std::span<const Field> fields(const Class& c) const {
    return std::span(fields_).subspan(c.first_field, c.fields);
  }

  [[nodiscard]] bool is_string(Item item) const;
  // Is the item, or what it stands for, cut short by an exception of its writer?
  [[nodiscard]] bool is_broken(Item item) const;

  // Bytes that the graph's tables occupy.
  [[nodiscard]] std::size_t memory_bytes() const;

 private:
  friend class Parser;

  Bytes stream_;
  std::vector<Item> roots_;
  std::vector<Node> nodes_;
  std::vector<Item> items_;
  std::vector<Class> classes_;
  std::vector<Field> fields_;
};

}  // namespace tribecast::java
