#include "engine/map/message.h"

#include <array>

#include "engine/java/parse.h"
#include "engine/java/read.h"
#include "engine/java/write.h"

namespace tribecast::map {
namespace {

constexpr std::string_view kMessageClass =
    "org.apache.catalina.tribes.tipis.AbstractReplicatedMap$MapMessage";
constexpr std::string_view kMemberClass = "org.apache.catalina.tribes.membership.MemberImpl";
constexpr std::string_view kMemberArray = "[Lorg.apache.catalina.tribes.Member;";
constexpr std::string_view kStateClass =
    "org.apache.catalina.tribes.tipis.AbstractReplicatedMap$State";

// Before an object that was taken out of a remote call, two strings take the handles that the
// call's class and object had there (channel::kFirstRpcHandle).
constexpr std::array<std::uint8_t, 10> kInsideCall = {0xac, 0xed, 0, 5, 0x74, 0, 0, 0x74, 0, 0};
constexpr std::size_t kItemsBefore = 2;

// The constants' names in the order of State.
constexpr std::array<std::string_view, 4> kStates = {"NEW", "STATETRANSFERRED", "INITIALIZED",
                                                     "DESTROYED"};

java::Shape message_shape(std::uint64_t uid) {
  static const java::Shape kShape = {
      {.name = std::string(kMessageClass),
       .fields = {{'Z', "diff"},
                  {'I', "msgtype"},
                  {'[', "diffvalue", "[B"},
                  {'[', "keydata", "[B"},
                  {'[', "mapId", "[B"},
                  {'[', "nodes", "[Lorg/apache/catalina/tribes/Member;"},
                  {'L', "primary", "Lorg/apache/catalina/tribes/Member;"},
                  {'[', "valuedata", "[B"}}}};
  java::Shape shape = kShape;
  shape[0].uid = uid == 0 ? kMessageUid : uid;
  return shape;
}

java::Shape member_shape(std::uint64_t uid) {
  return {{.name = std::string(kMemberClass),
           .uid = uid == 0 ? kMemberUid : uid,
           .flags = java::kExternalizable | java::kBlockData}};
}

// What is read is believed to be the class that is written here only if it is the same.
std::uint64_t uid_of(const java::Graph& graph, java::NodeId object,
                     java::Shape (*shape_for)(std::uint64_t uid)) {
  const auto shape = java::shape_of(graph, graph.node(object).klass);
  return shape && *shape == shape_for(shape->at(0).uid) ? shape->at(0).uid : 0;
}

const java::Shape& array_shape() {
  static const java::Shape kShape = {
      {.name = std::string(kMemberArray), .uid = 0x5ec4606b842d393c}};
  return kShape;
}

const java::Shape& list_shape() {
  static const java::Shape kShape = {{.name = "java.util.ArrayList",
                                      .uid = 0x7881d21d99c7619d,
                                      .flags = java::kSerializable | java::kWriteMethod,
                                      .fields = {{'I', "size"}}}};
  return kShape;
}

std::optional<Buffer> owned(std::optional<Bytes> bytes) {
  if (!bytes) return std::nullopt;
  return copy_of(*bytes);
}

// One MapMessage of a graph. Fields are read by name, as Java does.
class MessageReader {
 public:
  MessageReader(const java::Graph& graph, java::NodeId object) : graph_(graph), object_(object) {}

  Result<Parsed, Malformed> read() {
    Parsed parsed;
    Message& m = parsed.message;
    m.type = static_cast<std::int32_t>(number("msgtype"));
    m.diff = number("diff") != 0;
    m.map = text_of(bytes("mapId").value_or(Bytes{}));
    m.key = owned(bytes("keydata"));
    m.value = owned(bytes("valuedata"));
    m.diff_value = owned(bytes("diffvalue"));
    m.nodes = members("nodes");
    m.primary = member(value("primary"));
    if (!ok_) return Unexpected{Malformed::bad_member};
    parsed.versions = {uid_of(graph_, object_, message_shape), member_};
    return parsed;
  }

