// Engines that compare digests: several keepers on one clock, messages between them that get lost,
// partitions. No Tomcat repeats anything here: what an engine missed it has from another engine, or
// not at all.
#define BOOST_TEST_MODULE keeper_digests
#include <boost/test/unit_test.hpp>
#include <functional>
#include <map>
#include <random>

#include "engine/keeper/digest_message.h"
#include "keeper_fixture.h"

using namespace tribecast;
using namespace tribecast::keeper;
using namespace tribecast::keeper::test;
using channel::SendOutcome;
using session::ActionType;
using tribecast::test::kContext;
using tribecast::test::kStart;

namespace {

// Engines that hear Tomcats at once, or not at all, and each other after 10 ms.
class Engines {
 public:
  using Loses = std::function<bool(std::size_t from, std::size_t to)>;

  explicit Engines(std::size_t count, const Settings& settings = {}) {
    for (std::size_t i = 0; i < count; ++i) nodes_.push_back(std::make_unique<Node>(settings));
    for (std::size_t i = 0; i < count; ++i) {
      for (std::size_t j = 0; j < count; ++j) {
        if (i != j) nodes_[i]->came(at(j));
      }
    }
    run(seconds(3));
    kinds.clear();
  }

  // Some hear this, the others do not.
  void tell(const session::Message& message, const std::vector<std::size_t>& who) {
    for (const std::size_t i : who) {
      nodes_[i]->time = now_;
      nodes_[i]->hear(message);
    }
  }
  void run(Duration so_long) {
    const Duration end = now_ + so_long;
    for (; now_ < end; now_ += milliseconds(10)) step();
  }
  // What it has: id and attributes, in the words of their digests.
  std::map<std::string, std::uint64_t> state(std::size_t i, const std::string& context = kContext) {
    std::map<std::string, std::uint64_t> all;
    const session::Store& store = nodes_[i]->keeper.store();
    for (const std::string& id : store.ids(context, moment(now_).now)) {
      all[id] = store.version(context, id)->digest;
    }
    return all;
  }
  Node& operator[](std::size_t i) { return *nodes_[i]; }
  static tribes::OwnedMember at(std::size_t i) {
    return engine(static_cast<std::uint8_t>(10 + i), 1000);
  }

  Loses loses = [](std::size_t, std::size_t) { return false; };
  std::map<std::int32_t, std::size_t> kinds;  // messages between engines, by their event
  std::size_t bytes = 0;

 private:
  struct Way {
    std::size_t from = 0;
    std::size_t to = 0;
    Buffer body;
  };

  void step() {
    std::vector<Way> arriving = std::exchange(on_the_way_, {});
    for (const Way& way : arriving) {
      nodes_[way.to]->time = now_;
      nodes_[way.to]->hear(way.body, at(way.from));
    }
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      nodes_[i]->time = now_;
      if (nodes_[i]->keeper.next_deadline() <= moment(now_).now) nodes_[i]->wait({});
      while (!nodes_[i]->outgoing.empty()) carry(i);
    }
  }
  void carry(std::size_t from) {
    Node& node = *nodes_[from];
    const std::size_t to = node.outgoing.front().to->identity.host[3] - 10U;
    const bool lost = loses(from, to);
    const session::Message message =
        node.sent(lost ? SendOutcome::failed : SendOutcome::acknowledged);
    ++kinds[message.event];
    bytes += node.last_body.size();
    if (!lost) on_the_way_.push_back({from, to, node.last_body});
  }

  std::vector<std::unique_ptr<Node>> nodes_;
  std::vector<Way> on_the_way_;
  Duration now_{};
};

std::string id(int number) { return "s" + std::to_string(number); }

session::Message write(int session, std::int64_t time, const std::string& name,
                       const std::string& text) {
  return tribecast::test::delta(id(session), kStart + time, {tribecast::test::set(name, text)});
}

}  // namespace

