// Class descriptors: name, fields, annotation, super class.
#include "engine/java/parser.h"
#include "engine/java/utf.h"

namespace tribecast::java {

std::optional<std::uint32_t> primitive_size(char type) {
  switch (type) {
    case 'B':
    case 'Z':
      return 1;
    case 'C':
    case 'S':
      return 2;
    case 'F':
    case 'I':
      return 4;
    case 'D':
    case 'J':
      return 8;
    case 'L':
    case '[':
      return 0;
    default:
      return std::nullopt;
  }
}

bool Parser::begin_class() {
  if (!begin(FrameKind::class_desc)) return false;
  Frame& frame = frames_.back();
  frame.raw_from = static_cast<std::uint32_t>(offset());
  const Bytes name = utf();
  in_.u64be();
  if (!readable() || failure_) return false;
  if (!new_node(NodeKind::class_desc, kNoClass, frame.node)) return false;
  frame.klass = new_class(frame.node);
  Class& c = graph_.classes_[frame.klass];
  c.name_at = frame.raw_from + 2;
  c.name_size = static_cast<std::uint16_t>(name.size());
  c.flags = in_.u8();
  frame.left = c.fields = in_.u16be();
  if (!readable()) return false;
  const bool both = (c.flags & kSerializable) != 0 && (c.flags & kExternalizable) != 0;
  const bool bad_enum = (c.flags & kEnum) != 0 && c.fields > 0;
  frame.step = Step::values;
  ++open_classes_;
  return need(!both && !bad_enum, Reason::bad_class);
}

bool Parser::begin_proxy() {
  if (!begin(FrameKind::proxy_class_desc)) return false;
  Frame& frame = frames_.back();
  if (!new_node(NodeKind::proxy_class_desc, kNoClass, frame.node)) return false;
  frame.klass = new_class(frame.node);
  graph_.classes_[frame.klass].flags = kSerializable;
  frame.raw_from = static_cast<std::uint32_t>(offset());
  frame.left = in_.u32be();
  if (!readable()) return false;
  frame.step = Step::values;
  ++open_classes_;
  return need(frame.left <= UINT16_MAX, Reason::bad_length);  // as ObjectInputStream.readProxyDesc
}

void Parser::flush_raw(Frame& frame) {
  const std::size_t at = offset();
  if (at > frame.raw_from)
    items_.push_back(Item::of(ItemKind::raw, frame.raw_from, at - frame.raw_from));
  frame.raw_from = static_cast<std::uint32_t>(at);
}

// All fields up to the next one that has a signature.
bool Parser::read_fields(Frame& frame) {
  while (frame.left > 0) {
    --frame.left;
    if (!read_field(frame)) return false;
    const char type = graph_.fields_.back().type;
    if (type != 'L' && type != '[') continue;
    flush_raw(frame);
    frame.step = Step::described;
    return read_item(Place::string);
  }
  flush_raw(frame);
  frame.step = Step::annotation;
  return true;
}

bool Parser::read_field(Frame& frame) {
  Class& c = graph_.classes_[frame.klass];
  Field field;
  field.type = static_cast<char>(in_.u8());
  field.name_at = static_cast<std::uint32_t>(offset() + 2);
  field.name_size = static_cast<std::uint16_t>(utf().size());
  if (!readable() || failure_) return false;
  const auto size = primitive_size(field.type);
  if (!size || (*size > 0 && c.object_fields > 0)) return fail(Reason::bad_class);
  c.primitive_bytes += *size;
  if (*size == 0) ++c.object_fields;
  // The fields of a class lie together, so none is noted while another descriptor is inside: type
  // strings are no descriptors.
  graph_.fields_.push_back(field);
  return true;
}

bool Parser::read_signature(Frame& frame) {
  graph_.fields_.back().signature = items_.back().node();
  frame.raw_from = static_cast<std::uint32_t>(offset());
  frame.step = Step::values;
  return true;
}

bool Parser::step_class(Frame& frame) {
  switch (frame.step) {
    case Step::values:
      return read_fields(frame);
    case Step::described:
      return read_signature(frame);
    case Step::annotation:
      // `left` counts what the annotation holds.
      graph_.classes_[frame.klass].plain = frame.left++ == 0 && frame.kind == FrameKind::class_desc;
      return read_annotation(frame, Step::last);
    case Step::last:
      frame.step = Step::done;
      return read_item(Place::class_desc);
    default:
      return end_class(frame);
  }
}

bool Parser::step_proxy(Frame& frame) {
  if (frame.step != Step::values) return step_class(frame);
  for (; frame.left > 0 && in_.ok(); --frame.left) utf();
  if (!readable() || failure_) return false;
  flush_raw(frame);
  frame.step = Step::annotation;
  return true;
}

// The super class has been read.
bool Parser::end_class(Frame& frame) {
  Class& c = graph_.classes_[frame.klass];
  const Item super = items_.back();
  if (super.is(ItemKind::node)) {
    c.super = graph_.nodes_[super.node()].klass;
    const Class& above = graph_.classes_[c.super];
    if (!above.finished) return fail(Reason::unfinished_class);
    c.levels = above.levels + 1;
    if (c.levels > limits_.class_levels) return fail(Reason::too_deep);
    c.next_with_data = above.has_data() ? c.super : above.next_with_data;
  }
  c.finished = true;
  --open_classes_;
  return finish();
}

}  // namespace tribecast::java
