// What nft's rules say about single packets.
#define BOOST_TEST_MODULE doctor_packet_filter
#include <boost/test/unit_test.hpp>

#include "doctor/packet_filter.h"

using namespace tribecast;
using namespace tribecast::doctor;

namespace {

Packet packet(const char* hook, Protocol protocol, const char* from, const char* to) {
  return {hook, protocol, *Endpoint::parse(from), *Endpoint::parse(to), "eth0"};
}

Packet from_peer() { return packet("input", Protocol::udp, "10.0.0.2:45565", "10.0.0.1:45565"); }

std::string chain(const std::string& rules, const std::string& policy = "accept",
                  const std::string& hook = "input") {
  return "table inet filter {\n\tset known {\n\t\ttype ipv4_addr\n\t\telements = { "
         "10.0.0.2,\n\t\t\t"
         "10.0.0.3 }\n\t}\n\n\tchain first {\n\t\ttype filter hook " +
         hook + " priority filter; policy " + policy + ";\n" + rules +
         "\t}\n\tchain other {\n\t\tudp dport "
         "45565 drop\n\t}\n}\n";
}

Passes judged(const std::string& listing, const Packet& what) {
  return judge_packet(parse_packet_filter(listing), what).passes;
}

}  // namespace

BOOST_TEST_DONT_PRINT_LOG_VALUE(Passes)

struct Case {
  const char* rules;
  Passes passes;
};

BOOST_AUTO_TEST_CASE(rules_with_an_accepting_policy) {
  const Case cases[] = {
      {"", Passes::yes},
      {"\t\tudp dport 45565 drop\n", Passes::no},
      {"\t\tudp dport 45565 counter packets 3 bytes 99 drop\n", Passes::no},
      {"\t\tudp dport 45565 reject with icmpx admin-prohibited\n", Passes::no},
      {"\t\tudp dport { 53, 45000-46000 } drop\n", Passes::no},
      {"\t\tudp dport { 53, 123 } drop\n", Passes::yes},
      {"\t\tudp dport != 45565 drop\n", Passes::yes},
      {"\t\ttcp dport 45565 drop\n", Passes::yes},
      {"\t\tip saddr 10.0.0.0/8 drop\n", Passes::no},
      {"\t\tip saddr != 192.168.0.0/16 drop\n", Passes::no},
      {"\t\tip saddr 10.0.0.2-10.0.0.9 drop\n", Passes::no},
      {"\t\tip6 saddr ::/0 drop\n", Passes::yes},
      {"\t\tiifname \"eth0\" drop\n", Passes::no},
      {"\t\tiifname \"eth1\" drop\n", Passes::yes},
      {"\t\tiifname \"eth*\" drop\n", Passes::no},
      {"\t\toifname \"eth0\" drop\n", Passes::yes},
      {"\t\tmeta l4proto udp drop\n", Passes::no},
      {"\t\tip protocol 17 drop\n", Passes::no},
      {"\t\tmeta pkttype multicast drop\n", Passes::yes},
      {"\t\tudp dport 45565 accept\n\t\tdrop\n", Passes::yes},
      {"\t\tjump other\n", Passes::no},
      {"\t\tgoto other\n", Passes::no},
      {"\t\ttcp dport 22 jump other\n", Passes::yes},
      {"\t\treturn\n\t\tdrop\n", Passes::yes},
      {"\t\tcomment \"drop it all\"\n", Passes::yes},
      // What may match or not leaves a doubt.
      {"\t\tip saddr @known drop\n", Passes::unknown},
      {"\t\tudp dport 45565 xt match recent counter packets 0 bytes 0 drop\n", Passes::unknown},
      {"\t\tudp dport vmap { 45565 : accept }\n\t\tdrop\n", Passes::unknown},
      {"\t\tudp dport 45565 counter packets 0 bytes 0 queue num 1\n\t\tdrop\n", Passes::unknown},
      {"\t\tudp dport 45565 xt target \"TARPIT\"\n\t\tdrop\n", Passes::unknown},
      {"\t\ttcp dport vmap { 22 : drop }\n", Passes::yes},
      {"\t\tct state invalid drop\n", Passes::yes},
      {"\t\tct state established accept\n\t\tdrop\n", Passes::unknown},
      {"\t\tip saddr @known accept\n\t\tudp dport 45565 drop\n", Passes::unknown},
      {"\t\tjump nowhere\n\t\tdrop\n", Passes::unknown},
      {"\t\tjump first\n\t\tdrop\n", Passes::unknown},
  };
  for (const Case& one : cases) {
    BOOST_TEST(judged(chain(one.rules), from_peer()) == one.passes, one.rules);
  }
}

// Four jumps on each of sixteen levels would be 4^16 rules.
BOOST_AUTO_TEST_CASE(chains_that_jump_to_each_other_have_an_end) {
  std::string rules;
  for (int i = 0; i < 4; ++i) rules += "\t\tjump first\n";
  BOOST_TEST(judged(chain(rules, "drop"), from_peer()) == Passes::unknown);
}