BOOST_AUTO_TEST_CASE(what_engines_tell_each_other_comes_back_as_it_was) {
  const std::vector<ContextDigest> digests = {{"localhost#/app", 1}, {"", ~std::uint64_t{0}}};
  BOOST_TEST((parse_digests(compose(digests)) == digests));
  const std::vector<std::string> contexts = {"a", "", std::string(65535, 'x')};
  BOOST_TEST((parse_contexts(compose(contexts)) == contexts));
  std::vector<ContextParts> parts = {{"a", {}}, {"b", {}}};
  parts[1].parts[63] = 7;
  BOOST_TEST((parse_parts(compose(parts)) == parts));
  const AskVersions ask{9, "a", 1U << 5U};
  BOOST_TEST((parse_ask_versions(compose(ask)) == ask));
  const Versions versions{9, true, false, {{"s1", {kStart, 77}}, {"s2", {0, 0}}}};
  BOOST_TEST((parse_versions(compose(versions)) == versions));
  const AskRecords records{"a", {"s1", "s2"}};
  BOOST_TEST((parse_ask_records(compose(records)) == records));
  for (const Buffer& whole :
       {compose(digests), compose(parts), compose(ask), compose(versions), compose(records)}) {
    const Bytes cut = Bytes(whole).first(whole.size() - 1);
    const bool any = parse_digests(cut) && parse_parts(cut) && parse_ask_versions(cut) &&
                     parse_versions(cut) && parse_ask_records(cut);
    BOOST_TEST(!any);
  }
  BOOST_TEST(!parse_ask_versions(Bytes(compose(ask)).first(10)));
  BOOST_TEST(!parse_versions(Bytes(compose(versions)).first(20)));
  BOOST_TEST(!parse_parts(Bytes(compose(parts)).first(500)));
}

BOOST_AUTO_TEST_CASE(engines_that_agree_send_digests_and_nothing_else) {
  Engines engines(2);
  for (int i = 0; i < 100; ++i) engines.tell(first_request(id(i), kStart + i), {0, 1});
  engines.run(seconds(60));
  BOOST_TEST(engines.kinds.size() == 1U);
  BOOST_TEST(engines.kinds[static_cast<int>(EngineEvent::digests)] == 40U);  // each, every 3 s
  BOOST_TEST(engines.bytes < 40U * 512U);
  BOOST_TEST((engines[0].keeper.digests().agrees(Engines::at(1).identity) == true));
  BOOST_TEST(engines[1].keeper.digests().counters().differed == 0U);
}

BOOST_AUTO_TEST_CASE(order_of_arrival_makes_no_difference) {
  Engines engines(2);
  std::vector<session::Message> messages;
  for (int i = 0; i < 20; ++i) messages.push_back(first_request(id(i), kStart + i));
  for (int i = 0; i < 200; ++i) {
    messages.push_back(write(i % 20, 100 + i, "n" + std::to_string(i % 3), std::to_string(i)));
  }
  std::mt19937 random(5);
  for (const std::size_t engine : {0U, 1U}) {
    std::shuffle(messages.begin(), messages.end(), random);
    for (const session::Message& message : messages) engines.tell(message, {engine});
  }
  BOOST_TEST((engines.state(0) == engines.state(1)));
  engines.run(seconds(30));
  BOOST_TEST(engines.kinds.size() == 1U);
}

BOOST_AUTO_TEST_CASE(what_one_missed_it_has_from_the_other) {
  Engines engines(2);
  for (int i = 0; i < 50; ++i) engines.tell(first_request(id(i), kStart + i), {0, 1});
  engines.tell(first_request(id(100), kStart + 500), {0});  // a session
  engines.tell(write(1, 600, "cart", "newer"), {1});        // a change
  engines.tell(write(2, 600, "cart", "one"), {0});          // changes of one session
  engines.tell(write(2, 601, "other", "two"), {1});
  engines.tell(tribecast::test::event(Event::expired, id(3), kStart + 700), {0});  // a logout
  engines.tell(tribecast::test::event(Event::expired, id(4), kStart + 700), {1});
  engines.tell(tribecast::test::change(id(5), "renamed", kStart + 700), {1});  // a change of the id
  BOOST_TEST((engines.state(0) != engines.state(1)));
  engines.run(seconds(12));
  BOOST_TEST((engines.state(0) == engines.state(1)));
  for (const std::size_t i : {0U, 1U}) {
    const auto state = engines.state(i);
    BOOST_TEST(state.contains(id(100)));
    BOOST_TEST(!state.contains(id(3)));
    BOOST_TEST(!state.contains(id(4)));
    BOOST_TEST(!state.contains(id(5)));
    BOOST_TEST(state.contains("renamed"));
    BOOST_TEST(state.size() == 49U);
  }
  engines.run(seconds(6));
  engines.kinds.clear();
  engines.run(seconds(30));
  BOOST_TEST(engines.kinds.size() == 1U);  // and they agree
  BOOST_TEST((engines[0].keeper.digests().agrees(Engines::at(1).identity) == true));
}