 private:
  java::Item value(std::string_view name) const {
    const auto field = java::field_of(graph_, object_, name);
    return field ? field->value : java::Item::of(java::ItemKind::null);
  }
  std::uint32_t number(std::string_view name) const {
    const auto field = java::field_of(graph_, object_, name);
    std::uint32_t number = 0;
    if (field) {
      for (const std::uint8_t byte : field->primitive) number = number << 8U | byte;
    }
    return number;
  }
  std::optional<Bytes> bytes(std::string_view name) const {
    return java::bytes_of_array(graph_, value(name));
  }

  std::optional<Member> member(java::Item item) {
    if (item.is(java::ItemKind::null)) return std::nullopt;
    ok_ = ok_ && java::class_name_of(graph_, item) == kMemberClass;
    if (!ok_) return std::nullopt;
    java::ContentReader in(graph_, java::external_contents(graph_, item.node()));
    const Buffer block = in.bytes(in.u32());
    const auto parsed = tribes::parse_member(block);
    ok_ = in.ok() && parsed && block.size() <= tribes::kMaxMemberBytes;
    if (!ok_) return std::nullopt;
    member_ = uid_of(graph_, item.node(), member_shape);
    return Member::of(*parsed);
  }

  std::optional<std::vector<Member>> members(std::string_view name) {
    const java::Item item = value(name);
    if (!item.is(java::ItemKind::node)) return std::nullopt;
    const java::Node& node = graph_.node(item.node());
    const auto items = graph_.items(item.node());
    ok_ = ok_ && node.kind == java::NodeKind::array && !node.broken &&
          view_of(graph_.name(graph_.class_at(node.klass))) == kMemberArray &&
          items.size() <= kMaxNodes + 2;
    std::vector<Member> found;
    // Behind the descriptor and the count.
    for (std::size_t i = 2; ok_ && i < items.size(); ++i) {
      if (auto one = member(items[i])) found.push_back(std::move(*one));
    }
    return found;
  }

  const java::Graph& graph_;
  java::NodeId object_;
  std::uint64_t member_ = 0;
  bool ok_ = true;
};

Result<Parsed, Malformed> read_message(const java::Graph& graph, java::Item item) {
  if (graph.is_broken(item) || java::class_name_of(graph, item) != kMessageClass) {
    return Unexpected{Malformed::not_a_message};
  }
  return MessageReader(graph, item.node()).read();
}

class MessageWriter {
 public:
  MessageWriter(java::Writer& out, const Versions& versions)
      : out_(out),
        message_(message_shape(versions.message)),
        member_(member_shape(versions.member)) {}

  void put(const Message& m) {
    ByteWriter raw;
    raw.u8(m.diff ? 1 : 0);
    raw.u32be(static_cast<std::uint32_t>(m.type));
    out_.object(message_);
    out_.raw(raw.bytes());
    put_bytes(m.diff_value);
    put_bytes(m.key);
    out_.byte_array(bytes_of(m.map));
    put_nodes(m.nodes);
    if (m.primary) {
      put_member(*m.primary);
    } else {
      out_.null();
    }
    put_bytes(m.value);
  }

 private:
  void put_bytes(const std::optional<Buffer>& bytes) {
    if (!bytes) return out_.null();
    out_.byte_array(*bytes);
  }
  void put_nodes(const std::optional<std::vector<Member>>& nodes) {
    if (!nodes) return out_.null();
    out_.array(array_shape(), static_cast<std::uint32_t>(nodes->size()));
    for (const Member& node : *nodes) put_member(node);
  }
  void put_member(const Member& member) {
    const Buffer block = tribes::compose_member(member.view());
    out_.object(member_);
    out_.u32(static_cast<std::uint32_t>(block.size()));
    out_.block(block);
    out_.end();
  }

