// From text to a Config: what is accepted, what each mistake is called and where it is.
#define BOOST_TEST_MODULE config_parse
#include <boost/test/unit_test.hpp>

#include "config/config.h"

using namespace tribecast;
using namespace tribecast::config;

namespace {

const std::string kKeyring = "[security]\nkeyring = /k\n";

Outcome parsed(const std::string& text) { return parse({{"t.conf", text}}); }

Config config_of(const std::string& text) {
  const Outcome outcome = parsed(text);
  BOOST_REQUIRE_MESSAGE(outcome.config.has_value(), to_text(outcome.diagnostics));
  return *outcome.config;
}

// `LINE: WHAT` of each finding, one a line.
std::string said(const Outcome& outcome) {
  std::string out;
  for (const Diagnostic& d : outcome.diagnostics) {
    out += (out.empty() ? "" : "\n") + std::to_string(d.line) + ": " + d.what;
  }
  return out;
}

std::string peer(const std::string& name, const std::string& lines) {
  return "[peer \"" + name + "\"]\n" + lines;
}

}  // namespace

BOOST_AUTO_TEST_CASE(nothing_at_all_is_a_configuration) {
  const Config c = config_of("");
  BOOST_TEST(c.relay.listen.size() == 1U);
  BOOST_TEST(c.relay.listen[0].to_string() == "0.0.0.0:45565");
  BOOST_TEST((c.relay.max_datagram_bytes == 1232U));
  BOOST_TEST(c.control.socket == "/run/tribecast/tribecast.sock");
  BOOST_TEST(c.control.group == "tribecast");
  BOOST_TEST(c.peers.empty());
  BOOST_TEST(c.groups.empty());
}

BOOST_AUTO_TEST_CASE(the_small_example) {
  const Config c = config_of(
      "[security]\n"
      "keyring = /etc/tribecast/cluster.keys\n"
      "[group \"tomcat\"]\n"
      "address = 228.0.0.4:45564\n"
      "[peer \"web-1\"]\n"
      "address = 172.16.0.11\n"
      "[peer \"web-2\"]\n"
      "address = web-2.internal\n");
  BOOST_TEST(c.security.keyring == "/etc/tribecast/cluster.keys");
  BOOST_REQUIRE(c.groups.size() == 1U);
  const Group& group = c.groups[0];
  BOOST_TEST(group.name == "tomcat");
  BOOST_TEST(group.address.to_string() == "228.0.0.4");
  BOOST_TEST(group.port == kTomcatPort);
  BOOST_TEST((group.format == Format::tribes));
  BOOST_TEST(group.interfaces.empty());
  BOOST_TEST(!group.broadcasts);
  BOOST_TEST((group.max_age == seconds(1) && group.drop_time == seconds(3)));
  BOOST_REQUIRE(c.peers.size() == 2U);
  BOOST_TEST(c.peers[0].name == "web-1");
  BOOST_TEST(c.peers[0].addresses[0].to_string() == "172.16.0.11:45565");
  BOOST_TEST(c.peers[1].addresses[0].host == "web-2.internal");
  BOOST_TEST(!c.peers[1].addresses[0].literal().has_value());
  BOOST_TEST(c.peers[1].groups.empty());
}

