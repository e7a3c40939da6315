// Healing among simulated Tomcats that do with messages what DeltaManager does: merge nothing, let
// a creation wipe a session, drop a delta of a session that they do not have. Some are cut off and
// serve alone, some hang, some start deaf; what is on its way is late, out of order, or lost.
#define BOOST_TEST_MODULE keeper_heal
#include <boost/test/unit_test.hpp>
#include <map>
#include <random>

#include "engine/session/change.h"
#include "engine/session/delta.h"
#include "engine/session/record.h"
#include "keeper_fixture.h"

using namespace tribecast;
using namespace tribecast::keeper;
using namespace tribecast::keeper::test;
using channel::MemberChange;
using channel::SendOutcome;
using session::Record;
using session::Value;
using tribecast::test::kContext;
using Values = std::map<std::string, std::string>;

namespace {

constexpr std::size_t kTomcats = 3;
constexpr Duration kHeardWithin = milliseconds(60);  // what is said is known to the engine
enum class State : std::uint8_t { fine, cut, hung };

std::string text_in(const Value& value) {
  const java::Graph graph = tribecast::test::graph_of(value);
  return text_of(*java::text_of_string(graph, graph.roots()[0]));
}

struct Tomcat {
  State state = State::fine;
  bool turns = false;  // its JVM has hash tables in another order
  std::map<std::string, Record> sessions;
  std::vector<session::Message> queued;  // while it hangs, in its kernel

  Values values(const std::string& id) const {
    Values all;
    for (const auto& [name, value] : sessions.at(id).attributes) all[name] = text_in(value);
    return all;
  }
  void set(const std::string& id, const std::string& name, const std::optional<Value>& value) {
    auto& attributes = sessions.at(id).attributes;
    std::erase_if(attributes, [&](const auto& one) { return one.first == name; });
    if (value) attributes.emplace_back(name, turned(*value));
  }
  Value turned(Value value) const {
    if (turns && view_of(value).find("java.util.Hash") != std::string_view::npos) {
      std::swap(value.end()[-1], value.end()[-2]);
    }
    return value;
  }
  void access(const std::string& id, std::int64_t now_ms) {
    Record& record = sessions.at(id);
    record.last_accessed_ms = record.this_accessed_ms = now_ms;
  }
  void hear(const session::Message& message, std::int64_t now_ms);
};

void Tomcat::hear(const session::Message& message, std::int64_t now_ms) {
  const std::string& id = message.session_id;
  if (message.is(Event::created)) {
    sessions[id] = Record{.created_ms = message.time_ms, .max_inactive_s = 1800, .id = id};
  }
  if (message.is(Event::all_data)) {
    const auto list = session::parse_list(*message.payload, message.dialect);
    for (const Record& record : *list) {
      Record& mine = sessions[record.id] = record;
      for (auto& [name, value] : mine.attributes) value = turned(value);
    }
    return;
  }
  if (!sessions.contains(id)) return;
  if (message.is(Event::expired)) {
    sessions.erase(id);
    return;
  }
  if (message.is(Event::change_id)) {
    auto moved = sessions.extract(id);
    moved.key() = moved.mapped().id = *session::parse_new_id(*message.payload);
    sessions.insert(std::move(moved));
    return;
  }
  if (message.is(Event::delta)) {
    const auto delta = session::parse_delta(*message.payload);
    for (const session::Action& action : delta->actions) set(id, action.name, action.value);
  }
  access(id, now_ms);
}

class Simulation {
 public:
  explicit Simulation(unsigned seed, Settings settings = {})
      : node_(settings), random_(seed), seed_(seed) {
    node_.keeper.begin(member(50), moment(node_.time));
    for (std::size_t i = 0; i < kTomcats; ++i) node_.came(tomcat(i));
    wait(seconds(2));
  }

  std::size_t pick(std::size_t below) { return random_() % below; }
  void wait(Duration so_long) {
    for (const Duration until = node_.time + so_long; node_.time < until;) step();
  }
  void create(const std::string& id, std::size_t at);
  void write(const std::string& id, std::size_t at);
  void put(const std::string& id, const std::string& name, const std::string& text, std::size_t at);
  void log_out(const std::string& id, std::size_t at);
  void rename(const std::string& from, const std::string& to, std::size_t at);
  void load(Duration so_long, std::size_t victim);
  void fail(std::size_t which, State state) { tomcats_[which].state = state; }
  // As membership sees it.
  void noticed(std::size_t which, MemberChange change) {
    node_.time += milliseconds(1);
    node_.member_event(change, tomcat(which));
    carry();
  }
  void resume(std::size_t which);
  void all_are_right();

