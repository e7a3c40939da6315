#define BOOST_TEST_MODULE keeper_maps
#include <boost/test/unit_test.hpp>

#include "engine/channel/rpc.h"
#include "keeper_fixture.h"
#include "map_cluster.h"

using namespace tribecast;
using channel::Receipt;
using keeper::Maps;
using keeper::test::member;
using keeper::test::moment;
using keeper::test::Node;
using map::Message;
using map::Type;
using test::kMap;
using test::text_value;

namespace {

const tribes::OwnedMember kSelf = member(9);
constexpr std::uint8_t kCall[16] = {7};

struct MapNode : Node {
  explicit MapNode(const keeper::Settings& settings = {}, Duration started = {})
      : Node(settings, started) {
    keeper.begin(kSelf, moment(time));
  }
  Receipt hear_map(const Message& message, const tribes::OwnedMember& from = member(1)) {
    return hear(map::compose_message(message, {}), from);
  }
  Receipt ask(const Message& message, const tribes::OwnedMember& from = member(1)) {
    return hear(channel::compose_rpc({channel::RpcKind::request, kCall, bytes_of(kMap),
                                      map::compose_object(message, {})}),
                from, channel::option::kUseAck);
  }
  // What it wants sent first.
  channel::Outgoing take_first() {
    if (outgoing.empty()) throw std::runtime_error("nothing is sent");
    channel::Outgoing first = std::move(outgoing.front());
    outgoing.pop_front();
    return first;
  }
  // The value in the first message, which must be an answer to ask().
  std::string answered() {
    const channel::Outgoing answer = take_first();
    BOOST_TEST(answer.options == channel::kReplyOptions);
    const auto rpc = channel::parse_rpc(answer.body);
    BOOST_TEST_REQUIRE(rpc.has_value());
    BOOST_TEST((rpc->kind == channel::RpcKind::reply));
    BOOST_TEST(same(rpc->call, kCall));
    if (same(rpc->object, map::kNullObject)) return {};
    const auto message = map::parse_object(rpc->object);
    return test::attribute_in(message->message.value.value_or(Buffer{}));
  }
};

Message message(Type type, const std::string& id) {
  Message message{.type = static_cast<std::int32_t>(type), .map = kMap};
  if (!id.empty()) message.key = text_value(id);
  message.primary = member(1);
  return message;
}

Message backup(const std::string& id, const std::string& text,
               const tribes::OwnedMember& node = kSelf) {
  Message whole = message(Type::backup, id);
  whole.value = test::session_value(test::session_record(id, text));
  whole.nodes = {node};
  return whole;
}

keeper::Settings on_disk() {
  keeper::Settings settings;
  settings.store.tracks_changes = true;
  return settings;
}

// Everything that was to be written, as a disk gives it back.
void move_disk(MapNode& from, MapNode& to) {
  for (const session::Saved& saved : from.keeper.begin_commit(moment(from.time))) {
    if (!saved.value) continue;
    BOOST_TEST(to.keeper.restore(saved.key, *saved.value, moment(to.time)));
  }
  to.keeper.restored(moment(to.time), {}, false);
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_map_is_served_once_the_engine_is_somebody) {
  Node nobody;
  BOOST_TEST((nobody.hear(map::compose_message(backup("a", "book"), {})) == Receipt::not_served));
  MapNode node;
  BOOST_TEST((node.ask(message(Type::ping, "")) == Receipt::done));
  const channel::Outgoing answer = node.take_first();
  BOOST_TEST((answer.to->identity == member(1).identity));
  const auto rpc = channel::parse_rpc(answer.body);
  BOOST_TEST_REQUIRE(rpc.has_value());
  const auto ping = map::parse_object(rpc->object);
  BOOST_TEST_REQUIRE(static_cast<bool>(ping));
  const auto state = map::parse_state(ping->message.value.value_or(Buffer{}));
  BOOST_TEST_REQUIRE(static_cast<bool>(state));
  BOOST_TEST((*state == map::State::initialized));
  // The call of another listener is nobody's here.
  const Buffer other = channel::compose_rpc(
      {channel::RpcKind::request, kCall, bytes_of("other"), bytes_of("\x74\x00\x01x")});
  BOOST_TEST((node.hear(other, member(1), 2) == Receipt::not_served));
}

BOOST_AUTO_TEST_CASE(what_a_tomcat_backs_up_here_is_given_to_who_asks) {
  MapNode node;
  BOOST_TEST((node.hear_map(backup("a", "book")) == Receipt::done));
  BOOST_TEST(node.keeper.kept_count() == 1U);
  node.outgoing.clear();
  node.ask(message(Type::retrieve_backup, "a"), member(2));
  BOOST_TEST(node.answered() == "book");
  BOOST_TEST((node.hear_map(message(Type::remove, "a")) == Receipt::done));
  node.ask(message(Type::retrieve_backup, "a"), member(2));
  BOOST_TEST(node.answered().empty());
}

// Of a session that another Tomcat backs up: the notice first, acknowledged; then the question.
BOOST_AUTO_TEST_CASE(it_enlists_itself_and_asks_for_the_value) {
  MapNode node;
  node.hear_map(message(Type::start, ""));
  node.outgoing.clear();
  Message proxy = message(Type::proxy, "a");
  proxy.nodes = {member(2)};
  BOOST_TEST((node.hear_map(proxy) == Receipt::done));
  // Its primary has it in a moment.
  BOOST_TEST(node.outgoing.empty());
  node.wait(milliseconds(200));
  const channel::Outgoing notice = node.take_first();
  BOOST_TEST(notice.options == 6U);
  const auto told = map::parse_message(notice.body);
  BOOST_TEST_REQUIRE(static_cast<bool>(told));
  BOOST_TEST(told->message.is(Type::notify_member));
  BOOST_TEST(told->message.nodes->size() == 2U);
  const channel::Outgoing question = node.take_first();
  BOOST_TEST(question.options == 2U);
  const auto call = channel::parse_rpc(question.body);
  BOOST_TEST_REQUIRE(call.has_value());
  BOOST_TEST((call->kind == channel::RpcKind::request));
  BOOST_TEST(view_of(call->channel) == kMap);
  const Buffer answer = channel::compose_rpc({channel::RpcKind::reply, call->call, call->channel,
                                              map::compose_object(backup("a", "pen"), {})});
  // Another one's answer is none.
  node.hear(answer, member(3), 0);
  BOOST_TEST(!node.keeper.maps().replica()->find(kMap, text_value("a")).has_value());
  node.hear(answer, member(1), 0);
  BOOST_TEST_REQUIRE(node.keeper.maps().replica()->find(kMap, text_value("a")).has_value());
}

// A Tomcat tells of a new session before its map has it: it passes over the notice, and answers
// with nothing.
BOOST_AUTO_TEST_CASE(what_its_primary_does_not_have_yet_is_asked_for_again) {
  MapNode node;
  node.hear_map(message(Type::start, ""));
  Message proxy = message(Type::proxy, "a");
  proxy.nodes = {member(2)};
  node.hear_map(proxy);
  for (int i = 0; i < 3; ++i) {
    node.outgoing.clear();
    node.wait(milliseconds(200));
    const channel::Outgoing notice = node.take_first();
    BOOST_TEST(map::parse_message(notice.body)->message.is(Type::notify_member));
    const channel::Outgoing question = node.take_first();
    const auto call = channel::parse_rpc(question.body);
    BOOST_TEST_REQUIRE(call.has_value());
    node.hear(channel::compose_rpc(
                  {channel::RpcKind::reply, call->call, call->channel, map::kNullObject}),
              member(1), 0);
    BOOST_TEST(node.keeper.kept_count() == 1U);
  }
  // It is gone.
  node.outgoing.clear();
  node.wait(seconds(5));
  node.take_first();
  const channel::Outgoing question = node.take_first();
  const auto call = channel::parse_rpc(question.body);
  BOOST_TEST_REQUIRE(call.has_value());
  node.hear(
      channel::compose_rpc({channel::RpcKind::reply, call->call, call->channel, map::kNullObject}),
      member(1), 0);
  BOOST_TEST(node.keeper.kept_count() == 0U);
}

BOOST_AUTO_TEST_CASE(restarted_it_gives_back_once_it_has_listened) {
  MapNode before(on_disk());
  before.hear_map(backup("a", "book"));
  before.hear_map(backup("gone", "x"));
  before.hear_map(message(Type::remove, "gone"));
  BOOST_TEST(before.keeper.has_changes());
  MapNode after(on_disk(), seconds(60));
  move_disk(before, after);
  BOOST_TEST(after.keeper.kept_count() == 1U);
  BOOST_TEST(!after.keeper.has_changes());
  after.ask(message(Type::retrieve_backup, "a"), member(2));
  BOOST_TEST(after.outgoing.empty());
  after.wait(Maps::kSettle);
  BOOST_TEST(after.answered() == "book");
}

// A Tomcat that lived on has the newer value.
BOOST_AUTO_TEST_CASE(what_was_restored_is_doubted) {
  MapNode before(on_disk());
  before.hear_map(backup("a", "old"));
  MapNode after(on_disk(), seconds(60));
  move_disk(before, after);
  after.came(member(1));
  const channel::Outgoing question = after.take_first();
  const auto call = channel::parse_rpc(question.body);
  BOOST_TEST_REQUIRE(call.has_value());
  BOOST_TEST(map::parse_object(call->object)->message.is(Type::state));
  Message entry = message(Type::proxy, "a");
  entry.nodes = {kSelf};
  Message list = message(Type::state, "");
  list.value = map::compose_list(std::vector{entry}, {});
  after.hear(channel::compose_rpc({channel::RpcKind::reply, call->call, call->channel,
                                   map::compose_object(list, {})}),
             member(1), 0);
  const channel::Outgoing fetching = after.take_first();
  const auto fetch = channel::parse_rpc(fetching.body);
  BOOST_TEST_REQUIRE(fetch.has_value());
  BOOST_TEST(map::parse_object(fetch->object)->message.is(Type::retrieve_backup));
  after.wait(Maps::kSettle);
  after.outgoing.clear();
  // While it asks it lets the other one answer.
  after.ask(message(Type::retrieve_backup, "a"), member(2));
  BOOST_TEST(after.outgoing.empty());
  after.hear(channel::compose_rpc({channel::RpcKind::reply, fetch->call, fetch->channel,
                                   map::compose_object(backup("a", "new"), {})}),
             member(1), 0);
  after.ask(message(Type::retrieve_backup, "a"), member(2));
  BOOST_TEST(after.answered() == "new");
}

BOOST_AUTO_TEST_CASE(with_the_disk_as_its_word_a_map_is_acknowledged_when_written) {
  keeper::Settings settings = on_disk();
  settings.ack = keeper::AckLevel::disk;
  MapNode node(settings);
  BOOST_TEST((node.hear_map(backup("a", "book")) == Receipt::pending));
  BOOST_TEST(node.keeper.begin_commit(moment(node.time)).size() == 1U);
  channel::Outbox out;
  node.keeper.end_commit(false, out);
  BOOST_TEST_REQUIRE(out.settled.size() == 1U);
  BOOST_TEST(!out.settled[0].good);
  BOOST_TEST(node.keeper.begin_commit(moment(node.time)).size() == 1U);
}

BOOST_AUTO_TEST_CASE(one_limit_of_memory_for_both) {
  keeper::Settings settings;
  settings.store.memory_limit_bytes = 1U << 20U;
  MapNode node(settings);
  const std::string half(600'000, 'x');
  BOOST_TEST((node.hear_map(backup("a", half)) == Receipt::done));
  const auto request = keeper::test::first_request("s", test::kStart, half);
  BOOST_TEST((node.hear(session::compose_message(request)) == Receipt::refused));
  BOOST_TEST(node.count_notices(keeper::NoticeKind::memory_full) == 1U);
  node.hear_map(message(Type::remove, "a"));
  BOOST_TEST((node.hear(session::compose_message(request)) == Receipt::done));
  BOOST_TEST((node.hear_map(backup("a", half)) == Receipt::refused));
}

BOOST_AUTO_TEST_CASE(who_sends_and_is_no_member_is_forgotten) {
  MapNode node;
  node.hear_map(message(Type::start, ""), member(3));
  node.hear_map(backup("a", "book"), member(3));
  node.wait(Maps::kUnlisted);
  node.outgoing.clear();
  // Nobody is left to be told.
  node.hear_map(backup("b", "pen"), member(1));
  for (const channel::Outgoing& one : node.outgoing) {
    BOOST_TEST((one.to->identity != member(3).identity));
  }
}

namespace {

// The next question, and an answer of member 1 to it.
void answer_state(MapNode& node, channel::RpcKind kind, Buffer object) {
  const channel::Outgoing question = node.take_first();
  const auto call = channel::parse_rpc(question.body);
  BOOST_TEST_REQUIRE(call.has_value());
  BOOST_TEST(map::parse_object(call->object)->message.is(Type::state));
  node.hear(channel::compose_rpc({kind, call->call, call->channel, object}), member(1), 0);
}

keeper::CompareOutcome verified(MapNode& node) {
  node.wait(milliseconds(10));
  const auto outcomes = node.keeper.take_verified();
  BOOST_TEST_REQUIRE(outcomes.has_value());
  BOOST_TEST_REQUIRE(outcomes->size() == 1U);
  return outcomes->front();
}

}  // namespace

BOOST_AUTO_TEST_CASE(verify_tells_who_lacks_which_entry) {
  using Kind = keeper::CompareOutcome::Kind;
  MapNode node;
  node.came(member(1));
  for (const char* id : {"session-a", "session-b"}) node.hear_map(backup(id, "book"));
  node.wait(seconds(10));
  node.hear_map(backup("session-new", "book"));
  node.outgoing.clear();
  const auto ask = [&] {
    BOOST_TEST(node.keeper.begin_verify(moment(node.time), {member(1)}));
    node.wait(milliseconds(10));
  };
  ask();
  Message list = message(Type::state, "");
  list.value = map::compose_list(
      std::vector{message(Type::proxy, "session-a"), message(Type::proxy, "session-c")}, {});
  answer_state(node, channel::RpcKind::reply, map::compose_object(list, {}));
  const keeper::CompareOutcome found = verified(node);
  BOOST_TEST(found.context == kMap);
  BOOST_TEST((found.kind == Kind::compared));
  BOOST_TEST(found.here == 3U);
  BOOST_TEST(found.there == 2U);
  BOOST_TEST(found.moving == 1U);
  BOOST_TEST_REQUIRE(found.examples.size() == 2U);
  BOOST_TEST(found.examples[0].id == "session-b");
  BOOST_TEST((found.examples[0].what == keeper::Difference::lacks));
  BOOST_TEST(found.examples[1].id == "session-c");
  BOOST_TEST((found.examples[1].what == keeper::Difference::only_there));
  BOOST_TEST(node.outgoing.empty());  // nothing is healed by it

  ask();
  answer_state(node, channel::RpcKind::not_served, copy_of(map::kNullObject));
  BOOST_TEST((verified(node).kind == Kind::no_context));
  ask();
  node.wait(Maps::kCallTime);
  BOOST_TEST((verified(node).kind == Kind::no_answer));
}
