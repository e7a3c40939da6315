#include "engine/java/parse.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "engine/java/parser.h"
#include "engine/java/utf.h"

namespace tribecast::java {
namespace {

// The tables begin with room for a stream of usual size, and with less for one that cannot fill it.
constexpr std::size_t kUsualNodes = 32;
constexpr std::size_t kBytesOfNode = 16;

constexpr std::uint8_t kFirstCode = 0x70;
constexpr std::size_t kCodes = 15;

constexpr unsigned bit(Code code) { return 1U << (static_cast<unsigned>(code) - kFirstCode); }

constexpr unsigned kAllCodes = (1U << kCodes) - 1;
constexpr unsigned kBlocks = bit(Code::block) | bit(Code::long_block);
constexpr std::array<unsigned, 6> kAllowed = {
    kAllCodes & ~bit(Code::end_block),
    kAllCodes & ~bit(Code::end_block) & ~bit(Code::reset),
    kAllCodes & ~bit(Code::end_block) & ~bit(Code::reset) & ~kBlocks,
    bit(Code::null) | bit(Code::reference) | bit(Code::class_desc) | bit(Code::proxy_class_desc),
    bit(Code::reference) | bit(Code::string) | bit(Code::long_string),
    bit(Code::object),
};

bool is_allowed(Place place, std::uint8_t code) {
  return code >= kFirstCode && code < kFirstCode + kCodes &&
         (kAllowed[static_cast<std::size_t>(place)] & 1U << (code - kFirstCode)) != 0;
}

}  // namespace

Parser::Parser(Bytes stream, const Limits& limits, const Layouts& layouts)
    : limits_(limits), layouts_(layouts), in_(stream), graph_(stream) {
  const std::size_t nodes = std::min(stream.size() / kBytesOfNode, kUsualNodes);
  graph_.nodes_.reserve(nodes);
  graph_.items_.reserve(nodes);
  graph_.fields_.reserve(nodes / 2);
  graph_.classes_.reserve(nodes / 8);
  items_.reserve(nodes);
  frames_.reserve(nodes / 4);
  levels_.reserve(nodes / 8);
}

bool Parser::fail(Reason reason) {
  if (!failure_) failure_ = reason;
  return false;
}

Result<Graph, ParseError> Parser::run() {
  if (graph_.stream_.size() > std::min(limits_.bytes, kMaxStreamBytes)) {
    return Unexpected{ParseError{Reason::too_large, 0}};
  }
  const bool header = in_.u16be() == kMagic && in_.u16be() == kVersion;
  if (!header) return Unexpected{ParseError{Reason::bad_header, 0}};
  while (!failure_ && (!frames_.empty() || in_.left() > 0)) {
    if (frames_.empty()) {
      read_item(Place::top);
    } else {
      step();
    }
    if (items_.size() + graph_.items_.size() > limits_.items) fail(Reason::too_many_handles);
  }
  if (failure_) return Unexpected{ParseError{*failure_, value_at_}};
  graph_.roots_.assign(items_.begin(), items_.end());
  return std::move(graph_);
}

bool Parser::step() {
  Frame& frame = frames_.back();
  switch (frame.kind) {
    case FrameKind::class_desc:
      return step_class(frame);
    case FrameKind::proxy_class_desc:
      return step_proxy(frame);
    case FrameKind::object:
      return step_object(frame);
    case FrameKind::array:
      return step_array(frame);
    case FrameKind::klass:
    case FrameKind::enumeration:
      return step_described(frame);
    case FrameKind::exception:
      return end_exception();
  }
  return false;
}

bool Parser::read_item(Place place) {
  value_at_ = offset();
  const std::uint8_t code = in_.u8();
  if (!readable()) return false;
  if (!is_allowed(place, code)) return fail(Reason::unexpected_code);
  switch (static_cast<Code>(code)) {
    case Code::null:
      items_.push_back(Item::of(ItemKind::null));
      return true;
    case Code::reference:
      return read_reference(place);
    case Code::string:
    case Code::long_string:
      return read_string(static_cast<Code>(code));
    case Code::block:
    case Code::long_block:
      return read_block(static_cast<Code>(code));
    case Code::reset:
      first_handle_ = static_cast<NodeId>(graph_.nodes_.size());
      items_.push_back(Item::of(ItemKind::reset));
      return true;
    case Code::class_desc:
      return begin_class();
    case Code::proxy_class_desc:
      return begin_proxy();
    case Code::klass:
      return begin(FrameKind::klass);
    case Code::object:
      return begin(FrameKind::object);
    case Code::array:
      return begin(FrameKind::array);
    case Code::enumeration:
      return begin(FrameKind::enumeration);
    case Code::exception:
      return begin_exception();
    case Code::end_block:
      break;
  }
  return fail(Reason::unexpected_code);
}

bool Parser::read_reference(Place place) {
  const std::uint32_t handle = in_.u32be();
  if (!readable()) return false;
  const std::size_t known = graph_.nodes_.size() - first_handle_;
  if (handle < kBaseHandle || handle - kBaseHandle >= known) return fail(Reason::bad_handle);
  const NodeId id = first_handle_ + (handle - kBaseHandle);
  const NodeKind kind = graph_.nodes_[id].kind;
  const bool is_class = kind == NodeKind::class_desc || kind == NodeKind::proxy_class_desc;
  const bool is_text = kind == NodeKind::string || kind == NodeKind::long_string;
  if ((place == Place::class_desc && !is_class) || (place == Place::string && !is_text)) {
    return fail(Reason::bad_handle);
  }
  items_.push_back(Item::of_node(id));
  return true;
}

bool Parser::read_string(Code code) {
  const bool is_long = code == Code::long_string;
  const std::uint64_t size = is_long ? in_.u64be() : in_.u16be();
  const std::size_t at = offset();
  const Bytes text = in_.take(static_cast<std::size_t>(std::min<std::uint64_t>(size, SIZE_MAX)));
  if (!readable()) return false;
  if (!is_utf(text)) return fail(Reason::bad_text);
  NodeId id = 0;
  if (!new_node(is_long ? NodeKind::long_string : NodeKind::string, kNoClass, id)) return false;
  graph_.nodes_[id].first = static_cast<std::uint32_t>(at);
  graph_.nodes_[id].count = static_cast<std::uint32_t>(text.size());
  items_.push_back(Item::of_node(id));
  return true;
}

bool Parser::read_block(Code code) {
  const bool is_long = code == Code::long_block;
  const std::uint32_t size = is_long ? in_.u32be() : in_.u8();
  if (size > INT32_MAX) return fail(Reason::bad_length);
  const std::size_t at = offset();
  in_.take(size);
  if (!readable()) return false;
  items_.push_back(Item::of(is_long ? ItemKind::long_block : ItemKind::block, at, size));
  return true;
}

// One more thing of an annotation, or its end, after which comes `then`.
bool Parser::read_annotation(Frame& frame, Step then) {
  if (in_.left() == 0) return fail(Reason::truncated);
  if (peek() != static_cast<std::uint8_t>(Code::end_block)) return read_item(Place::annotation);
  in_.u8();
  items_.push_back(Item::of(ItemKind::end));
  frame.step = then;
  return true;
}

Bytes Parser::utf() {
  const Bytes text = in_.take(in_.u16be());
  if (in_.ok() && !is_utf(text)) fail(Reason::bad_text);
  return text;
}

bool Parser::new_node(NodeKind kind, ClassId klass, NodeId& id) {
  if (graph_.nodes_.size() >= limits_.handles) return fail(Reason::too_many_handles);
  id = static_cast<NodeId>(graph_.nodes_.size());
  graph_.nodes_.push_back({.kind = kind, .klass = klass});
  return true;
}

ClassId Parser::new_class(NodeId node) {
  const auto id = static_cast<ClassId>(graph_.classes_.size());
  graph_.classes_.push_back({.node = node});
  graph_.classes_.back().first_field = static_cast<std::uint32_t>(graph_.fields_.size());
  graph_.nodes_[node].klass = id;
  return id;
}

bool Parser::begin(FrameKind kind) {
  if (frames_.size() >= limits_.depth) return fail(Reason::too_deep);
  frames_.push_back({.kind = kind, .items_from = items_.size(), .levels_from = levels_.size()});
  return true;
}

// The value is complete, or cut short by an exception: its items leave the top of items_, and it
// becomes the last item of what holds it.
bool Parser::finish(bool broken) {
  const Frame frame = frames_.back();
  frames_.pop_back();
  Node& node = graph_.nodes_[frame.node];
  const auto begin = items_.begin() + static_cast<std::ptrdiff_t>(frame.items_from);
  node.first = static_cast<std::uint32_t>(graph_.items_.size());
  node.count = static_cast<std::uint32_t>(items_.end() - begin);
  node.broken = broken;
  graph_.items_.insert(graph_.items_.end(), begin, items_.end());
  items_.resize(frame.items_from, Item::of(ItemKind::null));
  levels_.resize(frame.levels_from);
  items_.push_back(Item::of_node(frame.node));
  return true;
}

// The descriptor has been read: the value gets its handle.
bool Parser::begin_value(Frame& frame) {
  const Item desc = items_.back();
  if (!desc.is(ItemKind::node)) return fail(Reason::bad_class);
  frame.klass = graph_.nodes_[desc.node()].klass;
  if (!graph_.classes_[frame.klass].finished) return fail(Reason::unfinished_class);
  constexpr std::array kKinds = {NodeKind::klass, NodeKind::object, NodeKind::array,
                                 NodeKind::enumeration};
  const auto kind =
      static_cast<std::size_t>(frame.kind) - static_cast<std::size_t>(FrameKind::klass);
  return new_node(kKinds[kind], frame.klass, frame.node);
}

// A Class, or a constant of an enum.
bool Parser::step_described(Frame& frame) {
  switch (frame.step) {
    case Step::begin:
      frame.step = Step::described;
      return read_item(Place::class_desc);
    case Step::described:
      if (!begin_value(frame)) return false;
      frame.step = Step::done;
      return frame.kind == FrameKind::klass || read_item(Place::string);
    default:
      return finish();
  }
}

// The classes that have values in an object of this one, the topmost last.
void Parser::collect_levels(Frame& frame) {
  ClassId id = frame.klass;
  if (!graph_.classes_[id].has_data()) id = graph_.classes_[id].next_with_data;
  for (; id != kNoClass; id = graph_.classes_[id].next_with_data) levels_.push_back(id);
}

bool Parser::step_object(Frame& frame) {
  switch (frame.step) {
    case Step::begin:
      frame.step = Step::described;
      return read_item(Place::class_desc);
    case Step::described: {
      if (!begin_value(frame)) return false;
      const std::uint8_t flags = graph_.classes_[frame.klass].flags;
      const bool external = (flags & kExternalizable) != 0;
      if (external && (flags & kBlockData) == 0) return fail(Reason::old_externalizable);
      if (!external) collect_levels(frame);
      frame.step = external ? Step::annotation : Step::level;
      return true;
    }
    case Step::level:
      return step_level(frame);
    case Step::blocks: {
      if (in_.left() == 0) return fail(Reason::truncated);
      const auto next = static_cast<Code>(peek());
      if (next == Code::block || next == Code::long_block) return read_item(Place::annotation);
      return read_primitives(frame);
    }
    case Step::values:
      if (frame.left > 0) {
        --frame.left;
        return read_item(Place::value);
      }
      frame.step =
          (graph_.classes_[frame.level].flags & kWriteMethod) != 0 ? Step::annotation : Step::level;
      return true;
    default:
      return read_annotation(frame, Step::level);
  }
}

// The next class of the object, from the top.
bool Parser::step_level(Frame& frame) {
  if (levels_.size() == frame.levels_from) return finish();
  frame.level = levels_.back();
  levels_.pop_back();
  if (is_suspect(frame.level)) last_suspect_ = frame.level;
  const Layout layout = layout_of(frame.level);
  if (layout == Layout::fields_first) return read_primitives(frame);
  graph_.nodes_[frame.node].by_hand = true;
  frame.step = layout == Layout::block_first ? Step::blocks : Step::annotation;
  return true;
}

bool Parser::read_primitives(Frame& frame) {
  value_at_ = offset();
  const Class& level = graph_.classes_[frame.level];
  in_.take(level.primitive_bytes);
  if (!readable()) return false;
  if (level.primitive_bytes > 0) {
    items_.push_back(Item::of(ItemKind::raw, value_at_, level.primitive_bytes));
  }
  frame.left = level.object_fields;
  frame.step = Step::values;
  return true;
}

Layout Parser::layout_of(ClassId id) const {
  const auto known = layouts_.find(id);
  return known == layouts_.end() ? Layout::fields_first : known->second;
}

// Could another layout of this class be tried?
bool Parser::is_suspect(ClassId id) const {
  const Class& c = graph_.classes_[id];
  return (c.flags & kWriteMethod) != 0 && c.primitive_bytes + c.object_fields > 0 &&
         layout_of(id) != Layout::by_hand;
}

ClassId Parser::suspect() const {
  for (auto frame = frames_.rbegin(); frame != frames_.rend(); ++frame) {
    if (frame->level != kNoClass && is_suspect(frame->level)) return frame->level;
  }
  return last_suspect_;
}

bool Parser::step_array(Frame& frame) {
  switch (frame.step) {
    case Step::begin:
      frame.step = Step::described;
      return read_item(Place::class_desc);
    case Step::described:
      frame.step = Step::values;
      return begin_value(frame) && begin_array(frame);
    default:
      if (frame.left == 0) return finish();
      --frame.left;
      return read_item(Place::value);
  }
}

// The count, and at once all elements when they are primitive.
bool Parser::begin_array(Frame& frame) {
  const Bytes name = graph_.name(graph_.classes_[frame.klass]);
  const auto size =
      name.size() > 1 && name[0] == '[' ? primitive_size(static_cast<char>(name[1])) : std::nullopt;
  if (!size) return fail(Reason::bad_class);
  const std::size_t at = offset();
  const std::uint32_t count = in_.u32be();
  if (!readable()) return false;
  if (count > INT32_MAX) return fail(Reason::bad_length);
  if (count > in_.left()) return fail(Reason::truncated);
  in_.take(std::size_t{count} * *size);
  if (!readable()) return false;
  items_.push_back(Item::of(ItemKind::raw, at, offset() - at));
  frame.left = *size == 0 ? count : 0;
  return true;
}

// ObjectOutputStream.writeFatalException: handles are reset, the Throwable follows, handles are
// reset.
bool Parser::begin_exception() {
  if (in_exception_ || open_classes_ > 0) return fail(Reason::misplaced_exception);
  if (!begin(FrameKind::exception)) return false;
  in_exception_ = true;
  first_handle_ = static_cast<NodeId>(graph_.nodes_.size());
  return read_item(Place::throwable);
}

// Everything that is open ends here, and the stream goes on at its top level.
bool Parser::end_exception() {
  const NodeId thrown = items_.back().node();
  items_.back() = Item::of_exception(thrown);
  frames_.pop_back();
  while (!frames_.empty()) finish(true);
  in_exception_ = false;
  first_handle_ = static_cast<NodeId>(graph_.nodes_.size());
  return true;
}

Result<Graph, ParseError> parse(Bytes stream, const Limits& limits) {
  Layouts layouts;
  std::optional<ParseError> first;
  for (std::size_t guess = 0;; ++guess) {
    Parser parser(stream, limits, layouts);
    auto graph = parser.run();
    if (graph) return graph;
    if (!first) first = graph.error();
    const ClassId suspect = parser.suspect();
    if (suspect == kNoClass || guess >= limits.guesses) return Unexpected{*first};
    // What was supposed of classes behind it was read out of nonsense.
    layouts.erase(layouts.upper_bound(suspect), layouts.end());
    Layout& layout = layouts[suspect];
    layout = layout == Layout::fields_first ? Layout::block_first : Layout::by_hand;
  }
}

namespace {

constexpr std::array<std::string_view, 13> kReasonNames = {
    "too_large",           "too_many_handles", "too_deep",
    "bad_header",          "truncated",        "unexpected_code",
    "bad_handle",          "bad_length",       "bad_text",
    "bad_class",           "unfinished_class", "old_externalizable",
    "misplaced_exception",
};

}  // namespace

std::string_view name_of(Reason reason) { return kReasonNames[static_cast<std::size_t>(reason)]; }

}  // namespace tribecast::java
