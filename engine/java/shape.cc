#include "engine/java/shape.h"

namespace tribecast::java {

ClassShape class_shape_of(const Graph& graph, ClassId id) {
  const Class& c = graph.class_at(id);
  ClassShape shape{text_of(graph.name(c)), graph.uid(c), c.flags};
  for (const Field& field : graph.fields(c)) {
    const bool has_signature = field.type == 'L' || field.type == '[';
    shape.fields.push_back({field.type, text_of(graph.name(field)),
                            has_signature ? text_of(graph.text(field.signature)) : std::string()});
  }
  return shape;
}

std::optional<Shape> shape_of(const Graph& graph, ClassId id) {
  Shape shape;
  for (; id != kNoClass; id = graph.class_at(id).super) {
    if (!graph.class_at(id).plain) return std::nullopt;
    shape.push_back(class_shape_of(graph, id));
  }
  return shape;
}

std::string key_of(const ClassShape& shape) {
  ByteWriter key;
  const auto put = [&key](const std::string& text) {
    key.u32be(static_cast<std::uint32_t>(text.size()));
    key.put(bytes_of(text));
  };
  put(shape.name);
  key.u64be(shape.uid);
  key.u8(shape.flags);
  for (const FieldShape& field : shape.fields) {
    key.u8(static_cast<std::uint8_t>(field.type));
    put(field.name);
    put(field.signature);
  }
  return text_of(key.bytes());
}

}  // namespace tribecast::java