  Node node_;
  std::array<Tomcat, kTomcats> tomcats_;
  std::map<std::string, Values> truth_;
  std::map<std::string, std::size_t> home_;  // where a session is written while somebody is cut off
  std::map<std::string, std::pair<std::size_t, Duration>> changed_by_;
  std::map<std::string, int> pushed_;
  bool loses_ = false;
  bool reads_nothing_ = false;  // asked for its state, a Tomcat does not answer
  session::Dialect dialect_ = session::Dialect::tomcat8;  // of the Tomcats

 private:
  tribes::OwnedMember tomcat(std::size_t i) const {
    return member(static_cast<std::uint8_t>(i + 1), 3'600'000);
  }
  std::int64_t wall() const {
    return static_cast<std::int64_t>(moment(node_.time).wall_milliseconds);
  }
  void tell(const session::Message& message, std::size_t from);
  void deliver(const session::Message& message, std::size_t to);
  void carry();
  void check_push(const session::Message& message, std::size_t to);
  void answer(std::size_t from);
  void step();

  struct Way {
    session::Message message;
    std::size_t from = 0;
  };
  std::mt19937 random_;
  unsigned seed_;
  std::multimap<Duration, Way> to_engine_;
  int next_ = 0;
};

void Simulation::deliver(const session::Message& message, std::size_t to) {
  Tomcat& one = tomcats_[to];
  if (one.state == State::fine) one.hear(message, wall());
  if (one.state == State::hung && one.queued.size() < 5) one.queued.push_back(message);
}

// To the engine out of order; to the other Tomcats as with option 6.
void Simulation::tell(const session::Message& message, std::size_t from) {
  changed_by_[message.session_id] = {from, node_.time};
  tomcats_[from].hear(message, wall());
  if (tomcats_[from].state == State::cut) return;
  for (std::size_t to = 0; to < kTomcats; ++to) {
    if (to != from) deliver(message, to);
  }
  to_engine_.emplace(node_.time + milliseconds(pick(40)), Way{message, from});
}

void Simulation::create(const std::string& id, std::size_t at) {
  tell(tribecast::test::event(Event::created, id, wall()), at);
  truth_[id];
  home_[id] = at;
  step();
  write(id, at);
}

void Simulation::write(const std::string& id, std::size_t at) {
  const std::string name = "n" + std::to_string(pick(3));
  const std::string text = std::to_string(++next_);
  // What is removed alone is not seen: a Tomcat's copy may lack what it only lost.
  const bool alone = tomcats_[at].state == State::cut;
  const bool removes = !alone && truth_.at(id).contains(name) && pick(8) == 0;
  session::Action action =
      removes ? tribecast::test::removed(name) : tribecast::test::set(name, text);
  removes ? void(truth_.at(id).erase(name)) : void(truth_.at(id)[name] = text);
  tell(tribecast::test::delta(id, wall(), {std::move(action)}), at);
  step();
}

void Simulation::put(const std::string& id, const std::string& name, const std::string& text,
                     std::size_t at) {
  truth_.at(id)[name] = text;
  tell(tribecast::test::delta(id, wall(), {tribecast::test::set(name, text)}), at);
  step();
}

void Simulation::log_out(const std::string& id, std::size_t at) {
  tell(tribecast::test::event(Event::expired, id, wall()), at);
  truth_.erase(id);
  step();
}

void Simulation::rename(const std::string& from, const std::string& to, std::size_t at) {
  tell(tribecast::test::change(from, to, wall()), at);
  changed_by_[to] = changed_by_[from];
  truth_[to] = truth_.at(from);
  home_[to] = home_.at(from);
  truth_.erase(from);
  step();
}

// Who is cut off serves its own sessions alone, others theirs; nobody logs out alone.
void Simulation::load(Duration so_long, std::size_t victim) {
  const Duration until = node_.time + so_long;
  for (; node_.time < until; step()) {
    if (pick(4) != 0) continue;
    const bool alone = tomcats_[victim].state == State::cut && pick(3) == 0;
    const std::size_t at = alone ? victim : (victim + 1 + pick(kTomcats - 1)) % kTomcats;
    if (pick(10) == 0) {
      create("s" + std::to_string(++next_), at);
      continue;
    }
    std::vector<std::string> mine;
    for (const auto& [id, values] : truth_) {
      if ((home_.at(id) == victim) == alone) mine.push_back(id);
    }
    if (mine.empty()) continue;
    const std::string id = mine[pick(mine.size())];
    if (!alone && pick(15) == 0) {
      log_out(id, at);
    } else if (!alone && pick(20) == 0) {
      rename(id, id + "x", at);
    } else {
      write(id, at);
    }
  }
}

void Simulation::resume(std::size_t which) {
  Tomcat& one = tomcats_[which];
  one.state = State::fine;
  for (const session::Message& message : std::exchange(one.queued, {})) one.hear(message, wall());
}

void Simulation::answer(std::size_t from) {
  std::vector<Record> records;
  for (const auto& [id, record] : tomcats_[from].sessions) records.push_back(record);
  session::Message list = tribecast::test::state(records);
  list.payload = session::compose_list(records, dialect_);
  to_engine_.emplace(node_.time + milliseconds(5), Way{std::move(list), from});
  to_engine_.emplace(node_.time + milliseconds(6), Way{complete(), from});
}

// What must never be done to a Tomcat.
void Simulation::check_push(const session::Message& message, std::size_t to) {
  BOOST_TEST(!message.is(Event::created));
  std::vector<std::string> ids = {message.session_id};
  if (message.is(Event::all_data)) {
    ids.clear();
    const auto list = session::parse_list(*message.payload, message.dialect);
    for (const Record& record : *list) {
      ids.push_back(record.id);
      const Duration since = node_.time - changed_by_.at(record.id).second;
      const bool is_over = !truth_.contains(record.id) && since > kHeardWithin;
      BOOST_TEST(!is_over, "a session that has ended is given: " << record.id);
      BOOST_TEST(!tomcats_[to].sessions.contains(record.id), "replaced whole: " << record.id);
    }
  }
  for (const std::string& id : ids) {
    ++pushed_[id];
    const auto [by, when] = changed_by_.at(id);
    const Duration since = node_.time - when;
    const bool is_owner = by == to && since > kHeardWithin && since < seconds(2);
    BOOST_TEST((!is_owner || message.is(Event::expired)), "onto its owner: " << id);
    BOOST_TEST((!message.is(Event::expired) || !truth_.contains(id)), "a live one ends: " << id);
  }
}

void Simulation::carry() {
  while (!node_.outgoing.empty()) {
    const std::size_t to = node_.outgoing.front().to->identity.host[3] - 1U;
    if (to >= kTomcats) {  // another engine, which is not simulated
      node_.sent(SendOutcome::failed);
      continue;
    }
    const bool arrives = tomcats_[to].state == State::fine && (!loses_ || pick(6) != 0);
    const session::Message message =
        node_.sent(arrives ? SendOutcome::acknowledged : SendOutcome::failed);
    if (!arrives) continue;
    BOOST_TEST((message.dialect == dialect_), "a message that it cannot read");
    if (!message.is(Event::get_all)) {
      check_push(message, to);
      tomcats_[to].hear(message, wall());
    } else if (!reads_nothing_) {
      answer(to);
    }
  }
}

void Simulation::step() {
  node_.time += milliseconds(10);
  while (!to_engine_.empty() && to_engine_.begin()->first <= node_.time) {
    Way way = std::move(to_engine_.begin()->second);
    to_engine_.erase(to_engine_.begin());
    way.message.dialect = dialect_;
    node_.hear(way.message, tomcat(way.from));
    carry();
  }
  if (node_.keeper.next_deadline() <= moment(node_.time).now) node_.wait({});
  carry();
}

void Simulation::all_are_right() {
  for (std::size_t i = 0; i < kTomcats; ++i) {
    BOOST_TEST_CONTEXT("seed " << seed_ << ", Tomcat " << i + 1) {
      for (const auto& [id, values] : truth_) {
        BOOST_TEST(tomcats_[i].sessions.contains(id), "lacks " << id);
        if (tomcats_[i].sessions.contains(id)) BOOST_TEST((tomcats_[i].values(id) == values), id);
      }
      for (const auto& [id, record] : tomcats_[i].sessions) {
        BOOST_TEST(truth_.contains(id), "has " << id << ", which has ended");
      }
    }
  }
}

}  // namespace