BOOST_AUTO_TEST_CASE(every_key_of_this_version) {
  const Config c = config_of(
      "[node]\nname = n1\nsite = \"Hall 3, rack 2\"\n"
      "[relay]\nlisten = 10.0.0.1:7000\nlisten = [::]:7001\nmax-datagram = 1k\n"
      "[control]\nsocket = /tmp/s\ngroup = adm\n"
      "[security]\nkeyring = /k\nauth = keyring\n"
      "[group \"g\"]\naddress = 239.1.1.1:*\ninterface = eth0, eth1\nformat = tribes\n"
      "broadcasts = yes\nmax-age = 250ms\ndrop-time = 5m\n"
      "[peer \"p\"]\naddress = 10.0.0.2\naddress = p.example:1\nmembers = any\ngroups = g\n"
      "rewrite = 10.0.0.0/24 -> 10.7.0.0/24\nmax-members = 3\nmax-rate = 100\n"
      "copies = 1\npeer-dead-time = 1000ms\nagentless = no\n");
  BOOST_TEST(c.node.name == "n1");
  BOOST_TEST(c.node.site == "Hall 3, rack 2");
  BOOST_TEST(c.relay.listen.size() == 2U);
  BOOST_TEST(c.relay.listen[1].to_string() == "[::]:7001");
  BOOST_TEST((c.relay.max_datagram_bytes == 1024U));
  BOOST_TEST(!config_of("[relay]\nmax-datagram = auto").relay.max_datagram_bytes);
  BOOST_TEST(c.control.socket == "/tmp/s");
  BOOST_TEST(c.control.group == "adm");
  BOOST_TEST(c.groups[0].port == 0U);
  BOOST_TEST(c.groups[0].interfaces.size() == 2U);
  BOOST_TEST((c.groups[0].format == Format::tribes));
  BOOST_TEST(c.groups[0].broadcasts);
  BOOST_TEST((c.groups[0].max_age == milliseconds(250)));
  BOOST_TEST((c.groups[0].drop_time == seconds(300)));
  BOOST_TEST(c.peers[0].addresses.size() == 2U);
  BOOST_TEST(c.peers[0].rewrites.size() == 1U);
  BOOST_TEST(c.peers[0].max_members == 3U);
  BOOST_TEST(c.peers[0].max_rate == 100U);
  BOOST_TEST(c.peers[0].groups.size() == 1U);
}

BOOST_AUTO_TEST_CASE(the_format_follows_the_port_unless_it_is_set) {
  struct Row {
    const char* lines;
    Format format;
  };
  for (const Row& row :
       {Row{"address = 228.0.0.4:45564", Format::tribes},
        Row{"address = 228.0.0.4:5000", Format::raw}, Row{"address = 228.0.0.4:*", Format::raw},
        Row{"address = 228.0.0.4:45564\nformat = raw", Format::raw},
        Row{"address = 228.0.0.4:5000\nformat = tribes", Format::tribes}}) {
    const Config c = config_of(std::string("[group \"g\"]\n") + row.lines);
    BOOST_TEST((c.groups[0].format == row.format), row.lines);
  }
}

BOOST_AUTO_TEST_CASE(what_each_mistake_is_called) {
  struct Row {
    std::string text;
    const char* said;
  };
  const std::string group = "[group \"g\"]\naddress = 228.0.0.4:45564\n";
  for (const Row& row : {
           Row{"[grup \"x\"]\na = b", "1: unknown section [grup]"},
           Row{"[relay]\nlistn = 1", "2: unknown key 'listn' in [relay]"},
           Row{"[node \"x\"]", "1: [node] takes no name"},
           Row{"[node]\nname = a b",
               "2: node: name: a name has no blanks, commas, quotes or "
               "brackets in it"},
           Row{"[node]\nsite = a\nsite = b", "3: 'site' is set twice in [node] (first at line 2)"},
           Row{"[node]\nsite = a\n[node]\nsite = b",
               "4: 'site' is set twice in [node] (first at line 2)"},
           Row{"[relay]\nlisten = 0.0.0.0:70000", "2: relay: port 70000 is not in 1-65535"},
           Row{"[relay]\nlisten = 0.0.0.0:1\nlisten = 0.0.0.0:1",
               "3: relay: 0.0.0.0:1 is there twice"},
           Row{"[relay]\nmax-datagram = 100", "2: relay: max-datagram: 100 is not in 576-65507"},
           Row{"[relay]\nmax-datagram = aut",
               "2: relay: max-datagram: 'aut' is no size such as 1232, 64k or 8m, or 'auto'"},
           Row{"[control]\nsocket =", "2: control: socket: the path is empty"},
           Row{"[security]\nauth = none",
               "2: security: auth: 'none' is neither 'keyring' nor 'public-key'"},
           Row{"[group]\naddress = 228.0.0.4:45564", "1: [group] has no name"},
           Row{"[group \"a b\"]\naddress = 228.0.0.4:45564",
               "1: [group]: a name has no blanks, commas, quotes or brackets in it"},
           Row{"[group \"all\"]\naddress = 228.0.0.4:45564",
               "1: group \"all\": name: 'all' means every group"},
           Row{"[group \"g\"]", "1: group \"g\": address is missing"},
           Row{"[group \"g\"]\naddress = 10.0.0.1:45564",
               "2: group \"g\": 10.0.0.1 is no multicast address (224.0.0.0 to 239.255.255.255)"},
           Row{group + "broadcasts = maybe",
               "3: group \"g\": broadcasts: 'maybe' is neither 'yes' nor 'no'"},
           Row{group + "max-age = 5",
               "3: group \"g\": max-age: '5' has no unit: ms, s, m or h, as in 250ms"},
           Row{group + "max-age = 5ms", "3: group \"g\": max-age: 5ms is not in 10ms-1h"},
           Row{group + "[group \"g\"]\naddress = 228.0.0.5:45564",
               "3: group \"g\" is defined twice (first at line 1)"},
           Row{group + "[group \"h\"]\naddress = 228.0.0.4:45564",
               "4: group \"h\": group \"g\" has it already (first at line 2)"},
           Row{group + "[group \"h\"]\naddress = 228.0.0.4:*",
               "4: group \"h\": group \"g\" has it already (first at line 2)"},
           Row{group + peer("p", "address = 10.0.0.1"),
               "3: there are peers, but no keyring in [security]"},
       }) {
    BOOST_TEST(said(parsed(row.text)) == row.said, row.text);
    BOOST_TEST(!parsed(row.text).config.has_value(), row.text);
  }
}