BOOST_AUTO_TEST_CASE(a_policy_drops_what_no_rule_accepts) {
  BOOST_TEST(judged(chain("", "drop"), from_peer()) == Passes::no);
  BOOST_TEST(judged(chain("\t\tudp dport 45565 accept\n", "drop"), from_peer()) == Passes::yes);
  BOOST_TEST(judged(chain("\t\tct state established,related accept\n", "drop"), from_peer()) ==
             Passes::unknown);
  BOOST_TEST(judge_packet(parse_packet_filter(chain("", "drop")), from_peer()).rule ==
             "inet filter first: policy drop");
}

BOOST_AUTO_TEST_CASE(of_tcp_the_first_packet_of_a_connection_is_judged) {
  const Packet first = packet("input", Protocol::tcp, "10.0.0.2:40000", "10.0.0.1:4000");
  const auto passes = [&](const std::string& rules, const char* policy = "drop") {
    return judged(chain(rules, policy), first);
  };
  BOOST_TEST(passes("\t\tct state established,related accept\n") == Passes::no);
  BOOST_TEST(passes("\t\tct state { established, related } accept\n") == Passes::no);
  BOOST_TEST(passes("\t\tct state new accept\n") == Passes::yes);
  BOOST_TEST(passes("\t\tct state invalid,new tcp dport 4000 accept\n") == Passes::yes);
  BOOST_TEST(passes("\t\tct state untracked accept\n") == Passes::unknown);
  BOOST_TEST(passes("\t\tct state vmap { established : accept }\n") == Passes::unknown);
}

// As Debian's iptables, which makes rules of nftables, leaves them.
BOOST_AUTO_TEST_CASE(rules_of_iptables_nft) {
  const auto of = [](const std::string& rule) {
    return "table ip filter {\n\tchain INPUT {\n\t\ttype filter hook input priority filter; policy "
           "accept;\n\t\t" +
           rule + "\n\t}\n}\n";
  };
  const std::string counted = " counter packets 0 bytes 0 ";
  const Packet multicast = packet("input", Protocol::udp, "10.9.9.9:45564", "228.0.0.4:45564");
  BOOST_TEST(judged(of("udp dport 45565" + counted + "drop"), from_peer()) == Passes::no);
  BOOST_TEST(judged(of("udp dport 45564" + counted + "drop"), from_peer()) == Passes::yes);
  BOOST_TEST(judged(of("ip daddr 228.0.0.4 udp dport 45564" + counted + "drop"), multicast) ==
             Passes::no);
  BOOST_TEST(judged(of("pkttype multicast" + counted + "drop"), multicast) == Passes::no);
  BOOST_TEST(judged(of("fib daddr type multicast" + counted + "drop"), multicast) ==
             Passes::unknown);
  const PacketVerdict verdict = judge_packet(
      parse_packet_filter(of("udp dport 45565 xt match string" + counted + "drop")), from_peer());
  BOOST_TEST(verdict.rule.find("xt match string") != std::string::npos);
  BOOST_TEST(verdict.chain == "ip filter INPUT");
}

namespace {

std::string legacy(const std::string& rules, const std::string& policy = "ACCEPT") {
  return "# Generated by iptables-save v1.8.9 on Sun Nov 22 03:03:34 2026\n*filter\n:INPUT " +
         policy + " [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:ours - [0:0]\n" + rules +
         "COMMIT\n";
}

Passes judged_legacy(const std::string& listing, const Packet& what) {
  return judge_packet({parse_iptables(listing)}, what).passes;
}

}  // namespace