BOOST_AUTO_TEST_CASE(cut_off_and_back) {
  for (unsigned seed = 1; seed <= 12; ++seed) {
    Simulation sim(seed);
    sim.loses_ = seed % 2 == 0;
    const std::size_t victim = sim.pick(kTomcats);
    for (int i = 0; i < 9; ++i)
      sim.create("old" + std::to_string(i), static_cast<std::size_t>(i) % kTomcats);
    sim.load(seconds(5), victim);
    sim.wait(seconds(12));  // its looks at what it was told of so far are over
    sim.fail(victim, State::cut);
    sim.load(seconds(4), victim);
    sim.noticed(victim, MemberChange::lost);
    sim.load(seconds(30), victim);
    sim.wait(seconds(2));
    sim.resume(victim);
    sim.wait(milliseconds(300));
    sim.noticed(victim, MemberChange::came);
    sim.load(seconds(15), victim);
    sim.wait(seconds(400));
    sim.all_are_right();
    BOOST_TEST(!sim.node_.keeper.pushes().is_busy());
  }
}

// One that has said nothing so far, as it started deaf, is written to as the others speak.
BOOST_AUTO_TEST_CASE(deaf_from_its_start_of_tomcat_7) {
  Simulation sim(1);
  sim.dialect_ = session::Dialect::tomcat7;
  sim.noticed(2, MemberChange::lost);
  sim.fail(2, State::cut);
  for (std::size_t i = 0; i < 8; ++i) sim.create("s" + std::to_string(i), i % 2);
  sim.wait(seconds(20));
  sim.resume(2);
  sim.noticed(2, MemberChange::came);
  sim.wait(seconds(60));
  sim.all_are_right();
}