BOOST_AUTO_TEST_CASE(what_each_mistake_of_a_discovery_is_called) {
  struct Row {
    std::string text;
    std::string said;
  };
  const std::string group = "[group \"g\"]\naddress = 228.0.0.4:45564\n";
  const std::string head = "[security]\nkeyring = /k\n" + group + "[discovery \"d\"]\n";
  for (const Row& row : {
           Row{head + "every = 5s", "5: discovery \"d\": where are the peers found?"},
           Row{head + "dns = x\nfile = /y", "5: discovery \"d\": dns and file are set"},
           Row{head + "dns = 10.0.0.1",
               "6: discovery \"d\": dns: '10.0.0.1' is an address; give a name"},
           Row{head + "dns = a b", "6: discovery \"d\": dns: 'a b' is no host name"},
           Row{head + "file = peers",
               "6: discovery \"d\": file: 'peers' is no absolute path; it begins with '/'"},
           Row{head + "exec = list-peers web",
               "6: discovery \"d\": exec: 'list-peers' is no absolute path; it begins with '/'"},
           Row{head + "exec = /bin/a | /bin/b",
               "6: discovery \"d\": exec: '|' means nothing here; there is no shell: put it into a "
               "script"},
           Row{head + "exec = /bin/a $HOME",
               "6: discovery \"d\": exec: '$' means nothing here; there is no shell: put it into a "
               "script"},
           Row{head + "exec = /bin/a\nevery = 100ms",
               "7: discovery \"d\": every: 100ms is not in 1s-24h"},
           Row{head + "exec = /bin/a\nshrink-limit = 5",
               "7: discovery \"d\": shrink-limit: '5' is no percentage such as 50%"},
           Row{head + "exec = /bin/a\nshrink-limit = 101%",
               "7: discovery \"d\": shrink-limit: 101% is not in 0%-100%"},
           Row{head + "exec = /bin/a\non-failure = drop",
               "7: discovery \"d\": on-failure: 'drop' would part the cluster whenever the source "
               "cannot be asked; only 'keep' is possible, and a source that answers with fewer "
               "peers "
               "takes the others away"},
           Row{head + "exec = /bin/a\n[discovery \"d\"]\nfile = /b",
               "7: discovery \"d\" is defined twice (first at line 5)"},
           Row{group + "[discovery \"d\"]\ndns = x",
               "3: there are peers, but no keyring in [security]"},
       }) {
    BOOST_TEST(said(parsed(row.text)) == row.said, row.text);
    BOOST_TEST(!parsed(row.text).config.has_value(), row.text);
  }
}