  java::Writer& out_;
  java::Shape message_;
  java::Shape member_;
};

}  // namespace

std::string_view name_of(Malformed reason) {
  switch (reason) {
    case Malformed::bad_stream:
      return "bad_stream";
    case Malformed::not_a_message:
      return "not_a_message";
    case Malformed::bad_member:
      return "bad_member";
    case Malformed::bad_value:
      return "bad_value";
  }
  return {};
}

Result<Parsed, Malformed> parse_message(Bytes body) {
  const auto graph = java::parse(body);
  if (!graph || graph->roots().empty()) return Unexpected{Malformed::bad_stream};
  return read_message(*graph, graph->roots()[0]);
}

Buffer compose_message(const Message& message, const Versions& versions) {
  java::Writer out;
  MessageWriter(out, versions).put(message);
  return out.release();
}

Result<Parsed, Malformed> parse_object(Bytes object) {
  ByteWriter stream;
  stream.put(kInsideCall);
  stream.put(object);
  const auto graph = java::parse(stream.bytes());
  if (!graph || graph->roots().size() != kItemsBefore + 1) {
    return Unexpected{Malformed::bad_stream};
  }
  return read_message(*graph, graph->roots()[kItemsBefore]);
}

Buffer compose_object(const Message& message, const Versions& versions) {
  java::Writer out;
  for (std::size_t i = 0; i < kItemsBefore; ++i) out.string({});
  MessageWriter(out, versions).put(message);
  const Buffer stream = out.release();
  return copy_of(Bytes(stream).subspan(kInsideCall.size()));
}

Result<std::vector<Message>, Malformed> parse_list(Bytes value) {
  const auto graph = java::parse(value);
  if (!graph || graph->roots().size() != 1) return Unexpected{Malformed::bad_stream};
  const java::Item root = graph->roots()[0];
  if (graph->is_broken(root) || java::class_name_of(*graph, root) != "java.util.ArrayList") {
    return Unexpected{Malformed::bad_value};
  }
  std::vector<Message> entries;
  for (const java::Item item : graph->items(root.node()).subspan(1)) {
    if (!item.is(java::ItemKind::node)) continue;
    auto entry = read_message(*graph, item);
    if (!entry) return Unexpected{entry.error()};
    entries.push_back(std::move(entry->message));
  }
  return entries;
}

Buffer compose_list(std::span<const Message> entries, const Versions& versions) {
  java::Writer out;
  const auto count = static_cast<std::uint32_t>(entries.size());
  ByteWriter size;
  size.u32be(count);
  out.object(list_shape());
  out.raw(size.bytes());
  out.u32(count);
  MessageWriter writer(out, versions);
  for (const Message& entry : entries) writer.put(entry);
  out.end();
  return out.release();
}

Result<State, Malformed> parse_state(Bytes value) {
  const auto graph = java::parse(value);
  if (!graph || graph->roots().size() != 1) return Unexpected{Malformed::bad_stream};
  const java::Item root = graph->roots()[0];
  if (!root.is(java::ItemKind::node)) return Unexpected{Malformed::bad_value};
  const java::Node& node = graph->node(root.node());
  if (node.kind != java::NodeKind::enumeration ||
      view_of(graph->name(graph->class_at(node.klass))) != kStateClass) {
    return Unexpected{Malformed::bad_value};
  }
  const Bytes name = java::text_of_string(*graph, graph->items(root.node())[1]).value_or(Bytes{});
  for (std::size_t i = 0; i < kStates.size(); ++i) {
    if (view_of(name) == kStates[i]) return static_cast<State>(i);
  }
  return Unexpected{Malformed::bad_value};
}

// An enum's descriptors have no fields and serialVersionUID 0.
Buffer compose_state(State state) {
  ByteWriter out;
  const auto code = [&](java::Code c) { out.u8(static_cast<std::uint8_t>(c)); };
  const auto text = [&](std::string_view name) {
    out.u16be(static_cast<std::uint16_t>(name.size()));
    out.put(bytes_of(name));
  };
  out.u16be(java::kMagic);
  out.u16be(java::kVersion);
  code(java::Code::enumeration);
  for (const std::string_view name : {kStateClass, std::string_view("java.lang.Enum")}) {
    code(java::Code::class_desc);
    text(name);
    out.u64be(0);
    out.u8(java::kEnum | java::kSerializable);
    out.u16be(0);
    code(java::Code::end_block);
  }
  code(java::Code::null);
  code(java::Code::string);
  text(kStates.at(static_cast<std::size_t>(state)));
  return out.release();
}

}  // namespace tribecast::map
