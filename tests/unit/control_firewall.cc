// Rules for the packet filter: who is let in, what is asked to whom, and that nothing else is.
#define BOOST_TEST_MODULE control_firewall
#include <boost/test/unit_test.hpp>

#include "control/firewall.h"
#include "status_fixture.h"

using namespace tribecast;
using namespace tribecast::control;

namespace {

Address address(const char* text) { return *Address::parse(text); }

Firewall small() {
  Firewall f;
  f.agent_ports = {45565};
  f.peers = {address("10.0.0.2"), address("2001:db8::2")};
  f.member_ports = {4000, 4001};
  f.members = {address("10.0.0.2")};
  f.unknown_peers = {"web-3"};
  return f;
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

BOOST_AUTO_TEST_CASE(of_a_status) {
  Status s = cluster();
  s.members.push_back(member("10.0.0.9", Origin::remote, MemberState::left));
  s.peers.push_back(peer("old", PeerState::up));
  s.peers.back().agentless = true;
  s.peers.back().endpoint = "10.9.9.9:45564";
  const Firewall f = firewall_of(s, {45565}, {address("10.7.7.7")});
  BOOST_TEST((f.peers == std::set{address("10.7.7.7"), address("172.16.0.12")}));
  BOOST_TEST((f.unknown_peers == std::vector<std::string>{"web-3"}));
  BOOST_TEST((f.member_ports == std::set<std::uint16_t>{4000}));
  // A lost one may come back; one that left announces itself anew.
  BOOST_TEST(
      (f.members == std::set{address("10.0.0.1"), address("10.0.0.2"), address("10.0.0.3")}));
}

BOOST_AUTO_TEST_CASE(nft) {
  const std::string text = firewall_text(small(), FirewallFormat::nft);
  BOOST_TEST(text ==
             "# Made by `tribecast firewall print`: nft -f FILE\n"
             "# From the peers and members that are known now: make it again when one comes or "
             "moves.\n"
             "# Without an address now, and shut out: peer web-3\n"
             "table inet tribecast_firewall\n"
             "delete table inet tribecast_firewall\n"
             "table inet tribecast_firewall {\n"
             "  set peers4 {\n    type ipv4_addr\n    elements = { 10.0.0.2 }\n  }\n"
             "  set peers6 {\n    type ipv6_addr\n    elements = { 2001:db8::2 }\n  }\n"
             "  set members4 {\n    type ipv4_addr\n    elements = { 10.0.0.2 }\n  }\n"
             "  set members6 {\n    type ipv6_addr\n  }\n"
             "  chain input {\n"
             "    type filter hook input priority -10; policy accept;\n"
             "    iifname \"lo\" accept\n"
             "    udp dport { 45565 } ip saddr != @peers4 drop\n"
             "    udp dport { 45565 } ip6 saddr != @peers6 drop\n"
             "    tcp dport { 4000, 4001 } ip saddr != @members4 drop\n"
             "    tcp dport { 4000, 4001 } ip6 saddr != @members6 drop\n"
             "  }\n}\n");
}

BOOST_AUTO_TEST_CASE(iptables) {
  const std::string text = firewall_text(small(), FirewallFormat::iptables);
  for (const char* line : {"iptables -A TRIBECAST -p udp --dport 45565 -s 10.0.0.2 -j RETURN\n"
                           "iptables -A TRIBECAST -p udp --dport 45565 -j DROP\n",
                           "iptables -A TRIBECAST -p tcp --dport 4001 -s 10.0.0.2 -j RETURN\n"
                           "iptables -A TRIBECAST -p tcp --dport 4001 -j DROP\n",
                           "ip6tables -A TRIBECAST -p udp --dport 45565 -s 2001:db8::2 -j RETURN\n",
                           "ip6tables -A TRIBECAST -p tcp --dport 4000 -j DROP\n"}) {
    BOOST_TEST(has(text, line), line);
  }
}

BOOST_AUTO_TEST_CASE(firewalld) {
  const std::string text = firewall_text(small(), FirewallFormat::firewalld);
  for (const char* line :
       {"--new-ipset=tribecast-peers6 --type=hash:ip --option=family=inet6\n",
        "--ipset=tribecast-members4 --add-entry=10.0.0.2\n",
        "'rule family=\"ipv4\" source ipset=\"tribecast-members4\" port port=\"4001\" "
        "protocol=\"tcp\" accept'\n",
        "firewall-cmd --reload\n"}) {
    BOOST_TEST(has(text, line), line);
  }
}

BOOST_AUTO_TEST_CASE(without_members_no_port_is_closed) {
  Firewall f = small();
  f.member_ports.clear();
  for (const FirewallFormat format :
       {FirewallFormat::nft, FirewallFormat::iptables, FirewallFormat::firewalld}) {
    const std::string text = firewall_text(f, format);
    BOOST_TEST(has(text, "# No member of this host is known"));
    BOOST_TEST(!has(text, "tcp"));
  }
}

BOOST_AUTO_TEST_CASE(a_name_is_no_rule) {
  Firewall f = small();
  f.unknown_peers = {"a\nflush ruleset"};
  BOOST_TEST(!has(firewall_text(f, FirewallFormat::nft), "\nflush"));
}

BOOST_AUTO_TEST_CASE(json) {
  const std::string text = firewall_json(small(), FirewallFormat::nft, "2026-01-01T00:00:00.000Z");
  for (const char* part : {"\"schema\": \"tribecast.firewall-print/1\"", "\"format\": \"nft\"",
                           "\"10.0.0.2\"", "45565", "\"unknown_peers\""}) {
    BOOST_TEST(has(text, part), part);
  }
}
