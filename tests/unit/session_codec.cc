// The wire of Tomcat's session replication: golden messages of five branches.
#define BOOST_TEST_MODULE session_codec
#include <boost/test/unit_test.hpp>

#include "engine/java/read.h"
#include "engine/session/boxes.h"
#include "engine/session/change.h"
#include "engine/session/delta.h"
#include "engine/session/message.h"
#include "engine/session/record.h"
#include "java_fixture.h"
#include "session_fixture.h"

using namespace tribecast;
using namespace tribecast::session;

namespace {

constexpr std::array kVersions = {"7.0.x-tip", "8.5.x-tip", "9.0.70", "10.1.60", "11.0.x-tip"};
const std::string kId = "0123456789ABCDEF0123456789ABCDEF.tomcat1";

Buffer golden(const std::string& version, const std::string& name) {
  return test::java_stream(version + "/session/" + name + ".bin");
}

bool has(const std::string& version, const std::string& name) {
  return test::java_index().contains(version + "/session/" + name + ".bin");
}

Dialect dialect_of(const std::string& version) {
  return version == "7.0.x-tip" ? Dialect::tomcat7 : Dialect::tomcat8;
}

// The text of a value that is a String.
std::string text_in(const Value& value) {
  const java::Graph graph = test::graph_of(value);
  return text_of(java::text_of_string(graph, graph.roots()[0]).value_or(bytes_of("no string")));
}

struct Golden {
  std::string name;
  Event event;
  std::string id = kId;
  std::string unique_id;
  std::optional<std::size_t> payload_bytes = {};
};

}  // namespace