BOOST_AUTO_TEST_CASE(what_differs_for_a_moment_is_not_asked_for) {
  Engines engines(2);
  for (int i = 0; i < 50; ++i) engines.tell(first_request(id(i), kStart + i), {0, 1});
  for (int i = 0; i < 20; ++i) {  // each message is on its way to the other for a second
    engines.tell(write(i, 1000 + i, "cart", "newer"), {0});
    engines.run(seconds(1));
    engines.tell(write(i, 1000 + i, "cart", "newer"), {1});
  }
  BOOST_TEST(engines.kinds[static_cast<int>(EngineEvent::parts)] > 0U);
  BOOST_TEST(engines.kinds[static_cast<int>(EngineEvent::ask_records)] == 0U);
}

BOOST_AUTO_TEST_CASE(after_a_partition_both_have_everything) {
  for (unsigned seed = 1; seed <= 5; ++seed) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      std::mt19937 random(seed);
      Engines engines(3);
      for (int i = 0; i < 300; ++i) engines.tell(first_request(id(i), kStart + i), {0, 1, 2});
      // Each side, and for a while each engine, hears its own Tomcats alone. Nobody is dropped: the
      // ports answer.
      bool parted = true;
      engines.loses = [&](std::size_t from, std::size_t to) {
        return parted ? (from == 0) != (to == 0) : random() % 10 == 0;
      };
      for (int i = 0; i < 500; ++i) {
        const std::vector<std::size_t> side =
            random() % 2 == 0 ? std::vector<std::size_t>{0} : std::vector<std::size_t>{1, 2};
        const int session = static_cast<int>(random() % 400);
        const std::int64_t time = 1000 + i;
        if (session >= 300) {
          engines.tell(first_request(id(session) + "-" + std::to_string(i), kStart + time), side);
        } else if (random() % 20 == 0) {
          engines.tell(tribecast::test::event(Event::expired, id(session), kStart + time), side);
        } else {
          engines.tell(write(session, time, "n" + std::to_string(random() % 3), std::to_string(i)),
                       side);
        }
        if (random() % 10 == 0) engines.run(milliseconds(50));
      }
      BOOST_TEST((engines.state(0) != engines.state(1)));
      parted = false;  // but one message in ten is lost
      engines.run(seconds(120));
      BOOST_TEST((engines.state(0) == engines.state(1)));
      BOOST_TEST((engines.state(1) == engines.state(2)));
    }
  }
}

