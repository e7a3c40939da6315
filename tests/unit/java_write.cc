// Taking values out of streams, putting them together, making new ones.
#define BOOST_TEST_MODULE java_write
#include <boost/test/unit_test.hpp>

#include "engine/java/read.h"
#include "engine/java/write.h"
#include "java_fixture.h"

using namespace tribecast;
using namespace tribecast::java;
using test::hex;

namespace {

Buffer stream(const std::string& contents) { return hex("aced0005" + contents); }

const Shape kInteger = {{.name = "java.lang.Integer",
                         .uid = 0x12e2a0a4f7818738,
                         .fields = {{.type = 'I', .name = "value"}}},
                        {.name = "java.lang.Number", .uid = 0x86ac951d0b94e08b}};

Buffer integer_stream(std::uint32_t value) {
  Writer out;
  out.object(kInteger);
  ByteWriter raw;
  raw.u32be(value);
  out.raw(raw.bytes());
  return out.release();
}

// One value alone, with equal classes and type strings made one: what sharing leaves of it.
Buffer shared_form(const Graph& graph, Item item) {
  Writer out;
  Copy(out, graph, Classes::shared).put(item);
  return out.release();
}

}  // namespace

BOOST_AUTO_TEST_CASE(an_integer_made_here_is_java_s) {
  const Buffer golden = test::java_stream("10.1.60/jser/integer.bin");
  const Graph graph = test::graph_of(golden);
  const auto value = integer_of(graph, graph.roots()[0]);
  BOOST_TEST_REQUIRE(value.has_value());
  BOOST_TEST(to_hex(integer_stream(static_cast<std::uint32_t>(*value))) == to_hex(golden));
}

BOOST_AUTO_TEST_CASE(shapes_are_what_descriptors_say) {
  const Buffer golden = test::java_stream("10.1.60/jser/integer.bin");
  const Graph graph = test::graph_of(golden);
  const auto shape = shape_of(graph, graph.node(graph.roots()[0].node()).klass);
  BOOST_TEST_REQUIRE(shape.has_value());
  BOOST_TEST((*shape == kInteger));
  const Buffer proxy = test::java_stream("10.1.60/jser/proxy.bin");
  const Graph other = test::graph_of(proxy);
  BOOST_TEST(!shape_of(other, other.node(other.roots()[0].node()).klass).has_value());
}

// Every class of every vector, described again from its shape, is the same bytes.
BOOST_AUTO_TEST_CASE(descriptors_from_shapes_are_java_s) {
  std::size_t compared = 0;
  for (const auto& [name, file] : test::java_index()) {
    const Buffer bytes = test::java_stream(name);
    const Graph graph = test::graph_of(bytes);
    for (NodeId id = 0; id < graph.node_count(); ++id) {
      if (graph.node(id).kind != NodeKind::class_desc) continue;
      const auto shape = shape_of(graph, graph.node(id).klass);
      if (!shape) continue;
      Writer out;
      out.object(*shape);
      const Buffer made = out.release();
      Buffer part = write_part(graph, Item::of_node(id));
      part.insert(part.begin() + 4, 0x73);
      BOOST_TEST(to_hex(made) == to_hex(part), name << " " << shape->front().name);
      ++compared;
    }
  }
  BOOST_TEST(compared > 1000U);
}

