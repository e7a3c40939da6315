// `ack = peer`: a sender is acknowledged once another engine has what its message changed.
#define BOOST_TEST_MODULE keeper_copies
#include <boost/test/unit_test.hpp>

#include "engine/keeper/digest_message.h"
#include "keeper_fixture.h"

using namespace tribecast;
using namespace tribecast::keeper;
using namespace tribecast::keeper::test;
using channel::Receipt;
using channel::SendOutcome;
using tribecast::test::kContext;
using tribecast::test::kStart;

namespace {

const tribes::OwnedMember kOne = engine(11, 60'000);
const tribes::OwnedMember kTwo = engine(12, 60'000);

Settings with_peer() {
  Settings settings;
  settings.ack = AckLevel::peer;
  settings.digests.every = seconds(3600);
  return settings;
}

bool is_records(const channel::Outgoing& outgoing) {
  const auto message = session::parse_message(outgoing.body);
  return message && message->event == static_cast<std::int32_t>(EngineEvent::records);
}

struct Side : Node {
  explicit Side(const std::vector<tribes::OwnedMember>& engines) : Node(with_peer()) {
    for (const tribes::OwnedMember& engine : engines) came(engine);
  }
  // Messages of records that wait to be sent; what it asks for is lost.
  std::size_t waiting() {
    std::erase_if(outgoing, [](const channel::Outgoing& one) { return !is_records(one); });
    return outgoing.size();
  }
  session::Message sent_records(SendOutcome outcome = SendOutcome::acknowledged) {
    BOOST_TEST_REQUIRE(waiting() > 0U);
    return sent(outcome);
  }
};

bool has(const Node& node, const std::string& id) {
  return node.keeper.store().find(kContext, id, moment(node.time).now) != nullptr;
}

}  // namespace

BOOST_AUTO_TEST_CASE(it_acknowledges_what_another_engine_has) {
  Side node({kOne});
  BOOST_TEST((node.hear(first_request("a", kStart)) == Receipt::pending));
  BOOST_TEST(node.settled.empty());
  BOOST_TEST_REQUIRE(node.waiting() == 1U);
  const session::Message records = node.sent_records();
  BOOST_TEST((node.last_to == kOne.identity));
  BOOST_TEST(node.last_options == channel::option::kProcessed);
  BOOST_TEST_REQUIRE(node.settled.size() == 1U);
  BOOST_TEST(node.settled[0].id == 1U);
  BOOST_TEST(node.settled[0].good);
  BOOST_TEST(node.keeper.copies().counters().copied == 1U);

  // The other one, which waits for nobody before it says so.
  Side other({kTwo});
  BOOST_TEST((other.hear(records, kTwo) == Receipt::done));
  BOOST_TEST(
      (other.keeper.store().version(kContext, "a") == node.keeper.store().version(kContext, "a")));
}

BOOST_AUTO_TEST_CASE(who_does_not_wait_is_not_waited_for) {
  Side node({kOne});
  const Buffer body = session::compose_message(first_request("a", kStart));
  BOOST_TEST((node.hear(body, member(1), channel::option::kAsynchronous) == Receipt::done));
  BOOST_TEST(node.waiting() == 0U);
}

BOOST_AUTO_TEST_CASE(what_comes_meanwhile_is_one_message) {
  Side node({kOne});
  node.hear(first_request("a", kStart));
  node.hear(first_request("b", kStart));
  node.hear(tribecast::test::delta("a", kStart + 1, {tribecast::test::set("cart", "more")}));
  BOOST_TEST(node.waiting() == 1U);
  node.sent_records();
  BOOST_TEST(node.settled.size() == 1U);
  BOOST_TEST_REQUIRE(node.waiting() == 1U);
  const session::Message second = node.sent_records();
  BOOST_TEST(node.settled.size() == 3U);
  BOOST_TEST(node.waiting() == 0U);
  Side other({kTwo});
  other.hear(second, kTwo);
  for (const char* id : {"a", "b"}) {
    BOOST_TEST(
        (other.keeper.store().version(kContext, id) == node.keeper.store().version(kContext, id)));
  }
}

BOOST_AUTO_TEST_CASE(an_end_and_another_id_are_copied_too) {
  Side node({kOne});
  Side other({kTwo});
  const auto say = [&](const session::Message& message) {
    BOOST_TEST((node.hear(message) == Receipt::pending));
    other.hear(node.sent_records(), kTwo);
    BOOST_TEST(node.settled.back().good);
  };
  say(first_request("a", kStart));
  say(tribecast::test::change("a", "b", kStart + 1));
  BOOST_TEST(!has(other, "a"));
  BOOST_TEST(has(other, "b"));
  say(tribecast::test::event(session::Event::expired, "b", kStart + 2));
  BOOST_TEST(!has(other, "b"));
  other.hear(first_request("b", kStart));
  BOOST_TEST(!has(other, "b"));
}

BOOST_AUTO_TEST_CASE(what_changes_nothing_is_acknowledged_at_once) {
  Side node({kOne});
  session::Message damaged = first_request("a", kStart);
  damaged.payload = Buffer(9, 0xff);
  BOOST_TEST((node.hear(damaged) == Receipt::pending));
  BOOST_TEST(node.waiting() == 0U);
  BOOST_TEST_REQUIRE(node.settled.size() == 1U);
  BOOST_TEST(node.settled[0].good);
}

BOOST_AUTO_TEST_CASE(who_asks_or_tells_of_a_context_does_not_wait) {
  Side node({});
  BOOST_TEST((node.hear(get_all()) == Receipt::done));
  BOOST_TEST((node.hear(complete()) == Receipt::done));
  BOOST_TEST(node.keeper.copies().counters().refused == 0U);
}

BOOST_AUTO_TEST_CASE(what_is_held_for_its_creation_is_copied) {
  Side node({kOne});
  BOOST_TEST((node.hear(tribecast::test::delta("a", kStart, {})) == Receipt::pending));
  node.sent_records();
  BOOST_TEST(node.settled.size() == 1U);
}

BOOST_AUTO_TEST_CASE(without_another_engine_it_refuses_and_keeps) {
  Side node({});
  BOOST_TEST((node.hear(first_request("a", kStart)) == Receipt::refused));
  BOOST_TEST(has(node, "a"));
  BOOST_TEST(node.count_notices(NoticeKind::copies_fail) == 1U);
  node.hear(first_request("b", kStart));
  BOOST_TEST(node.count_notices(NoticeKind::copies_fail) == 1U);
  BOOST_TEST(node.keeper.copies().counters().refused == 2U);
  node.came(kOne);
  BOOST_TEST(node.count_notices(NoticeKind::copies_taken) == 1U);
  BOOST_TEST((node.hear(first_request("c", kStart)) == Receipt::pending));
}

BOOST_AUTO_TEST_CASE(who_does_not_take_it_is_followed_by_the_next_one) {
  Side node({kOne, kTwo});
  node.hear(first_request("a", kStart));
  node.sent_records(SendOutcome::failed);
  BOOST_TEST(node.settled.empty());
  BOOST_TEST_REQUIRE(node.waiting() == 1U);
  node.sent_records();
  BOOST_TEST((node.last_to == kTwo.identity));
  BOOST_TEST_REQUIRE(node.settled.size() == 1U);
  BOOST_TEST(node.settled[0].good);
  // It stays with that one, and none is left.
  node.hear(first_request("b", kStart));
  node.sent_records(SendOutcome::refused);
  BOOST_TEST((node.last_to == kTwo.identity));
  node.sent_records(SendOutcome::failed);
  BOOST_TEST_REQUIRE(node.settled.size() == 2U);
  BOOST_TEST(!node.settled[1].good);
  BOOST_TEST(node.count_notices(NoticeKind::copies_fail) == 1U);
}

BOOST_AUTO_TEST_CASE(those_that_wait_when_the_last_engine_goes_are_refused) {
  Side node({kOne});
  node.hear(first_request("a", kStart));
  node.hear(first_request("b", kStart));
  node.lost(kOne);
  node.sent_records(SendOutcome::failed);
  BOOST_TEST_REQUIRE(node.settled.size() == 2U);
  BOOST_TEST(!node.settled[0].good);
  BOOST_TEST(!node.settled[1].good);
}

BOOST_AUTO_TEST_CASE(records_are_taken_from_engines_alone) {
  Side node({kOne});
  node.hear(first_request("a", kStart));
  const session::Message records = node.sent_records();
  Side other({kTwo});
  BOOST_TEST((other.hear(records, member(1)) == Receipt::refused));
  BOOST_TEST(!has(other, "a"));
  session::Message damaged = records;
  damaged.payload->resize(damaged.payload->size() / 2);
  BOOST_TEST((other.hear(damaged, kTwo) == Receipt::refused));
}
