#include "engine/java/graph.h"

namespace tribecast::java {
namespace {

bool has_text(const Node& node) {
  return node.kind == NodeKind::string || node.kind == NodeKind::long_string;
}

}  // namespace

std::span<const Item> Graph::items(NodeId id) const {
  const Node& node = nodes_[id];
  if (has_text(node)) return {};
  return std::span(items_).subspan(node.first, node.count);
}

Bytes Graph::text(NodeId string) const {
  const Node& node = nodes_[string];
  if (!has_text(node)) return {};
  return stream_.subspan(node.first, node.count);
}

// It follows the name.
std::uint64_t Graph::uid(const Class& c) const {
  return ByteReader(stream_.subspan(c.name_at + c.name_size)).u64be();
}

bool Graph::is_string(Item item) const {
  return item.is(ItemKind::node) && has_text(nodes_[item.node()]);
}

bool Graph::is_broken(Item item) const {
  return item.is(ItemKind::exception) || (item.is(ItemKind::node) && nodes_[item.node()].broken);
}

std::size_t Graph::memory_bytes() const {
  return roots_.capacity() * sizeof(Item) + nodes_.capacity() * sizeof(Node) +
         items_.capacity() * sizeof(Item) + classes_.capacity() * sizeof(Class) +
         fields_.capacity() * sizeof(Field);
}

}  // namespace tribecast::java
