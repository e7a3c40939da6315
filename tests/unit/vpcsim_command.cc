// The commands of vpcsim: what each line means, and what is said about one that means nothing.
#define BOOST_TEST_MODULE vpcsim_command
#include <boost/test/unit_test.hpp>

#include "vpcsim/command.h"

using namespace tribecast;
using namespace tribecast::vpcsim;

namespace {

const std::vector<std::string> kHosts = {"a", "b", "web-3"};

template <class T>
T parsed(std::string_view line) {
  const auto command = parse_command(line, kHosts);
  BOOST_REQUIRE_MESSAGE(command, (command ? "" : command.error()));
  BOOST_REQUIRE(std::holds_alternative<T>(*command));
  return std::get<T>(*command);
}

std::string refused(std::string_view line) {
  const auto command = parse_command(line, kHosts);
  return command ? "(accepted)" : command.error();
}

struct Mistake {
  std::string_view line;
  std::string_view said;
};

}  // namespace

BOOST_AUTO_TEST_CASE(set_reads_every_key) {
  const Set set = parsed<Set>(
      "set a->b loss=30 duplicate=0.5% reorder=25 corrupt=10 tamper=100 delay=20ms jitter=0-400ms "
      "mtu=1300 rate=10mbit");
  BOOST_TEST((set.pairs == Pairs{0, 1, false}));
  BOOST_TEST(set.change.loss->ppm == 300'000U);
  BOOST_TEST(set.change.duplicate->ppm == 5'000U);
  BOOST_TEST(set.change.reorder->ppm == 250'000U);
  BOOST_TEST(set.change.corrupt->ppm == 100'000U);
  BOOST_TEST(set.change.tamper->ppm == kMillion);
  BOOST_TEST((*set.change.delay == milliseconds(20)));
  BOOST_TEST((*set.change.jitter == Range{Duration{}, milliseconds(400)}));
  BOOST_TEST(*set.change.mtu_bytes == 1300U);
  BOOST_TEST(*set.change.rate_bits == 10'000'000U);
}

BOOST_AUTO_TEST_CASE(set_changes_what_it_names_alone) {
  const Set set = parsed<Set>("set * loss=0");
  BOOST_TEST(set.change.loss->ppm == 0U);
  BOOST_TEST(!set.change.delay);
  BOOST_TEST(!set.change.mtu_bytes);
}

BOOST_AUTO_TEST_CASE(values) {
  BOOST_TEST((*parsed<Set>("set * delay=1.5s").change.delay == milliseconds(1500)));
  BOOST_TEST((*parsed<Set>("set * delay=500us").change.delay == microseconds(500)));
  BOOST_TEST((*parsed<Set>("set * delay=0").change.delay == Duration{}));
  BOOST_TEST((*parsed<Set>("set * jitter=400ms").change.jitter == Range{{}, milliseconds(400)}));
  BOOST_TEST((*parsed<Set>("set * jitter=100ms-0.4s").change.jitter ==
              Range{milliseconds(100), milliseconds(400)}));
  BOOST_TEST(*parsed<Set>("set * mtu=off").change.mtu_bytes == 0U);
  BOOST_TEST(*parsed<Set>("set * rate=off").change.rate_bits == 0U);
  BOOST_TEST(*parsed<Set>("set * rate=64kbit").change.rate_bits == 64'000U);
  BOOST_TEST(parsed<Set>("set * loss=0.0001").change.loss->ppm == 1U);
}

BOOST_AUTO_TEST_CASE(pairs) {
  BOOST_TEST((parsed<Clear>("clear *").pairs == Pairs{}));
  BOOST_TEST((parsed<Clear>("clear a->*").pairs == Pairs{0, {}, false}));
  BOOST_TEST((parsed<Clear>("clear *->web-3").pairs == Pairs{{}, 2, false}));
  BOOST_TEST((parsed<Clear>("clear web-3->a").pairs == Pairs{2, 0, false}));
  BOOST_TEST((parsed<Clear>("clear a<->b").pairs == Pairs{0, 1, true}));
}

BOOST_AUTO_TEST_CASE(rules) {
  const Rule one = parsed<Rule>("deny a->b udp 45565");
  BOOST_TEST(!one.allow);
  BOOST_TEST((one.protocol == Protocol::udp));
  BOOST_TEST(one.first_port == 45565U);
  BOOST_TEST(one.last_port == 45565U);
  const Rule range = parsed<Rule>("allow * tcp 4000-4100");
  BOOST_TEST(range.allow);
  BOOST_TEST(range.first_port == 4000U);
  BOOST_TEST(range.last_port == 4100U);
  const Rule all = parsed<Rule>("deny a->b");
  BOOST_TEST((all.protocol == Protocol::any));
  BOOST_TEST(all.any_port());
}

BOOST_AUTO_TEST_CASE(partition_with_and_without_blanks) {
  const std::vector<std::vector<HostId>> groups = {{0, 1}, {2}};
  BOOST_TEST((parsed<Partition>("partition a,b | web-3").groups == groups));
  BOOST_TEST((parsed<Partition>("partition a b|web-3").groups == groups));
  BOOST_TEST((parsed<Partition>("  partition  a, b  |web-3 ").groups == groups));
}

BOOST_AUTO_TEST_CASE(words_that_stand_alone) {
  parsed<Heal>("heal");
  parsed<Counters>(" counters ");
  parsed<Quit>("quit");
}

BOOST_AUTO_TEST_CASE(mistakes_are_answered_with_what_would_be_right) {
  const std::vector<Mistake> mistakes = {
      {"",
       "the command is empty, there are: set, clear, allow, deny, partition, heal, counters, quit"},
      {"sett * loss=1", "'sett' is no command, did you mean 'set'?"},
      {"heal now", "'heal' stands alone, not with 'now'"},
      {"set a->b", "set takes a pair and what to change: set a->b loss=30"},
      {"set a loss=1", "'a' is no pair such as a->b, a<->b, *->b or *"},
      {"set a->web3 loss=1", "'web3' is no host, did you mean 'web-3'?"},
      {"set a->z loss=1", "'z' is no host, there are: a, b, web-3"},
      {"set a-> loss=1", "'' is no host, there are: a, b, web-3"},
      {"set * los=1", "'los' is no key, did you mean 'loss'?"},
      {"set * loss", "'loss' is no KEY=VALUE such as loss=30"},
      {"set * loss=101", "loss: '101' is no percentage such as 30 or 0.5"},
      {"set * loss=-1", "loss: '-1' is no percentage such as 30 or 0.5"},
      {"set * loss=3.", "loss: '3.' is no percentage such as 30 or 0.5"},
      {"set * delay=20", "delay: '20' is no time such as 500us, 20ms or 1.5s"},
      {"set * delay=3601s", "delay: '3601s' is more than an hour"},
      {"set * jitter=400ms-1ms", "jitter: '400ms-1ms' begins above its end"},
      {"set * mtu=67", "mtu: '67' is neither 'off' nor in 68-65535"},
      {"set * rate=10", "rate: '10' is neither 'off' nor a rate such as 64kbit, 10mbit or 1gbit"},
      {"clear", "clear takes one pair: clear a->b, or clear *"},
      {"deny", "a rule takes a pair, a protocol, ports: deny a->b udp 45565"},
      {"deny * upd", "'upd' is no protocol, did you mean 'udp'?"},
      {"deny * icmp 8", "only udp and tcp have ports, not 'icmp'"},
      {"deny * udp 0", "port '0' is not in 1-65535"},
      {"deny * udp 65536", "port '65536' is not in 1-65535"},
      {"deny * udp 20-10", "'20-10' begins above its end"},
      {"partition a,b", "partition takes two or more groups: partition a,b | c"},
      {"partition a | ,", "partition takes two or more groups: partition a,b | c"},
      {"partition a | a", "host 'a' is named twice"},
      {"set * loss=1\x01", "the command is no printable text"},
  };
  for (const Mistake& mistake : mistakes) BOOST_TEST(refused(mistake.line) == mistake.said);
  BOOST_TEST(refused(std::string(5000, 'x')) == "the command is longer than 4096 bytes");
}

BOOST_AUTO_TEST_CASE(hosts_of_the_command_line) {
  const auto host = parse_host("web-1=tc1-web-1:eth0:10.83.0.1/24,10.84.0.1");
  BOOST_REQUIRE(host);
  BOOST_TEST(host->name == "web-1");
  BOOST_TEST(host->netns == "tc1-web-1");
  BOOST_TEST(host->interface == "eth0");
  BOOST_REQUIRE(host->addresses.size() == 2U);
  BOOST_TEST(host->addresses[0].to_string() == "10.83.0.1/24");
  BOOST_TEST(host->addresses[1].to_string() == "10.84.0.1/32");
  for (const std::string_view text : {"", "a", "a=", "a=n:eth0", "a=n:eth0:", "a=n:eth0:x",
                                      "a=n:eth0:10.0.0.1:1", "a b=n:e:10.0.0.1", "a-=n:e:10.0.0.1",
                                      "a=n:e:fe80--1", "a=n:e:228.0.0.4", "=n:e:10.0.0.1"}) {
    BOOST_TEST(!parse_host(text), text);
  }
}
