// Java streams as graphs: every vector, every kind of value, every refusal.
#define BOOST_TEST_MODULE java_parse
#include <boost/test/unit_test.hpp>

#include "engine/java/parse.h"
#include "engine/java/write.h"
#include "java_fixture.h"

using namespace tribecast;
using namespace tribecast::java;
using test::hex;

namespace {

Buffer stream(const std::string& contents) { return hex("aced0005" + contents); }

std::string refusal(Bytes bytes, const Limits& limits = {}) {
  const Buffer exact = copy_of(bytes);  // its own allocation: a read outside is caught
  const auto graph = parse(exact, limits);
  return graph ? "accepted" : std::string(name_of(graph.error().reason));
}

// A serializable class without fields, `A`; its handle is 7e0000 in a fresh stream.
const std::string kClassA = "72 0001 41 0000000000000001 02 0000 78 70";
const std::string kA = "007e0000";

}  // namespace

BOOST_AUTO_TEST_CASE(all_vectors_come_back_byte_for_byte) {
  std::size_t count = 0;
  for (const auto& [name, file] : test::java_index()) {
    BOOST_TEST_CONTEXT(name) {
      const Buffer bytes = test::java_stream(name);
      const Graph graph = test::graph_of(bytes);
      const Buffer again = write(graph);
      BOOST_TEST(same(again, bytes));
      ++count;
    }
  }
  BOOST_TEST(count == 554U);
}

BOOST_AUTO_TEST_CASE(every_value_of_every_vector_stands_alone) {
  for (const auto& [name, file] : test::java_index()) {
    BOOST_TEST_CONTEXT(name) {
      const Buffer bytes = test::java_stream(name);
      const Graph graph = test::graph_of(bytes);
      for (const Item root : graph.roots()) {
        if (!root.is(ItemKind::node) || graph.is_broken(root)) continue;
        const Buffer part = write_part(graph, root);
        const Graph alone = test::graph_of(part);
        BOOST_TEST_REQUIRE(alone.roots().size() == 1U);
        BOOST_TEST(same(write_part(alone, alone.roots()[0]), part));
      }
    }
  }
}

// All that the grammar has, field by field.
BOOST_AUTO_TEST_CASE(a_stream_of_every_kind) {
  const Buffer bytes = stream(
      "77 03 010203"                                    // block data
      "7a 00000002 0405"                                // long block data
      "70"                                              // null
      "74 0002 6869"                                    // 0: "hi"
      "7c 0000000000000001 78"                          // 1: "x" as a long string
      "71 007e0000"                                     // "hi" again
      "72 0001 42 0000000000000002 03 0003"             // 2: class B, writeObject, 3 fields
      "  49 0001 69   5a 0001 7a   4c 0001 73"          //    int i, boolean z, s of type
      "  74 0003 4c583b"                                // 3: "LX;"
      "  77 01 aa 78 70"                                //    annotated; no super class
      "73 71 007e0002"                                  // 4: an object of it
      "  00000007 01  71 007e0004"                      //    i, z, s = itself
      "  77 01 bb  74 0001 61  78"                      // 5: written by hand: a block, "a"
      "7d 00000001 0001 49 78 70"                       // 6: proxy of interface I
      "76 71 007e0002"                                  // 7: B.class
      "75 72 0002 5b49 0000000000000003 02 0000 78 70"  // 8: int[]
      "  00000002 00000001 00000002"                    // 9: {1, 2}
      "75 72 0002 5b4c 0000000000000004 02 0000 78 70"  // a: L[]
      "  00000002 70 71 007e0000"                       // b: {null, "hi"}
      "7e 72 0001 45 0000000000000000 12 0000 78 70"    // c: enum E
      "  74 0003 4f4e45"                                // d is the constant ONE, e its name
      "73 72 0001 58 0000000000000005 0c 0000 78 70"    // f: Externalizable X
      "  77 01 cc 71 007e000d 78"                       // 10: with d inside
      "79"                                              // reset
      "74 0001 62 71 007e0000");                        // 0: "b", twice
  const Graph graph = test::graph_of(bytes);
  BOOST_TEST(same(write(graph), bytes));
  BOOST_TEST(graph.node_count() == 0x11U + 1U);
  BOOST_TEST(graph.roots().size() == 16U + 1U);
  BOOST_TEST((graph.node(4).kind == NodeKind::object));
  BOOST_TEST((graph.node(9).kind == NodeKind::array));
  BOOST_TEST((graph.node(13).kind == NodeKind::enumeration));
  BOOST_TEST(!graph.class_at(graph.node(2).klass).plain);
  BOOST_TEST(graph.class_at(graph.node(8).klass).plain);
  BOOST_TEST(graph.uid(graph.class_at(graph.node(8).klass)) == 3U);
}

