// Addresses, endpoints and prefixes: text there and back, what is refused, what contains what.
#define BOOST_TEST_MODULE address
#include "base/address.h"

#include <boost/test/unit_test.hpp>

#include "vectors.h"

using namespace tribecast;
using test::hex;

namespace {

// A text with a NUL inside, which C functions would take for its end.
std::string with_nul(std::string_view before, std::string_view after) {
  return std::string(before) + '\0' + std::string(after);
}

}  // namespace

BOOST_AUTO_TEST_CASE(address_text_forms) {
  struct Row {
    std::string_view text, printed, raw;
  };
  for (const Row& row : {
           Row{"0.0.0.0", "0.0.0.0", "00000000"}, Row{"10.81.0.1", "10.81.0.1", "0a510001"},
           Row{"255.255.255.255", "255.255.255.255", "ffffffff"},
           Row{"::", "::", "00000000000000000000000000000000"},
           Row{"2001:DB8:0:0::1", "2001:db8::1", "20010db8000000000000000000000001"},
           Row{"ff02::1:2", "ff02::1:2", "ff020000000000000000000000010002"},
           Row{"::ffff:10.0.0.1", "10.0.0.1", "0a000001"},  // mapped: the same as IPv4
       }) {
    const auto address = Address::parse(row.text);
    BOOST_TEST_REQUIRE(address.has_value(), row.text);
    BOOST_TEST(address->to_string() == row.printed);
    BOOST_TEST(to_hex(address->bytes()) == row.raw);
    BOOST_TEST((Address::from_bytes(address->bytes()) == address));
    BOOST_TEST(address->is_v4() == (row.raw.size() == 8));
  }
}

BOOST_AUTO_TEST_CASE(addresses_that_are_none) {
  for (const std::string_view bad :
       {"", " ", "10.0.0", "10.0.0.256", "10.0.0.1.2", "10.0.0.1 ", " 10.0.0.1", "10.0.0.-1",
        "0x0a.0.0.1", "a.b.c.d", "localhost", ":", ":::", "1::2::3", "12345::", "fe80::1%eth0",
        "[::1]", "10.0.0.1/8", "2001:db8::g"}) {
    BOOST_TEST(!Address::parse(bad).has_value(), bad);
  }
}

BOOST_AUTO_TEST_CASE(a_nul_ends_no_address) {
  BOOST_TEST(!Address::parse(with_nul("10.0.0.1", "")).has_value());
  BOOST_TEST(!Address::parse(with_nul("10.0.0.1", "junk")).has_value());
  BOOST_TEST(!Address::parse(with_nul("::1", "junk")).has_value());
  BOOST_TEST(!Endpoint::parse(with_nul("10.0.0.1", ":80")).has_value());
  BOOST_TEST(!Prefix::parse(with_nul("10.0.0.0", "/8")).has_value());
}

BOOST_AUTO_TEST_CASE(only_4_and_16_bytes_are_addresses) {
  for (std::size_t size = 0; size < 40; ++size) {
    const Buffer bytes(size, 1);
    BOOST_TEST(Address::from_bytes(bytes).has_value() == (size == 4 || size == 16));
  }
  BOOST_TEST(
      (*Address::from_bytes(hex("00000000000000000000ffff 0a000001")) == Address::v4(0x0a000001)));
  // One bit off the mapped prefix, it is an IPv6 address.
  BOOST_TEST(!Address::from_bytes(hex("00000000000000000000fffe 0a000001"))->is_v4());
}

BOOST_AUTO_TEST_CASE(kinds_of_addresses) {
  struct Row {
    std::string_view text;
    bool unspecified, loopback, multicast;
  };
  for (const Row& row : {
           Row{"0.0.0.0", true, false, false},
           Row{"0.0.0.1", false, false, false},
           Row{"::", true, false, false},
           Row{"127.0.0.1", false, true, false},
           Row{"127.0.1.1", false, true, false},
           Row{"127.255.255.255", false, true, false},
           Row{"126.255.255.255", false, false, false},
           Row{"128.0.0.1", false, false, false},
           Row{"::1", false, true, false},
           Row{"1::1", false, false, false},
           Row{"::2", false, false, false},
           Row{"223.255.255.255", false, false, false},
           Row{"224.0.0.0", false, false, true},
           Row{"228.0.0.4", false, false, true},
           Row{"239.255.255.255", false, false, true},
           Row{"240.0.0.0", false, false, false},
           Row{"ff02::1", false, false, true},
           Row{"fe80::1", false, false, false},
           Row{"::ffff:127.0.0.1", false, true, false},
           Row{"::ffff:224.0.0.1", false, false, true},
       }) {
    const Address address = *Address::parse(row.text);
    BOOST_TEST(address.is_unspecified() == row.unspecified, row.text);
    BOOST_TEST(address.is_loopback() == row.loopback, row.text);
    BOOST_TEST(address.is_multicast() == row.multicast, row.text);
  }
}

