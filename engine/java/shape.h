// Class descriptors as values: what a program needs to write objects of a class of which it knows,
// or has learned from a peer, the name, the serialVersionUID and the fields.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/java/graph.h"

namespace tribecast::java {

// Names and signatures in modified UTF-8.
struct FieldShape {
  char type = 0;  // B C D F I J S Z, or L and [
  std::string name;
  std::string signature = {};  // of L and [: `Ljava/lang/String;`, `[B`

  friend bool operator==(const FieldShape&, const FieldShape&) = default;
};

struct ClassShape {
  std::string name;  // `java.lang.Integer`, `[B`
  std::uint64_t uid = 0;
  std::uint8_t flags = kSerializable;
  std::vector<FieldShape> fields = {};  // primitives first, each kind in order of name

  friend bool operator==(const ClassShape&, const ClassShape&) = default;
};

// A class, and its super classes upwards as far as they are serializable.
using Shape = std::vector<ClassShape>;

// Nothing for a proxy, or where a descriptor carries an annotation.
std::optional<Shape> shape_of(const Graph& graph, ClassId id);
ClassShape class_shape_of(const Graph& graph, ClassId id);

// The same text for equal descriptors alone.
std::string key_of(const ClassShape& shape);

}  // namespace tribecast::java