BOOST_AUTO_TEST_CASE(a_discovery_of_each_kind) {
  const auto outcome = parsed(
      "[security]\nkeyring = /k\n"
      "[group \"g\"]\naddress = 228.0.0.4:45564\n"
      "[discovery \"a\"]\ndns = _Tribecast._udp.Test.\n"
      "[discovery \"b\"]\nfile = /x/peers\nshrink-limit = 0%\n"
      "[discovery \"c\"]\nexec =  /bin/list  web \nevery = 5s\ntimeout = 1s\n");
  BOOST_REQUIRE_MESSAGE(outcome.config.has_value(), to_text(outcome.diagnostics));
  const std::vector<Discovery> expected = {
      {"a", SourceKind::dns, "_tribecast._udp.test"},
      {"b", SourceKind::file, "/x/peers", seconds(60), seconds(10), 0},
      {"c", SourceKind::exec, "/bin/list web", seconds(5), seconds(1)}};
  BOOST_TEST((outcome.config->discoveries == expected));
}

BOOST_AUTO_TEST_CASE(what_each_mistake_of_a_peer_is_called) {
  struct Row {
    std::string peers;
    const char* said;
  };
  const std::string group = "[group \"g\"]\naddress = 228.0.0.4:45564\n";
  for (const Row& row : {
           Row{peer("b", ""), "5: peer \"b\": address is missing"},
           Row{peer("b", "address = 10.0.0.1:70000"),
               "6: peer \"b\": port 70000 is not in 1-65535"},
           Row{peer("b", "address = 10.0.0.1\naddress = 10.0.0.1:45565"),
               "7: peer \"b\": 10.0.0.1:45565 is there already: peer \"b\" (first at line 6)"},
           Row{peer("b", "address = web\n") + peer("c", "address = WEB."),
               "8: peer \"c\": web:45565 is there already: peer \"b\" (first at line 6)"},
           Row{peer("b", "address = 10.0.0.1\n") + peer("b", "address = 10.0.0.2"),
               "7: peer \"b\" is defined twice (first at line 5)"},
           Row{peer("b", "address = 10.0.0.1\ngroups = g, x"),
               "7: peer \"b\": groups: there is no group \"x\""},
           Row{peer("b", "address = 10.0.0.1\ncopies = 9"),
               "7: peer \"b\": copies: 9 is not in 1-3"},
           Row{peer("b", "address = 10.0.0.1\nmembers = 10.0.0.0/88"),
               "7: peer \"b\": members: '10.0.0.0/88' is no prefix such as 10.0.0.0/8"},
           Row{peer("b", "address = 10.0.0.1\npeer-dead-time = 50ms"),
               "7: peer \"b\": peer-dead-time: 50ms is not in 100ms-1h"},
           Row{peer("b", "address = 10.0.0.1\npeer-dead-time = never"),
               "7: peer \"b\": peer-dead-time: 'never' is no duration such as 250ms, 2s or 5m, or "
               "'off'"},
           Row{peer("b", "address = 10.0.0.1\nrewrite = x"),
               "7: peer \"b\": rewrite: 'x' is not of the form 10.0.0.0/16 -> 172.31.0.0/16"},
           Row{peer("b", "address = 10.0.0.1\nmax-members = 0"),
               "7: peer \"b\": max-members: 0 is not in 1-4096"},
           Row{peer("b", "address = 10.0.0.1\nmax-rate = 9"),
               "7: peer \"b\": max-rate: 9 is not in 10-1000000"},
           Row{peer("b", "address = 10.0.0.1\npublic-key = x"),
               "7: peer \"b\": public-key: the value is not 44 characters of base64"},
           Row{peer("b", "address = 10.0.0.1\npublic-key = \"\""),
               "7: peer \"b\": public-key: the value is not 44 characters of base64"},
           Row{peer("b", "address = 10.0.0.1\npublic-key = " + std::string(43, 'A') + "="),
               "7: peer \"b\": public-key: the value is no public key of anybody"},
           Row{peer("b", "address = 10.0.0.1\nroaming = 10.0.0.0/8\n") +
                   peer("c", "address = 10.0.0.2\nroaming = 192.0.2.0/24, 10.9.0.0/16"),
               "8: peer \"c\": roaming overlaps that of peer \"b\""},
           Row{peer("b", "address = 10.0.0.1\nroaming = 10.0.0.0/8\n") +
                   peer("c", "address = 10.0.0.2\nroaming = 11.0.0.0/8"),
               ""},
           Row{peer("b", "address = 10.0.0.1\nroaming = 10.0.0.0/99"),
               "7: peer \"b\": roaming: '10.0.0.0/99' is no prefix such as 10.0.0.0/8"},
           Row{peer("b", "adress = 10.0.0.1"),
               "5: peer \"b\": address is missing\n6: unknown key 'adress' in [peer \"b\"]"},
       }) {
    BOOST_TEST(said(parsed(kKeyring + group + row.peers)) == row.said, row.peers);
  }
}

