// What a store knows, as bytes for a disk, and back.
#define BOOST_TEST_MODULE session_saved
#include <boost/test/unit_test.hpp>

#include "engine/session/handover.h"
#include "engine/session/store.h"
#include "java_fixture.h"
#include "session_fixture.h"

using namespace tribecast;
using namespace tribecast::session;
using test::at_second;
using test::change;
using test::delta;
using test::event;
using test::kContext;
using test::kStart;

namespace {

using Disk = std::map<Buffer, Buffer>;

Settings tracking() { return {.tracks_changes = true}; }

void write(Store& store, Disk& disk, std::int64_t second = 0) {
  for (const Saved& saved : store.take_changes(at_second(second), SIZE_MAX)) {
    if (saved.value) {
      disk[saved.key] = *saved.value;
    } else {
      disk.erase(saved.key);
    }
  }
}

Store read(const Disk& disk, std::int64_t second, Duration grace = {}) {
  Store store(tracking());
  for (const auto& [key, value] : disk) BOOST_TEST(store.restore(key, value, at_second(second)));
  store.restored(at_second(second), grace, false);
  BOOST_TEST(!store.has_changes());
  return store;
}

// Everything that another member would be told of the session.
Buffer list_of(const Store& store, const std::string& id, std::int64_t second = 0) {
  const Session* session = store.find(kContext, id, at_second(second).now);
  if (session == nullptr) return {};
  const std::vector<Record> records = {session->record(id)};
  return compose_list(records, Dialect::tomcat8);
}

Message with_timeout(const std::string& id, std::int32_t timeout_s) {
  return delta(id, kStart + 1,
               {test::set("cart", "book"),
                test::set(ActionType::max_interval, "", test::integer_value(timeout_s))});
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_session_comes_back_as_it_was) {
  for (const char* version : {"7.0.x-tip", "8.5.x-tip", "9.0.70", "10.1.60", "11.0.x-tip"}) {
    BOOST_TEST_CONTEXT(version) {
      Store store(tracking());
      const auto all = parse_message(
          test::java_stream(std::string(version) + "/session/evt13_delta_everything.bin"));
      Message created = event(Event::created, all->session_id, kStart);
      created.context = all->context;
      store.on_message(created, at_second(0));
      store.on_message(*all, at_second(0));
      Disk disk;
      write(store, disk);
      BOOST_TEST_REQUIRE(disk.size() == 1U);
      const Store again = read(disk, 0);
      BOOST_TEST(!list_of(store, all->session_id).empty());
      BOOST_TEST(same(list_of(store, all->session_id), list_of(again, all->session_id)));
      BOOST_TEST(again.memory_bytes() == store.memory_bytes());
    }
  }
}

BOOST_AUTO_TEST_CASE(only_what_changed_is_written_each_id_once) {
  Store store(tracking());
  for (const char* id : {"a", "b"})
    store.on_message(event(Event::created, id, kStart), at_second(0));
  for (int i = 1; i < 5; ++i) {
    store.on_message(delta("a", kStart + i, {test::set("n", std::to_string(i))}), at_second(0));
  }
  BOOST_TEST(store.take_changes(at_second(0), SIZE_MAX).size() == 2U);
  BOOST_TEST(!store.has_changes());
  store.on_message(event(Event::accessed, "b", kStart + 9), at_second(0));
  const auto changes = store.take_changes(at_second(0), SIZE_MAX);
  BOOST_TEST_REQUIRE(changes.size() == 1U);
  BOOST_TEST(parse_saved_key(changes[0].key)->second == "b");
  store.put_back({changes[0].key});
  BOOST_TEST(store.take_changes(at_second(0), SIZE_MAX).size() == 1U);
  // Never more at once than is asked for, and a session.
  for (int i = 0; i < 100; ++i) {
    store.on_message(event(Event::created, std::to_string(i), kStart), at_second(0));
  }
  BOOST_TEST(store.take_changes(at_second(0), 1).size() == 1U);
  BOOST_TEST(store.take_changes(at_second(0), SIZE_MAX).size() == 99U);
  // Nobody asks, and nothing is gathered.
  Store idle({});
  idle.on_message(event(Event::created, "a", kStart), at_second(0));
  BOOST_TEST(!idle.has_changes());
}

BOOST_AUTO_TEST_CASE(an_end_outlives_a_restart) {
  Store store(tracking());
  store.on_message(event(Event::created, "a", kStart), at_second(0));
  Disk disk;
  write(store, disk);
  store.on_message(event(Event::expired, "a", kStart + 5), at_second(1));
  write(store, disk, 1);
  Store again = read(disk, 60);
  BOOST_TEST(again.session_count() == 0U);
  again.on_message(delta("a", kStart + 4, {test::set("late", "v")}), at_second(60));
  again.on_message(test::state({{.id = "a"}}), at_second(60));
  BOOST_TEST(again.session_count() == 0U);
  BOOST_TEST(again.counters().after_end == 2U);
  // And is forgotten in the end, on the disk too.
  for (int i = 0; i < 40; ++i) again.on_timer(at_second(7 * 3600));
  write(again, disk, 7 * 3600);
  BOOST_TEST(disk.empty());
}

BOOST_AUTO_TEST_CASE(a_change_of_id_outlives_a_restart) {
  Store store(tracking());
  store.on_message(event(Event::created, "old", kStart), at_second(0));
  store.on_message(delta("old", kStart + 1, {test::set("n", "v")}), at_second(0));
  Disk disk;
  write(store, disk);
  store.on_message(change("old", "new", kStart + 2), at_second(0));
  write(store, disk);
  Store again = read(disk, 1);
  BOOST_TEST(list_of(again, "old", 1).empty());
  BOOST_TEST(same(list_of(again, "new", 1), list_of(store, "new")));
  again.on_message(delta("old", kStart + 1, {test::set("late", "v")}), at_second(1));
  BOOST_TEST(again.session_count() == 1U);
  BOOST_TEST(again.find(kContext, "new", at_second(1).now)->record("new").attributes.size() == 2U);
}

BOOST_AUTO_TEST_CASE(what_waits_for_its_creation_still_waits) {
  Store store(tracking());
  store.on_message(delta("a", kStart + 1, {test::set("n", "v")}), at_second(0));
  Disk disk;
  write(store, disk);
  Store again = read(disk, 10);
  BOOST_TEST(list_of(again, "a", 10).empty());
  BOOST_TEST(again.on_timer(at_second(50)).empty());
  BOOST_TEST(again.on_timer(at_second(80)).size() == 1U);
  again.on_message(event(Event::created, "a", kStart), at_second(80));
  BOOST_TEST(!list_of(again, "a", 80).empty());
}

BOOST_AUTO_TEST_CASE(time_goes_on_while_nothing_runs_but_for_the_grace) {
  Store store(tracking());
  store.on_message(event(Event::created, "a", kStart), at_second(0));
  store.on_message(with_timeout("a", 60), at_second(0));
  Disk disk;
  write(store, disk);
  // Twice its time-out, as a copy.
  BOOST_TEST(!list_of(read(disk, 119), "a", 119).empty());
  BOOST_TEST(list_of(read(disk, 121), "a", 121).empty());
  const Store spared = read(disk, 121, seconds(300));
  BOOST_TEST(!list_of(spared, "a", 420).empty());
  BOOST_TEST(list_of(spared, "a", 422).empty());
  // What would live longer anyway lives as long as it would.
  const Store early = read(disk, 10, seconds(30));
  BOOST_TEST(!list_of(early, "a", 119).empty());
  BOOST_TEST(list_of(early, "a", 121).empty());
}

BOOST_AUTO_TEST_CASE(a_clock_that_was_set_makes_no_session_eternal_or_ill) {
  Store store(tracking());
  store.on_message(event(Event::created, "a", kStart), at_second(1000));
  store.on_message(with_timeout("a", 60), at_second(1000));
  Disk disk;
  write(store, disk, 1000);
  const Store again = read(disk, 0);  // a thousand seconds back
  BOOST_TEST(!list_of(again, "a", 119).empty());
  BOOST_TEST(list_of(again, "a", 121).empty());
}

BOOST_AUTO_TEST_CASE(everything_is_written_anew_when_that_is_asked_for) {
  Store store(tracking());
  for (const char* id : {"a", "b"})
    store.on_message(event(Event::created, id, kStart), at_second(0));
  Disk disk;
  write(store, disk);
  Store again(tracking());
  for (const auto& [key, value] : disk) BOOST_TEST(again.restore(key, value, at_second(0)));
  again.restored(at_second(0), {}, true);
  BOOST_TEST(again.take_changes(at_second(0), SIZE_MAX).size() == 2U);
}

namespace {

// What `from` knows, as `to` is told it.
void hand_over(const Store& from, Store& to, std::int64_t second = 0) {
  Handover all(from, "*", Dialect::tomcat8);
  bool has_ended = false;
  while (const auto message = all.next(from, at_second(second))) {
    const auto heard = parse_message(compose_message(*message));
    BOOST_TEST(heard->context == "*");
    has_ended = heard->is(Event::transfer_complete);
    if (!has_ended) BOOST_TEST((to.merge(*heard->payload, at_second(second)) == Verdict::done));
  }
  BOOST_TEST(has_ended);
}

}  // namespace

BOOST_AUTO_TEST_CASE(two_stores_that_each_missed_something_agree) {
  Store a(tracking());
  Store b(tracking());
  for (Store* store : {&a, &b}) {
    for (const char* id : {"both", "gone", "old"}) {
      store->on_message(event(Event::created, id, kStart), at_second(0));
    }
  }
  // A later access does not make an older value newer.
  a.on_message(delta("both", kStart + 1, {test::set("n", "1")}), at_second(0));
  b.on_message(delta("both", kStart + 2, {test::set("n", "2")}), at_second(0));
  a.on_message(event(Event::accessed, "both", kStart + 3), at_second(0));
  b.on_message(event(Event::expired, "gone", kStart + 1), at_second(0));
  a.on_message(change("old", "new", kStart + 1), at_second(0));
  b.on_message(event(Event::created, "only-b", kStart), at_second(0));
  b.on_message(delta("held", kStart, {test::set("n", "v")}), at_second(0));
  hand_over(a, b);
  hand_over(b, a);
  for (const char* id : {"both", "gone", "old", "new", "only-b", "held"}) {
    BOOST_TEST(same(list_of(a, id), list_of(b, id)));
  }
  BOOST_TEST(a.session_count() == 4U);
  BOOST_TEST(b.session_count() == 4U);
  BOOST_TEST(list_of(a, "gone").empty());
  BOOST_TEST(list_of(b, "old").empty());
  const auto* both = a.find(kContext, "both", at_second(0).now);
  BOOST_TEST(same(both->record("both").attributes[0].second, test::text_value("2")));
  // The end of an earlier session of an id is not that of a later one.
  b.on_message(event(Event::created, "gone", kStart + 60'000), at_second(60));
  hand_over(a, b, 60);
  BOOST_TEST(!list_of(b, "gone", 60).empty());
}

BOOST_AUTO_TEST_CASE(a_full_store_merges_nothing) {
  Store from(tracking());
  from.on_message(event(Event::created, "a", kStart), at_second(0));
  from.on_message(delta("a", kStart, {test::set("n", std::string(100'000, 'x'))}), at_second(0));
  Handover all(from, "*", Dialect::tomcat8);
  Store small({.memory_limit_bytes = 50'000});
  BOOST_TEST(
      (small.merge(*all.next(from, at_second(0))->payload, at_second(0)) == Verdict::refused));
  BOOST_TEST((small.merge(test::hex("00000001"), at_second(0)) == Verdict::malformed));
  BOOST_TEST(small.session_count() == 0U);
}

BOOST_AUTO_TEST_CASE(other_bytes_are_refused) {
  Store store(tracking());
  store.on_message(event(Event::created, "a", kStart), at_second(0));
  store.on_message(with_timeout("a", 60), at_second(0));
  store.on_message(change("b", "a", kStart), at_second(0));
  store.on_message(event(Event::expired, "c", kStart), at_second(0));
  for (const Saved& saved : store.take_changes(at_second(0), SIZE_MAX)) {
    for (std::size_t size = 0; size < saved.value->size(); ++size) {
      Store other({});
      BOOST_TEST(!other.restore(saved.key, Bytes(*saved.value).first(size), at_second(0)));
    }
    Buffer longer = *saved.value;
    longer.push_back(0);
    Store other({});
    BOOST_TEST(!other.restore(saved.key, longer, at_second(0)));
    Buffer newer = *saved.value;
    newer[0] = 2;
    BOOST_TEST(!other.restore(saved.key, newer, at_second(0)));
    BOOST_TEST(!other.restore(Bytes(saved.key).first(3), *saved.value, at_second(0)));
  }
}
