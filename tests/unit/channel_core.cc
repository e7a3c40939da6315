// The channel as a whole: what is acknowledged when, what is delivered once, what is sent to whom.
#define BOOST_TEST_MODULE channel_core
#include <boost/test/unit_test.hpp>

#include "channel_fixture.h"
#include "engine/channel/channel.h"

using namespace tribecast;
using namespace tribecast::channel;
using channel::test::golden;
using channel::test::member;
using channel::test::moment;

namespace {

constexpr ConnectionId kConnection = 7;

// Does what it is told, and writes down what it was given.
class Scripted : public Application {
 public:
  Receipt receive(const Moment&, const Delivery& delivery, Outbox& out) override {
    bodies.push_back(text_of(delivery.body));
    last = delivery.id;
    for (Outgoing& one : answers) out.messages.push_back(std::move(one));
    answers.clear();
    return receipt;
  }
  void on_member(const Moment&, const MemberEvent&, Outbox&) override { ++member_events; }
  void on_sent(const Moment&, SendId id, const tribes::Identity&, SendOutcome outcome,
               Outbox&) override {
    sent.emplace_back(id, outcome);
  }
  void on_timer(const Moment&, Outbox& out) override {
    deadline = kNever;
    for (Outgoing& one : answers) out.messages.push_back(std::move(one));
    answers.clear();
  }
  [[nodiscard]] Instant next_deadline() const override { return deadline; }
  [[nodiscard]] bool has_state() const override { return in_sync; }

  Receipt receipt = Receipt::done;
  std::vector<std::string> bodies;
  std::vector<Outgoing> answers;
  std::vector<std::pair<SendId, SendOutcome>> sent;
  DeliveryId last = 0;
  int member_events = 0;
  Instant deadline = kNever;
  bool in_sync = true;
};

ChannelSettings settings() {
  ChannelSettings made;
  made.self = member(100, 3600000);
  return made;
}

struct Node {
  explicit Node(ChannelSettings with = settings(), Stack stack = {})
      : channel(std::move(with), std::move(stack), application, channel::test::counting_random(),
                moment().now) {}

  // The data of a frame from member 1.
  static Buffer data(std::string_view body, std::uint32_t options, std::uint8_t unique = 1,
                     std::uint8_t sender = 1) {
    const tribes::OwnedMember from = member(sender);
    const Buffer id(16, unique);
    return compose_message({options, 1, id, from.view(), bytes_of(body)});
  }
  Actions frame(Bytes bytes, ConnectionId connection = kConnection) {
    Actions actions;
    good = channel.on_frame(now, connection, bytes, actions);
    return actions;
  }
  Actions frame(std::string_view body, std::uint32_t options, std::uint8_t unique = 1) {
    return frame(data(body, options, unique));
  }
  Actions settle(bool with) {
    Actions actions;
    Outbox outbox;
    outbox.settled.push_back({application.last, with});
    channel.carry_out(now, std::move(outbox), actions);
    return actions;
  }
  void come(std::uint8_t who) {
    Actions actions;
    channel.on_datagram(now, tribes::compose_member(member(who).view()), actions);
    channel.on_probed(now, member(who).identity, ProbeResult::reached, actions);
  }
  Actions send(Outgoing outgoing) {
    Actions actions;
    Outbox outbox;
    outbox.messages.push_back(std::move(outgoing));
    channel.carry_out(now, std::move(outbox), actions);
    return actions;
  }

  Moment now = moment();
  Scripted application;
  Channel channel;
  bool good = true;
};

std::string replies(const Actions& actions) {
  std::string all;
  for (const FrameDone& done : actions.done) {
    all += !done.reply ? "-" : *done.reply == Acknowledgement::good ? "ack" : "fail";
    all += done.connection == kConnection ? ";" : "@other;";
  }
  return all;
}

Message message_in(const Transmit& transmit, std::size_t nth = 0) {
  FrameDecoder decoder(1 << 20);
  decoder.feed(transmit.frames->at(nth));
  const auto data = decoder.next();
  BOOST_REQUIRE(data.has_value());
  return Message::of(*parse_message(*data));
}

tribes::OwnedMember beat_in(const Actions& actions) {
  BOOST_REQUIRE(actions.datagrams.size() == 1U);
  return tribes::OwnedMember::of(*tribes::parse_member(actions.datagrams[0]));
}

}  // namespace

