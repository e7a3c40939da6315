// The table of drop reasons: indexed by the enum, names fit for JSON and metrics.
#define BOOST_TEST_MODULE reason
#include "base/reason.h"

#include <boost/test/unit_test.hpp>
#include <set>

using namespace tribecast;

BOOST_AUTO_TEST_CASE(the_table_has_the_enums_order) {
  for (std::size_t i = 0; i < kReasonCount; ++i) {
    BOOST_TEST(static_cast<std::size_t>(kReasons[i].reason) == i);
    BOOST_TEST(name_of(static_cast<Reason>(i)) == kReasons[i].name);
  }
  // The last enumerator: a new one without an entry fails here.
  BOOST_TEST(static_cast<std::size_t>(Reason::kernel_drop) + 1 == kReasonCount);
}

BOOST_AUTO_TEST_CASE(names_are_unique_identifiers_with_a_meaning) {
  std::set<std::string_view> names;
  for (const ReasonEntry& entry : kReasons) {
    BOOST_TEST(names.insert(entry.name).second, entry.name);
    BOOST_TEST(!entry.name.empty());
    BOOST_TEST(
        (entry.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_") == std::string_view::npos));
    BOOST_TEST(!entry.meaning.empty());
  }
}

BOOST_AUTO_TEST_CASE(counters_count_each_reason_alone) {
  ReasonCounters counters;
  BOOST_TEST(counters.total() == 0U);
  counters.add(Reason::forged);
  counters.add(Reason::kernel_drop, 41);
  counters.add(Reason::kernel_drop);
  BOOST_TEST(counters[Reason::forged] == 1U);
  BOOST_TEST(counters[Reason::kernel_drop] == 42U);
  BOOST_TEST(counters[Reason::echo] == 0U);
  BOOST_TEST(counters.total() == 43U);
}