BOOST_AUTO_TEST_CASE(hung_and_back) {
  for (unsigned seed = 1; seed <= 12; ++seed) {
    Simulation sim(seed);
    const std::size_t victim = sim.pick(kTomcats);
    for (int i = 0; i < 9; ++i)
      sim.create("old" + std::to_string(i), static_cast<std::size_t>(i) % kTomcats);
    sim.wait(seconds(12));
    sim.fail(victim, State::hung);
    sim.load(seconds(3), victim);
    sim.noticed(victim, MemberChange::silent);
    sim.load(seconds(11), victim);
    sim.resume(victim);
    sim.wait(milliseconds(300));
    sim.noticed(victim, MemberChange::heard);
    sim.load(seconds(10), victim);
    sim.wait(seconds(400));
    sim.all_are_right();
    BOOST_TEST(sim.node_.keeper.pushes().counters().taken == 0U);
  }
}

// Nobody uses them any more: what was missed is given once, and nothing else.
BOOST_AUTO_TEST_CASE(each_missed_change_is_given_once) {
  Simulation sim(1);
  for (int i = 0; i < 6; ++i) sim.create("s" + std::to_string(i), 0);
  sim.wait(seconds(20));
  sim.fail(2, State::cut);
  sim.wait(seconds(4));
  sim.noticed(2, MemberChange::lost);
  sim.write("s0", 0);
  sim.write("s1", 1);
  sim.log_out("s2", 1);
  sim.rename("s3", "s3-new", 0);
  sim.create("new", 1);
  sim.wait(seconds(10));
  sim.pushed_.clear();
  sim.resume(2);
  sim.noticed(2, MemberChange::came);
  sim.wait(seconds(600));
  sim.all_are_right();
  const std::map<std::string, int> once = {{"s0", 1}, {"s1", 1}, {"s2", 1}, {"s3", 1}, {"new", 1}};
  BOOST_TEST((sim.pushed_ == once));
  BOOST_TEST(sim.node_.keeper.pushes().missed().count(member(3).identity) == 0U);
}

BOOST_AUTO_TEST_CASE(a_hash_table_in_another_order_is_given_once) {
  Simulation sim(1);
  sim.tomcats_[2].turns = true;
  for (const char* id : {"old", "s0", "s1"}) {
    sim.create(id, 0);
    sim.put(id, "table", "java.util.HashMap ab", 0);
  }
  sim.wait(seconds(20));
  sim.fail(2, State::cut);
  sim.wait(seconds(10));
  sim.noticed(2, MemberChange::lost);
  sim.put("s0", "table", "java.util.HashMap cd", 0);
  sim.create("new", 1);
  sim.put("new", "table", "java.util.HashMap ef", 1);
  sim.wait(seconds(10));
  sim.pushed_.clear();
  sim.resume(2);
  sim.noticed(2, MemberChange::came);
  sim.wait(seconds(600));
  BOOST_TEST((sim.pushed_ == std::map<std::string, int>{{"s0", 1}, {"new", 1}}));
  BOOST_TEST(sim.tomcats_[2].values("s0")["table"] == "java.util.HashMap dc");
  BOOST_TEST(sim.node_.keeper.pushes().missed().count(member(3).identity) == 0U);
  // What is written meanwhile is given again.
  sim.fail(2, State::cut);
  sim.wait(seconds(10));
  sim.noticed(2, MemberChange::lost);
  sim.put("s0", "table", "java.util.HashMap gh", 0);
  sim.wait(seconds(10));
  sim.resume(2);
  sim.noticed(2, MemberChange::came);
  sim.wait(seconds(600));
  BOOST_TEST(sim.tomcats_[2].values("s0")["table"] == "java.util.HashMap hg");
}

