// Findings as text and as an exit code.
#define BOOST_TEST_MODULE control_diagnosis
#include <boost/test/unit_test.hpp>
#include <sstream>

#include "base/utf8.h"
#include "control/diagnosis.h"

using namespace tribecast;
using namespace tribecast::control;

namespace {

Diagnosis diagnosis(std::vector<Health> healths) {
  Diagnosis out{"host", {}};
  for (const Health health : healths) {
    out.findings.push_back({"TC001", "title", health, "", "text", "means it", "mend it"});
  }
  return out;
}

}  // namespace

BOOST_AUTO_TEST_CASE(the_worst_finding_decides_and_unknown_ones_do_not) {
  BOOST_TEST((exit_code(diagnosis({})) == Exit::good));
  BOOST_TEST((exit_code(diagnosis({Health::good, Health::unknown})) == Exit::good));
  BOOST_TEST((exit_code(diagnosis({Health::warning, Health::good})) == Exit::degraded));
  BOOST_TEST((exit_code(diagnosis({Health::warning, Health::failure})) == Exit::critical));
}

BOOST_AUTO_TEST_CASE(the_sum_counts_each_kind) {
  const std::string text =
      diagnosis_text(diagnosis({Health::good, Health::good, Health::unknown, Health::failure}), {});
  BOOST_TEST(text.find("ok    TC001  text, and 1 more like it\n") == 0U);
  BOOST_TEST(text.find("1 failure, no warning, 2 ok, 1 not checked\n") != text.npos);
  BOOST_TEST(
      text.find("FAIL  TC001  text\n             means  means it\n             fix    mend it\n") !=
      text.npos);
}

BOOST_AUTO_TEST_CASE(no_line_is_longer_than_the_columns_unless_a_word_is) {
  Diagnosis long_one = diagnosis({Health::failure});
  for (int i = 0; i < 60; ++i) long_one.findings[0].text += " w\u00f6rd";
  long_one.findings[0].means = long_one.findings[0].text;
  long_one.findings[0].fix = long_one.findings[0].text + "\nsecond line";
  std::istringstream lines(diagnosis_text(long_one, {}));
  bool second = false;
  for (std::string line; std::getline(lines, line);) {
    BOOST_TEST(count_characters(line) <= kColumns);
    second = second || line == std::string(20, ' ') + "second line";
  }
  BOOST_TEST(second);
  BOOST_TEST(wrapped(std::string(200, 'x') + " y", 2) == "  " + std::string(200, 'x') + "\n  y\n");
}

BOOST_AUTO_TEST_CASE(what_comes_from_outside_does_no_harm_to_a_terminal) {
  Diagnosis wild = diagnosis({Health::warning});
  wild.findings[0].text = "a\033[2Jb";
  wild.findings[0].fix = "c\033[2Jd";
  BOOST_TEST(diagnosis_text(wild, {}).find('\033') == std::string::npos);
}

BOOST_AUTO_TEST_CASE(json_has_every_finding) {
  const std::string json = diagnosis_json(diagnosis({Health::good, Health::failure}), "now");
  BOOST_TEST(json.find("\"schema\": \"tribecast.doctor/1\"") != json.npos);
  BOOST_TEST(json.find("\"level\": \"failure\"") != json.npos);
  BOOST_TEST(json.find("\"subject\": null") != json.npos);
}
