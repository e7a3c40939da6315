#include "engine/session/record.h"

#include "engine/java/parse.h"
#include "engine/java/read.h"
#include "engine/session/boxes.h"
#include "engine/session/message.h"
#include "engine/session/principal.h"
#include "engine/session/value_reader.h"

namespace tribecast::session {
namespace {

// A record's bytes are small against its values; more sessions than this are no list.
constexpr std::int32_t kMaxSessions = 10'000'000;

class RecordReader {
 public:
  RecordReader(const java::Graph& graph, std::span<const java::Item> items, std::size_t payload,
               Dialect dialect)
      : graph_(graph), in_(graph, items), values_(graph, payload), dialect_(dialect) {}

  Record record();
  std::int32_t integer() { return need(java::integer_of(graph_, in_.object())); }

  [[nodiscard]] bool ok() const { return ok_ && in_.ok(); }
  [[nodiscard]] bool too_large() const { return values_.too_large(); }

 private:
  template <class T>
  T need(std::optional<T> value) {
    if (!value) ok_ = false;
    return value.value_or(T{});
  }
  std::int64_t number() { return need(java::long_of(graph_, in_.object())); }
  bool boolean() { return need(java::boolean_of(graph_, in_.object())); }
  std::string text() { return text_of(need(java::text_of_string(graph_, in_.object()))); }
  std::optional<Value> value() { return values_.take(in_); }
  void notes(Record& record);
  void attributes(Record& record);
  void listeners(Record& record);

  const java::Graph& graph_;
  java::ContentReader in_;
  ValueReader values_;
  Dialect dialect_;
  bool ok_ = true;
};

Record RecordReader::record() {
  Record record;
  record.created_ms = time_within(number());
  record.last_accessed_ms = time_within(number());
  record.max_inactive_s = integer();
  record.is_new = boolean();
  record.is_valid = boolean();
  record.this_accessed_ms = time_within(number());
  record.version = number();
  if (in_.boolean()) {
    record.principal = dialect_ == Dialect::tomcat7 ? read_old_principal(graph_, in_) : value();
  }
  record.id = text();
  if (record.id.size() > kMaxNameBytes) ok_ = false;
  notes(record);
  attributes(record);
  listeners(record);
  return record;
}

// Some Tomcats write two notes before the count of attributes, which is an Integer.
void RecordReader::notes(Record& record) {
  if (java::integer_of(graph_, in_.peek_object())) return;
  record.id_note = value();
  record.request_note = value();
}

void RecordReader::attributes(Record& record) {
  const std::int32_t count = integer();
  for (std::int32_t i = 0; i < count && ok() && !too_large(); ++i) {
    std::string name = text();
    auto found = value();
    if (found) {
      record.attributes.emplace_back(std::move(name), std::move(*found));
    } else {
      ++record.lost_values;
    }
  }
}

void RecordReader::listeners(Record& record) {
  const std::int32_t count = integer();
  for (std::int32_t i = 0; i < count && ok() && !too_large(); ++i) {
    auto found = value();
    if (found) {
      record.listeners.push_back(std::move(*found));
    } else {
      ++record.lost_values;
    }
  }
}

void put_or_null(java::Writer& out, const std::optional<Value>& value) {
  if (!value || !put_value(out, *value)) out.null();
}

void put_record(java::Writer& out, const Record& record, Dialect dialect) {
  put_long(out, record.created_ms);
  put_long(out, record.last_accessed_ms);
  put_integer(out, record.max_inactive_s);
  put_boolean(out, record.is_new);
  put_boolean(out, record.is_valid);
  put_long(out, record.this_accessed_ms);
  put_long(out, record.version);
  out.boolean(record.principal.has_value());
  if (record.principal && dialect == Dialect::tomcat7) write_old_principal(out, *record.principal);
  if (record.principal && dialect == Dialect::tomcat8) put_or_null(out, record.principal);
  out.string(bytes_of(record.id));
  if (dialect == Dialect::tomcat8) {
    put_or_null(out, record.id_note);
    put_or_null(out, record.request_note);
  }
  put_integer(out, static_cast<std::int32_t>(record.attributes.size()));
  for (const auto& [name, value] : record.attributes) {
    out.string(bytes_of(name));
    put_or_null(out, value);
  }
  put_integer(out, static_cast<std::int32_t>(record.listeners.size()));
  for (const Value& listener : record.listeners) put_or_null(out, listener);
}

}  // namespace

Result<std::vector<Record>, Malformed> parse_list(Bytes payload, Dialect dialect) {
  const auto graph = java::parse(payload);
  if (!graph) return Unexpected{Malformed::bad_stream};
  RecordReader in(*graph, graph->roots(), payload.size(), dialect);
  const std::int32_t count = in.integer();
  if (!in.ok() || count < 0 || count > kMaxSessions) return Unexpected{Malformed::bad_payload};
  std::vector<Record> records;
  for (std::int32_t i = 0; i < count; ++i) {
    records.push_back(in.record());
    if (in.too_large()) return Unexpected{Malformed::too_large};
    if (!in.ok()) return Unexpected{Malformed::bad_payload};
  }
  return records;
}

Buffer compose_list(std::span<const Record> records, Dialect dialect) {
  java::Writer out;
  put_integer(out, static_cast<std::int32_t>(records.size()));
  for (const Record& record : records) put_record(out, record, dialect);
  return out.release();
}

Result<SessionObject, Malformed> parse_session(Bytes stream, Dialect dialect) {
  const auto graph = java::parse(stream);
  if (!graph || graph->roots().size() != 1) return Unexpected{Malformed::bad_stream};
  const java::Item root = graph->roots()[0];
  if (java::class_name_of(*graph, root) != "org.apache.catalina.ha.session.DeltaSession") {
    return Unexpected{Malformed::bad_payload};
  }
  const auto shape = java::shape_of(*graph, graph->node(root.node()).klass);
  if (!shape) return Unexpected{Malformed::bad_payload};
  RecordReader in(*graph, java::external_contents(*graph, root.node()), stream.size(), dialect);
  SessionObject session{*shape, in.record()};
  if (in.too_large()) return Unexpected{Malformed::too_large};
  if (!in.ok()) return Unexpected{Malformed::bad_payload};
  return session;
}

Buffer compose_session(const Record& record, const java::Shape& shape, Dialect dialect) {
  java::Writer out;
  out.object(shape);
  put_record(out, record, dialect);
  out.end();
  return out.release();
}

}  // namespace tribecast::session
