// Values read out of graphs.
#define BOOST_TEST_MODULE java_read
#include <boost/test/unit_test.hpp>

#include "engine/java/read.h"
#include "engine/java/utf.h"
#include "java_fixture.h"

using namespace tribecast;
using namespace tribecast::java;
using test::hex;

namespace {

Buffer stream(const std::string& contents) { return hex("aced0005" + contents); }

}  // namespace

BOOST_AUTO_TEST_CASE(contents_written_by_hand) {
  // int 7, utf x, object s, reset, object s, boolean true
  const Buffer bytes = test::java_stream("10.1.60/jser/blockdata_reset.bin");
  const Graph graph = test::graph_of(bytes);
  ContentReader in(graph, graph.roots());
  BOOST_TEST(in.u32() == 7U);
  BOOST_TEST(text_of(in.utf()) == "x");
  BOOST_TEST(text_of(*text_of_string(graph, in.peek_object())) == "s");
  BOOST_TEST(text_of(*text_of_string(graph, in.object())) == "s");
  BOOST_TEST(text_of(*text_of_string(graph, in.object())) == "s");
  BOOST_TEST(!in.at_end());
  BOOST_TEST(in.boolean());
  BOOST_TEST(in.ok());
  BOOST_TEST(in.at_end());
  in.u8();
  BOOST_TEST(!in.ok());
}

BOOST_AUTO_TEST_CASE(block_data_is_one_stream_however_it_was_cut) {
  const Buffer bytes = stream("77 01 00 7a 00000002 0000 7700 79 77 05 07 0002 61 62 70 77 01 01");
  const Graph graph = test::graph_of(bytes);
  ContentReader in(graph, graph.roots());
  BOOST_TEST(in.u32() == 7U);
  BOOST_TEST((in.peek_object().is(ItemKind::null)));
  BOOST_TEST(text_of(in.utf()) == "ab");
  BOOST_TEST((in.object().is(ItemKind::null)));
  BOOST_TEST(in.u8() == 1);
  BOOST_TEST(in.ok());
  BOOST_TEST(in.at_end());
}

BOOST_AUTO_TEST_CASE(a_reader_that_failed_stays_failed) {
  const Buffer bytes = stream("77 02 0001 70 77 01 01");
  const Graph graph = test::graph_of(bytes);
  ContentReader object_in_block(graph, graph.roots());
  object_in_block.object();  // block data comes first
  BOOST_TEST(!object_in_block.ok());
  BOOST_TEST(object_in_block.u8() == 0);
  BOOST_TEST(!object_in_block.ok());
  ContentReader across_an_object(graph, graph.roots());
  across_an_object.u32();
  BOOST_TEST(!across_an_object.ok());
  ContentReader too_many(graph, graph.roots());
  BOOST_TEST(too_many.bytes(SIZE_MAX).empty());
  BOOST_TEST(!too_many.ok());
  ContentReader half(graph, graph.roots());
  half.u8();
  half.object();
  BOOST_TEST(!half.ok());
}

BOOST_AUTO_TEST_CASE(boxes) {
  const auto read = [](const std::string& name) {
    return test::java_stream("10.1.60/jser/" + name);
  };
  const Buffer integer = read("integer.bin");
  const Buffer number = read("long.bin");
  const Buffer boolean = read("bool.bin");
  const Buffer string = read("string.bin");
  const Graph i = test::graph_of(integer);
  const Graph l = test::graph_of(number);
  const Graph b = test::graph_of(boolean);
  const Graph s = test::graph_of(string);
  BOOST_TEST(integer_of(i, i.roots()[0]).has_value());
  BOOST_TEST(!long_of(i, i.roots()[0]).has_value());
  BOOST_TEST(long_of(l, l.roots()[0]).has_value());
  BOOST_TEST(!integer_of(l, l.roots()[0]).has_value());
  BOOST_TEST(boolean_of(b, b.roots()[0]).has_value());
  BOOST_TEST(!boolean_of(s, s.roots()[0]).has_value());
  BOOST_TEST(!integer_of(s, s.roots()[0]).has_value());
  BOOST_TEST(text_of_string(s, s.roots()[0]).has_value());
  BOOST_TEST(!text_of_string(i, i.roots()[0]).has_value());
  BOOST_TEST(!bytes_of_array(i, i.roots()[0]).has_value());
  BOOST_TEST(!integer_of(i, Item::of(ItemKind::null)).has_value());
}

// Fields of an object and of its super classes, with what those wrote by hand between.
BOOST_AUTO_TEST_CASE(fields_by_name) {
  const Buffer bytes = stream(
      "73 72 0001 42 0000000000000001 03 0003 49 0001 69 5a 0001 7a 4c 0001 73 74 0003 4c583b 78"
      "   72 0001 41 0000000000000001 03 0002 4a 0001 6a 4c 0001 73 71 007e0001 78 70"
      "  0000000000000009 74 0001 61  77 01 aa 70 78"
      "  00000007 01 74 0001 62  78");
  const Graph graph = test::graph_of(bytes);
  const NodeId object = graph.roots()[0].node();
  const auto value = [&](std::string_view name) {
    const auto field = field_of(graph, object, name);
    BOOST_TEST_REQUIRE(field.has_value());
    return *field;
  };
  BOOST_TEST(to_hex(value("j").primitive) == "0000000000000009");
  BOOST_TEST(to_hex(value("i").primitive) == "00000007");
  BOOST_TEST(to_hex(value("z").primitive) == "01");
  BOOST_TEST(text_of(*text_of_string(graph, value("s").value)) == "b");
  BOOST_TEST(!field_of(graph, object, "q").has_value());
  BOOST_TEST(class_name_of(graph, graph.roots()[0]) == "B");
  BOOST_TEST(external_contents(graph, object).empty());
}

BOOST_AUTO_TEST_CASE(externalizable_contents) {
  const Buffer bytes = stream("73 72 0001 58 0000000000000005 0c 0000 78 70 77 01 cc 70 78");
  const Graph graph = test::graph_of(bytes);
  const NodeId object = graph.roots()[0].node();
  BOOST_TEST(!field_of(graph, object, "q").has_value());
  ContentReader in(graph, external_contents(graph, object));
  BOOST_TEST(in.u8() == 0xcc);
  BOOST_TEST((in.object().is(ItemKind::null)));
  BOOST_TEST(in.at_end());
}

// Everything that a caller may ask of any node of any vector.
BOOST_AUTO_TEST_CASE(asking_every_node_does_no_harm) {
  for (const auto& [name, file] : test::java_index()) {
    if (name != file) continue;
    const Buffer bytes = test::java_stream(name);
    const Graph graph = test::graph_of(bytes);
    for (NodeId id = 0; id < graph.node_count(); ++id) {
      const Item item = Item::of_node(id);
      const auto field = field_of(graph, id, "no such field");
      BOOST_TEST(!field.has_value());
      integer_of(graph, item);
      bytes_of_array(graph, item);
      ContentReader in(graph, external_contents(graph, id));
      while (in.ok() && !in.at_end()) in.u8();
    }
  }
}
