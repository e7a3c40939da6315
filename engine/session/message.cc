#include "engine/session/message.h"

#include <algorithm>

#include "engine/java/parse.h"
#include "engine/java/read.h"
#include "engine/java/write.h"

namespace tribecast::session {
namespace {

const std::string kMessageClass = "org.apache.catalina.ha.session.SessionMessageImpl";
const std::string kBaseClass = "org.apache.catalina.ha.ClusterMessageBase";
const std::string kStringType = "Ljava/lang/String;";

java::Shape message_shape(Dialect dialect) {
  const bool is7 = dialect == Dialect::tomcat7;
  java::ClassShape base = {.name = kBaseClass, .uid = 1, .fields = {{'J', "timestamp"}}};
  if (is7) base.fields.push_back({'L', "uniqueId", kStringType});
  return {{.name = kMessageClass,
           .uid = is7 ? 1U : 2U,
           .fields = {{'I', "mEvtType"},
                      {'J', "serializationTimestamp"},
                      {'Z', "timestampSet"},
                      {'L', "mContextName", kStringType},
                      {'[', "mSession", "[B"},
                      {'L', "mSessionID", kStringType},
                      {'L', "uniqueId", kStringType}}},
          base};
}

const java::Shape& shape_for(Dialect dialect) {
  static const java::Shape kTomcat7 = message_shape(Dialect::tomcat7);
  static const java::Shape kTomcat8 = message_shape(Dialect::tomcat8);
  return dialect == Dialect::tomcat7 ? kTomcat7 : kTomcat8;
}

// Reads fields by name, so that their order and further ones do not matter, as in Java. What is
// missing has Java's default.
class MessageFields {
 public:
  MessageFields(const java::Graph& graph, java::NodeId object)
      : graph_(graph), fields_(java::fields_of(graph, object)) {}

  std::uint64_t number(std::string_view name) const {
    const auto field = java::field_of(fields_, name);
    std::uint64_t value = 0;
    if (field) {
      for (const std::uint8_t byte : field->primitive) value = value << 8U | byte;
    }
    return value;
  }
  std::string text(std::string_view name) const {
    const auto field = java::field_of(fields_, name);
    if (!field) return {};
    return text_of(java::text_of_string(graph_, field->value).value_or(Bytes{}));
  }
  std::optional<Buffer> bytes(std::string_view name) const {
    const auto field = java::field_of(fields_, name);
    const auto found = field ? java::bytes_of_array(graph_, field->value) : std::nullopt;
    if (!found) return std::nullopt;
    return copy_of(*found);
  }

 private:
  const java::Graph& graph_;
  std::vector<java::NamedField> fields_;
};

}  // namespace

Message get_all_message(Dialect dialect, const std::string& context, std::int64_t time_ms) {
  return {.dialect = dialect,
          .event = static_cast<std::int32_t>(Event::get_all),
          .time_ms = time_ms,
          .context = context,
          .session_id = "GET-ALL",
          .unique_id = "GET-ALL-" + context};
}

Result<Message, Malformed> parse_message(Bytes bytes) {
  const auto graph = java::parse(bytes);
  if (!graph || graph->roots().empty()) return Unexpected{Malformed::bad_stream};
  const java::Item root = graph->roots()[0];
  if (graph->is_broken(root) || java::class_name_of(*graph, root) != kMessageClass) {
    return Unexpected{Malformed::not_a_message};
  }
  const std::uint64_t uid = graph->uid(graph->class_at(graph->node(root.node()).klass));
  if (uid != 1 && uid != 2) return Unexpected{Malformed::bad_version};
  const MessageFields fields(*graph, root.node());
  Message message;
  message.dialect = uid == 1 ? Dialect::tomcat7 : Dialect::tomcat8;
  message.event = static_cast<std::int32_t>(static_cast<std::uint32_t>(fields.number("mEvtType")));
  message.time_ms = time_within(static_cast<std::int64_t>(fields.number("serializationTimestamp")));
  message.time_set = fields.number("timestampSet") != 0;
  message.context = fields.text("mContextName");
  message.session_id = fields.text("mSessionID");
  message.unique_id = fields.text("uniqueId");
  message.payload = fields.bytes("mSession");
  const std::size_t longest = std::max(message.context.size(), message.session_id.size());
  if (longest > kMaxNameBytes) return Unexpected{Malformed::too_large};
  return message;
}

Buffer compose_message(const Message& message) {
  java::Writer out;
  out.object(shape_for(message.dialect));
  out.raw(std::array<std::uint8_t, 8>{});               // ClusterMessageBase.timestamp
  if (message.dialect == Dialect::tomcat7) out.null();  // and its uniqueId
  ByteWriter raw;
  raw.u32be(static_cast<std::uint32_t>(message.event));
  raw.u64be(static_cast<std::uint64_t>(message.time_ms));
  raw.u8(message.time_set ? 1 : 0);
  out.raw(raw.bytes());
  out.string(bytes_of(message.context));
  if (message.payload) {
    out.byte_array(*message.payload);
  } else {
    out.null();
  }
  out.string(bytes_of(message.session_id));
  out.string(bytes_of(message.unique_id));
  return out.release();
}

}  // namespace tribecast::session
