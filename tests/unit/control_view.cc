// An agent's view: there and back, within its bounds, and every way to get it wrong. One is frozen
// in vectors/wire/view.txt.
#define BOOST_TEST_MODULE control_view
#include <boost/test/unit_test.hpp>

#include "base/hex.h"
#include "control/view.h"
#include "vectors.h"

using namespace tribecast;
using namespace tribecast::control;

namespace {

constexpr std::size_t kRoom = 100000;

Peer peer_named(const std::string& name) {
  Peer peer;
  peer.name = name;
  peer.version = "1.0.0";
  peer.instance = "1122334455667788";
  peer.state = PeerState::half_open_out;
  peer.endpoint = "10.0.1.2:45565";
  peer.rtt_seconds = 0.0015;
  peer.loss_in_ratio = 0.25;
  peer.clock_offset_seconds = -3.5;
  peer.mtu_bytes = 1500;
  peer.last_heard_seconds = 0.125;
  peer.key_id = 2;
  return peer;
}

Member member_at(const std::string& host, Origin origin) {
  Member member;
  member.group = "tomcat";
  member.host = host;
  member.port = 4000;
  member.unique_id = "000102030405060708090a0b0c0d0e0f";
  member.domain = "shop";
  member.origin = origin;
  member.via = origin == Origin::remote ? "web-2" : "eth0";
  member.state = MemberState::late;
  member.interval_seconds = 0.5;
  return member;
}

View full_view() {
  View view;
  view.status.node = {"web-1", "eu", "00aabbccddeeff11", "1.0.0", 3600, ""};
  view.status.warnings = {{"agent_away", "the agent of peer web-2 has been silent"}};
  view.status.peers = {peer_named("web-2"), {}};
  view.status.peers[1].name = "web-3";
  view.status.members = {member_at("10.0.0.1", Origin::local),
                         member_at("10.0.1.2", Origin::remote)};
  view.drops = 77;
  view.groups = {{"tomcat", {*Address::parse("228.0.0.4"), 45564}, true, 3000},
                 {"six", {*Address::parse("ff02::1"), 7}, false, 3000}};
  view.ports = {{{*Address::parse("10.0.1.2"), 4000}, PortOutcome::no_answer}};
  return view;
}

std::string frozen() { return test::vector_lines("wire/view.txt").at(0).at(1); }

}  // namespace

BOOST_AUTO_TEST_CASE(it_is_as_it_was_frozen) {
  const std::string made = to_hex(encode(full_view(), kRoom));
  BOOST_TEST_MESSAGE("view " << made);
  BOOST_TEST(made == frozen());
}

BOOST_AUTO_TEST_CASE(it_comes_back) {
  const auto view = decode_view(encode(full_view(), kRoom));
  BOOST_TEST_REQUIRE(view.has_value());
  BOOST_TEST(view->status.node.name == "web-1");
  BOOST_TEST(view->status.node.site == "eu");
  BOOST_TEST(view->status.node.instance == "00aabbccddeeff11");
  BOOST_TEST(view->status.node.uptime_seconds == 3600);
  BOOST_TEST(view->drops == 77U);
  BOOST_TEST(view->status.warnings.at(0).id == "agent_away");
  BOOST_TEST(view->groups.at(1).endpoint.to_string() == "[ff02::1]:7");
  BOOST_TEST(!view->groups.at(1).tribes);
  const Peer& peer = view->status.peers.at(0);
  BOOST_TEST((peer.state == PeerState::half_open_out));
  BOOST_TEST(*peer.endpoint == "10.0.1.2:45565");
  BOOST_TEST(*peer.instance == "1122334455667788");
  BOOST_TEST(*peer.rtt_seconds == 0.0015);
  BOOST_TEST(*peer.loss_in_ratio == 0.25);
  BOOST_TEST(*peer.loss_ratio == 0.25);
  BOOST_TEST(!peer.loss_out_ratio);
  BOOST_TEST(*peer.clock_offset_seconds == -3.5);
  BOOST_TEST(*peer.mtu_bytes == 1500U);
  BOOST_TEST(*peer.last_heard_seconds == 0.125);
  BOOST_TEST(*peer.key_id == 2U);
  const Peer& unknown = view->status.peers.at(1);
  BOOST_TEST(!(unknown.instance || unknown.endpoint || unknown.rtt_seconds || unknown.loss_ratio));
  BOOST_TEST(!(unknown.clock_offset_seconds || unknown.mtu_bytes || unknown.last_heard_seconds));
  const Member& member = view->status.members.at(1);
  BOOST_TEST(member.host == "10.0.1.2");
  BOOST_TEST(member.unique_id == "000102030405060708090a0b0c0d0e0f");
  BOOST_TEST(member.domain == "shop");
  BOOST_TEST(member.via == "web-2");
  BOOST_TEST((member.state == MemberState::late));
  BOOST_TEST((member.origin == Origin::remote));
  BOOST_TEST((view->status.members.at(0).origin == Origin::local));
  BOOST_TEST(view->ports.size() == 1U);
  BOOST_TEST((view->ports.at(0).outcome == PortOutcome::no_answer));
}

BOOST_AUTO_TEST_CASE(cut_off_anywhere_it_is_none) {
  const Buffer whole = encode(full_view(), kRoom);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    BOOST_TEST(!decode_view(Bytes(whole).first(size)).has_value());
  }
  Buffer later = whole;
  later.push_back(1);  // of a later version
  BOOST_TEST(decode_view(later).has_value());
  later[0] = 2;
  BOOST_TEST(!decode_view(later).has_value());
}

BOOST_AUTO_TEST_CASE(what_does_not_fit_is_left_out_and_counted) {
  View view = full_view();
  for (int i = 0; i < 1022; ++i)
    view.status.peers.push_back(peer_named("peer-" + std::to_string(i)));
  for (int i = 0; i < 4094; ++i) {
    view.status.members.push_back(member_at(
        "10.1." + std::to_string(i / 250) + "." + std::to_string(i % 250), Origin::remote));
  }
  for (const std::size_t most : {std::size_t{8192}, std::size_t{65536}, std::size_t{130560}}) {
    const Buffer bytes = encode(view, most);
    BOOST_TEST(bytes.size() <= most);
    const auto back = decode_view(bytes);
    BOOST_TEST_REQUIRE(back.has_value());
    BOOST_TEST(back->status.peers.size() + back->peers_left_out == 1024U);
    BOOST_TEST(back->status.members.size() + back->members_left_out == 4096U);
    BOOST_TEST((back->status.members.at(0).origin == Origin::local));
  }
}

BOOST_AUTO_TEST_CASE(a_roll_call_comes_back) {
  const RollCall agents = {{"", CallAnswer::whole, Buffer{1, 2, 255}, 0.5},
                           {"web-2", CallAnswer::no_session, {}, 0}};
  const auto back = read_roll_call_reply(roll_call_reply(agents));
  BOOST_TEST_REQUIRE(static_cast<bool>(back));
  BOOST_TEST(back->size() == 2U);
  BOOST_TEST(back->at(0).view == agents[0].view);
  BOOST_TEST(back->at(0).age_seconds == 0.5);
  BOOST_TEST(back->at(1).peer == "web-2");
  BOOST_TEST((back->at(1).answer == CallAnswer::no_session));
  BOOST_TEST(!read_roll_call_reply("{\"ok\":false,\"exit\":64,\"error\":\"x\"}"));
}