BOOST_AUTO_TEST_CASE(a_report_changes_nothing) {
  Settings settings;
  settings.push.heal = Heal::report;
  Simulation sim(1, settings);
  sim.create("s0", 0);
  sim.wait(seconds(20));
  sim.fail(2, State::cut);
  sim.wait(seconds(4));
  sim.noticed(2, MemberChange::lost);
  sim.create("new", 1);
  sim.wait(seconds(10));
  sim.resume(2);
  sim.noticed(2, MemberChange::came);
  sim.wait(seconds(60));
  BOOST_TEST(sim.pushed_.empty());
  BOOST_TEST(!sim.tomcats_[2].sessions.contains("new"));
  BOOST_TEST(sim.node_.keeper.pushes().counters().given == 1U);
}

// Of a large context a Tomcat is not asked: it gets what it is known to have missed.
BOOST_AUTO_TEST_CASE(without_its_answer) {
  Settings settings;
  settings.push.limit_sessions = 0;
  Simulation sim(1, settings);
  for (int i = 0; i < 3; ++i) sim.create("s" + std::to_string(i), 0);
  sim.wait(seconds(20));
  sim.fail(2, State::cut);
  sim.wait(seconds(4));
  sim.noticed(2, MemberChange::lost);
  sim.log_out("s2", 1);
  sim.create("new", 1);
  sim.wait(seconds(10));
  sim.resume(2);
  sim.noticed(2, MemberChange::came);
  sim.wait(seconds(60));
  sim.all_are_right();
  BOOST_TEST((sim.pushed_ == std::map<std::string, int>{{"s2", 1}, {"new", 1}}));
}

BOOST_AUTO_TEST_CASE(one_of_several_engines_heals) {
  Simulation sim(1);
  sim.node_.came(engine(10, 1));  // of a lower address
  sim.create("s0", 0);
  sim.fail(2, State::cut);
  sim.noticed(2, MemberChange::lost);
  sim.create("new", 1);
  sim.resume(2);
  sim.noticed(2, MemberChange::came);
  sim.wait(seconds(60));
  BOOST_TEST(sim.pushed_.empty());
  sim.node_.lost(engine(10, 1));
  sim.wait(seconds(20));
  sim.all_are_right();
}

// What only a disk knows of may have been logged out while this engine was away.
BOOST_AUTO_TEST_CASE(what_only_a_disk_knows_of_is_not_given) {
  Settings settings;
  settings.store.tracks_changes = true;
  Node before(settings);
  for (const char* id : {"ended", "lives"}) before.hear(first_request(id, tribecast::test::kStart));
  const auto saved = before.keeper.begin_commit(moment(before.time));
  Simulation sim(1);
  for (const session::Saved& one : saved) {
    BOOST_TEST(sim.node_.keeper.restore(one.key, *one.value, moment(sim.node_.time)));
  }
  sim.node_.keeper.restored(moment(sim.node_.time), seconds(0), false);
  sim.tomcats_[0].sessions["lives"] =
      Record{.created_ms = tribecast::test::kStart,
             .max_inactive_s = 1800,
             .id = "lives",
             .attributes = {{"cart", tribecast::test::text_value("x")}}};
  sim.tomcats_[1].sessions["lives"] = sim.tomcats_[0].sessions["lives"];
  sim.truth_["lives"] = {{"cart", "x"}};
  sim.changed_by_["lives"] = {0, {}};
  for (std::size_t i = 0; i < kTomcats; ++i) sim.create("s" + std::to_string(i), i);
  sim.wait(seconds(100));
  sim.all_are_right();
  BOOST_TEST(sim.node_.keeper.pushes().counters().unsure > 0U);
}