// ObjectOutputStream joins what is written in a row, and cuts it at 1024 bytes.
BOOST_AUTO_TEST_CASE(block_data_is_joined_and_cut) {
  struct Row {
    std::size_t bytes;
    std::string blocks;  // codes and lengths
  };
  for (const Row& row : {Row{0, ""}, Row{1, "7701"}, Row{255, "77ff"}, Row{256, "7a00000100"},
                         Row{1024, "7a00000400"}, Row{1025, "7a000004007701"},
                         Row{3000, "7a000004007a000004007a000003b8"}}) {
    Writer in_one;
    in_one.block(Buffer(row.bytes));
    Writer in_bytes;
    for (std::size_t i = 0; i < row.bytes; ++i) in_bytes.u8(0);
    const Buffer bytes = in_one.release();
    BOOST_TEST(same(bytes, in_bytes.release()));
    const Graph graph = test::graph_of(bytes);
    std::string blocks;
    for (const Item item : graph.roots()) {
      const Buffer header = copy_of(Bytes(bytes).first(item.at()));
      const std::size_t size = item.is(ItemKind::block) ? 2 : 5;
      blocks += to_hex(Bytes(header).last(size));
    }
    BOOST_TEST(blocks == row.blocks);
  }
  Writer out;
  out.u8(1);
  out.null();
  out.boolean(true);
  out.u32(2);
  out.u64(3);
  out.utf(bytes_of("ab"));
  BOOST_TEST(to_hex(out.release()) ==
             "aced0005"
             "770101"
             "70"
             "7711"
             "01"
             "00000002"
             "0000000000000003"
             "00026162");
}

BOOST_AUTO_TEST_CASE(golden_block_data) {
  Writer out;
  out.block(Buffer(3000));
  BOOST_TEST(same(out.release(), test::java_stream("10.1.60/jser/blockdata_3000.bin")));
}

BOOST_AUTO_TEST_CASE(strings_of_every_size) {
  for (const std::size_t size : {0U, 1U, 65535U, 65536U, 70000U}) {
    Writer out;
    out.string(Buffer(size, 'z'));
    const Buffer bytes = out.release();
    const Graph graph = test::graph_of(bytes);
    BOOST_TEST(graph.text(graph.roots()[0].node()).size() == size);
    BOOST_TEST((graph.node(0).kind == (size > 65535 ? NodeKind::long_string : NodeKind::string)));
  }
  Writer out;
  out.string(Buffer(70000, 'z'));
  BOOST_TEST(same(out.release(), test::java_stream("10.1.60/jser/long_string.bin")));
}

BOOST_AUTO_TEST_CASE(byte_arrays) {
  const Buffer golden = test::java_stream("10.1.60/jser/bytes.bin");
  const Graph graph = test::graph_of(golden);
  const auto bytes = bytes_of_array(graph, graph.roots()[0]);
  BOOST_TEST_REQUIRE(bytes.has_value());
  Writer out;
  out.byte_array(*bytes);
  BOOST_TEST(to_hex(out.release()) == to_hex(golden));
}

// What is behind a reference comes along, with a new handle, and once.
BOOST_AUTO_TEST_CASE(a_part_brings_what_it_refers_to) {
  const Buffer bytes = stream(
      "74 0001 61"                                       // 0: "a"
      "75 72 0002 5b4c 0000000000000001 02 0000 78 70"   // 1: L[]
      "  00000002 71 007e0000 74 0001 62"                // 2: {"a", 3: "b"}
      "75 71 007e0001 00000003 71 007e0003 71 007e0003"  // 4: {"b", "b",
      "  71 007e0004");                                  //     itself}
  const Graph graph = test::graph_of(bytes);
  BOOST_TEST(to_hex(write_part(graph, graph.roots()[2])) ==
             to_hex(stream("75 72 0002 5b4c 0000000000000001 02 0000 78 70"
                           "  00000003 74 0001 62 71 007e0002 71 007e0001")));
  // One Copy keeps what two values share, two do not.
  Writer together;
  Copy copy(together, graph);
  copy.put(graph.roots()[2]);
  copy.put(graph.roots()[1]);
  BOOST_TEST(to_hex(together.release()) ==
             to_hex(stream("75 72 0002 5b4c 0000000000000001 02 0000 78 70"
                           "  00000003 74 0001 62 71 007e0002 71 007e0001"
                           "75 71 007e0000 00000002 74 0001 61 71 007e0002")));
}

// A value that was inside another is taken out before it: then the other refers to it.
BOOST_AUTO_TEST_CASE(the_inner_value_first) {
  const Buffer bytes = stream(
      "75 72 0002 5b4c 0000000000000001 02 0000 78 70 00000001"  // 0, 1
      "  75 71 007e0000 00000001 71 007e0001");                  // 2: {1}: a cycle
  const Graph graph = test::graph_of(bytes);
  const Buffer part = write_part(graph, Item::of_node(2));
  BOOST_TEST(to_hex(part) == to_hex(bytes));  // the ring looks the same from each side
}

