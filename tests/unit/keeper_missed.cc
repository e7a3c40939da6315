// What members were not told: from shortly before their silence was noticed until they are back.
#define BOOST_TEST_MODULE keeper_missed
#include <boost/test/unit_test.hpp>
#include <random>
#include <set>

#include "channel_fixture.h"
#include "engine/keeper/missed.h"

using namespace tribecast;
using namespace tribecast::keeper;
using channel::test::at;
using channel::test::member;

namespace {

const std::string kApp = "localhost#/app";
const tribes::Identity kOne = member(1).identity;
const tribes::Identity kTwo = member(2).identity;

session::Clock clock_at(Duration since) {
  return {at(since), 1000 + duration_cast<milliseconds>(since).count()};
}

std::set<std::string> ids(const Missed& missed, const tribes::Identity& of) {
  std::set<std::string> all;
  for (const auto& [id, until] : missed.ids_of(of, kApp)) all.insert(id);
  return all;
}

using Set = std::set<std::string>;

}  // namespace

BOOST_AUTO_TEST_CASE(what_changed_while_it_was_away_and_shortly_before) {
  Missed missed(seconds(8), {});
  missed.on_change(kApp, "long-ago", kTwo, at(seconds(0)));
  missed.on_change(kApp, "before", kTwo, at(seconds(20)));
  missed.on_change(kApp, "its-own", kOne, at(seconds(21)));
  missed.on_away(kOne, at(seconds(25)));
  missed.on_change(kApp, "while", kTwo, at(seconds(30)));
  missed.on_change(kApp, "by-it", kOne, at(seconds(30)));
  BOOST_TEST(missed.on_back(kOne, clock_at(seconds(40))));
  missed.on_change(kApp, "after", kTwo, at(seconds(41)));
  BOOST_TEST((ids(missed, kOne) == Set{"before", "while"}));
  BOOST_TEST(missed.ids_of(kOne, kApp).at("while") == 41'000);
  BOOST_TEST(ids(missed, kTwo).empty());
  BOOST_TEST(!missed.on_back(kOne, clock_at(seconds(42))));
  missed.remove(kOne, kApp, "while");
  BOOST_TEST(missed.count(kOne) == 1U);
  missed.remove(kOne, kApp);
  BOOST_TEST(missed.count(kOne) == 0U);
  BOOST_TEST(missed.is_complete(kOne));
}

BOOST_AUTO_TEST_CASE(who_missed_more_than_is_kept_must_be_asked) {
  Missed missed(seconds(8), {.ids = 10, .recent = 5, .all_ids = 100});
  missed.on_away(kOne, at(seconds(1)));
  for (int i = 0; i < 11; ++i) {
    BOOST_TEST(missed.is_complete(kOne));
    missed.on_change(kApp, std::to_string(i), kTwo, at(seconds(2)));
  }
  BOOST_TEST(!missed.is_complete(kOne));
  BOOST_TEST(missed.count(kOne) == 0U);
  // Of the lookback not everything was remembered.
  missed.on_away(kTwo, at(seconds(3)));
  BOOST_TEST(!missed.is_complete(kTwo));
  missed.set_complete(kTwo);
  BOOST_TEST(missed.is_complete(kTwo));
}

BOOST_AUTO_TEST_CASE(who_changed_it_last) {
  Missed missed(seconds(8), {});
  missed.on_change(kApp, "s", kOne, at(seconds(1)));
  BOOST_TEST(missed.was_changed_by(kOne, kApp, "s", at(seconds(0))));
  BOOST_TEST(!missed.was_changed_by(kOne, kApp, "s", at(seconds(2))));
  missed.on_change(kApp, "s", kTwo, at(seconds(2)));
  BOOST_TEST(!missed.was_changed_by(kOne, kApp, "s", at(seconds(0))));
  BOOST_TEST(!missed.was_changed_by(kOne, "/other", "s", at(seconds(0))));
}

// Against a list of everything: never less than was missed, and more by one lookback at most.
BOOST_AUTO_TEST_CASE(as_a_list_of_everything_says) {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    std::mt19937 random(seed);
    Missed missed(seconds(8), {});
    struct Said {
      Duration when;
      std::string id;
      bool by_it;
    };
    std::vector<Said> all;
    Duration now{};
    const Duration away = seconds(static_cast<int>(10 + random() % 60));
    const Duration back = away + seconds(static_cast<int>(random() % 60));
    bool is_away = false;
    while (now < back) {
      now += milliseconds(static_cast<int>(random() % 700));
      if (!is_away && now >= away) missed.on_away(kOne, at(now)), is_away = true;
      const Said said{now, std::to_string(random() % 300), random() % 3 == 0};
      missed.on_change(kApp, said.id, said.by_it ? kOne : kTwo, at(now));
      all.push_back(said);
    }
    Set least;
    Set most;
    std::map<std::string, Said> last_before;
    for (const Said& said : all) {
      if (said.when < away) last_before[said.id] = said;
      if (said.when >= away + milliseconds(700) && !said.by_it) least.insert(said.id);
      if (said.when >= away - seconds(8) && !said.by_it) most.insert(said.id);
    }
    for (const auto& [id, said] : last_before) {
      if (said.when >= away - milliseconds(7300) && !said.by_it) least.insert(id);
    }
    const Set kept = ids(missed, kOne);
    BOOST_TEST(std::ranges::includes(kept, least));
    BOOST_TEST(std::ranges::includes(most, kept));
  }
}
