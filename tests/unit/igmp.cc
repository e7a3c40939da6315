// /proc/net/igmp as the kernel prints it (net/ipv4/igmp.c, igmp_mc_seq_show).
#define BOOST_TEST_MODULE igmp
#include "host/igmp.h"

#include <boost/test/unit_test.hpp>

using namespace tribecast;
using namespace tribecast::host;

namespace {

constexpr std::string_view kLittle =
    "Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter\n"
    "1\tlo        :     1      V3\n"
    "\t\t\t\t010000E0     1 0:00000000\t\t0\n"
    "2\teth0      :     2      V3\n"
    "\t\t\t\t040000E4     3 0:00000000\t\t0\n"
    "\t\t\t\t010000E0     1 0:00000000\t\t0\n"
    "37\tvery-long-name1:     1      V2\n"
    "\t\t\t\tFFFFFFEF 12345 1:0000000A\t\t1\n";

IgmpEntry entry(int interface, const char* group, std::uint32_t users) {
  return {interface, *Address::parse(group), users};
}

void check(std::string_view text, std::endian order, const std::vector<IgmpEntry>& expected) {
  BOOST_TEST((parse_igmp(text, order) == expected));
}

}  // namespace

BOOST_AUTO_TEST_CASE(every_interface_and_group) {
  check(kLittle, std::endian::little,
        {entry(1, "224.0.0.1", 1), entry(2, "228.0.0.4", 3), entry(2, "224.0.0.1", 1),
         entry(37, "239.255.255.255", 12345)});
}

BOOST_AUTO_TEST_CASE(the_same_on_a_big_endian_host) {
  check("2\teth0      :     1      V3\n\t\t\t\tE4000004     3 0:00000000\t\t0\n", std::endian::big,
        {entry(2, "228.0.0.4", 3)});
}

BOOST_AUTO_TEST_CASE(nothing_in_nothing_out) {
  check("", std::endian::little, {});
  check("\n\n", std::endian::little, {});
  check("Idx\tDevice\n", std::endian::little, {});
}

BOOST_AUTO_TEST_CASE(what_makes_no_sense_is_skipped) {
  const std::string_view good = "\t\t\t\t040000E4     1 0:0\t\t0\n";
  // A group before any interface, or under one that cannot be read.
  check(good, std::endian::little, {});
  check(std::string("x\teth0:\n").append(good), std::endian::little, {});
  check(std::string("-2\teth0:\n").append(good), std::endian::little, {});
  check(std::string("99999999999\teth0:\n").append(good), std::endian::little, {});
  for (const char* bad : {"\t\t40000E4 1\n", "\t\t040000E40 1\n", "\t\t040000XX 1\n",
                          "\t\t040000E4 x\n", "\t\t040000E4 -1\n", "\t\t040000E4\n", "\t\n", " "}) {
    check(std::string("2\teth0:\n").append(bad), std::endian::little, {});
  }
}

BOOST_AUTO_TEST_CASE(any_prefix_can_be_read) {
  const auto all = parse_igmp(kLittle, std::endian::little);
  for (std::size_t n = 0; n < kLittle.size(); ++n) {
    BOOST_TEST(parse_igmp(kLittle.substr(0, n), std::endian::little).size() <= all.size());
  }
}
