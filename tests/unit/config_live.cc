// The files of `peer add` and `group join`.
#define BOOST_TEST_MODULE config_live
#include <boost/test/unit_test.hpp>

#include "config/config.h"
#include "config/live.h"

using namespace tribecast::config;

BOOST_AUTO_TEST_CASE(names_of_files) {
  struct Row {
    LiveKind kind;
    const char* name;
    const char* file;
  };
  for (const Row& row : {
           Row{LiveKind::peer, "web-3", "peers.d/web-3.conf"},
           Row{LiveKind::peer, "web_3.example", "peers.d/web_3.example.conf"},
           Row{LiveKind::peer, "../x", "peers.d/%2E.%2Fx.conf"},
           Row{LiveKind::peer, ".", "peers.d/%2E.conf"},
           Row{LiveKind::peer, "%2F", "peers.d/%252F.conf"},
           Row{LiveKind::peer, "\xe4\xb8\x8a", "peers.d/\xe4\xb8\x8a.conf"},
           Row{LiveKind::group, "t", "conf.d/group-t.conf"},
           Row{LiveKind::group, ".t", "conf.d/group-%2Et.conf"},
       }) {
    BOOST_TEST(live_file(row.kind, row.name) == row.file);
  }
}

BOOST_AUTO_TEST_CASE(what_is_written_is_read_back) {
  const LiveSection peer{LiveKind::peer, "a/b", {"10.0.0.1", "[2001:db8::1]:7", "web.internal"}};
  const LiveSection group{LiveKind::group, "t", {"239.1.1.1:*"}};
  const Outcome outcome = parse(
      {{"main", "[security]\nkeyring = /k\n"}, {"p", live_text(peer)}, {"g", live_text(group)}});
  BOOST_REQUIRE_MESSAGE(outcome.config.has_value(), to_text(outcome.diagnostics));
  BOOST_REQUIRE(outcome.config->peers.size() == 1U);
  BOOST_TEST(outcome.config->peers[0].name == "a/b");
  BOOST_TEST(outcome.config->peers[0].addresses.size() == 3U);
  BOOST_REQUIRE(outcome.config->groups.size() == 1U);
  BOOST_TEST(outcome.config->groups[0].port == 0U);
}

BOOST_AUTO_TEST_CASE(what_the_tool_wrote_itself) {
  const std::string own = live_text({LiveKind::peer, "a", {"10.0.0.1"}});
  BOOST_TEST(own.starts_with("# Written by `tribecast peer add`; `tribecast peer remove a` "));
  BOOST_TEST(is_live_text(own));
  BOOST_TEST(is_live_text(live_text({LiveKind::group, "a", {"228.0.0.4:45564"}})));
  BOOST_TEST(is_live_text(own + "groups = all\n"));
  BOOST_TEST(!is_live_text(own + "[peer \"b\"]\naddress = 10.0.0.2\n"));
  BOOST_TEST(!is_live_text(own + "odd\n"));
  BOOST_TEST(!is_live_text("[peer \"a\"]\naddress = 10.0.0.1\n"));
  BOOST_TEST(!is_live_text(""));
}

BOOST_AUTO_TEST_CASE(where_a_section_stands) {
  const std::vector<Source> sources = {{"main", "[node]\nname = n\n[peer \"a\"]\n"},
                                       {"more", "\n[group \"a\"]\n[peer \"b\"]\n[peer]\n"}};
  const auto b = find_section(sources, "peer", "b");
  BOOST_REQUIRE(b.has_value());
  BOOST_TEST(b->file == "more");
  BOOST_TEST(b->line == 3U);
  BOOST_TEST(find_section(sources, "group", "a")->line == 2U);
  BOOST_TEST(!find_section(sources, "group", "b").has_value());
  BOOST_TEST(!find_section(sources, "peer", "").has_value());
  BOOST_TEST((section_names(sources, "peer") == std::vector<std::string>{"a", "b"}));
}
