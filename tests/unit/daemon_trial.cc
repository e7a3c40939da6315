// What a reload can go back to.
#define BOOST_TEST_MODULE daemon_trial
#include <boost/test/unit_test.hpp>

#include "daemon/trial.h"

using namespace tribecast;
using namespace tribecast::daemon;

namespace {

constexpr Instant kStart{};

InForce in_force(const std::string& site) {
  InForce all;
  all.config.node.site = site;
  return all;
}

std::string ids(const Trial& trial) {
  std::string all;
  for (const auto& warning : trial.warnings(kStart)) all += warning.id + " ";
  return all;
}

}  // namespace

BOOST_AUTO_TEST_CASE(nothing_at_first) {
  Trial trial;
  BOOST_TEST(!trial.waits());
  BOOST_TEST(trial.before() == nullptr);
  BOOST_TEST(!trial.confirm());
  BOOST_TEST(ids(trial) == "");
}

BOOST_AUTO_TEST_CASE(a_plain_reload_can_be_undone_once) {
  Trial trial;
  trial.reloaded(in_force("a"), in_force("b"), kNever);
  BOOST_TEST(!trial.waits());
  BOOST_REQUIRE(trial.before() != nullptr);
  BOOST_TEST(trial.before()->config.node.site == "a");
  BOOST_TEST(ids(trial) == "");
  trial.undone("x");
  BOOST_TEST(trial.before() == nullptr);
  BOOST_TEST(ids(trial) == "config_undone ");
}

BOOST_AUTO_TEST_CASE(a_reload_that_changes_nothing_is_no_step) {
  Trial trial;
  trial.reloaded(in_force("a"), in_force("b"), kNever);
  trial.reloaded(in_force("b"), in_force("b"), kNever);
  BOOST_REQUIRE(trial.before() != nullptr);
  BOOST_TEST(trial.before()->config.node.site == "a");
}

BOOST_AUTO_TEST_CASE(another_key_is_a_change) {
  Trial trial;
  InForce next = in_force("a");
  next.keys.keyring.ring = seal::Keyring{};
  trial.reloaded(in_force("a"), next, kNever);
  BOOST_TEST(trial.before() != nullptr);
}

BOOST_AUTO_TEST_CASE(on_trial_until_confirmed) {
  Trial trial;
  trial.reloaded(in_force("a"), in_force("b"), kStart + seconds(60));
  BOOST_TEST(trial.waits());
  BOOST_TEST((trial.deadline() == kStart + seconds(60)));
  BOOST_TEST(ids(trial) == "config_unconfirmed ");
  BOOST_TEST(trial.warnings(kStart + milliseconds(18500)).front().text.find("in 42 s") !=
             std::string::npos);
  BOOST_TEST(trial.warnings(kStart + seconds(70)).front().text.find("in 0 s") != std::string::npos);
  BOOST_TEST(trial.confirm());
  BOOST_TEST(!trial.waits());
  BOOST_TEST(ids(trial) == "");
  BOOST_TEST(!trial.confirm());
  BOOST_TEST(trial.before()->config.node.site == "a");
}

BOOST_AUTO_TEST_CASE(a_trial_without_a_change_waits_too) {
  Trial trial;
  trial.reloaded(in_force("a"), in_force("a"), kStart + seconds(60));
  BOOST_TEST(trial.waits());
  BOOST_TEST(trial.before() != nullptr);
}

BOOST_AUTO_TEST_CASE(two_trials_go_back_to_what_was_confirmed) {
  Trial trial;
  trial.reloaded(in_force("a"), in_force("b"), kStart + seconds(60));
  trial.reloaded(in_force("b"), in_force("c"), kStart + seconds(90));
  BOOST_TEST((trial.deadline() == kStart + seconds(90)));
  BOOST_TEST(trial.before()->config.node.site == "a");
  trial.postpone(kStart + seconds(95));
  BOOST_TEST(trial.waits());
  trial.undone("not confirmed in time");
  BOOST_TEST(!trial.waits());
  BOOST_TEST(ids(trial) == "config_undone ");
}

BOOST_AUTO_TEST_CASE(the_next_reload_ends_the_warning) {
  Trial trial;
  trial.reloaded(in_force("a"), in_force("b"), kStart + seconds(60));
  trial.undone("x");
  trial.reloaded(in_force("a"), in_force("b"), kNever);
  BOOST_TEST(ids(trial) == "");
  BOOST_TEST(trial.before()->config.node.site == "a");
}
