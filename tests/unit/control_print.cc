// Text for people: numbers, tables, and the views of a status.
#define BOOST_TEST_MODULE control_print
#include <boost/test/unit_test.hpp>
#include <sstream>

#include "base/utf8.h"
#include "control/print.h"
#include "status_fixture.h"

using namespace tribecast;
using namespace tribecast::control;

namespace {

const Style kPlain;

// No line of it is wider than a terminal.
void check_width(const std::string& text) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    BOOST_TEST(count_characters(line) <= kColumns, line);
  }
}

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

BOOST_AUTO_TEST_CASE(ages) {
  struct Row {
    double seconds;
    const char* text;
  };
  for (const Row& row :
       {Row{0, "0.00 s"}, Row{0.314, "0.31 s"}, Row{9.99, "9.99 s"}, Row{9.999, "10 s"},
        Row{14.2, "14 s"}, Row{119, "119 s"}, Row{120, "2 min"}, Row{3599, "59 min"},
        Row{3600, "1 h 0 min"}, Row{15120, "4 h 12 min"}, Row{86400, "1 d 0 h"},
        Row{273120, "3 d 3 h"}, Row{-1, "0.00 s"}}) {
    BOOST_TEST(age_text(row.seconds) == row.text);
  }
  BOOST_TEST(age_text(std::nullopt) == "-");
}

BOOST_AUTO_TEST_CASE(times_ratios_and_counts) {
  BOOST_TEST(time_text(0.00042) == "0.42 ms");
  BOOST_TEST(time_text(0.0121) == "12.1 ms");
  BOOST_TEST(time_text(1.5) == "1.50 s");
  BOOST_TEST(time_text(std::nullopt) == "-");
  BOOST_TEST(offset_text(-0.0008) == "-0.80 ms");
  BOOST_TEST(offset_text(2.3) == "+2.30 s");
  BOOST_TEST(percent_text(0.002) == "0.2 %");
  BOOST_TEST(percent_text(std::nullopt) == "-");
  BOOST_TEST(rate_text(6) == "6.0");
  BOOST_TEST(count_text(0) == "0");
  BOOST_TEST(count_text(999) == "999");
  BOOST_TEST(count_text(1234567) == "1 234 567");
  BOOST_TEST(counted(1, "peer") == "1 peer");
  BOOST_TEST(counted(0, "peer") == "0 peers");
}

BOOST_AUTO_TEST_CASE(tables_align_and_cut) {
  Table table({{"A", false, 5}, {"N", true}, {"LAST"}});
  table.add({std::string("ab"), std::string("7"), std::string("x")});
  table.add({std::string("abcdefgh"), std::string("1234"), std::string("\xe4\xb8\x8a")});
  BOOST_TEST(table.text(kPlain) ==
             "A         N  LAST\n"
             "ab        7  x\n"
             "abcd~  1234  \xe4\xb8\x8a\n");
  Style unicode;
  unicode.unicode = true;
  BOOST_TEST(contains(table.text(unicode), "abcd\u2026  1234"));
}

BOOST_AUTO_TEST_CASE(colour_only_where_it_is_wanted) {
  Style color;
  color.color = true;
  BOOST_TEST(toned("up", Tone::good, color) == "\033[32mup\033[0m");
  BOOST_TEST(toned("up", Tone::good, kPlain) == "up");
  BOOST_TEST(toned("up", Tone::plain, color) == "up");
  BOOST_TEST(!contains(status_text(cluster(), kPlain), "\033"));
  BOOST_TEST(contains(status_text(cluster(), color), "\033[33mDEGRADED\033[0m"));
}

BOOST_AUTO_TEST_CASE(the_status_answers_first) {
  BOOST_TEST(status_text(cluster(), kPlain) ==
             "DEGRADED  1 of 2 peers up   members 1 local, 1 remote\n"
             "  - web-3 silent for 14 s\n"
             "\n"
             "Peers       1 up, 1 silent, 1 self   rtt 12.1 ms   loss up to 0.2 %\n"
             "Members     1 local, 1 remote\n"
             "Heartbeats  captured 6.0/s   relayed 18.0/s   injected 12.0/s\n"
             "Latency     p50 0.90 ms   p99 2.80 ms   max 6.10 ms   "
             "(capture to injection, last 60 s)\n"
             "Dropped     7 forged   (since start)\n"
             "Groups      tomcat  228.0.0.4:45564 on eth0\n"
             "Node        web-1, site hall 3, tribecast 0.1.0, up 3 d 3 h\n");
}

BOOST_AUTO_TEST_CASE(a_status_with_nothing_configured) {
  Status s;
  s.node.name = "n";
  s.node.version = "0.1.0";
  s.verdict = judge(s);
  const std::string text = status_text(s, kPlain);
  BOOST_TEST(text.starts_with("IDLE  no peer is configured yet   members 0 local, 0 remote\n\n"));
  BOOST_TEST(contains(text, "Dropped     nothing since start\n"));
  BOOST_TEST(peers_text(s, kPlain) == "no peer is configured yet\n");
  BOOST_TEST(members_text(s, kPlain) == "no member was heard yet\n");
  BOOST_TEST(groups_text(s, kPlain) == "no group is configured yet\n");
}

