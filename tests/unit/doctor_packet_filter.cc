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
      {"\t\tip saddr @known drop\n", Passes::yes},
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

BOOST_AUTO_TEST_CASE(a_policy_drops_what_no_rule_accepts) {
  BOOST_TEST(judged(chain("", "drop"), from_peer()) == Passes::no);
  BOOST_TEST(judged(chain("\t\tudp dport 45565 accept\n", "drop"), from_peer()) == Passes::yes);
  BOOST_TEST(judged(chain("\t\tct state established,related accept\n", "drop"), from_peer()) ==
             Passes::unknown);
  BOOST_TEST(judge_packet(parse_packet_filter(chain("", "drop")), from_peer()).rule ==
             "inet filter first: policy drop");
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
  BOOST_TEST(guards("", "drop"));
  BOOST_TEST(guards("\t\ttcp dport 4000-4100 drop\n"));
  BOOST_TEST(guards("\t\tip saddr != @known tcp dport 4000 drop\n"));
  BOOST_TEST(guards("\t\tip saddr != { 10.0.0.2 } tcp dport 4000 drop\n"));
}