BOOST_AUTO_TEST_CASE(v4_is_host_order) {
  BOOST_TEST(Address::v4(0xe4000004).to_string() == "228.0.0.4");
  BOOST_TEST(Address::parse("228.0.0.4")->v4_host_order() == 0xe4000004U);
  BOOST_TEST((Address() == Address::v4(0)));
}

BOOST_AUTO_TEST_CASE(endpoint_text_forms) {
  struct Row {
    std::string_view text;
    std::uint16_t default_port;
    std::string_view printed;  // empty: refused
  };
  for (const Row& row : {
           Row{"10.0.0.1:45565", 0, "10.0.0.1:45565"},
           Row{"10.0.0.1:1", 9, "10.0.0.1:1"},
           Row{"10.0.0.1:65535", 0, "10.0.0.1:65535"},
           Row{"10.0.0.1", 9, "10.0.0.1:9"},
           Row{"10.0.0.1", 0, ""},
           Row{"[2001:db8::1]:45565", 0, "[2001:db8::1]:45565"},
           Row{"[2001:db8::1]", 9, "[2001:db8::1]:9"},
           Row{"2001:db8::1", 9, "[2001:db8::1]:9"},
           Row{"2001:db8::1", 0, ""},
           Row{"::1", 9, "[::1]:9"},
           Row{"10.0.0.1:0", 9, ""},
           Row{"10.0.0.1:65536", 9, ""},
           Row{"10.0.0.1:4294967297", 9, ""},
           Row{"10.0.0.1:", 9, ""},
           Row{"10.0.0.1:-1", 9, ""},
           Row{"10.0.0.1:+1", 9, ""},
           Row{"10.0.0.1: 1", 9, ""},
           Row{"10.0.0.1:1x", 9, ""},
           Row{":80", 9, ""},
           Row{"", 9, ""},
           Row{"[", 9, ""},
           Row{"[]", 9, ""},
           Row{"[::1", 9, ""},
           Row{"[::1]x", 9, ""},
           Row{"[::1]80", 9, ""},
           Row{"[::1]:", 9, ""},
           Row{"host:80", 9, ""},
       }) {
    const auto endpoint = Endpoint::parse(row.text, row.default_port);
    BOOST_TEST(endpoint.has_value() == !row.printed.empty(), row.text);
    if (endpoint) BOOST_TEST(endpoint->to_string() == row.printed);
  }
}

BOOST_AUTO_TEST_CASE(prefix_text_forms) {
  struct Row {
    std::string_view text, printed;  // empty: refused
  };
  for (const Row& row : {
           Row{"10.0.0.0/8", "10.0.0.0/8"},
           Row{"0.0.0.0/0", "0.0.0.0/0"},
           Row{"10.0.0.1", "10.0.0.1/32"},
           Row{"10.0.0.1/32", "10.0.0.1/32"},
           Row{"2001:db8::/32", "2001:db8::/32"},
           Row{"2001:db8::1", "2001:db8::1/128"},
           Row{"10.0.0.0/33", ""},
           Row{"2001:db8::/129", ""},
           Row{"10.0.0.0/", ""},
           Row{"10.0.0.0/-1", ""},
           Row{"10.0.0.0/8x", ""},
           Row{"10.0.0.0/255.0.0.0", ""},
           Row{"/8", ""},
           Row{"", ""},
       }) {
    const auto prefix = Prefix::parse(row.text);
    BOOST_TEST(prefix.has_value() == !row.printed.empty(), row.text);
    if (prefix) BOOST_TEST(prefix->to_string() == row.printed);
  }
}

BOOST_AUTO_TEST_CASE(prefixes_contain_by_their_bits) {
  struct Row {
    std::string_view prefix, address;
    bool inside;
  };
  for (const Row& row : {
           Row{"10.0.0.0/8", "10.255.255.255", true},
           Row{"10.0.0.0/8", "11.0.0.0", false},
           Row{"10.1.2.3/8", "10.9.9.9", true},
           Row{"172.16.0.0/12", "172.31.255.255", true},
           Row{"172.16.0.0/12", "172.32.0.0", false},
           Row{"0.0.0.0/0", "255.1.2.3", true},
           Row{"0.0.0.0/0", "::1", false},
           Row{"::/0", "1.2.3.4", false},
           Row{"10.0.0.1", "10.0.0.1", true},
           Row{"10.0.0.1", "10.0.0.0", false},
           Row{"10.0.0.0/31", "10.0.0.1", true},
           Row{"2001:db8::/33", "2001:db8:7fff::1", true},
           Row{"2001:db8::/33", "2001:db8:8000::1", false},
           Row{"2001:db8::1", "2001:db8::1", true},
       }) {
    BOOST_TEST(Prefix::parse(row.prefix)->contains(*Address::parse(row.address)) == row.inside,
               row.prefix << " " << row.address);
  }
}