BOOST_AUTO_TEST_CASE(views_line_by_line) {
  BOOST_TEST(peers_text(cluster(), kPlain) ==
             "S  PEER   ENDPOINT           STATE       RTT   LOSS    OFFSET   HEARD\n"
             "=  web-1  -                  self          -      -         -       -\n"
             "*  web-2  172.16.0.12:45565  up      12.1 ms  0.2 %  -0.80 ms  0.20 s\n"
             "?  web-3  -                  silent        -      -         -    14 s\n"
             "\n"
             "web-3: nothing is heard: is its agent running, and the UDP port open both ways?\n");
  BOOST_TEST(members_text(cluster(), kPlain) ==
             "MEMBER         GROUP   ORIGIN  VIA    STATE    ALIVE   HEARD  INTERVAL  GAPS\n"
             "10.0.0.1:4000  tomcat  local   eth0   alive  1 d 2 h  0.31 s  500.0 ms     0\n"
             "10.0.0.2:4000  tomcat  remote  web-2  late         -       -         -     0\n"
             "10.0.0.3:4000  tomcat  remote  web-2  lost         -       -         -     0\n");
  BOOST_TEST(
      groups_text(cluster(), kPlain) ==
      "GROUP   ADDRESS          INTERFACES   CAPTURED  RELAYED  RECEIVED  INJECTED  DROPPED\n"
      "tomcat  228.0.0.4:45564  eth0        1 234 567        2         3         4        "
      "5\n");
}

// The advice names the direction that the status' first lines name.
BOOST_AUTO_TEST_CASE(advice_about_one_direction) {
  const std::string in = peers_text(with_peers({PeerState::half_open_in}), kPlain);
  BOOST_TEST(contains(in, "a: it hears us, we do not hear it"), in);
  const std::string out = peers_text(with_peers({PeerState::half_open_out}), kPlain);
  BOOST_TEST(contains(out, "a: we hear it, it does not hear us"), out);
}

BOOST_AUTO_TEST_CASE(nothing_commands_the_terminal_or_is_too_wide) {
  Status s = cluster();
  const std::string evil = "\x1b]0;x\a" + std::string(300, 'y');
  s.node.name = s.node.site = s.node.version = evil;
  s.peers.push_back(s.peers[2]);
  for (Peer& p : s.peers) {
    p.name = evil;
    p.endpoint = evil;
  }
  s.groups[0].name = s.groups[0].address = evil;
  s.groups[0].interfaces = {evil, evil};
  for (Member& m : s.members) m.host = m.group = m.via = m.domain = evil;
  for (const auto text : {peers_text, members_text, groups_text, status_text}) {
    std::string shown = text(s, kPlain);
    if (text != peers_text) check_width(shown);  // its advice names whole peers
    std::erase(shown, '\n');
    BOOST_TEST(first_unprintable(shown) == std::string::npos);
  }
}

BOOST_AUTO_TEST_CASE(pings) {
  const Ping good{"b", "10.0.0.2:45565", 0.012};
  const Ping lost{"b", std::nullopt, std::nullopt};
  BOOST_TEST(ping_text(good, 1) == "b (10.0.0.2:45565)  seq 1  12.0 ms\n");
  BOOST_TEST(ping_text(lost, 2) == "b  seq 2  no answer\n");
  BOOST_TEST(ping_summary_text({"b", {good, lost}}) ==
             "2 sent, 1 received, loss 50.0 %, rtt min/avg/max 12.0 ms / 12.0 ms / 12.0 ms\n");
  BOOST_TEST(ping_summary_text({"b", {lost}}) == "1 sent, 0 received, loss 100.0 %\n");
  BOOST_TEST(ping_summary_text({"b", {}}) == "0 sent, 0 received, loss 0.0 %\n");
}

BOOST_AUTO_TEST_CASE(watch_lines_stand_below_their_titles) {
  const std::string header = watch_header_text(kPlain);
  const std::string line = watch_text(sample(cluster(), nullptr, 1), "08:00:01", kPlain);
  BOOST_TEST(line.find("web-3") == header.find("NOTE"));
  BOOST_TEST(line.find("1/2") + 3 == header.find("PEERS") + 5);
  check_width(header);
  check_width(line);
}

BOOST_AUTO_TEST_CASE(sources_of_peers) {
  Status s = cluster();
  BOOST_TEST(!contains(status_text(s, kPlain), "Discovery"));
  s.discoveries.push_back({"web", "dns", "web.test", 3, 1, 12.0, std::nullopt});
  s.discoveries.push_back({"tags", "exec", "/x", 0, 0, std::nullopt, "no"});
  const std::string text = status_text(s, kPlain);
  BOOST_TEST(
      contains(text, "Discovery   web  3 peers by dns, 12 s ago, 1 of them no longer found\n"),
      text);
  BOOST_TEST(contains(text, "            tags  0 peers by exec, not asked with success yet\n"),
             text);
}

BOOST_AUTO_TEST_CASE(long_texts_are_continued_below) {
  BOOST_TEST(continued("one two", 4, 4) == "one two\n");
  BOOST_TEST(continued("", 4, 4) == "\n");
  const std::string word(30, 'x');
  const std::string text = word + " " + word + " " + word + " " + word;
  BOOST_TEST(continued(text, 4, 2) == word + " " + word + " " + word + "\n  " + word + "\n");
  BOOST_TEST(continued(text, 60, 4) == word + "\n    " + word + " " + word + " " + word + "\n");
  BOOST_TEST(continued("a\033b", 0, 0).find('\033') == std::string::npos);

  Status status = cluster();
  status.verdict.reasons = {{"no_multicast_route",
                             "group tomcat: no route leads to 228.0.0.4, so no application can "
                             "join or send; add a default route or: ip route add 224.0.0.0/4 dev "
                             "INTERFACE",
                             std::nullopt}};
  const std::string shown = status_text(status, kPlain);
  check_width(shown);
  BOOST_TEST(contains(shown, "\n  - group tomcat: no route"));
  BOOST_TEST(contains(shown, "\n    "));
  BOOST_TEST(contains(shown, "INTERFACE\n"));
  status.peers[0].name = std::string(63, 'p');
  status.peers[0].state = PeerState::silent;
  check_width(peers_text(status, kPlain));
}
