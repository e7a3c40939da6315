// Java streams: any bytes are refused, or come back byte for byte, and so does each of their values
// alone and all of them together; every question about a value has an answer.
#include "base/check.h"
#include "engine/java/head.h"
#include "engine/java/parse.h"
#include "engine/java/read.h"
#include "engine/java/utf.h"
#include "engine/java/write.h"

using namespace tribecast;
using namespace tribecast::java;

namespace {

// What a guess made of a stream may read differently where handles have other numbers.
const Limits kStrict = {.guesses = 0};

Buffer shared_form(const Graph& graph, Item item) {
  Writer out;
  Copy(out, graph, Classes::shared).put(item);
  return out.release();
}

void ask(const Graph& graph, NodeId id) {
  const Item item = Item::of_node(id);
  integer_of(graph, item);
  long_of(graph, item);
  boolean_of(graph, item);
  bytes_of_array(graph, item);
  const Node& node = graph.node(id);
  to_utf8(graph.text(id));
  if (node.klass == kNoClass) return;
  shape_of(graph, node.klass);
  for (const Field& field : graph.fields(graph.class_at(node.klass))) {
    field_of(graph, id, view_of(graph.name(field)));
    if (node.kind != NodeKind::object) break;
  }
  ContentReader in(graph, external_contents(graph, id));
  while (in.ok() && !in.at_end()) {
    if (in.peek_object().is(ItemKind::null)) {
      in.u8();
    } else {
      in.object();
    }
  }
}

// A value alone is a stream that comes back, too. Returns it.
Buffer check_alone(const Graph& graph, Item item) {
  Buffer part = write_part(graph, item);
  const auto alone = parse(part, kStrict);
  TC_CHECK(static_cast<bool>(alone));
  TC_CHECK(alone->roots().size() == 1);
  TC_CHECK(same(write_part(*alone, alone->roots()[0]), part));
  return part;
}

void check_parts(const Graph& graph) {
  Writer joined;
  std::vector<Buffer> parts;
  for (const Item root : graph.roots()) {
    if (!root.is(ItemKind::node) || graph.is_broken(root)) continue;
    parts.push_back(check_alone(graph, root));
    const auto part = parse(parts.back(), kStrict);
    Copy(joined, *part, Classes::shared).put(part->roots()[0]);
  }
  const Buffer stream = joined.release();
  const auto together = parse(stream, kStrict);
  TC_CHECK(static_cast<bool>(together));
  TC_CHECK(together->roots().size() == parts.size());
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const Item root = together->roots()[i];
    const auto part = parse(parts[i], kStrict);
    TC_CHECK(same(shared_form(*together, root), shared_form(*part, part->roots()[0])));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes stream(data, size);
  const auto graph = parse(stream);
  TC_CHECK(class_at_head(stream).size() <= size + 20);
  if (!graph) {
    TC_CHECK(graph.error().at <= size);
    return 0;
  }
  TC_CHECK(graph->memory_bytes() <= kMemoryFactor * size);
  TC_CHECK(same(write(*graph), stream));
  for (NodeId id = 0; id < graph->node_count(); ++id) ask(*graph, id);
  if (const auto strict = parse(stream, kStrict)) check_parts(*strict);
  return 0;
}
