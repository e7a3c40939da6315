// Two keepers among Tomcats, on a clock of its own: messages overtake each other, connections fail,
// engines are killed and started again from what they had written, Tomcats are started and ask.
#define BOOST_TEST_MODULE keeper_cluster
#include <boost/test/unit_test.hpp>
#include <map>
#include <random>

#include "engine/session/record.h"
#include "keeper_fixture.h"

using namespace tribecast;
using namespace tribecast::keeper;
using namespace tribecast::keeper::test;
using channel::SendOutcome;
using tribecast::test::kContext;

namespace {

using Attributes = std::map<std::string, std::string>;
constexpr std::size_t kTomcats = 3;
constexpr std::uint8_t kFirstEngine = 10;

Settings settings() {
  Settings made;
  made.store.tracks_changes = true;
  made.transfer.batch_sessions = 4;
  return made;
}

struct Truth {
  std::int64_t created_ms = 0;
  std::int64_t changed_ms = 0;
  Attributes attributes;
};

struct Site {
  std::unique_ptr<Node> node;  // null: killed
  std::map<Buffer, Buffer> disk;
};

// The Tomcats hear of everything at once and agree: `truth` is each one's.
class Simulation {
 public:
  explicit Simulation(unsigned seed) : random_(seed) {
    for (std::size_t i = 0; i < sites_.size(); ++i) start(i);
  }

  void step(Duration tick = milliseconds(10));
  void settle();
  // A process takes longer to start than a message is on its way.
  void drain() {
    for (int i = 0; i < 60; ++i) step();
  }
  void start(std::size_t site);
  void kill(std::size_t site) {
    sites_[site].node.reset();
    std::erase_if(on_the_way_, [&](const auto& one) { return one.second.site == site; });
  }
  // What a Tomcat that starts is given by that engine; nullopt when the answer does not end.
  std::optional<std::map<std::string, Attributes>> ask(std::size_t site, bool lossy);

  std::size_t pick(std::size_t below) { return random_() % below; }
  void request();
  bool both_run() const { return sites_[0].node && sites_[1].node; }

  std::array<Site, 2> sites_;
  std::map<std::string, Truth> truth_;
  std::set<std::string> ended_;

 private:
  struct Way {
    std::size_t site = 0;
    session::Message message;
    tribes::OwnedMember from;
  };