BOOST_AUTO_TEST_CASE(an_engine_that_heard_nothing_for_long_ends_no_session_of_the_other) {
  Engines engines(2);
  const session::Message first =
      tribecast::test::delta("s1", kStart,
                             {tribecast::test::set(ActionType::is_new, "__SET__ISNEW__",
                                                   tribecast::test::boolean_value(true)),
                              tribecast::test::set(ActionType::max_interval, "__SET__MAXINTERVAL__",
                                                   tribecast::test::integer_value(60))});
  engines.tell(first, {0, 1});
  bool parted = true;
  engines.loses = [&](std::size_t, std::size_t) { return parted; };
  for (int i = 1; i <= 9; ++i) {  // it ends 120 s after its last use
    engines.run(seconds(20));
    engines.tell(tribecast::test::event(Event::accessed, "s1", kStart + i * 20'000), {1});
  }
  BOOST_TEST(engines.state(0).empty());
  BOOST_TEST(engines.state(1).size() == 1U);
  parted = false;
  engines.run(seconds(15));
  BOOST_TEST(engines.state(0).size() == 1U);
  BOOST_TEST((engines.state(0) == engines.state(1)));
}

// The clock of one host is set, by an hour: what the engines give each other is as old as it is.
BOOST_AUTO_TEST_CASE(a_clock_that_is_set_ends_no_session_and_loses_none) {
  for (const int hours : {1, -1}) {
    Engines engines(2);
    const auto tell = [&](const std::string& id, std::int64_t time,
                          const std::vector<std::size_t>& who) {
      const session::Message message = tribecast::test::delta(
          id, kStart + time,
          {tribecast::test::set(ActionType::is_new, "__SET__ISNEW__",
                                tribecast::test::boolean_value(true)),
           tribecast::test::set(ActionType::max_interval, "__SET__MAXINTERVAL__",
                                tribecast::test::integer_value(60))});
      engines.tell(message, who);
    };
    tell("both", 0, {0, 1});
    engines[0].ahead = std::chrono::hours(hours);
    tell("only0", 1, {0});
    tell("only1", 2, {1});
    engines.run(seconds(15));
    for (std::size_t i = 0; i < 2; ++i) BOOST_TEST(engines.state(i).size() == 3U);
    engines.run(seconds(95));
    for (std::size_t i = 0; i < 2; ++i) BOOST_TEST(engines.state(i).size() == 3U);
    // And back.
    engines[0].ahead = {};
    tell("later0", 120'000, {0});
    tell("later1", 120'001, {1});
    engines.run(seconds(60));
    for (std::size_t i = 0; i < 2; ++i) {
      const auto left = engines.state(i);
      BOOST_TEST(left.size() == 2U);
      BOOST_TEST((left.contains("later0") && left.contains("later1")));
    }
  }
}

BOOST_AUTO_TEST_CASE(long_lists_come_in_pieces_and_hold_nobody_up) {
  Settings settings;
  settings.digests.portion_sessions = 500;
  Engines engines(2, settings);
  constexpr int kSessions = 5000;
  for (int i = 0; i < kSessions; ++i) {
    const std::vector<std::size_t> who =
        i % 2 == 0 ? std::vector<std::size_t>{0} : std::vector<std::size_t>{0, 1};
    engines.tell(first_request(id(i), kStart + i), who);
  }
  engines.run(seconds(30));
  BOOST_TEST(engines.state(1).size() == static_cast<std::size_t>(kSessions));
  BOOST_TEST(engines.kinds[static_cast<int>(EngineEvent::versions)] > 1U);
}

BOOST_AUTO_TEST_CASE(a_context_that_one_has_never_heard_of) {
  Engines engines(2);
  session::Message message = first_request("s1", kStart);
  message.context = "localhost#/other";
  engines.tell(message, {1});
  engines.run(seconds(12));
  BOOST_TEST(engines.state(0, "localhost#/other").size() == 1U);
}

BOOST_AUTO_TEST_CASE(strangers_and_rubbish_change_nothing) {
  Engines engines(2);
  engines.tell(first_request("s1", kStart), {0, 1});
  const auto before = engines.state(0);
  // Records may be what somebody waits for.
  const auto expected = [](int event, bool has_rubbish) {
    const bool is_refused = event == static_cast<int>(EngineEvent::records) && has_rubbish;
    return is_refused ? channel::Receipt::refused : channel::Receipt::done;
  };
  for (int event = 2000; event < 2010; ++event) {
    for (const std::size_t size : {0U, 1U, 3U, 9U, 40U, 600U}) {
      session::Message message = tribecast::test::event(Event::get_all, "", kStart);
      message.event = event;
      message.context = kEveryContext;
      message.payload = Buffer(size, 0xff);
      BOOST_TEST((engines[0].hear(message, member(77)) == expected(event, true)));
      BOOST_TEST((engines[0].hear(message, Engines::at(1)) == expected(event, size > 0)));
    }
  }
  BOOST_TEST(engines[0].keeper.digests().counters().malformed > 0U);
  BOOST_TEST((engines.state(0) == before));
  BOOST_TEST(engines[0].keeper.store().contexts().size() == 1U);
}