BOOST_AUTO_TEST_CASE(frames_are_acknowledged_as_their_options_ask) {
  struct Case {
    std::uint32_t options;
    const char* done;
    const char* refused;
  };
  for (const Case& one :
       {Case{0, "-;", "-;"}, Case{2, "ack;", "ack;"}, Case{4, "-;", "-;"}, Case{6, "ack;", "fail;"},
        Case{8, "-;", "-;"}, Case{10, "ack;", "ack;"}, Case{14, "ack;", "fail;"}}) {
    Node node;
    BOOST_TEST(replies(node.frame("x", one.options, 1)) == one.done, one.options);
    node.application.receipt = Receipt::refused;
    BOOST_TEST(replies(node.frame("x", one.options, 2)) == one.refused, one.options);
    BOOST_TEST(node.application.bodies.size() == 2U);
  }
}

BOOST_AUTO_TEST_CASE(what_is_pending_is_acknowledged_when_it_is_settled) {
  for (const bool stored : {true, false}) {
    Node node;
    node.application.receipt = Receipt::pending;
    BOOST_TEST(replies(node.frame("x", 6)).empty());
    BOOST_TEST(replies(node.settle(stored)) == (stored ? "ack;" : "fail;"));
    BOOST_TEST(replies(node.settle(stored)).empty());  // once
  }
  Node node;
  node.application.receipt = Receipt::pending;
  BOOST_TEST(replies(node.frame("x", 2)) == "ack;");  // on receipt
  ChannelSettings safe = settings();
  safe.acknowledges_when_done = true;
  Node other(safe);
  other.application.receipt = Receipt::pending;
  BOOST_TEST(replies(other.frame("x", 2)).empty());
  BOOST_TEST(replies(other.settle(true)) == "ack;");
}

BOOST_AUTO_TEST_CASE(an_acknowledgement_of_the_receipt_may_mean_more) {
  ChannelSettings with = settings();
  with.acknowledges_when_done = true;
  Node node(with);
  node.application.receipt = Receipt::pending;
  BOOST_TEST(replies(node.frame("a", option::kUseAck)).empty());
  BOOST_TEST(replies(node.settle(true)) == "ack;");
  BOOST_TEST(replies(node.frame("b", option::kUseAck | option::kAsynchronous, 2)).empty());
  BOOST_TEST(replies(node.settle(false)) == "fail;");
  // Who does not wait is not made to.
  BOOST_TEST(replies(node.frame("c", option::kAsynchronous, 3)) == "-;");
}

BOOST_AUTO_TEST_CASE(a_connection_that_is_gone_is_not_answered) {
  Node node;
  node.application.receipt = Receipt::pending;
  node.frame("x", 6);
  node.channel.on_disconnected(kConnection);
  BOOST_TEST(replies(node.settle(true)).empty());
}

BOOST_AUTO_TEST_CASE(a_repeated_message_is_delivered_once_and_acknowledged_again) {
  Node node;
  BOOST_TEST(replies(node.frame("x", 6)) == "ack;");
  BOOST_TEST(replies(node.frame("x", 6)) == "ack;");
  BOOST_TEST(node.application.bodies.size() == 1U);
  BOOST_TEST(node.channel.counters().repeated == 1U);
}

BOOST_AUTO_TEST_CASE(a_message_that_was_refused_is_looked_at_again) {
  Node node;
  node.application.receipt = Receipt::refused;
  BOOST_TEST(replies(node.frame("x", 6)) == "fail;");
  node.application.receipt = Receipt::done;
  BOOST_TEST(replies(node.frame("x", 6)) == "ack;");
  BOOST_TEST(node.application.bodies.size() == 2U);
}