BOOST_AUTO_TEST_CASE(an_exception_ends_what_is_open_and_the_stream_goes_on) {
  const std::string name = "10.1.60/jser/tc_exception.bin";
  const Buffer bytes = test::java_stream(name);
  const Graph graph = test::graph_of(bytes);
  BOOST_TEST(same(write(graph), bytes));
  const auto roots = graph.roots();
  BOOST_TEST_REQUIRE(roots.size() == 3U);  // a String, the list that could not be written, a String
  BOOST_TEST(!graph.is_broken(roots[0]));
  BOOST_TEST(graph.is_broken(roots[1]));
  BOOST_TEST(graph.is_string(roots[2]));
  BOOST_TEST((graph.items(roots[1].node()).back().is(ItemKind::exception)));
}

BOOST_AUTO_TEST_CASE(exceptions_by_hand) {
  const std::string thrown = "7b 73 72 0001 54 0000000000000001 02 0000 78 70";
  // At the top level, in a field, in an array, in an annotation; then "c", whose handle is the
  // first.
  for (const std::string& around : std::vector<std::string>{
           "", "73 72 0001 41 0000000000000001 02 0001 4c 0001 66 74 0001 4c 78 70",
           "75 72 0002 5b4c 0000000000000001 02 0000 78 70 00000005 70",
           "73 72 0001 41 0000000000000001 03 0000 78 70 77 01 05"}) {
    const Buffer bytes = stream(around + thrown + "74 0001 63 71 007e0000");
    const Graph graph = test::graph_of(bytes);
    BOOST_TEST(same(write(graph), bytes));
    BOOST_TEST(graph.roots().size() == 3U);
    BOOST_TEST(graph.is_broken(graph.roots()[0]));
    BOOST_TEST(!graph.is_broken(graph.roots()[1]));
  }
  // In a descriptor, in another exception, of no object, and with handles of before.
  const std::string in_class = "72 0001 41 0000000000000001 02 0000" + thrown;
  BOOST_TEST(refusal(stream(in_class)) == "misplaced_exception");
  BOOST_TEST(refusal(stream("7b 73 72 0001 54 0000000000000001 03 0000 78 70" + thrown)) ==
             "misplaced_exception");
  BOOST_TEST(refusal(stream("7b 70")) == "unexpected_code");
  BOOST_TEST(refusal(stream("7b 74 0001 61")) == "unexpected_code");
  BOOST_TEST(refusal(stream("72 0001 54 0000000000000001 02 0000 78 70 7b 73 71 007e0000")) ==
             "bad_handle");
}

struct Refusal {
  std::string contents, reason;
};

