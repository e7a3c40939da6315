#include "engine/java/read.h"

#include <algorithm>

namespace tribecast::java {
namespace {

bool is_block(Item item) { return item.is(ItemKind::block) || item.is(ItemKind::long_block); }

// The classes whose values an object holds, the topmost first.
std::vector<ClassId> levels_of(const Graph& graph, ClassId id) {
  std::vector<ClassId> levels;
  if (!graph.class_at(id).has_data()) id = graph.class_at(id).next_with_data;
  for (; id != kNoClass; id = graph.class_at(id).next_with_data) levels.push_back(id);
  std::ranges::reverse(levels);
  return levels;
}

// The class's own fields, whose values `items` begins with.
void add_fields(const Graph& graph, const Class& c, std::span<const Item> items,
                std::vector<NamedField>& out) {
  constexpr auto kSize = [](char type) -> std::size_t {
    if (type == 'B' || type == 'Z') return 1;
    if (type == 'C' || type == 'S') return 2;
    return type == 'D' || type == 'J' ? 8 : 4;
  };
  out.reserve(out.size() + c.fields);
  std::size_t at = 0;
  std::size_t value = c.primitive_bytes > 0 ? 1 : 0;
  for (const Field& field : graph.fields(c)) {
    const bool is_value = field.type == 'L' || field.type == '[';
    const std::string_view name = view_of(graph.name(field));
    if (is_value) {
      out.push_back({name, {field.type, {}, items[value++]}});
    } else {
      const std::size_t size = kSize(field.type);
      out.push_back({name, {field.type, graph.bytes(items[0]).subspan(at, size)}});
      at += size;
    }
  }
}

// The items behind the values of a class, and behind what else it wrote.
std::span<const Item> skip_level(const Class& c, std::span<const Item> items) {
  items = items.subspan((c.primitive_bytes > 0 ? 1 : 0) + c.object_fields);
  if ((c.flags & kWriteMethod) == 0) return items;
  while (!items.front().is(ItemKind::end)) items = items.subspan(1);
  return items.subspan(1);
}

std::optional<std::uint64_t> boxed(const Graph& graph, Item item, std::string_view name,
                                   std::size_t size) {
  if (class_name_of(graph, item) != name) return std::nullopt;
  const auto field = field_of(graph, item.node(), "value");
  if (!field || field->primitive.size() != size) return std::nullopt;
  std::uint64_t value = 0;
  for (const std::uint8_t byte : field->primitive) value = value << 8U | byte;
  return value;
}

}  // namespace

void ContentReader::fail() {
  ok_ = false;
  items_ = {};
  block_ = {};
}

std::size_t ContentReader::next_value() const {
  std::size_t i = 0;
  const auto is_nothing = [this](Item item) {
    return item.is(ItemKind::reset) || (is_block(item) && graph_.bytes(item).empty());
  };
  while (i < items_.size() && is_nothing(items_[i])) ++i;
  return i;
}

bool ContentReader::next_block() {
  items_ = items_.subspan(next_value());
  if (items_.empty() || !is_block(items_.front())) return false;
  block_ = graph_.bytes(items_.front());
  items_ = items_.subspan(1);
  return true;
}

std::uint64_t ContentReader::big_endian(std::size_t size) {
  std::uint64_t value = 0;
  for (; size > 0; --size) {
    if (block_.empty() && !next_block()) {
      fail();
      return 0;
    }
    value = value << 8U | block_.front();
    block_ = block_.subspan(1);
  }
  return value;
}

// Bytes of block data before the next object, counted as far as `enough`.
std::size_t ContentReader::bytes_ahead(std::size_t enough) const {
  std::size_t ahead = block_.size();
  for (std::size_t i = 0; i < items_.size() && ahead < enough; ++i) {
    if (is_block(items_[i])) {
      ahead += items_[i].size();
    } else if (!items_[i].is(ItemKind::reset)) {
      break;
    }
  }
  return ahead;
}

Buffer ContentReader::bytes(std::size_t size) {
  if (bytes_ahead(size) < size) {
    fail();
    return {};
  }
  Buffer out;
  out.reserve(size);
  while (out.size() < size && (!block_.empty() || next_block())) {
    const std::size_t now = std::min(size - out.size(), block_.size());
    out.insert(out.end(), block_.begin(), block_.begin() + static_cast<std::ptrdiff_t>(now));
    block_ = block_.subspan(now);
  }
  return out;
}

Item ContentReader::peek_object() const {
  const std::size_t next = next_value();
  if (!block_.empty() || next == items_.size() || is_block(items_[next])) {
    return Item::of(ItemKind::null);
  }
  return items_[next];
}

Item ContentReader::object() {
  const std::size_t next = next_value();
  if (!block_.empty() || next == items_.size() || is_block(items_[next])) {
    fail();
    return Item::of(ItemKind::null);
  }
  const Item item = items_[next];
  items_ = items_.subspan(next + 1);
  return item;
}

std::vector<NamedField> fields_of(const Graph& graph, NodeId object) {
  const Node& node = graph.node(object);
  if (node.kind != NodeKind::object || node.broken || node.by_hand) return {};
  if ((graph.class_at(node.klass).flags & kExternalizable) != 0) return {};
  std::vector<NamedField> fields;
  auto items = graph.items(object).subspan(1);
  for (const ClassId id : levels_of(graph, node.klass)) {
    const Class& c = graph.class_at(id);
    add_fields(graph, c, items, fields);
    items = skip_level(c, items);
  }
  return fields;
}

std::optional<FieldValue> field_of(std::span<const NamedField> fields, std::string_view name) {
  const auto is_it = [name](const NamedField& one) { return one.name == name; };
  const auto found = std::find_if(fields.rbegin(), fields.rend(), is_it);
  return found == fields.rend() ? std::nullopt : std::optional(found->field);
}

std::optional<FieldValue> field_of(const Graph& graph, NodeId object, std::string_view name) {
  return field_of(fields_of(graph, object), name);
}

std::string_view class_name_of(const Graph& graph, Item item) {
  if (!item.is(ItemKind::node)) return {};
  const Node& node = graph.node(item.node());
  if (node.kind != NodeKind::object) return {};
  return view_of(graph.name(graph.class_at(node.klass)));
}

std::span<const Item> external_contents(const Graph& graph, NodeId object) {
  const Node& node = graph.node(object);
  if (node.kind != NodeKind::object || node.broken) return {};
  if ((graph.class_at(node.klass).flags & kExternalizable) == 0) return {};
  const auto items = graph.items(object);
  return items.subspan(1, items.size() - 2);
}

std::optional<std::int32_t> integer_of(const Graph& graph, Item item) {
  const auto value = boxed(graph, item, "java.lang.Integer", 4);
  if (!value) return std::nullopt;
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(*value));
}

std::optional<std::int64_t> long_of(const Graph& graph, Item item) {
  const auto value = boxed(graph, item, "java.lang.Long", 8);
  if (!value) return std::nullopt;
  return static_cast<std::int64_t>(*value);
}

std::optional<bool> boolean_of(const Graph& graph, Item item) {
  const auto value = boxed(graph, item, "java.lang.Boolean", 1);
  if (!value) return std::nullopt;
  return *value != 0;
}

std::optional<Bytes> text_of_string(const Graph& graph, Item item) {
  if (!graph.is_string(item)) return std::nullopt;
  return graph.text(item.node());
}

std::optional<Bytes> bytes_of_array(const Graph& graph, Item item) {
  if (!item.is(ItemKind::node)) return std::nullopt;
  const Node& node = graph.node(item.node());
  if (node.kind != NodeKind::array) return std::nullopt;
  if (view_of(graph.name(graph.class_at(node.klass))) != "[B") return std::nullopt;
  return graph.bytes(graph.items(item.node())[1]).subspan(4);
}

}  // namespace tribecast::java