BOOST_AUTO_TEST_CASE(any_address_and_endpoint_comes_back_from_its_text) {
  test::Random random;
  for (int round = 0; round < 20000; ++round) {
    const Address address = *Address::from_bytes(random.bytes(random.below(2) == 0 ? 4 : 16));
    BOOST_TEST((Address::parse(address.to_string()) == address));
    const Endpoint endpoint{address, static_cast<std::uint16_t>(1 + random.below(65535))};
    BOOST_TEST((Endpoint::parse(endpoint.to_string()) == endpoint));
    BOOST_TEST(EndpointHash{}(endpoint) == EndpointHash{}(*Endpoint::parse(endpoint.to_string())));
  }
}

BOOST_AUTO_TEST_CASE(a_prefix_agrees_with_comparing_bit_by_bit) {
  test::Random random;
  for (int round = 0; round < 20000; ++round) {
    const std::size_t size = random.below(2) == 0 ? 4 : 16;
    const Buffer a = random.bytes(size);
    Buffer b = a;
    b[random.below(size)] ^= static_cast<std::uint8_t>(1U << random.below(8));
    const auto bits = static_cast<unsigned>(random.below(size * 8 + 1));
    bool equal = true;
    for (std::size_t i = 0; i < bits; ++i) {
      const unsigned differing = static_cast<unsigned>(a[i / 8]) ^ b[i / 8];
      equal = equal && (differing >> (7U - i % 8) & 1U) == 0;
    }
    const Address first = *Address::from_bytes(a);
    const Address second = *Address::from_bytes(b);
    if (first.is_v4() != second.is_v4() || first.is_v4() != (size == 4)) continue;
    BOOST_TEST((Prefix{first, bits}.contains(second)) == equal);
  }
}

BOOST_AUTO_TEST_CASE(translations_keep_the_host_part) {
  const struct {
    const char* from;
    const char* to;
    const char* address;
    const char* seen;  // empty: not in `from`
  } rows[] = {
      {"10.0.0.0/16", "172.31.0.0/16", "10.0.3.4", "172.31.3.4"},
      {"10.0.0.0/16", "172.31.255.255/16", "10.0.3.4", "172.31.3.4"},  // host bits do not matter
      {"10.0.0.0/12", "172.16.0.0/12", "10.15.3.4", "172.31.3.4"},
      {"10.0.0.0/31", "10.9.9.8/31", "10.0.0.1", "10.9.9.9"},
      {"10.0.0.5", "172.30.0.9", "10.0.0.5", "172.30.0.9"},
      {"10.0.0.5", "172.30.0.9", "10.0.0.6", ""},
      {"10.0.0.0/16", "172.31.0.0/16", "10.1.0.1", ""},
      {"10.0.0.0/16", "172.31.0.0/16", "2001:db8::1", ""},
      {"2001:db8::/36", "fd00::/36", "2001:db8:fff:1::2", "fd00:0:fff:1::2"},
  };
  for (const auto& row : rows) {
    const Translation rule{*Prefix::parse(row.from), *Prefix::parse(row.to)};
    const auto seen = rule.apply(*Address::parse(row.address));
    BOOST_TEST((seen ? seen->to_string() : "") == row.seen, rule.to_string() << " " << row.address);
  }
}

BOOST_AUTO_TEST_CASE(prefixes_overlap_when_one_holds_the_other) {
  const auto overlap = [](const char* a, const char* b) {
    const bool one = Prefix::parse(a)->overlaps(*Prefix::parse(b));
    BOOST_TEST(one == Prefix::parse(b)->overlaps(*Prefix::parse(a)));
    return one;
  };
  BOOST_TEST(overlap("10.0.0.0/8", "10.1.0.0/16"));
  BOOST_TEST(overlap("10.0.0.5", "10.0.0.5"));
  BOOST_TEST(!overlap("10.0.0.0/16", "10.1.0.0/16"));
  BOOST_TEST(!overlap("0.0.0.0/0", "::/0"));
}
