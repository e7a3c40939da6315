// The parser's inside: what parse.cc and parse_class.cc share.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "engine/java/graph.h"
#include "engine/java/parse.h"

namespace tribecast::java {

// Which codes may stand at a place (ObjectInputStream.readObject0, readClassDesc, readTypeString).
enum class Place : std::uint8_t { top, annotation, value, class_desc, string, throwable };

// Bytes of a primitive; 0 for a reference; nullopt for no type.
std::optional<std::uint32_t> primitive_size(char type);

enum class FrameKind : std::uint8_t {
  class_desc,
  proxy_class_desc,
  klass,
  object,
  array,
  enumeration,
  exception,
};

// How far a value has been read. Not every kind has every step.
enum class Step : std::uint8_t { begin, described, level, values, annotation, last, done, blocks };

// In what order a class with a writeObject method writes: its fields and then the rest; block data
// before them; all by hand, without the fields that its descriptor names.
enum class Layout : std::uint8_t { fields_first, block_first, by_hand };
using Layouts = std::map<ClassId, Layout>;

struct Frame {
  FrameKind kind{};
  Step step = Step::begin;
  NodeId node = 0;
  ClassId klass = kNoClass;     // the value's; of descriptors: the one described
  ClassId level = kNoClass;     // of objects: the class whose values are being read
  std::uint32_t left = 0;       // values or fields still to come
  std::uint32_t raw_from = 0;   // of descriptors: bytes not yet in an item begin here
  std::size_t items_from = 0;   // its items begin here in items_
  std::size_t levels_from = 0;  // its classes begin here in levels_
};

// One value at a time is advanced by one step; what it holds comes onto `frames_` above it. The
// items of unfinished values lie on `items_`, those of the innermost on top.
class Parser {
 public:
  // Of classes that `layouts` does not name, fields come first.
  Parser(Bytes stream, const Limits& limits, const Layouts& layouts);

  Result<Graph, ParseError> run();
  // After a failure: the class that may have been read wrongly; kNoClass when there is none.
  [[nodiscard]] ClassId suspect() const;

 private:
  bool step();
  bool step_class(Frame& frame);
  bool step_proxy(Frame& frame);
  bool step_described(Frame& frame);
  bool step_object(Frame& frame);
  bool step_level(Frame& frame);
  bool read_primitives(Frame& frame);
  bool step_array(Frame& frame);

  bool read_item(Place place);
  bool read_reference(Place place);
  bool read_string(Code code);
  bool read_block(Code code);
  bool read_annotation(Frame& frame, Step then);
  bool read_fields(Frame& frame);
  bool read_field(Frame& frame);
  bool read_signature(Frame& frame);

  bool begin(FrameKind kind);
  bool begin_class();
  bool begin_proxy();
  bool begin_exception();
  bool begin_array(Frame& frame);
  bool begin_value(Frame& frame);
  bool end_class(Frame& frame);
  bool end_exception();
  bool finish(bool broken = false);

  bool new_node(NodeKind kind, ClassId klass, NodeId& id);
  ClassId new_class(NodeId node);
  void collect_levels(Frame& frame);
  [[nodiscard]] Layout layout_of(ClassId id) const;
  [[nodiscard]] bool is_suspect(ClassId id) const;
  void flush_raw(Frame& frame);

  Bytes utf();
  [[nodiscard]] std::size_t offset() const { return graph_.stream_.size() - in_.left(); }
  [[nodiscard]] std::uint8_t peek() const { return graph_.stream_[offset()]; }
  bool fail(Reason reason);
  bool need(bool good, Reason reason) { return good || fail(reason); }
  bool readable() { return need(in_.ok(), Reason::truncated); }

  Limits limits_;
  const Layouts& layouts_;
  ByteReader in_;
  Graph graph_;
  std::vector<Frame> frames_;
  std::vector<Item> items_;
  std::vector<ClassId> levels_;
  NodeId first_handle_ = 0;       // the node that kBaseHandle names
  std::size_t open_classes_ = 0;  // descriptors on frames_
  bool in_exception_ = false;
  ClassId last_suspect_ = kNoClass;  // the class whose values were begun last
  std::size_t value_at_ = 0;         // where the value begins that is being read, for errors
  std::optional<Reason> failure_;
};

}  // namespace tribecast::java