BOOST_AUTO_TEST_CASE(rules_of_iptables_legacy) {
  const Case cases[] = {
      {"", Passes::yes},
      {"-A INPUT -p udp -m udp --dport 45565 -j DROP\n", Passes::no},
      {"[3:99] -A INPUT -p udp -m udp --dport 45565 -j REJECT --reject-with "
       "icmp-port-unreachable\n",
       Passes::no},
      {"-A INPUT -p tcp -m tcp --dport 45565 -j DROP\n", Passes::yes},
      {"-A INPUT -p udp -m udp --dport 45000:46000 -j DROP\n", Passes::no},
      {"-A INPUT -p udp -m udp ! --dport 45565 -j DROP\n", Passes::yes},
      {"-A INPUT -p udp -m multiport --dports 53,45000:46000 -j DROP\n", Passes::no},
      {"-A INPUT -p udp -m multiport --dports 53,123 -j DROP\n", Passes::yes},
      {"-A INPUT -s 10.0.0.0/8 -j DROP\n", Passes::no},
      {"-A INPUT ! -s 10.0.0.0/8 -j DROP\n", Passes::yes},
      {"-A INPUT -d 10.0.0.1/32 -i eth+ -j DROP\n", Passes::no},
      {"-A INPUT -i lo -j DROP\n", Passes::yes},
      {"-A INPUT -m iprange --src-range 10.0.0.1-10.0.0.9 -j DROP\n", Passes::no},
      {"-A INPUT -p udp -m comment --comment \"a -j ACCEPT\" -j DROP\n", Passes::no},
      {"-A INPUT -p udp -j LOG --log-prefix \"x -j DROP\"\n-A INPUT -p udp -j DROP\n", Passes::no},
      {"-A INPUT -j ours\n-A ours -p udp -j DROP\n", Passes::no},
      {"-A INPUT -g ours\n-A INPUT -j ACCEPT\n-A ours -j RETURN\n", Passes::yes},
      {"-A OUTPUT -p udp -j DROP\n-A FORWARD -j DROP\n", Passes::yes},
      {"-A nowhere -j DROP\n-A\n", Passes::yes},
      // What is not understood leaves a doubt.
      {"-A INPUT -m recent --name x --rsource -j DROP\n", Passes::unknown},
      {"-A INPUT -p udp -m length --length 1200:65535 -j DROP\n", Passes::unknown},
      {"-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n-A INPUT -j DROP\n",
       Passes::unknown},
      {"-A INPUT -p udp -j NFQUEUE --queue-num 1\n-A INPUT -j DROP\n", Passes::unknown},
  };
  for (const Case& one : cases) {
    BOOST_TEST(judged_legacy(legacy(one.rules), from_peer()) == one.passes, one.rules);
  }
  BOOST_TEST(judged_legacy(legacy("", "DROP"), from_peer()) == Passes::no);
  const PacketVerdict verdict = judge_packet(
      {parse_iptables(legacy("-A INPUT -p udp -m udp --dport 45565 -j DROP\n"))}, from_peer());
  BOOST_TEST(verdict.rule ==
             "iptables-legacy filter INPUT: -A INPUT -p udp -m udp --dport 45565 -j DROP");
}

BOOST_AUTO_TEST_CASE(a_connection_by_iptables_legacy) {
  const Packet first = packet("input", Protocol::tcp, "10.0.0.2:40000", "10.0.0.1:4000");
  BOOST_TEST(
      judged_legacy(legacy("-A INPUT -m state --state RELATED,ESTABLISHED -j ACCEPT\n", "DROP"),
                    first) == Passes::no);
  BOOST_TEST(guards_port({parse_iptables(legacy("", "DROP"))}, first.destination));
  BOOST_TEST(!guards_port({parse_iptables(legacy(""))}, first.destination));
}

BOOST_AUTO_TEST_CASE(only_the_hook_and_the_family_of_the_packet_count) {
  BOOST_TEST(judged(chain("\t\tdrop\n", "accept", "forward"), from_peer()) == Passes::yes);
  BOOST_TEST(
      judged(
          "table ip6 filter {\n\tchain c {\n\t\ttype filter hook input priority 0; policy drop;\n"
          "\t}\n}\n",
          from_peer()) == Passes::yes);
  const Packet multicast = packet("input", Protocol::udp, "10.9.9.9:45564", "228.0.0.4:45564");
  BOOST_TEST(judged(chain("\t\tmeta pkttype multicast drop\n"), multicast) == Passes::no);
  BOOST_TEST(judged(chain("\t\tip saddr != 10.0.0.0/24 ip daddr 228.0.0.4 drop\n"), multicast) ==
             Passes::no);
}

BOOST_AUTO_TEST_CASE(a_port_is_guarded_by_what_drops_strangers) {
  const Endpoint port = *Endpoint::parse("0.0.0.0:4000");
  const auto guards = [&](const std::string& rules, const char* policy = "accept") {
    return guards_port(parse_packet_filter(chain(rules, policy)), port);
  };
  BOOST_TEST(!guards(""));
  BOOST_TEST(!guards("\t\ttcp dport 22 drop\n"));
  BOOST_TEST(!guards("\t\tct state invalid drop\n"));
  BOOST_TEST(!guards("\t\tip saddr 192.0.2.7 drop\n"));
  BOOST_TEST(!guards("\t\tip saddr @known drop\n"));
  BOOST_TEST(!guards("\t\ttcp dport 4000-4100 accept\n", "drop"));
  BOOST_TEST(guards("\t\tct state established,related accept\n", "drop"));
  BOOST_TEST(guards("\t\tip saddr @known tcp dport 4000 accept\n\t\ttcp dport 4000 drop\n"));
  BOOST_TEST(guards("", "drop"));
  BOOST_TEST(guards("\t\tiifname \"lo\" accept\n", "drop"));
  BOOST_TEST(guards("\t\ttcp dport 4000-4100 drop\n"));
  BOOST_TEST(guards("\t\tip saddr != @known tcp dport 4000 drop\n"));
  BOOST_TEST(guards("\t\tip saddr != { 10.0.0.2 } tcp dport 4000 drop\n"));
}