const std::string kNameAndUid = "0001 41 0000000000000001";
const std::vector<Refusal> kRefusals = {
    {"6f", "unexpected_code"},
    {"7f", "unexpected_code"},
    {"00", "unexpected_code"},
    {"78", "unexpected_code"},
    {"71 007e0000", "bad_handle"},
    {"74 0000 71 007e0001", "bad_handle"},
    {"74 0000 71 007dffff", "bad_handle"},
    {"74 0000 79 71 007e0000", "bad_handle"},
    {"74 0002 61", "truncated"},
    {"74 0001 80", "bad_text"},
    {"74 0003 f09f98", "bad_text"},
    {"7c 0000000000000002 61", "truncated"},
    {"7c ffffffffffffffff 61", "truncated"},
    {"77 02 01", "truncated"},
    {"7a 80000000", "bad_length"},
    {"7a 7fffffff", "truncated"},
    {"73 70", "bad_class"},
    {"75 70", "bad_class"},
    {"76 70", "bad_class"},
    {"7e 70", "bad_class"},
    {"73 74 0000", "unexpected_code"},
    {"74 0000 73 71 007e0000", "bad_handle"},
    {"73 " + kClassA + "7e 71 007e0001", "bad_handle"},
    {"7e " + kClassA + "70", "unexpected_code"},
    {"7e " + kClassA + "71" + kA, "bad_handle"},
    {"75 " + kClassA + "00000000", "bad_class"},
    {"75 72 0001 5b 0000000000000001 02 0000 78 70 00000000", "bad_class"},
    {"75 72 0002 5b58 0000000000000001 02 0000 78 70 00000000", "bad_class"},
    {"75 72 0002 5b49 0000000000000001 02 0000 78 70 ffffffff", "bad_length"},
    {"75 72 0002 5b4a 0000000000000001 02 0000 78 70 7fffffff 00", "truncated"},
    {"75 72 0002 5b4c 0000000000000001 02 0000 78 70 00000002 70", "truncated"},
    {"75 72 0002 5b4c 0000000000000001 02 0000 78 70 00000001 77 00", "unexpected_code"},
    {"72" + kNameAndUid + "06 0000 78 70", "bad_class"},
    {"72" + kNameAndUid + "12 0001 49 0001 69 78 70", "bad_class"},
    {"72" + kNameAndUid + "02 0001 51 0001 69 78 70", "bad_class"},
    {"72" + kNameAndUid + "02 0001 4c 0001 69 70 78 70", "unexpected_code"},
    {"72" + kNameAndUid + "02 0001 4c 0001 69 71" + kA, "bad_handle"},
    {"72" + kNameAndUid + "02 0002 4c 0001 73 74 0000 49 0001 69 78 70", "bad_class"},
    {"72" + kNameAndUid + "02 0000 78 71" + kA, "unfinished_class"},
    {"72" + kNameAndUid + "02 0000 73 71" + kA, "unfinished_class"},
    {"72" + kNameAndUid + "02 0000 78 78", "unexpected_code"},
    {"72" + kNameAndUid + "02 0000 79", "unexpected_code"},
    {"72 0001 80 0000000000000001 02 0000 78 70", "bad_text"},
    {"72" + kNameAndUid + "02 0001 49 0001 80 78 70", "bad_text"},
    {"7d 00010000", "bad_length"},
    {"7d 00000002 0001 49", "truncated"},
    {"7d 00000001 0001 80 78 70", "bad_text"},
    {"73 72" + kNameAndUid + "04 0000 78 70", "old_externalizable"},
    {"73 72" + kNameAndUid + "03 0000 78 70 79", "unexpected_code"},
    {"73 72" + kNameAndUid + "02 0001 49 0001 69 78 70 000000", "truncated"},
};

BOOST_AUTO_TEST_CASE(refusals) {
  for (const Refusal& row : kRefusals) {
    BOOST_TEST(refusal(stream(row.contents)) == row.reason, row.contents);
  }
  for (const std::string header :
       {"", "ac", "aced", "aced00", "aced0004", "aced0006", "0005aced"}) {
    BOOST_TEST(refusal(hex(header)) == "bad_header", header);
  }
  BOOST_TEST(refusal(hex("aced0005")) == "accepted");
}

BOOST_AUTO_TEST_CASE(an_error_says_where) {
  const Buffer bytes = stream("74 0001 61 77 01 00 71 007e0009 70");
  const auto graph = parse(bytes);
  BOOST_TEST_REQUIRE(!static_cast<bool>(graph));
  BOOST_TEST(graph.error().at == 11U);
}

BOOST_AUTO_TEST_CASE(truncations_and_changed_bytes_do_no_harm) {
  test::Random random;
  for (const std::string name : {"session/list_two_everything.bin", "session/delta_everything.bin",
                                 "jser/tc_exception.bin", "jser/custom.bin", "jser/proxy.bin"}) {
    const Buffer whole = test::java_stream("10.1.60/" + name);
    for (std::size_t size = 0; size < whole.size(); size += 1 + random.below(40)) {
      const Buffer cut = copy_of(Bytes(whole).first(size));
      const auto graph = parse(cut);
      if (graph) BOOST_TEST(same(write(*graph), cut));
      Buffer changed = whole;
      changed[size] = static_cast<std::uint8_t>(random.below(256));
      const auto other = parse(changed);
      if (other) BOOST_TEST(same(write(*other), changed));
    }
  }
}

BOOST_AUTO_TEST_CASE(limits_are_kept_to_the_last) {
  const Buffer strings = stream("74 0000 74 0000 74 0000");
  BOOST_TEST(refusal(strings, {.handles = 3}) == "accepted");
  BOOST_TEST(refusal(strings, {.handles = 2}) == "too_many_handles");
  BOOST_TEST(refusal(strings, {.bytes = 13}) == "accepted");
  BOOST_TEST(refusal(strings, {.bytes = 12}) == "too_large");
  const Buffer nulls = stream("70 70 70");
  BOOST_TEST(refusal(nulls, {.items = 3}) == "accepted");
  BOOST_TEST(refusal(nulls, {.items = 2}) == "too_many_handles");

  // Arrays of arrays; of the innermost nothing is left but null.
  const auto nested = [](std::size_t depth) {
    std::string text = "75 72 0002 5b5b 0000000000000001 02 0000 78 70 00000001";
    for (std::size_t i = 1; i < depth; ++i) text += "75 71 007e0000 00000001";
    return stream(text + "70");
  };
  BOOST_TEST(refusal(nested(50), {.depth = 50}) == "accepted");
  BOOST_TEST(refusal(nested(51), {.depth = 50}) == "too_deep");

  const auto heirs = [](std::size_t levels) {
    std::string text;
    for (std::size_t i = 0; i < levels; ++i) text += "72 0001 41 0000000000000001 02 0000 78";
    return stream(text + "70");
  };
  BOOST_TEST(refusal(heirs(20), {.class_levels = 20}) == "accepted");
  BOOST_TEST(refusal(heirs(21), {.class_levels = 20}) == "too_deep");
}

