// The wire of Tomcat's replicated maps: golden messages of five branches.
#define BOOST_TEST_MODULE map_codec
#include <boost/test/unit_test.hpp>

#include "engine/channel/rpc.h"
#include "engine/map/message.h"
#include "engine/map/value.h"
#include "java_fixture.h"

using namespace tribecast;
using namespace tribecast::map;

namespace {

constexpr std::array kVersions = {"7.0.x-tip", "8.5.x-tip", "9.0.70", "10.1.60", "11.0.x-tip"};
const std::string kMap = "localhost#/app-map";

Buffer golden(const std::string& version, const std::string& name) {
  return test::java_stream(version + "/map/" + name + ".bin");
}

// What must parse.
template <class T>
T must(Result<T, Malformed> result) {
  if (!result) throw std::runtime_error("refused: " + std::string(name_of(result.error())));
  return std::move(*result);
}

Parsed parsed(Bytes body) { return must(parse_message(body)); }

struct Golden {
  std::string name;
  Type type;
  bool has_key = true;
  bool has_value = false;
  std::size_t nodes = 0;
};

const std::vector<Golden> kMessages = {
    {"map01_backup_session", Type::backup, true, true, 1},
    {"map02_retrieve_backup_request", Type::retrieve_backup},
    {"map02_retrieve_backup_reply", Type::retrieve_backup, true, true},
    {"map03_proxy", Type::proxy, true, false, 1},
    {"map04_remove", Type::remove},
    {"map05_state_request", Type::state, false},
    {"map06_start", Type::start, false},
    {"map07_stop", Type::stop, false},
    {"map08_init", Type::init, false},
    {"map10_state_copy_request", Type::state_copy, false},
    {"map11_access", Type::access, true, false, 1},
    {"map12_notify_mapmember", Type::notify_member, true, false, 1},
    {"map13_ping_request", Type::ping, false},
};

}  // namespace