BOOST_AUTO_TEST_CASE(a_repetition_of_what_is_pending_waits_with_it) {
  Node node;
  node.application.receipt = Receipt::pending;
  node.frame("x", 6);
  BOOST_TEST(replies(node.frame(Node::data("x", 6), 8)).empty());
  BOOST_TEST(node.application.bodies.size() == 1U);
  BOOST_TEST(replies(node.settle(true)) == "ack;ack@other;");
}

BOOST_AUTO_TEST_CASE(remembered_ids_are_bounded) {
  Node node;
  for (std::size_t i = 0; i <= Channel::kRemembered; ++i) {
    Buffer id(16);
    SpanWriter(id).u32be(static_cast<std::uint32_t>(i));
    const tribes::OwnedMember from = member(1);
    node.frame(compose_message({8, 1, id, from.view(), bytes_of("x")}));
  }
  const std::size_t before = node.application.bodies.size();
  const tribes::OwnedMember from = member(1);
  node.frame(compose_message({8, 1, Buffer(16), from.view(), bytes_of("x")}));
  BOOST_TEST(node.application.bodies.size() == before + 1);  // the oldest is forgotten
}

BOOST_AUTO_TEST_CASE(notes_reach_no_application_and_are_acknowledged) {
  for (const char* version : channel::test::kVersions) {
    for (const char* name : {"probe_failure_detector", "probe_failure_detector_readtest",
                             "tcp_ping", "static_member_start", "static_member_stop"}) {
      Node node;
      FrameDecoder decoder(1 << 20);
      decoder.feed(golden(version, std::string("frame/") + name));
      const Buffer data = copy_of(*decoder.next());
      const bool asks = std::string(name).ends_with("readtest");
      BOOST_TEST(replies(node.frame(data)) == (asks ? "ack;" : "-;"), name);
      BOOST_TEST(node.application.bodies.empty());
      BOOST_TEST(node.channel.counters().notes == 1U);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_probe_in_the_name_of_the_probed_is_answered) {  // Tomcat 7.0
  Node node;
  const tribes::OwnedMember self = settings().self;
  const Buffer id(16, 1);
  const Buffer data = compose_message({3, 1, id, self.view(), note_body(Note::probe)});
  BOOST_TEST(replies(node.frame(data)) == "ack;");
}

BOOST_AUTO_TEST_CASE(what_is_no_message_ends_the_connection) {
  Node node;
  BOOST_TEST(node.frame(bytes_of("\x06\x02\x03")).done.empty());
  BOOST_TEST(!node.good);
  BOOST_TEST(node.channel.counters().bad_frames == 1U);
}

BOOST_AUTO_TEST_CASE(a_sender_that_is_not_let_in_is_acknowledged_and_ignored) {
  ChannelSettings with = settings();
  with.membership.allowed = {*Prefix::parse("10.99.0.0/16")};
  Node node(with);
  BOOST_TEST(replies(node.frame("x", 6)) == "ack;");
  BOOST_TEST(node.application.bodies.empty());
  BOOST_TEST(node.channel.counters().refused_senders == 1U);
}

BOOST_AUTO_TEST_CASE(a_call_that_nobody_serves_is_answered_so) {
  Node node;
  node.application.receipt = Receipt::not_served;
  const Buffer request = golden("10.1.60", "rpc/rpc_request");
  const Actions actions = node.frame(Node::data(view_of(request), 2));
  BOOST_REQUIRE(actions.transmits.size() == 1U);
  const Transmit& reply = actions.transmits[0];
  BOOST_TEST(!reply.wants_ack);
  BOOST_TEST(reply.endpoint.to_string() == "10.81.0.1:4000");
  BOOST_TEST(same(message_in(reply).body, golden("10.1.60", "rpc/no_rpc_channel_reply")));
  // Neither a reply nor anything else is.
  const Buffer answer = golden("10.1.60", "rpc/rpc_reply");
  BOOST_TEST(node.frame(Node::data(view_of(answer), 2, 2)).transmits.empty());
  BOOST_TEST(node.frame("x", 2, 3).transmits.empty());
}

BOOST_AUTO_TEST_CASE(a_message_to_all_goes_to_those_who_are_up) {
  Node node;
  BOOST_TEST(node.send({}).transmits.empty());
  node.come(1);
  node.come(2);
  Outgoing outgoing;
  outgoing.id = 5;
  outgoing.options = 6;
  outgoing.body = copy_of(bytes_of("hello"));
  const Actions actions = node.send(outgoing);
  BOOST_REQUIRE(actions.transmits.size() == 2U);
  BOOST_TEST(actions.transmits[0].frames == actions.transmits[1].frames);  // composed once
  BOOST_TEST(actions.transmits[0].wants_ack);
  const Message message = message_in(actions.transmits[0]);
  BOOST_TEST(view_of(message.body) == "hello");
  BOOST_TEST((message.sender.identity == settings().self.identity));
  BOOST_TEST(message.timestamp_milliseconds == node.now.wall_milliseconds);

  Actions later;
  node.channel.on_transmitted(node.now, actions.transmits[0].id, SendOutcome::acknowledged, later);
  node.channel.on_transmitted(node.now, actions.transmits[1].id, SendOutcome::failed, later);
  BOOST_REQUIRE(node.application.sent.size() == 2U);
  BOOST_TEST((node.application.sent[1] == std::pair<SendId, SendOutcome>(5, SendOutcome::failed)));
  BOOST_TEST(later.probes.size() == 1U);  // is it still there?
}

BOOST_AUTO_TEST_CASE(a_message_is_forwarded_as_what_it_is) {
  Node node;
  Outgoing outgoing;
  outgoing.to = member(3);
  outgoing.options = 8;
  outgoing.unique_id = Buffer(16, 99);
  const Actions actions = node.send(outgoing);
  BOOST_REQUIRE(actions.transmits.size() == 1U);
  BOOST_TEST(same(message_in(actions.transmits[0]).unique_id, Buffer(16, 99)));
  BOOST_TEST(!actions.transmits[0].wants_ack);
}

BOOST_AUTO_TEST_CASE(what_goes_nowhere_has_failed) {
  Node node;
  Outgoing outgoing;
  outgoing.id = 3;
  outgoing.to = member(3);
  outgoing.to->identity.port = 0;
  BOOST_TEST(node.send(outgoing).transmits.empty());
  BOOST_REQUIRE(node.application.sent.size() == 1U);
  BOOST_TEST((node.application.sent[0].second == SendOutcome::failed));
}

BOOST_AUTO_TEST_CASE(numbered_messages_are_composed_for_each) {
  std::vector<std::unique_ptr<Interceptor>> from_top;
  class PerMember : public Interceptor {
   public:
    void send(const Context&, const tribes::Identity& to, Message message, Messages& out) override {
      message.body.push_back(to.host.back());
      out.push_back(std::move(message));
    }
    void receive(const Context&, Message message, Messages& out) override {
      out.push_back(std::move(message));
    }
    [[nodiscard]] bool sends_alike() const override { return false; }
  };
  from_top.push_back(std::make_unique<PerMember>());
  Node node(settings(), Stack(std::move(from_top)));
  node.come(1);
  node.come(2);
  const Actions actions = node.send({});
  BOOST_REQUIRE(actions.transmits.size() == 2U);
  BOOST_TEST(message_in(actions.transmits[0]).body.back() !=
             message_in(actions.transmits[1]).body.back());
}

BOOST_AUTO_TEST_CASE(one_who_goes_is_disconnected_and_told_of) {
  Node node;
  node.come(1);
  BOOST_TEST(node.application.member_events == 1);
  tribes::OwnedMember leaving = member(1);
  leaving.command = copy_of(tribes::shutdown_command());
  Actions actions;
  node.channel.on_datagram(node.now, tribes::compose_member(leaving.view()), actions);
  BOOST_TEST(node.application.member_events == 2);
  BOOST_REQUIRE(actions.disconnect.size() == 1U);
  BOOST_TEST((actions.disconnect[0] == member(1).identity));
}

BOOST_AUTO_TEST_CASE(it_keeps_its_age_and_is_young_without_state) {
  Node node;
  Actions actions;
  node.channel.start(node.now, actions);
  BOOST_TEST(beat_in(actions).alive_milliseconds == 3600000U);
  Actions second;
  BOOST_TEST((node.channel.next_deadline() == moment(milliseconds(500)).now));
  node.channel.on_timer(moment(milliseconds(500)), second);
  BOOST_TEST(beat_in(second).alive_milliseconds == 3600500U);
  node.application.in_sync = false;
  Actions third;
  node.channel.on_timer(moment(seconds(1)), third);
  const auto young = beat_in(third).alive_milliseconds;
  BOOST_TEST(young < 100U);
  Actions fourth;
  node.channel.on_timer(moment(milliseconds(1500)), fourth);
  BOOST_TEST(beat_in(fourth).alive_milliseconds > young);
}

BOOST_AUTO_TEST_CASE(it_says_goodbye) {
  Node node;
  Actions actions;
  node.channel.stop(node.now, actions);
  BOOST_REQUIRE(actions.datagrams.size() == 1U);
  BOOST_TEST(tribes::parse_member(actions.datagrams[0])->is_shutdown());
}

BOOST_AUTO_TEST_CASE(static_members_are_told_and_probed) {
  ChannelSettings with = settings();
  with.multicast = false;
  with.membership.static_members = {{{Address::v4(0x0a510001), 4000}, std::nullopt, {}}};
  Node node(with);
  Actions actions;
  node.channel.start(node.now, actions);
  BOOST_TEST(actions.datagrams.empty());
  BOOST_REQUIRE(actions.transmits.size() == 1U);
  BOOST_TEST((note_in(message_in(actions.transmits[0]).body) == Note::static_start));
  BOOST_REQUIRE(actions.probes.size() == 1U);
  FrameDecoder decoder(1 << 20);
  decoder.feed(actions.probes[0].frame);
  const auto probe = parse_message(*decoder.next());
  BOOST_TEST(probe->options == option::kByteMessage);
  BOOST_TEST((note_in(probe->body) == Note::probe));
  Actions end;
  node.channel.stop(node.now, end);
  BOOST_TEST((note_in(message_in(end.transmits.at(0)).body) == Note::static_stop));
}

BOOST_AUTO_TEST_CASE(broadcasts_of_the_group_are_delivered_and_never_acknowledged) {
  Node node;
  Actions actions;
  node.channel.on_datagram(node.now, compose_frame(Node::data("all", 0x46)), actions);
  BOOST_TEST((node.application.bodies == std::vector<std::string>{"all"}));
  BOOST_TEST(actions.done.empty());
  node.channel.on_datagram(node.now, bytes_of("FLT2002 nonsense"), actions);
  BOOST_TEST(node.channel.counters().bad_datagrams == 1U);
}

BOOST_AUTO_TEST_CASE(the_application_is_called_at_its_time) {
  Node node;
  Actions actions;
  node.channel.start(node.now, actions);
  node.application.deadline = moment(milliseconds(100)).now;
  BOOST_TEST((node.channel.next_deadline() == node.application.deadline));
  Outgoing outgoing;
  outgoing.to = member(1);
  node.application.answers.push_back(outgoing);
  Actions later;
  node.channel.on_timer(moment(milliseconds(100)), later);
  BOOST_TEST(later.transmits.size() == 1U);
  BOOST_TEST(later.datagrams.empty());
}