BOOST_AUTO_TEST_CASE(public_keys) {
  const std::string one = "hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo=";
  const std::string two = "3p7bfXt9wbTTW2HC7OQ1Nz+DQ8hbeGdNrfx+FG+IK08=";
  const std::string rest = "auth = public-key\n[group \"g\"]\naddress = 228.0.0.4:45564\n";
  const std::string security = "[security]\nprivate-key = /p\n" + rest;
  const Config c = config_of(
      security + peer("b", "public-key = " + one + "\n") +
      peer("c", "address = 10.0.0.1\npublic-key = " + two + "\nroaming = 10.0.0.0/8, 192.0.2.1"));
  BOOST_TEST((c.security.auth == Auth::public_key));
  BOOST_TEST(c.security.private_key == "/p");
  BOOST_TEST(c.security.keyring == "");
  BOOST_TEST(c.peers[0].addresses.empty());
  BOOST_TEST(c.peers[0].public_key == one);
  BOOST_TEST(c.peers[0].roaming.empty());
  BOOST_TEST(c.peers[1].public_key == two);
  BOOST_TEST(c.peers[1].roaming.size() == 2U);

  struct Row {
    std::string text;
    const char* said;
  };
  for (const Row& row : {
           Row{"[security]\n" + rest + peer("b", "public-key = " + one),
               "5: there are peers, but no private-key in [security]"},
           Row{security + peer("b", "address = 10.0.0.1"), "6: peer \"b\": public-key is missing"},
           Row{security + peer("b", "public-key = " + one + "\n") +
                   peer("c", "public-key = " + one),
               "9: peer \"c\": public-key: it is there already: peer \"b\" (first at line 7)"},
           Row{"[security]\nprivate-key =\n" + rest, "2: security: private-key: the path is empty"},
       }) {
    BOOST_TEST(said(parsed(row.text)) == row.said, row.text);
  }
  // Told, but no mistake: the keys come before the change of `auth`.
  const Outcome unused = parsed(kKeyring + "[group \"g\"]\naddress = 228.0.0.4:45564\n" +
                                peer("b", "address = 10.0.0.1\npublic-key = " + one));
  BOOST_TEST(unused.config.has_value());
  BOOST_TEST(said(unused) == "7: peer \"b\": public-key is not used: auth = keyring");
}

BOOST_AUTO_TEST_CASE(all_mistakes_of_all_files_in_one_run) {
  const Outcome outcome = parse({{"main.conf", "[relay]\nlistn = 1\n[group \"g\"]\n"},
                                 {"peers.d/b.conf", "[peer \"p\"]\naddress = 10.0.0.1:0\n"},
                                 {"conf.d/a.conf", "[group \"g\"]\naddress = x\n[relay]\nb\n"}});
  std::string places;
  for (const Diagnostic& d : outcome.diagnostics) {
    places += d.file + ":" + std::to_string(d.line) + " ";
  }
  BOOST_TEST(places ==
             "main.conf:2 main.conf:3 peers.d/b.conf:1 peers.d/b.conf:2 conf.d/a.conf:1 "
             "conf.d/a.conf:2 conf.d/a.conf:4 ");
  BOOST_TEST(outcome.diagnostics[4].what == "group \"g\" is defined twice (first at main.conf:3)");
}