BOOST_AUTO_TEST_CASE(messages_of_all_branches_both_ways) {
  for (const std::string version : kVersions) {
    for (const Golden& expected : kMessages) {
      BOOST_TEST_CONTEXT(version << " " << expected.name) {
        const Buffer bytes = golden(version, expected.name);
        const auto [message, versions] = parsed(bytes);
        BOOST_TEST(message.is(expected.type));
        BOOST_TEST(message.map == kMap);
        BOOST_TEST(message.key.has_value() == expected.has_key);
        BOOST_TEST(message.value.has_value() == expected.has_value);
        BOOST_TEST(message.nodes.value_or(std::vector<Member>{}).size() == expected.nodes);
        BOOST_TEST((compose_message(message, versions) == bytes));
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(diffs_and_copies_too) {
  for (const std::string version : kVersions) {
    for (const std::string name : {"map01_backup_diff", "map09_copy", "map09_copy_sso_entry"}) {
      BOOST_TEST_CONTEXT(version << " " << name) {
        if (!test::java_index().contains(version + "/map/" + name + ".bin")) continue;
        const Buffer bytes = golden(version, name);
        const auto [message, versions] = parsed(bytes);
        BOOST_TEST(message.diff == message.diff_value.has_value());
        BOOST_TEST((message.value.has_value() || message.diff));
        // Where two members are one object in Tomcat, the bytes differ; the fields never do.
        const Buffer again = compose_message(message, versions);
        BOOST_TEST((parsed(again).message == message));
        if (message.nodes->size() == 1) BOOST_TEST((again == bytes));
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(objects_of_remote_calls_both_ways) {
  for (const std::string version : kVersions) {
    for (const std::string name :
         {"map02_retrieve_backup_request_rpc", "map02_retrieve_backup_reply_rpc",
          "map05_state_request_rpc", "map05_state_reply_rpc", "map05_state_reply_empty_rpc",
          "map06_start_rpc", "map08_init_rpc", "map10_state_copy_request_rpc",
          "map10_state_copy_reply_rpc", "map13_ping_request_rpc", "map13_ping_reply_new_rpc",
          "map13_ping_reply_initialized_rpc"}) {
      BOOST_TEST_CONTEXT(version << " " << name) {
        if (!test::java_index().contains(version + "/map/" + name + ".bin")) continue;
        const Buffer body = golden(version, name);
        const auto call = channel::parse_rpc(body);
        BOOST_REQUIRE(call.has_value());
        const Parsed object = must(parse_object(call->object));
        BOOST_TEST(object.message.map == view_of(call->channel));
        const Buffer again = compose_object(object.message, object.versions);
        BOOST_TEST(same(again, call->object));
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(lists_of_entries) {
  for (const std::string version : kVersions) {
    for (const auto& [name, type, count] :
         {std::tuple("map05_state_reply_rpc", Type::proxy, 2U),
          std::tuple("map05_state_reply_empty_rpc", Type::proxy, 0U),
          std::tuple("map10_state_copy_reply_rpc", Type::copy, 1U)}) {
      BOOST_TEST_CONTEXT(version << " " << name) {
        const Buffer body = golden(version, name);
        const Parsed object = must(parse_object(channel::parse_rpc(body)->object));
        const auto entries = must(parse_list(object.message.value.value()));
        BOOST_TEST(entries.size() >= count);
        for (const Message& entry : entries) BOOST_TEST(entry.is(type));
        const Buffer list = compose_list(entries, object.versions);
        BOOST_TEST((must(parse_list(list)) == entries));
        if (entries.empty()) BOOST_TEST((list == *object.message.value));
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(states_both_ways) {
  for (const std::string version : kVersions) {
    for (const auto& [name, state] :
         {std::pair("new", State::created), std::pair("statetransferred", State::state_transferred),
          std::pair("initialized", State::initialized), std::pair("destroyed", State::destroyed)}) {
      const std::string file = std::string("map13_ping_reply_") + name + "_rpc";
      if (!test::java_index().contains(version + "/map/" + file + ".bin")) continue;
      const Buffer body = golden(version, file);
      const Buffer value =
          must(parse_object(channel::parse_rpc(body)->object)).message.value.value();
      BOOST_TEST((must(parse_state(value)) == state));
      BOOST_TEST((compose_state(state) == value));
    }
  }
}

BOOST_AUTO_TEST_CASE(the_class_of_members_is_the_senders) {
  const auto uid = [](const std::string& version) {
    return parsed(golden(version, "map03_proxy")).versions.member;
  };
  BOOST_TEST(uid("9.0.70") == 0x2e21087915506d1cU);
  BOOST_TEST(uid("10.1.60") == kMemberUid);
  // Where none has been seen, the known classes are written.
  const Message message = parsed(golden("10.1.60", "map03_proxy")).message;
  BOOST_TEST((compose_message(message, {}) == golden("10.1.60", "map03_proxy")));
}

BOOST_AUTO_TEST_CASE(a_diff_changes_the_golden_session) {
  for (const std::string version : kVersions) {
    BOOST_TEST_CONTEXT(version) {
      Value value;
      const Buffer full = *parsed(golden(version, "map01_backup_session")).message.value;
      BOOST_TEST(value.set(full));
      BOOST_TEST((value.bytes() == full));
      const Buffer diff = *parsed(golden(version, "map01_backup_diff")).message.diff_value;
      BOOST_TEST(value.add(diff, 1'800'000'000'000));
      const Buffer changed = value.bytes();
      BOOST_TEST((changed != full));
      Value again;
      BOOST_TEST(again.set(changed));
      BOOST_TEST((again.max_inactive_s() == value.max_inactive_s()));
    }
  }
}

BOOST_AUTO_TEST_CASE(what_is_no_message) {
  const Buffer proxy = golden("10.1.60", "map03_proxy");
  for (std::size_t size = 0; size < proxy.size(); ++size) {
    BOOST_TEST(!parse_message(Bytes(proxy).first(size)));
  }
  BOOST_TEST((parse_message(test::java_stream("10.1.60/session/evt01_created.bin")).error() ==
              Malformed::not_a_message));
  Buffer cut_member = proxy;
  cut_member[cut_member.size() - 12] ^= 1;  // the end mark of a member
  BOOST_TEST((parse_message(cut_member).error() == Malformed::bad_member));
  BOOST_TEST(!parse_list(proxy));
  BOOST_TEST(!parse_state(proxy));
}
