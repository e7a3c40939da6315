// Writes Java serialization streams: parts of graphs, and values made here, with handles
// renumbered.
//
//   Writer out;                       // begins with the stream's header
//   out.u32(7);                       // block data, joined and cut as ObjectOutputStream does
//   Copy copy(out, graph);
//   copy.put(graph.roots()[0]);       // the value, with all that it refers to
//   Buffer stream = out.release();
//
// What a caller makes in pieces (object, raw, end) it must make complete: the writer keeps handles
// and type codes right, not the shape of a value.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "engine/java/graph.h"
#include "engine/java/shape.h"

namespace tribecast::java {

class Writer {
 public:
  Writer();

  // Block data. Integers are big endian, a text has a length of two bytes before it, as
  // DataOutputStream writes them.
  void block(Bytes bytes);
  void boolean(bool value) { u8(value ? 1 : 0); }
  void u8(std::uint8_t value);
  void u32(std::uint32_t value);
  void u64(std::uint64_t value);
  // At most 65535 bytes of modified UTF-8.
  void utf(Bytes text);

  void null();
  // A new String of modified UTF-8; it may have any size.
  void string(Bytes text);
  // A new byte[].
  void byte_array(Bytes bytes);
  // A new object up to its descriptor. Its values follow: for each class from the top raw
  // primitives, then values, then, where a class writes more, that and `end`.
  void object(const Shape& shape);
  // A new array of `count` elements, which follow.
  void array(const Shape& shape, std::uint32_t count);
  // Primitives of the fields of an object.
  void raw(Bytes bytes);
  void end();

  // Bytes of the stream so far.
  [[nodiscard]] std::size_t size() const { return out_.bytes().size() + pending_.size(); }
  // The stream; the writer then begins a new one.
  Buffer release();

 private:
  friend class Copy;

  void begin();
  void code(Code code);
  void flush();
  void reference(std::uint32_t handle);
  std::uint32_t new_handle() { return next_handle_++; }
  void text(Bytes text);
  void descriptor(const Shape& shape);
  void class_text(const ClassShape& shape);
  void type_string(const std::string& signature);
  void forget_handles();

  ByteWriter out_;
  Buffer pending_;  // block data that is not yet in a block
  std::uint32_t next_handle_ = 0;
  std::uint32_t epoch_ = 0;  // how often handles were forgotten
  // Descriptors and type strings that stand in the stream: one class is described once, also when
  // its objects come from many graphs. The key of a class is what describes it, with the handle of
  // its super class.
  std::map<std::string, std::uint32_t, std::less<>> classes_;
  std::map<std::string, std::uint32_t, std::less<>> type_strings_;
};

// What becomes of class descriptors that the writer has already had from elsewhere.
enum class Classes : std::uint8_t {
  as_they_are,  // written once for each graph: a whole graph comes out byte for byte
  shared,       // referred to, type strings too: many graphs make one small stream
};

// Copies from one graph into a writer. A node that was copied before is referred to, so values keep
// what they share as long as one Copy puts them. Both arguments must outlive it.
class Copy {
 public:
  Copy(Writer& out, const Graph& graph, Classes classes = Classes::as_they_are);

  // The item with all that it refers to.
  void put(Item item);

 private:
  struct Open {
    Item item;
    std::uint32_t next = 0;  // of its items
  };

  void emit(Item item);
  void open_node(NodeId id);
  void advance();
  void begin_text(NodeId id, const Node& node);
  void give_handle(NodeId id);
  bool find_class(NodeId id);
  [[nodiscard]] bool is_shared_signature(NodeId descriptor, Item item) const;
  [[nodiscard]] std::string class_key(ClassId id, std::uint32_t super) const;
  void remember_class(NodeId id);
  void set_handle(NodeId id, std::uint32_t handle);
  void follow_epoch();

  Writer& out_;
  const Graph& graph_;
  Classes mode_;
  std::uint32_t epoch_;
  std::vector<std::uint32_t> handles_;  // of each node; kUnwritten
  std::vector<NodeId> written_;         // nodes that have one
  std::vector<Open> open_;
};

// Many items of one graph, each as a stream of its own. Not for broken ones (Graph::is_broken).
class Parts {
 public:
  explicit Parts(const Graph& graph) : copy_(out_, graph) {}

  Buffer write(Item item);

 private:
  Writer out_;
  Copy copy_;
};

// The whole graph again: the stream it was parsed from, byte for byte.
Buffer write(const Graph& graph);
// One item as a stream of its own. Not for broken ones (Graph::is_broken).
Buffer write_part(const Graph& graph, Item item);

}  // namespace tribecast::java