BOOST_AUTO_TEST_CASE(classes_of_many_graphs_are_described_once) {
  Writer apart;
  Writer joined;
  Buffer one = integer_stream(1);
  const std::size_t single = one.size();
  for (std::uint32_t i = 0; i < 100; ++i) {
    const Buffer bytes = integer_stream(i);
    const Graph graph = test::graph_of(bytes);
    Copy(apart, graph).put(graph.roots()[0]);
    Copy(joined, graph, Classes::shared).put(graph.roots()[0]);
  }
  BOOST_TEST(apart.size() == 4 + 100 * (single - 4));
  BOOST_TEST(joined.size() == single + 99 * 10);  // code, reference, four bytes
  const Buffer bytes = joined.release();
  const Graph graph = test::graph_of(bytes);
  for (std::size_t i = 0; i < 100; ++i) {
    BOOST_TEST(integer_of(graph, graph.roots()[i]).value_or(-1) == static_cast<std::int32_t>(i));
  }
}

// Shapes and copies share, too; a class of the same name with another uid is another one.
BOOST_AUTO_TEST_CASE(only_equal_classes_are_shared) {
  const Buffer bytes = integer_stream(1);
  const Graph graph = test::graph_of(bytes);
  Writer out;
  out.object(kInteger);
  out.raw(hex("00000007"));
  Copy(out, graph, Classes::shared).put(graph.roots()[0]);
  BOOST_TEST(out.size() == bytes.size() + 10);
  Shape other = kInteger;
  other.front().uid ^= 1;
  out.object(other);  // its super class is referred to
  out.raw(hex("00000007"));
  other.back().uid ^= 1;
  out.object(other);
  out.raw(hex("00000007"));
  const Buffer mixed = out.release();
  const Graph all = test::graph_of(mixed);
  std::size_t classes = 0;
  for (NodeId id = 0; id < all.node_count(); ++id) {
    classes += all.node(id).kind == NodeKind::class_desc ? 1U : 0U;
  }
  BOOST_TEST(classes == 2U + 1U + 2U);
}

// All values of all vectors in one stream with shared classes: each comes out of it as it was.
BOOST_AUTO_TEST_CASE(all_vectors_in_one_stream) {
  Writer out;
  std::vector<Buffer> parts;
  for (const auto& [name, file] : test::java_index()) {
    if (name != file || name.ends_with("long_string.bin")) continue;
    const Buffer bytes = test::java_stream(name);
    const Graph graph = test::graph_of(bytes);
    Copy copy(out, graph, Classes::shared);
    for (const Item root : graph.roots()) {
      if (!root.is(ItemKind::node) || graph.is_broken(root)) continue;
      copy.put(root);
      parts.push_back(write_part(graph, root));
    }
  }
  const Buffer joined = out.release();
  const Graph graph = test::graph_of(joined);
  BOOST_TEST_REQUIRE(graph.roots().size() == parts.size());
  std::size_t apart = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const Graph part = test::graph_of(parts[i]);
    BOOST_TEST(
        to_hex(shared_form(graph, graph.roots()[i])) == to_hex(shared_form(part, part.roots()[0])),
        i);
    apart += parts[i].size();
  }
  BOOST_TEST(joined.size() < apart / 2);
}

BOOST_AUTO_TEST_CASE(a_reset_forgets_what_was_copied) {
  const Buffer bytes = stream("74 0001 61 79 74 0001 62");
  const Graph graph = test::graph_of(bytes);
  Writer out;
  Copy first(out, graph);
  Copy second(out, graph);
  second.put(graph.roots()[0]);
  for (const Item item : graph.roots()) first.put(item);
  second.put(graph.roots()[0]);
  second.put(graph.roots()[0]);
  BOOST_TEST(to_hex(out.release()) ==
             to_hex(stream("74 0001 61 74 0001 61 79 74 0001 62 74 0001 61 71 007e0001")));
}
