// Remote calls: every golden one is read and written again; replies find their calls.
#define BOOST_TEST_MODULE channel_rpc
#include <boost/test/unit_test.hpp>

#include "channel_fixture.h"
#include "engine/channel/rpc.h"

using namespace tribecast;
using namespace tribecast::channel;
using channel::test::at;
using channel::test::golden;
using channel::test::member;

namespace {

const std::vector<std::pair<std::string, RpcKind>> kCalls = {
    {"rpc_request", RpcKind::request},
    {"rpc_reply", RpcKind::reply},
    {"rpc_reply_null", RpcKind::reply},
    {"no_rpc_channel_reply", RpcKind::not_served},
    {"map02_retrieve_backup_request_rpc", RpcKind::request},
    {"map05_state_reply_empty_rpc", RpcKind::reply},
    {"map05_state_request_rpc", RpcKind::request},
    {"map05_state_reply_rpc", RpcKind::reply},
    {"map06_start_rpc", RpcKind::request},
    {"map08_init_rpc", RpcKind::request},
    {"map13_ping_request_rpc", RpcKind::request},
    {"map13_ping_reply_initialized_rpc", RpcKind::reply},
};

CallNumber number(std::uint8_t n) {
  CallNumber made{};
  made.fill(n);
  return made;
}

RpcView reply_to(const CallNumber& call, RpcKind kind = RpcKind::reply) {
  static const Buffer kNothing = {0x70};
  return {kind, call, bytes_of("map"), kind == RpcKind::reply ? Bytes(kNothing) : Bytes()};
}

}  // namespace

BOOST_AUTO_TEST_CASE(every_golden_call_is_read_and_written_again) {
  for (const char* version : channel::test::kVersions) {
    for (const auto& [name, kind] : kCalls) {
      BOOST_TEST_CONTEXT(version << " " << name) {
        const Buffer body = golden(version, "rpc/" + name);
        const auto rpc = parse_rpc(body);
        BOOST_REQUIRE(rpc.has_value());
        BOOST_TEST((rpc->kind == kind));
        BOOST_TEST(rpc->call.size() == 16U);
        BOOST_TEST(view_of(rpc->channel) == "localhost#/app-map");
        BOOST_TEST(same(compose_rpc(*rpc), body));
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(a_long_channel_name_goes_into_a_long_block) {
  const std::string name(300, 'x');
  const Buffer body = compose_rpc({RpcKind::request, number(1), bytes_of(name), Buffer{0x70}});
  const auto rpc = parse_rpc(body);
  BOOST_REQUIRE(rpc.has_value());
  BOOST_TEST(view_of(rpc->channel) == name);
}

BOOST_AUTO_TEST_CASE(what_is_no_call_is_none) {
  const Buffer body = golden("10.1.60", "rpc/rpc_request");
  for (std::size_t size = 0; size < body.size(); ++size) {
    if (!parse_rpc(Bytes(body).first(size))) continue;
    // Cut behind a byte that happens to end it: still within the object.
    BOOST_TEST(size > body.size() - 20);
  }
  BOOST_TEST(!parse_rpc(bytes_of("something else")).has_value());
}

BOOST_AUTO_TEST_CASE(the_first_reply_ends_a_call_that_wants_one) {
  RpcCalls calls;
  const auto a = member(1).identity;
  const auto b = member(2).identity;
  BOOST_TEST(calls.begin(at(seconds(5)), number(1), RpcCalls::Wants::first_reply, {a, b}));
  BOOST_TEST(!calls.begin(at(seconds(5)), number(1), RpcCalls::Wants::first_reply, {a}));
  const auto outcome = calls.on_reply(b, reply_to(number(1)));
  BOOST_REQUIRE(outcome.answer.has_value());
  BOOST_TEST((outcome.answer->from == b));
  BOOST_REQUIRE(outcome.ended.size() == 1U);
  BOOST_TEST(outcome.ended[0].answers == 1U);
  BOOST_TEST(calls.open() == 0U);
  BOOST_TEST(!calls.on_reply(a, reply_to(number(1))).answer.has_value());  // left over
}

BOOST_AUTO_TEST_CASE(who_serves_no_call_does_not_end_it_for_the_others) {
  RpcCalls calls;
  const auto a = member(1).identity;
  const auto b = member(2).identity;
  calls.begin(at(seconds(5)), number(1), RpcCalls::Wants::first_reply, {a, b});
  const auto refused = calls.on_reply(a, reply_to(number(1), RpcKind::not_served));
  BOOST_TEST(!refused.answer->served);
  BOOST_TEST(refused.ended.empty());
  BOOST_TEST(!calls.on_reply(a, reply_to(number(1))).answer.has_value());  // once each
  BOOST_TEST(calls.on_reply(b, reply_to(number(1))).ended.size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_call_to_all_ends_with_the_last_reply_death_or_its_time) {
  RpcCalls calls;
  const auto a = member(1).identity;
  const auto b = member(2).identity;
  const auto all = RpcCalls::Wants::all_replies;
  calls.begin(at(seconds(5)), number(1), all, {a, b});
  calls.begin(at(seconds(9)), number(2), all, {a, b});
  BOOST_TEST((calls.next_deadline() == at(seconds(5))));
  BOOST_TEST(calls.on_reply(a, reply_to(number(1))).ended.empty());
  const auto gone = calls.on_gone(b);
  BOOST_REQUIRE(gone.ended.size() == 1U);
  BOOST_TEST(gone.ended[0].answers == 1U);
  BOOST_TEST((gone.ended[0].silent == std::vector{b}));
  BOOST_TEST(calls.on_timer(at(seconds(8))).ended.empty());
  const auto late = calls.on_timer(at(seconds(9)));
  BOOST_REQUIRE(late.ended.size() == 1U);
  BOOST_TEST((late.ended[0].silent == std::vector{a}));
  BOOST_TEST((calls.next_deadline() == kNever));
}

BOOST_AUTO_TEST_CASE(open_calls_are_bounded) {
  RpcCalls calls;
  for (std::size_t i = 0; i < RpcCalls::kMaxCalls; ++i) {
    CallNumber n{};
    n[0] = static_cast<std::uint8_t>(i);
    n[1] = static_cast<std::uint8_t>(i >> 8U);
    BOOST_REQUIRE(calls.begin(at({}), n, RpcCalls::Wants::first_reply, {member(1).identity}));
  }
  BOOST_TEST(!calls.begin(at({}), number(255), RpcCalls::Wants::first_reply, {member(1).identity}));
}