BOOST_AUTO_TEST_CASE(messages_of_all_branches_both_ways) {
  const std::string context = "localhost#/app";
  for (const std::string version : kVersions) {
    for (const Golden& expected : std::vector<Golden>{
             {"evt01_created", Event::created, kId, kId + "-1700000000123"},
             {"evt02_expired", Event::expired, kId, kId + "-EXPIRED-MSG"},
             {"evt03_accessed", Event::accessed, kId, kId + "-1700000000123"},
             {"evt04_get_all", Event::get_all, "GET-ALL", "GET-ALL-" + context},
             {"evt13_delta_integer", Event::delta, kId, kId + "-1700000000123", 148},
             {"evt13_delta_first_request", Event::delta, kId, kId + "-1700000000123", 256},
             {"evt14_transfer_complete", Event::transfer_complete, "SESSION-STATE-TRANSFERRED",
              "SESSION-STATE-TRANSFERRED" + context},
             {"evt15_change_id", Event::change_id, kId, kId + "-1700000000123", 48},
             {"evt16_no_context_manager", Event::no_context_manager, "NO-CONTEXT-MANAGER",
              "NO-CONTEXT-MANAGER-" + context},
         }) {
      BOOST_TEST_CONTEXT(version << " " << expected.name) {
        const Buffer bytes = golden(version, expected.name);
        const auto message = parse_message(bytes);
        BOOST_TEST_REQUIRE(static_cast<bool>(message));
        BOOST_TEST(message->is(expected.event));
        BOOST_TEST((message->dialect == dialect_of(version)));
        BOOST_TEST(message->time_ms == 1700000000123);
        BOOST_TEST(message->context == context);
        BOOST_TEST(message->session_id == expected.id);
        BOOST_TEST(message->unique_id == expected.unique_id);
        BOOST_TEST(message->payload.has_value() == expected.payload_bytes.has_value());
        if (expected.payload_bytes) {
          BOOST_TEST(message->payload->size() == *expected.payload_bytes);
        }
        BOOST_TEST(to_hex(compose_message(*message)) == to_hex(bytes));
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(other_objects_are_no_messages) {
  for (const std::string name : {"jser/string.bin", "jser/bean.bin", "rpc/rpc_request.bin",
                                 "map/map03_proxy.bin", "jser/null.bin"}) {
    const auto message = parse_message(test::java_stream("10.1.60/" + name));
    BOOST_TEST((!message && message.error() == Malformed::not_a_message), name);
  }
  BOOST_TEST((parse_message({}).error() == Malformed::bad_stream));
  Buffer future = golden("10.1.60", "evt01_created");
  const std::string text = text_of(future);
  const std::size_t uid = text.find("SessionMessageImpl") + 18;
  future[uid + 7] = 3;
  BOOST_TEST((parse_message(future).error() == Malformed::bad_version));
}

BOOST_AUTO_TEST_CASE(new_ids) {
  for (const std::string version : kVersions) {
    const Buffer bytes = golden(version, "change_id_payload");
    const auto id = parse_new_id(bytes);
    BOOST_TEST_REQUIRE(static_cast<bool>(id));
    BOOST_TEST(*id == "0123456789ABCDEF0123456789ABCDEF.tomcat2");
    BOOST_TEST(same(compose_new_id(*id), bytes));
  }
  BOOST_TEST(!static_cast<bool>(parse_new_id({})));
  BOOST_TEST(!static_cast<bool>(parse_new_id(compose_new_id(""))));
}

// Each value alone, and all together again: what the actions do not share comes out byte for byte.
// They are remembered for hours.
BOOST_AUTO_TEST_CASE(names_that_are_too_long_are_refused) {
  const std::string longest(kMaxNameBytes, 'x');
  const std::string longer(kMaxNameBytes + 1, 'x');
  Message message = test::event(Event::expired, longest, test::kStart);
  message.context = longest;
  BOOST_TEST(static_cast<bool>(parse_message(compose_message(message))));
  message.context = longer;
  BOOST_TEST((parse_message(compose_message(message)).error() == Malformed::too_large));
  message = test::event(Event::expired, longer, test::kStart);
  BOOST_TEST((parse_message(compose_message(message)).error() == Malformed::too_large));
  BOOST_TEST(static_cast<bool>(parse_new_id(compose_new_id(longest))));
  BOOST_TEST(!parse_new_id(compose_new_id(longer)));
  Record record;
  record.id = longer;
  BOOST_TEST(!parse_list(compose_list(std::vector{record}, Dialect::tomcat8), Dialect::tomcat8));
  BOOST_TEST(!parse_saved_key(saved_key(longest, longer)));
}

BOOST_AUTO_TEST_CASE(deltas_of_all_branches_both_ways) {
  std::size_t same_bytes = 0;
  for (const std::string version : kVersions) {
    for (const std::string name :
         {"delta_integer", "delta_string", "delta_remove", "delta_first_request",
          "delta_record_all", "delta_last_wins_reordered", "delta_list_map",
          "delta_bean_shared_refs", "delta_everything", "delta_long_string", "delta_modified_utf8",
          "delta_principal_authtype", "delta_principal_removed", "delta_note", "delta_empty"}) {
      if (!has(version, name)) continue;
      BOOST_TEST_CONTEXT(version << " " << name) {
        const Buffer bytes = golden(version, name);
        const auto delta = parse_delta(bytes);
        BOOST_TEST_REQUIRE(static_cast<bool>(delta));
        BOOST_TEST(delta->session_id == kId);
        const Buffer composed = compose_delta(*delta);
        same_bytes += same(composed, bytes) ? 1U : 0U;
        const auto again = parse_delta(composed);
        BOOST_TEST_REQUIRE(static_cast<bool>(again));
        BOOST_TEST_REQUIRE(again->actions.size() == delta->actions.size());
        for (std::size_t i = 0; i < delta->actions.size(); ++i) {
          BOOST_TEST(again->actions[i].name == delta->actions[i].name);
          BOOST_TEST((again->actions[i].value == delta->actions[i].value));
        }
      }
    }
  }
  BOOST_TEST(same_bytes >= 60U);
}

BOOST_AUTO_TEST_CASE(what_a_delta_says) {
  const auto first = parse_delta(golden("10.1.60", "delta_first_request"));
  BOOST_TEST_REQUIRE(first->actions.size() == 3U);
  BOOST_TEST(first->actions[0].is(ActionType::max_interval));
  BOOST_TEST(integer_in(*first->actions[0].value).value_or(0) == 1800);
  BOOST_TEST(first->actions[1].is(ActionType::attribute));
  BOOST_TEST(first->actions[1].name == "user");
  BOOST_TEST(text_in(*first->actions[1].value) == "alice");
  BOOST_TEST(first->actions[2].is(ActionType::is_new));
  BOOST_TEST(boolean_in(*first->actions[2].value).has_value());

  const auto removed = parse_delta(golden("10.1.60", "delta_remove"));
  BOOST_TEST_REQUIRE(removed->actions.size() == 1U);
  BOOST_TEST(!removed->actions[0].sets());
  BOOST_TEST(!removed->actions[0].value.has_value());

  const auto note = parse_delta(golden("10.1.60", "delta_note"));
  BOOST_TEST(note->actions[0].is(ActionType::note));
  BOOST_TEST(text_in(*note->actions[0].value) == kId);
  BOOST_TEST(parse_delta(golden("10.1.60", "delta_empty"))->actions.empty());
  BOOST_TEST(
      (parse_delta(golden("10.1.60", "change_id_payload")).error() == Malformed::bad_payload));
}

// The writer failed in a value: that one is lost, the next action is there.
BOOST_AUTO_TEST_CASE(a_value_that_its_sender_could_not_write) {
  java::Writer out;
  out.utf(bytes_of("id"));
  out.boolean(false);
  out.u32(2);
  for (const std::string name : {"bad", "good"}) {
    out.u32(0);
    out.u32(0);
    out.utf(bytes_of(name));
    out.boolean(true);
    if (name == "bad") {
      const Buffer thrown = test::hex("aced0005 7b 73 72 0001 54 0000000000000001 02 0000 78 70");
      const java::Graph graph = test::graph_of(thrown);
      java::Copy(out, graph).put(graph.roots()[0]);
    } else {
      out.string(bytes_of("value"));
    }
  }
  const auto delta = parse_delta(out.release());
  BOOST_TEST_REQUIRE(static_cast<bool>(delta));
  BOOST_TEST(delta->actions[0].lost);
  BOOST_TEST(!delta->actions[0].value.has_value());
  BOOST_TEST(text_in(*delta->actions[1].value) == "value");
}

// Thousands of attributes that all are one large object would be gigabytes.
BOOST_AUTO_TEST_CASE(values_that_share_too_much_are_refused) {
  java::Writer out;
  out.utf(bytes_of("id"));
  out.boolean(false);
  out.u32(3000);
  const Buffer large = [] {
    java::Writer value;
    value.string(Buffer(60'000, 'x'));
    return value.release();
  }();
  const java::Graph graph = test::graph_of(large);
  java::Copy copy(out, graph);
  for (int i = 0; i < 3000; ++i) {
    out.u64(0);
    out.utf(bytes_of("a" + std::to_string(i)));
    out.boolean(true);
    copy.put(graph.roots()[0]);
  }
  const auto delta = parse_delta(out.release());
  BOOST_TEST((!delta && delta.error() == Malformed::too_large));
}

BOOST_AUTO_TEST_CASE(session_lists_of_all_branches) {
  for (const std::string version : kVersions) {
    const Dialect dialect = dialect_of(version);
    for (const std::string name : {"list_empty", "list_one_simple", "list_two_everything",
                                   "list_principal_note", "list_fifty"}) {
      if (!has(version, name)) continue;
      BOOST_TEST_CONTEXT(version << " " << name) {
        const auto records = parse_list(golden(version, name), dialect);
        BOOST_TEST_REQUIRE(static_cast<bool>(records));
        const auto again = parse_list(compose_list(*records, dialect), dialect);
        BOOST_TEST_REQUIRE(static_cast<bool>(again));
        BOOST_TEST_REQUIRE(again->size() == records->size());
        for (std::size_t i = 0; i < records->size(); ++i) {
          BOOST_TEST((*again)[i].id == (*records)[i].id);
          BOOST_TEST(((*again)[i].attributes == (*records)[i].attributes));
          BOOST_TEST(((*again)[i].principal == (*records)[i].principal));
          BOOST_TEST((*again)[i].version == (*records)[i].version);
        }
      }
    }
    const auto one = parse_list(golden(version, "list_one_simple"), dialect);
    const Record& record = one->at(0);
    BOOST_TEST(record.id == kId);
    BOOST_TEST(record.created_ms == 1700000000123);
    BOOST_TEST(record.last_accessed_ms == 1700000001123);
    BOOST_TEST(record.this_accessed_ms == 1700000002123);
    BOOST_TEST(record.max_inactive_s == 1800);
    BOOST_TEST(!record.is_new);
    BOOST_TEST(record.is_valid);
    BOOST_TEST(record.version == 3);
    BOOST_TEST_REQUIRE(record.attributes.size() == 2U);
    BOOST_TEST(record.attributes[0].first == "name");
    BOOST_TEST(text_in(record.attributes[0].second) == "value");
    BOOST_TEST(integer_in(record.attributes[1].second).value_or(0) == 7);
    BOOST_TEST(parse_list(golden(version, "list_empty"), dialect)->empty());
    BOOST_TEST(parse_list(golden(version, "list_fifty"), dialect)->size() == 50U);
  }
}

// A list composed here is the very bytes of Tomcat where nothing in it is shared by chance.
BOOST_AUTO_TEST_CASE(a_list_is_tomcat_s_byte_for_byte) {
  const Buffer bytes = golden("10.1.60", "list_one_simple");
  const auto records = parse_list(bytes, Dialect::tomcat8);
  BOOST_TEST(to_hex(compose_list(*records, Dialect::tomcat8)) == to_hex(bytes));
  const Buffer old = golden("7.0.x-tip", "list_principal_note");
  const auto with_principal = parse_list(old, Dialect::tomcat7);
  BOOST_TEST_REQUIRE(with_principal->at(0).principal.has_value());
  BOOST_TEST(to_hex(compose_list(*with_principal, Dialect::tomcat7)) == to_hex(old));
}

BOOST_AUTO_TEST_CASE(session_objects_keep_their_class) {
  for (const std::string version : kVersions) {
    for (const std::string name : {"delta_session_java", "delta_session_java_everything"}) {
      BOOST_TEST_CONTEXT(version << " " << name) {
        const Buffer bytes = golden(version, name);
        const auto object = parse_session(bytes, dialect_of(version));
        BOOST_TEST_REQUIRE(static_cast<bool>(object));
        BOOST_TEST(object->shape.front().name == "org.apache.catalina.ha.session.DeltaSession");
        const Buffer composed = compose_session(object->record, object->shape, dialect_of(version));
        const auto again = parse_session(composed, dialect_of(version));
        BOOST_TEST_REQUIRE(static_cast<bool>(again));
        BOOST_TEST((again->record.attributes == object->record.attributes));
        BOOST_TEST((again->shape == object->shape));
        if (version == std::string("10.1.60") && name == "delta_session_java") {
          BOOST_TEST(to_hex(composed) == to_hex(bytes));
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(damaged_payloads_do_no_harm) {
  test::Random random;
  for (const std::string name : {"list_principal_note", "delta_everything", "delta_session_java",
                                 "evt12_all_session_data"}) {
    const Buffer whole = golden("10.1.60", name);
    for (std::size_t at = 0; at < whole.size(); at += 1 + random.below(60)) {
      Buffer changed = whole;
      changed[at] = static_cast<std::uint8_t>(random.below(256));
      const Buffer cut = copy_of(Bytes(whole).first(at));
      for (const Buffer& bytes : {changed, cut}) {
        const auto message = parse_message(bytes);
        if (message) compose_message(*message);
        const auto delta = parse_delta(bytes);
        if (delta) compose_delta(*delta);
        const auto list = parse_list(bytes, Dialect::tomcat8);
        if (list) compose_list(*list, Dialect::tomcat7);
        const auto old = parse_list(bytes, Dialect::tomcat7);
        if (old) compose_list(*old, Dialect::tomcat8);
        const auto object = parse_session(bytes, Dialect::tomcat8);
        if (object) compose_session(object->record, object->shape, Dialect::tomcat8);
      }
    }
  }
}
