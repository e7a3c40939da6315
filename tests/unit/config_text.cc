// What is written: findings, the effective configuration, the reference page.
#define BOOST_TEST_MODULE config_text
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <sstream>

#include "config/config.h"
#include "config/settings.h"
#include "config/values.h"

using namespace tribecast;
using namespace tribecast::config;

BOOST_AUTO_TEST_CASE(a_finding_with_its_source) {
  Diagnostic d;
  d.file = "peers.d/hz.conf";
  d.line = 13;
  d.what = "unknown key 'adress' in [peer \"hz-web-2\"]";
  d.source = "\tadress = 172.16.0.12";
  d.column = 1;
  d.width = 6;
  d.hint = "did you mean 'address'?";
  d.why = "because";
  d.fix = "do it";
  BOOST_TEST(to_text(d) ==
             "peers.d/hz.conf:13: error: unknown key 'adress' in [peer \"hz-web-2\"]\n"
             "   13 |  adress = 172.16.0.12\n"
             "      |  ^^^^^^ did you mean 'address'?\n"
             "    why: because\n"
             "    fix: do it\n");
}

BOOST_AUTO_TEST_CASE(a_finding_about_a_file) {
  Diagnostic d;
  d.severity = Severity::warning;
  d.file = "a.conf";
  d.what = "cannot be read";
  BOOST_TEST(to_text(d) == "a.conf: warning: cannot be read\n");
  BOOST_TEST(to_text(Diagnostics{}) == "");
  BOOST_TEST(to_text(Diagnostics{d}) == "a.conf: warning: cannot be read\n1 warning\n");
  Diagnostic error = d;
  error.severity = Severity::error;
  const std::string text = to_text(Diagnostics{error, error, d});
  BOOST_TEST(text.ends_with("\n2 errors, 1 warning\n"));
}

BOOST_AUTO_TEST_CASE(carets_count_characters_and_long_lines_are_cut) {
  Diagnostic d;
  d.file = "a";
  d.line = 123456;
  d.what = "x";
  d.source = "\xe4\xb8\x8a\xe6\xb5\xb7 = \xff";
  d.column = 9;
  d.width = 1;
  BOOST_TEST(to_text(d) ==
             "a:123456: error: x\n123456 | \xe4\xb8\x8a\xe6\xb5\xb7 = ?\n"
             "       |      ^\n");
  d.source = std::string(4000, 'y');
  d.column = 3000;
  BOOST_TEST(to_text(d) == "a:123456: error: x\n123456 | " + std::string(200, 'y') + " ...\n");
  d.column = 190;
  d.width = 3000;
  BOOST_TEST(to_text(d).find(std::string(10, '^') + "\n") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(the_effective_configuration_parses_to_the_same_with_public_keys) {
  const std::string text =
      "[node]\nname = n\n[security]\nauth = public-key\nprivate-key = \"/p # x\"\n"
      "[group \"g\"]\naddress = 239.1.1.1:*\n"
      "[peer \"p\"]\npublic-key = hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo=\n"
      "roaming = 10.0.0.0/8, 192.0.2.1\n";
  const Outcome outcome = parse({{"a", text}});
  BOOST_REQUIRE_MESSAGE(outcome.config.has_value(), to_text(outcome.diagnostics));
  const Outcome again = parse({{"again", to_text(*outcome.config)}});
  BOOST_REQUIRE_MESSAGE(again.config.has_value(), to_text(again.diagnostics));
  BOOST_TEST((*again.config == *outcome.config));
}

BOOST_AUTO_TEST_CASE(the_effective_configuration_parses_to_the_same) {
  const Outcome outcome = parse({{"a",
                                  "[node]\nname = \"#1\"\nsite = \" a # b \"\n"
                                  "[relay]\nlisten = [::1]:4\n"
                                  "[security]\nkeyring = \"/k ; x\"\n"
                                  "[group \"#g\"]\naddress = 239.1.1.1:*\ninterface = \"#a, b\"\n"
                                  "max-age = 1500ms\n"
                                  "[group \"t\"]\naddress = 228.0.0.4:45564\nbroadcasts = yes\n"
                                  "[peer \"p\"]\naddress = [2001:db8::1]:1\naddress = web\n"
                                  "groups = t, #g\n"
                                  "[discovery \"d\"]\nexec = \"/x/y #z\"\nshrink-limit = 7%\n"
                                  "[discovery \"e\"]\ndns = _t._udp.test\nevery = 2m\n"}});
  BOOST_REQUIRE_MESSAGE(outcome.config.has_value(), to_text(outcome.diagnostics));
  const std::string text = to_text(*outcome.config);
  const Outcome again = parse({{"again", text}});
  BOOST_REQUIRE_MESSAGE(again.config.has_value(), to_text(again.diagnostics));
  BOOST_TEST((*again.config == *outcome.config), text);
  BOOST_TEST(to_text(*again.config) == text);
}

BOOST_AUTO_TEST_CASE(the_effective_configuration_shows_every_setting) {
  const Outcome outcome =
      parse({{"a",
              "[node]\nname = n\n[security]\nkeyring = /k\n"
              "auth = public-key\nprivate-key = /p\n"
              "[group \"g\"]\naddress = 228.0.0.4:45564\n"
              "[peer \"p\"]\naddress = web\nrewrite = 10.0.0.0/8 -> 11.0.0.0/8\n"
              "public-key = hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo=\n"}});
  const Outcome found = parse({{"b",
                                "[security]\nkeyring = /k\n"
                                "[group \"g\"]\naddress = 228.0.0.4:45564\n"
                                "[discovery \"d\"]\nfile = /x\n"}});
  BOOST_REQUIRE(outcome.config.has_value());
  BOOST_REQUIRE(found.config.has_value());
  const std::string text = to_text(*outcome.config) + to_text(*found.config);
  for (const Setting& s : settings()) {
    if (s.key == "dns" || s.key == "exec") continue;
    BOOST_TEST(text.find("\n" + std::string(s.key) + " = ") != text.npos, s.key);
  }
}

BOOST_AUTO_TEST_CASE(the_table_is_whole) {
  for (const Setting& s : settings()) {
    BOOST_TEST(find_section(s.section) != nullptr, s.key);
    BOOST_TEST(find_setting(s.section, s.key) == &s, s.key);
    BOOST_TEST((std::ranges::find(kinds(), s.kind, &Kind::name) != kinds().end()), s.kind);
    BOOST_TEST(s.low.empty() == s.high.empty());
    BOOST_TEST(!s.description.empty());
  }
}

BOOST_AUTO_TEST_CASE(the_reference_names_every_key) {
  const std::string page = reference_markdown();
  for (const Setting& s : settings()) {
    BOOST_TEST(page.find("| `" + std::string(s.key) + "` |") != page.npos, s.key);
  }
  for (const SectionEntry& s : sections()) {
    BOOST_TEST(page.find("\n## [" + std::string(s.type)) != page.npos, s.type);
  }
}
