#include "engine/java/write.h"

#include <algorithm>

#include "base/check.h"

namespace tribecast::java {
namespace {

// java.io.ObjectOutputStream.BlockDataOutputStream: MAX_BLOCK_SIZE.
constexpr std::size_t kMaxBlock = 1024;
constexpr std::uint32_t kUnwritten = 0xffffffff;
// Classes with more to them are described anew each time: what a comparison costs stays bounded.
constexpr std::size_t kMaxSharedFields = 64;
constexpr std::size_t kMaxSharedText = 4096;

// [B, as in every JDK.
const Shape& byte_array_shape() {
  static const Shape kShape = {{.name = "[B", .uid = 0xacf317f8060854e0}};
  return kShape;
}

std::string with_super(std::string key, std::uint32_t super) {
  for (unsigned shift = 0; shift < 32; shift += 8) key += static_cast<char>(super >> shift);
  return key;
}

}  // namespace

Writer::Writer() { begin(); }

void Writer::begin() {
  out_.u16be(kMagic);
  out_.u16be(kVersion);
}

void Writer::block(Bytes bytes) {
  while (!bytes.empty()) {
    const std::size_t now = std::min(bytes.size(), kMaxBlock - pending_.size());
    const Bytes part = bytes.first(now);
    pending_.insert(pending_.end(), part.begin(), part.end());
    bytes = bytes.subspan(now);
    if (pending_.size() == kMaxBlock) flush();
  }
}

void Writer::u8(std::uint8_t value) { block({&value, 1}); }

void Writer::u32(std::uint32_t value) {
  ByteWriter bytes;
  bytes.u32be(value);
  block(bytes.bytes());
}

void Writer::u64(std::uint64_t value) {
  ByteWriter bytes;
  bytes.u64be(value);
  block(bytes.bytes());
}

void Writer::utf(Bytes text) {
  TC_CHECK(text.size() <= UINT16_MAX);
  ByteWriter size;
  size.u16be(static_cast<std::uint16_t>(text.size()));
  block(size.bytes());
  block(text);
}

// A block that ends here. Every value begins with it.
void Writer::flush() {
  if (pending_.empty()) return;
  if (pending_.size() <= UINT8_MAX) {
    out_.u8(static_cast<std::uint8_t>(Code::block));
    out_.u8(static_cast<std::uint8_t>(pending_.size()));
  } else {
    out_.u8(static_cast<std::uint8_t>(Code::long_block));
    out_.u32be(static_cast<std::uint32_t>(pending_.size()));
  }
  out_.put(pending_);
  pending_.clear();
}

void Writer::code(Code code) {
  flush();
  out_.u8(static_cast<std::uint8_t>(code));
}

void Writer::null() { code(Code::null); }

void Writer::end() { code(Code::end_block); }

void Writer::raw(Bytes bytes) {
  flush();
  out_.put(bytes);
}

void Writer::reference(std::uint32_t handle) {
  code(Code::reference);
  out_.u32be(kBaseHandle + handle);
}

void Writer::text(Bytes text) {
  TC_CHECK(text.size() <= UINT16_MAX);
  out_.u16be(static_cast<std::uint16_t>(text.size()));
  out_.put(text);
}

void Writer::string(Bytes bytes) {
  new_handle();
  if (bytes.size() <= UINT16_MAX) {
    code(Code::string);
    text(bytes);
  } else {
    code(Code::long_string);
    out_.u64be(bytes.size());
    out_.put(bytes);
  }
}

void Writer::byte_array(Bytes bytes) {
  array(byte_array_shape(), static_cast<std::uint32_t>(bytes.size()));
  out_.put(bytes);
}

void Writer::array(const Shape& shape, std::uint32_t count) {
  code(Code::array);
  descriptor(shape);
  new_handle();
  out_.u32be(count);
}

void Writer::object(const Shape& shape) {
  code(Code::object);
  descriptor(shape);
  new_handle();
}

void Writer::forget_handles() {
  next_handle_ = 0;
  ++epoch_;
  classes_.clear();
  type_strings_.clear();
}

void Writer::type_string(const std::string& signature) {
  const auto known = type_strings_.find(signature);
  if (known != type_strings_.end()) return reference(known->second);
  type_strings_.emplace(signature, next_handle_);
  string(bytes_of(signature));
}

// From the code to the end of the (empty) annotation.
void Writer::class_text(const ClassShape& shape) {
  code(Code::class_desc);
  text(bytes_of(shape.name));
  out_.u64be(shape.uid);
  new_handle();
  out_.u8(shape.flags);
  out_.u16be(static_cast<std::uint16_t>(shape.fields.size()));
  for (const FieldShape& field : shape.fields) {
    out_.u8(static_cast<std::uint8_t>(field.type));
    text(bytes_of(field.name));
    if (field.type == 'L' || field.type == '[') type_string(field.signature);
  }
  end();
}

void Writer::descriptor(const Shape& shape) {
  // From the top: a class is known only when all above it are. What is not known is written from
  // the class upwards.
  std::size_t unknown = shape.size();
  std::uint32_t super = kUnwritten;
  for (; unknown > 0; --unknown) {
    const auto known = classes_.find(with_super(key_of(shape[unknown - 1]), super));
    if (known == classes_.end()) break;
    super = known->second;
  }
  std::vector<std::uint32_t> handles;
  for (std::size_t i = 0; i < unknown; ++i) {
    handles.push_back(next_handle_);
    class_text(shape[i]);
  }
  if (super == kUnwritten) {
    null();
  } else {
    reference(super);
  }
  for (; unknown > 0; --unknown) {
    classes_.emplace(with_super(key_of(shape[unknown - 1]), super), handles[unknown - 1]);
    super = handles[unknown - 1];
  }
}

Buffer Writer::release() {
  flush();
  Buffer stream = out_.release();
  out_ = {};
  begin();
  forget_handles();
  return stream;
}

Copy::Copy(Writer& out, const Graph& graph, Classes classes)
    : out_(out),
      graph_(graph),
      mode_(classes),
      epoch_(out.epoch_),
      handles_(graph.node_count(), kUnwritten) {}

void Copy::follow_epoch() {
  if (epoch_ == out_.epoch_) return;
  epoch_ = out_.epoch_;
  for (const NodeId id : written_) handles_[id] = kUnwritten;
  written_.clear();
}

void Copy::put(Item item) {
  follow_epoch();
  emit(item);
  while (!open_.empty()) advance();
}

void Copy::emit(Item item) {
  switch (item.kind()) {
    case ItemKind::null:
      return out_.null();
    case ItemKind::node:
      return open_node(item.node());
    case ItemKind::raw:
      return out_.raw(graph_.bytes(item));
    case ItemKind::block:
      out_.code(Code::block);
      out_.out_.u8(static_cast<std::uint8_t>(item.size()));
      return out_.out_.put(graph_.bytes(item));
    case ItemKind::long_block:
      out_.code(Code::long_block);
      out_.out_.u32be(static_cast<std::uint32_t>(item.size()));
      return out_.out_.put(graph_.bytes(item));
    case ItemKind::end:
      return out_.end();
    case ItemKind::reset:
      out_.code(Code::reset);
      out_.forget_handles();
      return follow_epoch();
    case ItemKind::exception:
      out_.code(Code::exception);
      out_.forget_handles();
      follow_epoch();
      open_.push_back({item});
      return;
  }
}

void Copy::set_handle(NodeId id, std::uint32_t handle) {
  handles_[id] = handle;
  written_.push_back(id);
}

void Copy::give_handle(NodeId id) { set_handle(id, out_.new_handle()); }

// The type code and what comes before the contents; they follow from advance.
void Copy::open_node(NodeId id) {
  if (handles_[id] != kUnwritten || find_class(id)) return out_.reference(handles_[id]);
  const Node& node = graph_.node(id);
  switch (node.kind) {
    case NodeKind::string:
    case NodeKind::long_string:
      return begin_text(id, node);
    case NodeKind::class_desc:
      out_.code(Code::class_desc);
      give_handle(id);
      break;
    case NodeKind::proxy_class_desc:
      out_.code(Code::proxy_class_desc);
      give_handle(id);
      break;
    case NodeKind::klass:
      out_.code(Code::klass);
      break;
    case NodeKind::object:
      out_.code(Code::object);
      break;
    case NodeKind::array:
      out_.code(Code::array);
      break;
    case NodeKind::enumeration:
      out_.code(Code::enumeration);
      break;
  }
  open_.push_back({Item::of_node(id)});
}

void Copy::begin_text(NodeId id, const Node& node) {
  give_handle(id);
  const Bytes text = graph_.text(id);
  if (node.kind == NodeKind::string) {
    out_.code(Code::string);
    out_.text(text);
  } else {
    out_.code(Code::long_string);
    out_.out_.u64be(text.size());
    out_.out_.put(text);
  }
}

// The next item of the innermost open value. A value gets its handle behind its descriptor, which
// is its first item.
void Copy::advance() {
  Open& open = open_.back();
  const NodeId id = open.item.node();
  if (open.item.is(ItemKind::exception)) {
    if (open.next++ == 0) return open_node(id);
    out_.forget_handles();
    follow_epoch();
    return open_.pop_back();
  }
  const auto items = graph_.items(id);
  const bool is_class = graph_.node(id).kind == NodeKind::class_desc;
  const bool is_proxy = graph_.node(id).kind == NodeKind::proxy_class_desc;
  if (open.next == 1 && !is_class && !is_proxy) give_handle(id);
  if (open.next < items.size()) {
    const Item item = items[open.next++];
    if (is_class && is_shared_signature(id, item)) {
      return out_.type_string(text_of(graph_.text(item.node())));
    }
    return emit(item);
  }
  if (is_class) remember_class(id);
  open_.pop_back();
}

// A type string in a descriptor that may be shared: such strings are shared by their text, apart
// from values that are the same String, so that a descriptor costs the others nothing.
bool Copy::is_shared_signature(NodeId descriptor, Item item) const {
  return mode_ == Classes::shared && graph_.is_string(item) &&
         graph_.class_at(graph_.node(descriptor).klass).plain;
}

std::string Copy::class_key(ClassId id, std::uint32_t super) const {
  const Class& c = graph_.class_at(id);
  if (!c.plain || c.fields > kMaxSharedFields) return {};
  std::size_t text = 0;
  for (const Field& field : graph_.fields(c)) {
    if (field.type == 'L' || field.type == '[') text += graph_.text(field.signature).size();
  }
  if (text > kMaxSharedText) return {};
  return with_super(key_of(class_shape_of(graph_, id)), super);
}

// Is this the descriptor of a class that the writer has had? It gets that handle.
bool Copy::find_class(NodeId id) {
  if (mode_ != Classes::shared || graph_.node(id).kind != NodeKind::class_desc) return false;
  std::vector<ClassId> chain;
  for (ClassId c = graph_.node(id).klass; c != kNoClass; c = graph_.class_at(c).super) {
    chain.push_back(c);
  }
  std::uint32_t super = kUnwritten;
  for (; !chain.empty(); chain.pop_back()) {
    const NodeId node = graph_.class_at(chain.back()).node;
    if (handles_[node] == kUnwritten) {
      const auto known = out_.classes_.find(class_key(chain.back(), super));
      if (known == out_.classes_.end()) return false;
      set_handle(node, known->second);
    }
    super = handles_[node];
  }
  return true;
}

void Copy::remember_class(NodeId id) {
  if (mode_ != Classes::shared) return;
  const ClassId super = graph_.class_at(graph_.node(id).klass).super;
  const std::uint32_t above =
      super == kNoClass ? kUnwritten : handles_[graph_.class_at(super).node];
  const std::string key = class_key(graph_.node(id).klass, above);
  if (!key.empty()) out_.classes_.emplace(key, handles_[id]);
}

Buffer Parts::write(Item item) {
  copy_.put(item);
  return out_.release();
}

Buffer write(const Graph& graph) {
  Writer out;
  Copy copy(out, graph);
  for (const Item item : graph.roots()) copy.put(item);
  return out.release();
}

Buffer write_part(const Graph& graph, Item item) {
  Writer out;
  Copy copy(out, graph);
  copy.put(item);
  return out.release();
}

}  // namespace tribecast::java
