#include "engine/session/boxes.h"

#include "engine/java/parse.h"
#include "engine/java/read.h"

namespace tribecast::session {
namespace {

const java::ClassShape kNumber = {.name = "java.lang.Number", .uid = 0x86ac951d0b94e08b};
const java::Shape kInteger = {{.name = "java.lang.Integer",
                               .uid = 0x12e2a0a4f7818738,
                               .fields = {{.type = 'I', .name = "value"}}},
                              kNumber};
const java::Shape kLong = {{.name = "java.lang.Long",
                            .uid = 0x3b8be490cc8f23df,
                            .fields = {{.type = 'J', .name = "value"}}},
                           kNumber};
const java::Shape kBoolean = {{.name = "java.lang.Boolean",
                               .uid = 0xcd207280d59cfaee,
                               .fields = {{.type = 'Z', .name = "value"}}}};

}  // namespace

void put_integer(java::Writer& out, std::int32_t value) {
  ByteWriter raw;
  raw.u32be(static_cast<std::uint32_t>(value));
  out.object(kInteger);
  out.raw(raw.bytes());
}

void put_long(java::Writer& out, std::int64_t value) {
  ByteWriter raw;
  raw.u64be(static_cast<std::uint64_t>(value));
  out.object(kLong);
  out.raw(raw.bytes());
}

void put_boolean(java::Writer& out, bool value) {
  ByteWriter raw;
  raw.u8(value ? 1 : 0);
  out.object(kBoolean);
  out.raw(raw.bytes());
}

bool put_value(java::Writer& out, Bytes value) {
  const auto graph = java::parse(value);
  if (!graph || graph->roots().size() != 1) return false;
  java::Copy(out, *graph, java::Classes::shared).put(graph->roots()[0]);
  return true;
}

std::optional<std::int32_t> integer_in(Bytes value) {
  const auto graph = java::parse(value);
  if (!graph || graph->roots().size() != 1) return std::nullopt;
  return java::integer_of(*graph, graph->roots()[0]);
}

std::optional<bool> boolean_in(Bytes value) {
  const auto graph = java::parse(value);
  if (!graph || graph->roots().size() != 1) return std::nullopt;
  return java::boolean_of(*graph, graph->roots()[0]);
}

}  // namespace tribecast::session
