// What a reload would change, as `config diff` tells it.
#define BOOST_TEST_MODULE config_compare
#include <boost/test/unit_test.hpp>

#include "config/compare.h"
#include "config/config.h"

using namespace tribecast::config;

namespace {

std::string effective(const std::string& text) {
  const Outcome outcome = parse({{"a", text}});
  BOOST_REQUIRE_MESSAGE(outcome.config.has_value(), to_text(outcome.diagnostics));
  return to_text(*outcome.config);
}

const std::string kBase =
    "[node]\nname = n\n[security]\nkeyring = /k\n"
    "[group \"g\"]\naddress = 228.0.0.4:45564\n";
const std::string kPeers = "[peer \"a\"]\naddress = 10.0.0.1\n[peer \"b\"]\naddress = 10.0.0.2\n";

std::string difference(const std::string& running, const std::string& files) {
  return to_text(compare(effective(running), effective(files)));
}

}  // namespace

BOOST_AUTO_TEST_CASE(the_same_has_no_difference) {
  BOOST_TEST(compare(effective(kBase + kPeers), effective(kBase + kPeers)).empty());
  BOOST_TEST(compare("", "").empty());
  BOOST_TEST(to_text(std::vector<SectionChange>{}).empty());
}

BOOST_AUTO_TEST_CASE(what_a_change_of_auth_does_is_said) {
  const auto of = [](const std::string& running, const std::string& files) {
    return consequences(compare(effective(running), effective(files)));
  };
  const std::string by_key =
      "[node]\nname = n\n[security]\nauth = public-key\nprivate-key = /p\n"
      "[group \"g\"]\naddress = 228.0.0.4:45564\n";
  for (const auto& [running, files] : {std::pair{kBase, by_key}, std::pair{by_key, kBase}}) {
    const auto said = of(running, files);
    BOOST_TEST_REQUIRE(said.size() == 1U);
    BOOST_TEST(said.front() == kAuthChanges);
  }
  BOOST_TEST(of(kBase, kBase).empty());
  BOOST_TEST(of(kBase, kBase + kPeers).empty());
  std::string other_ring = kBase;
  other_ring.replace(other_ring.find("/k"), 2, "/other");
  BOOST_TEST(compare(effective(kBase), effective(other_ring)).size() == 1U);
  BOOST_TEST(of(kBase, other_ring).empty());
}

BOOST_AUTO_TEST_CASE(the_order_and_a_written_default_are_no_difference) {
  const std::string other =
      "[peer \"b\"]\naddress = 10.0.0.2:45565\n[peer \"a\"]\naddress = 10.0.0.1\ngroups = all\n";
  BOOST_TEST(difference(kBase + kPeers, other + kBase) == "");
}

BOOST_AUTO_TEST_CASE(differences_as_people_read_them) {
  struct Row {
    const char* what;
    std::string running;
    std::string files;
    const char* text;
  };
  for (const Row& row : {
           Row{"a peer comes", kBase, kBase + "[peer \"a\"]\naddress = 10.0.0.1\naddress = w\n",
               "added    [peer \"a\"]\n           address = 10.0.0.1:45565, w:45565\n"},
           Row{"a peer goes", kBase + kPeers, kBase + "[peer \"b\"]\naddress = 10.0.0.2\n",
               "removed  [peer \"a\"]\n"},
           Row{"a key changes", kBase, kBase + "max-age = 2s\n",
               "changed  [group \"g\"]\n           max-age = 1s -> 2s\n"},
           Row{"a value gets a second", kBase + "[peer \"a\"]\naddress = 10.0.0.1\n",
               kBase + "[peer \"a\"]\naddress = 10.0.0.1\naddress = 10.0.0.9:7\n",
               "changed  [peer \"a\"]\n"
               "           address = 10.0.0.1:45565 -> 10.0.0.1:45565, 10.0.0.9:7\n"},
           Row{"a key comes", "[node]\nsite = x\n", "[node]\nsite = \"\"\nname = n\n",
               "changed  [node]\n           site = x -> (empty)\n"
               "           name = (not set) -> n\n"},
           Row{"a key goes", "[node]\nname = n\n", "[node]\n",
               "changed  [node]\n           name = n -> (not set)\n"},
       }) {
    BOOST_TEST(difference(row.running, row.files) == row.text, row.what);
  }
}

BOOST_AUTO_TEST_CASE(removed_and_changed_come_before_added) {
  const auto changes = compare("[peer \"a\"]\nx = 1\n[peer \"b\"]\nx = 1\n",
                               "[peer \"c\"]\nx = 1\n[peer \"b\"]\nx = 2\ny = 3\n");
  BOOST_REQUIRE(changes.size() == 3U);
  BOOST_TEST((changes[0] == SectionChange{Change::removed, "peer", "a", {}}));
  BOOST_TEST((changes[1] == SectionChange{Change::changed,
                                          "peer",
                                          "b",
                                          {{Change::changed, "x", {"1"}, {"2"}},
                                           {Change::added, "y", {}, {"3"}}}}));
  BOOST_TEST(
      (changes[2] == SectionChange{Change::added, "peer", "c", {{Change::added, "x", {}, {"1"}}}}));
  BOOST_TEST(name_of(changes[0].change) == "removed");
}

BOOST_AUTO_TEST_CASE(each_change_undone_is_its_opposite) {
  const std::string running = effective(kBase + kPeers);
  const std::string files = effective(kBase + "max-age = 2s\n[peer \"c\"]\naddress = 10.0.0.3\n");
  const auto there = compare(running, files);
  const auto back = compare(files, running);
  BOOST_REQUIRE(there.size() == back.size());
  for (const SectionChange& change : there) {
    const Change opposite = change.change == Change::added     ? Change::removed
                            : change.change == Change::removed ? Change::added
                                                               : Change::changed;
    const auto found = std::find_if(back.begin(), back.end(), [&](const SectionChange& other) {
      return other.type == change.type && other.name == change.name;
    });
    BOOST_REQUIRE((found != back.end()));
    BOOST_TEST((found->change == opposite));
  }
}