BOOST_AUTO_TEST_CASE(what_was_probably_meant) {
  struct Row {
    const char* text;
    const char* hint;
  };
  for (const Row& row :
       {Row{"[relya]", "did you mean 'relay'?"},
        Row{"[peer \"b\"]\nadress = 1", "did you mean 'address'?"},
        Row{"[node]\nkeyring = 1", "it belongs in [security]"}, Row{"[relay]\nxyzzy = 1", ""}}) {
    std::string hints;
    for (const Diagnostic& d : parsed(row.text).diagnostics) hints += d.hint;
    BOOST_TEST(hints == row.hint, row.text);
  }
}

BOOST_AUTO_TEST_CASE(warnings_do_not_refuse) {
  const Outcome no_group = parsed(kKeyring + peer("b", "address = 10.0.0.1"));
  BOOST_TEST(no_group.config.has_value());
  BOOST_TEST(said(no_group) == "3: there are peers, but no [group]: nothing is relayed");
  const Outcome ages =
      parsed("[group \"g\"]\naddress = 228.0.0.4:45564\nmax-age = 3s\ndrop-time = 3s");
  BOOST_TEST(ages.config.has_value());
  BOOST_TEST(said(ages) == "1: group \"g\": max-age is not below drop-time");
}

BOOST_AUTO_TEST_CASE(the_tables_have_limits) {
  std::string groups;
  for (std::size_t i = 0; i < kMaxGroups; ++i) {
    const std::string n = std::to_string(i);
    groups += "[group \"g" + n + "\"]\naddress = 239.0.0." + n + ":5000\n";
  }
  BOOST_TEST(config_of(groups).groups.size() == kMaxGroups);
  const std::string more =
      "[group \"m\"]\naddress = 239.0.1.1:1\n[group \"n\"]\naddress = "
      "239.0.1.2:1\n";
  BOOST_TEST(said(parsed(groups + more)) == "129: more than 64 groups");

  std::string peers = kKeyring + "[group \"g\"]\naddress = 228.0.0.4:45564\n";
  for (std::size_t i = 0; i < kMaxPeers; ++i) {
    const std::string n = std::to_string(i);
    peers += peer("p" + n, "address = p" + n + "\n");
  }
  BOOST_TEST(config_of(peers).peers.size() == kMaxPeers);
  BOOST_TEST(said(parsed(peers + peer("q", "address = q"))) == "2053: more than 1024 peers");
}

BOOST_AUTO_TEST_CASE(a_flood_of_mistakes_is_cut) {
  std::string text = "[relay]\n";
  for (int i = 0; i < 5000; ++i) text += "x" + std::to_string(i) + " = 1\n";
  const Outcome outcome = parsed(text);
  BOOST_TEST(outcome.diagnostics.size() == 101U);
  BOOST_TEST(outcome.diagnostics.back().what == "4900 more findings are not shown");
}

// Once the count of what is not shown stood as an error behind the warnings.
BOOST_AUTO_TEST_CASE(what_is_not_shown_is_counted_behind_the_last_kind) {
  std::string text;
  for (int i = 0; i < 60; ++i) {
    const std::string n = std::to_string(i);
    text += "[group \"g" + n + "\"]\naddress = 239.0.0." + n + ":5000\nmax-age = 5m\n";
    text += "x = 1\n";
  }
  const Outcome outcome = parsed(text);
  BOOST_TEST_REQUIRE(outcome.diagnostics.size() == 101U);
  BOOST_TEST(outcome.diagnostics.back().what == "20 more findings are not shown");
  BOOST_TEST(std::ranges::is_sorted(outcome.diagnostics, {}, &Diagnostic::severity));
}