  tribes::OwnedMember tomcat(std::size_t number) const {
    return member(static_cast<std::uint8_t>(number + 1),
                  static_cast<std::uint64_t>(duration_cast<milliseconds>(now_).count()) + 60'000);
  }
  tribes::OwnedMember engine_at(std::size_t site) const {
    return engine(
        static_cast<std::uint8_t>(kFirstEngine + site),
        static_cast<std::uint64_t>(duration_cast<milliseconds>(now_).count()) + 50'000 - site);
  }
  std::int64_t wall() { return static_cast<std::int64_t>(moment(now_).wall_milliseconds); }
  void tell_all(const session::Message& message, std::size_t from);
  void carry(std::size_t site);
  void tomcat_answers(std::size_t site, std::size_t number);

  std::mt19937 random_;
  Duration now_{};
  std::multimap<Duration, Way> on_the_way_;
  int next_session_ = 0;
  int next_value_ = 0;
};

void Simulation::start(std::size_t site) {
  Site& one = sites_[site];
  one.node = std::make_unique<Node>(settings(), now_);
  for (const auto& [key, value] : one.disk) {
    BOOST_TEST(one.node->keeper.restore(key, value, moment(now_)));
  }
  one.node->keeper.restored(moment(now_), seconds(60), false);
  for (std::size_t number = 0; number < kTomcats; ++number) one.node->came(tomcat(number));
  const std::size_t other = 1 - site;
  if (!sites_[other].node) return;
  one.node->came(engine_at(other));
  sites_[other].node->lost(engine_at(site));
  sites_[other].node->came(engine_at(site));
}

// Option 8: each message for itself, up to half a second late.
void Simulation::tell_all(const session::Message& message, std::size_t from) {
  for (std::size_t site = 0; site < sites_.size(); ++site) {
    if (!sites_[site].node) continue;
    on_the_way_.emplace(now_ + milliseconds(pick(500)), Way{site, message, tomcat(from)});
  }
}

void Simulation::request() {
  const std::size_t from = pick(kTomcats);
  now_ += milliseconds(1);  // times differ, as at one Tomcat
  if (truth_.size() < 5 || pick(10) == 0) {
    const std::string id = "s" + std::to_string(++next_session_);
    tell_all(tribecast::test::event(Event::created, id, wall()), from);
    truth_[id] = {wall(), wall(), {}};
  }
  auto at = std::next(truth_.begin(), static_cast<std::ptrdiff_t>(pick(truth_.size())));
  now_ += milliseconds(1);
  if (pick(12) == 0 && both_run()) {
    tell_all(tribecast::test::event(Event::expired, at->first, wall()), from);
    ended_.insert(at->first);
    truth_.erase(at);
    return;
  }
  const std::string name = "n" + std::to_string(pick(3));
  session::Action action = tribecast::test::set(name, std::to_string(++next_value_));
  at->second.attributes[name] = std::to_string(next_value_);
  at->second.changed_ms = wall();
  tell_all(tribecast::test::delta(at->first, wall(), {std::move(action)}), from);
}

void Simulation::tomcat_answers(std::size_t site, std::size_t number) {
  std::vector<session::Record> records;
  for (const auto& [id, truth] : truth_) {
    session::Record record{.created_ms = truth.created_ms,
                           .last_accessed_ms = truth.changed_ms,
                           .max_inactive_s = 1800,
                           .this_accessed_ms = truth.changed_ms,
                           .id = id};
    for (const auto& [name, text] : truth.attributes) {
      record.attributes.emplace_back(name, tribecast::test::text_value(text));
    }
    records.push_back(std::move(record));
  }
  on_the_way_.emplace(now_ + milliseconds(5),
                      Way{site, tribecast::test::state(records), tomcat(number)});
  on_the_way_.emplace(now_ + milliseconds(6), Way{site, complete(), tomcat(number)});
}

// What that engine wants sent, to whom it is for.
void Simulation::carry(std::size_t site) {
  Node& node = *sites_[site].node;
  while (!node.outgoing.empty()) {
    const std::uint8_t to = node.outgoing.front().to->identity.host[3];
    const std::size_t other = 1 - site;
    const bool is_engine = to >= kFirstEngine;
    const bool lost = (is_engine && !sites_[other].node) || pick(20) == 0;
    const session::Message message =
        node.sent(lost ? SendOutcome::failed : SendOutcome::acknowledged);
    if (lost) continue;
    if (is_engine) {
      on_the_way_.emplace(now_ + milliseconds(1), Way{other, message, engine_at(site)});
    } else if (message.is(Event::get_all)) {
      tomcat_answers(site, to - 1U);
    }
  }
}

void Simulation::step(Duration tick) {
  now_ += tick;
  while (!on_the_way_.empty() && on_the_way_.begin()->first <= now_) {
    const Way way = std::move(on_the_way_.begin()->second);
    on_the_way_.erase(on_the_way_.begin());
    if (!sites_[way.site].node) continue;
    sites_[way.site].node->time = now_;
    sites_[way.site].node->hear(way.message, way.from);
    carry(way.site);
  }
  for (std::size_t site = 0; site < sites_.size(); ++site) {
    Site& one = sites_[site];
    if (!one.node) continue;
    one.node->time = now_;
    if (one.node->keeper.next_deadline() <= moment(now_).now) one.node->wait({});
    carry(site);
    // A commit that fails now and then.
    if (!one.node->keeper.has_changes() || pick(5) != 0) continue;
    const auto commit = one.node->keeper.begin_commit(moment(now_));
    const bool good = pick(10) != 0;
    for (const session::Saved& saved : commit) {
      if (good && saved.value) one.disk[saved.key] = *saved.value;
      if (good && !saved.value) one.disk.erase(saved.key);
    }
    channel::Outbox out;
    one.node->keeper.end_commit(good, out);
  }
}

void Simulation::settle() {
  for (int i = 0; i < 800; ++i) step(milliseconds(150));
}

std::optional<std::map<std::string, Attributes>> Simulation::ask(std::size_t site, bool lossy) {
  carry(site);
  Node& node = *sites_[site].node;
  const tribes::OwnedMember newcomer = member(99, 0, static_cast<std::uint8_t>(1 + pick(200)));
  node.hear(get_all(), newcomer);
  std::map<std::string, Attributes> given;
  while (!node.outgoing.empty()) {
    const bool lost = lossy && pick(5) == 0;
    const session::Message message =
        node.sent(lost ? SendOutcome::failed : SendOutcome::acknowledged);
    if (lost) continue;
    if (message.is(Event::transfer_complete)) return given;
    const auto records = session::parse_list(*message.payload, message.dialect);
    for (const session::Record& record : *records) {
      for (const auto& [name, value] : record.attributes) {
        const java::Graph graph = tribecast::test::graph_of(value);
        given[record.id][name] = text_of(*java::text_of_string(graph, graph.roots()[0]));
      }
    }
  }
  return std::nullopt;
}

std::map<std::string, Attributes> expected(const Simulation& sim) {
  std::map<std::string, Attributes> all;
  for (const auto& [id, truth] : sim.truth_) {
    if (!truth.attributes.empty()) all[id] = truth.attributes;
  }
  return all;
}

}  // namespace

BOOST_AUTO_TEST_CASE(engines_that_come_and_go_agree_with_the_tomcats) {
  for (unsigned seed = 1; seed <= 8; ++seed) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      Simulation sim(seed);
      for (int i = 0; i < 600; ++i) {
        if (sim.pick(2) == 0) sim.request();
        sim.step();
        const std::size_t site = sim.pick(2);
        if (sim.pick(60) != 0) continue;
        // One of them always runs.
        if (!sim.sites_[site].node) {
          sim.drain();
          sim.start(site);
        } else if (sim.both_run()) {
          sim.kill(site);
        }
      }
      for (std::size_t site = 0; site < 2; ++site) {
        sim.drain();
        if (!sim.sites_[site].node) sim.start(site);
      }
      sim.settle();
      for (std::size_t site = 0; site < 2; ++site) {
        BOOST_TEST(sim.sites_[site].node->keeper.has_state());
        const auto given = sim.ask(site, false);
        BOOST_TEST_REQUIRE(given.has_value());
        BOOST_TEST((*given == expected(sim)));
        for (const std::string& id : sim.ended_) BOOST_TEST(!given->contains(id));
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(everything_killed_at_one_moment_is_there_again) {
  for (unsigned seed = 1; seed <= 8; ++seed) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      Simulation sim(seed);
      for (int i = 0; i < 400; ++i) {
        sim.request();
        sim.step();
      }
      sim.settle();
      for (std::size_t site = 0; site < 2; ++site) sim.kill(site);
      const auto truth = expected(sim);
      sim.truth_.clear();  // the Tomcats have lost everything
      for (std::size_t site = 0; site < 2; ++site) sim.start(site);
      // Asked at once, before any of them knows who else is there.
      for (std::size_t site = 0; site < 2; ++site) BOOST_TEST((sim.ask(site, false) == truth));
    }
  }
}

BOOST_AUTO_TEST_CASE(a_transfer_over_bad_connections_ends) {
  Simulation sim(1);
  for (int i = 0; i < 400; ++i) {
    sim.request();
    sim.step();
  }
  sim.settle();
  int ended = 0;
  for (int i = 0; i < 100; ++i) ended += sim.ask(0, true) ? 1 : 0;
  // All but those of which three messages in a row, or the last one, were lost.
  BOOST_TEST(ended > 50);
  BOOST_TEST(sim.sites_[0].node->keeper.answers().running() == 0U);
}