// The specification wants a writeObject method to write the fields first. Nothing enforces it.
BOOST_AUTO_TEST_CASE(classes_that_write_before_their_fields_or_none) {
  const std::string with_int = "73 72 0001 41 0000000000000001 03 0001 49 0001 69 78 70";
  const std::string with_object =
      "73 72 0001 41 0000000000000001 03 0001 4c 0001 66 74 0001 4c 78 70";
  const std::string with_both =
      "73 72 0001 41 0000000000000001 03 0002 49 0001 69 4c 0001 66 74 0001 4c 78 70";
  const std::string again = "73 71 007e0000";
  for (const std::string& contents : std::vector<std::string>{
           with_int + "77 02 0102 00000007 78",           // a short, the field
           with_int + "77 02 0102 00000007 77 01 09 78",  // and a byte behind
           with_int + "77 04 00000007 78",                // no field at all
           with_int + "78",                               // nothing
           with_int + "74 0002 6161 78 74 0001 62",       // an object, no field
           with_object + "77 01 05 74 0001 61 78",        // a byte, the field
           with_object + "78",                            // nothing
           with_both + "77 01 05 00000007 70 78" + again + "77 01 05 00000007 70 78",
           with_int + "77 04 00000007 73 72 0001 42 0000000000000001 03 0001 49 0001 69 78 70"
                      "77 01 01 00000002 78 78 70",  // two such classes
       }) {
    const Buffer bytes = stream(contents);
    const auto graph = parse(bytes);
    BOOST_TEST_REQUIRE(static_cast<bool>(graph), contents);
    BOOST_TEST(graph->node(graph->roots()[0].node()).by_hand, contents);
    BOOST_TEST(same(write(*graph), bytes), contents);
    BOOST_TEST(refusal(bytes, {.guesses = 0}) != "accepted", contents);
  }
}

// Neither stack nor time give out, whichever the limits.
BOOST_AUTO_TEST_CASE(depth_costs_no_stack) {
  constexpr std::size_t kDepth = 300'000;
  ByteWriter out;
  out.put(stream("75 72 0002 5b5b 0000000000000001 02 0000 78 70 00000001"));
  const Buffer inner = hex("75 71 007e0000 00000001");
  for (std::size_t i = 1; i < kDepth; ++i) out.put(inner);
  out.put(hex("70"));
  const Buffer bytes = out.release();
  BOOST_TEST(refusal(bytes) == "too_deep");
  const auto graph = parse(bytes, {.depth = kDepth});
  BOOST_TEST_REQUIRE(static_cast<bool>(graph));
  BOOST_TEST(same(write(*graph), bytes));
}

BOOST_AUTO_TEST_CASE(memory_is_a_small_multiple_of_the_stream) {
  const auto repeated = [](const std::string& begin, const std::string& unit, std::size_t count) {
    ByteWriter out;
    out.put(stream(begin));
    const Buffer bytes = hex(unit);
    for (std::size_t i = 0; i < count; ++i) out.put(bytes);
    return out.release();
  };
  const std::string nulls = "75 72 0002 5b4c 0000000000000001 02 0000 78 70 00020000";
  for (const Buffer& bytes : {
           repeated("", "70", 1U << 17U),
           repeated(nulls, "70", 1U << 17U),
           repeated("", "740000", 1U << 17U),
           repeated(nulls, "740000", 1U << 17U),
           repeated(kClassA, "73 71 007e0000", 1U << 15U),
           repeated("", "72 0000 0000000000000000 00 0000 78 70", 1U << 15U),
           repeated("", "72 0000 0000000000000000 00 0004 5a0000 5a0000 5a0000 5a0000 78 70",
                    1U << 15U),
           repeated("", "7700", 1U << 17U),
       }) {
    const auto graph = parse(bytes);
    BOOST_TEST_REQUIRE(static_cast<bool>(graph));
    BOOST_TEST(graph->memory_bytes() <= kMemoryFactor / 2 * bytes.size());
  }
}
