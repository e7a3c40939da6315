// The kernel's own messages (Linux 6.18, little endian), then the filter on all kinds of them.
#define BOOST_TEST_MODULE sock_diag
#include "host/sock_diag.h"

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <boost/test/unit_test.hpp>

#include "vectors.h"

using namespace tribecast;
using namespace tribecast::host;

namespace {

Endpoint at(const char* text) { return *Endpoint::parse(text); }

Buffer operator+(Buffer a, const Buffer& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

Bytes bytes_of_struct(const void* data, std::size_t size) {
  return {static_cast<const std::uint8_t*>(data), size};
}

struct Fields {
  Endpoint local = at("10.0.0.1:4000");
  std::uint16_t remote_port = 0;
  std::uint8_t state = TCP_LISTEN;
  bool mapped = false;
  std::optional<bool> v6_only{};
};

// As the kernel would write it on this machine, whatever its byte order.
Buffer message(const Fields& f, std::uint16_t type = SOCK_DIAG_BY_FAMILY) {
  inet_diag_msg body{};
  const Bytes raw = f.local.address.bytes();
  const bool v4 = raw.size() == 4;
  body.idiag_family = v4 && !f.mapped ? AF_INET : AF_INET6;
  body.idiag_state = f.state;
  body.id.idiag_sport = htons(f.local.port);
  body.id.idiag_dport = htons(f.remote_port);
  if (f.mapped) body.id.idiag_src[2] = htonl(0xffff);
  std::ranges::copy(raw,
                    reinterpret_cast<std::uint8_t*>(&body.id.idiag_src[f.mapped && v4 ? 3 : 0]));
  body.id.idiag_cookie[0] = 0x101a;
  body.id.idiag_cookie[1] = 7;
  Buffer attributes;
  if (f.v6_only) {
    const nlattr header{sizeof(nlattr) + 1, INET_DIAG_SKV6ONLY};
    attributes = copy_of(bytes_of_struct(&header, sizeof header)) +
                 Buffer{static_cast<std::uint8_t>(*f.v6_only), 0, 0, 0};
  }
  nlmsghdr header{};
  header.nlmsg_len = static_cast<std::uint32_t>(sizeof header + sizeof body + attributes.size());
  header.nlmsg_type = type;
  return copy_of(bytes_of_struct(&header, sizeof header)) +
         copy_of(bytes_of_struct(&body, sizeof body)) + attributes;
}

DiagSocket socket_of(const Fields& f) {
  const auto parsed = parse_diag(message(f));
  BOOST_REQUIRE(parsed.has_value());
  BOOST_REQUIRE(parsed->sockets.size() == 1U);
  return parsed->sockets.front();
}

DiagMessages kernels(const std::string& name) {
  const auto parsed = parse_diag(test::vector_bytes("sock_diag/" + name));
  BOOST_REQUIRE(parsed.has_value());
  return *parsed;
}

// The classic BPF machine, as far as the filter uses it. A load beyond the end refuses.
std::uint32_t run(const std::vector<sock_filter>& program, Bytes packet) {
  std::uint32_t a = 0;
  for (std::size_t pc = 0;; ++pc) {
    BOOST_REQUIRE(pc < program.size());
    const sock_filter& step = program[pc];
    ByteReader in(packet);
    in.take(step.k);
    switch (step.code) {
      case BPF_LD | BPF_B | BPF_ABS:
        a = in.u8();
        if (!in.ok()) return 0;
        break;
      case BPF_LD | BPF_H | BPF_ABS:
        a = in.u16be();
        if (!in.ok()) return 0;
        break;
      case BPF_JMP | BPF_JEQ | BPF_K:
        pc += a == step.k ? step.jt : step.jf;
        break;
      case BPF_RET | BPF_K:
        return step.k;
      default:
        BOOST_FAIL("an instruction that the filter should not have");
    }
  }
}

bool passes(const std::vector<std::uint16_t>& ports, const Fields& f) {
  const Buffer packet = message(f);
  return run(destroy_filter(ports), packet) >= packet.size();
}

}  // namespace

// The vectors are what the kernel wrote on a little endian machine.
BOOST_AUTO_TEST_CASE(what_the_kernel_sends) {
  if (std::endian::native != std::endian::little) return;
  const DiagSocket v4{at("127.0.0.1:4000"), 0, TCP_LISTEN, 0x100f, false};
  BOOST_TEST((kernels("dump_v4").sockets == std::vector{v4}));
  const DiagSocket mapped{at("127.0.0.1:4003"), 0, TCP_LISTEN, 0x1012, false};
  const DiagSocket any{at("[::]:4001"), 0, TCP_LISTEN, 0x1011, false};
  const DiagSocket only{at("[::1]:4002"), 0, TCP_LISTEN, 0x1010, true};
  const auto all = kernels("dump_v6").sockets;
  BOOST_TEST(all.size() == 3U);
  for (const DiagSocket& expected : {mapped, any, only}) {
    BOOST_TEST((std::ranges::find(all, expected) != all.end()), expected.local.to_string());
  }
  BOOST_TEST((kernels("dump_one").sockets == std::vector{mapped}));
  DiagSocket gone = v4;
  gone.state = TCP_CLOSE;
  BOOST_TEST((kernels("end_v4").sockets == std::vector{gone}));
  BOOST_TEST(may_be_ended_listener(gone));
  BOOST_TEST(kernels("end_mapped").sockets.front().cookie == 0x1012U);
  BOOST_TEST(kernels("end_v6").sockets.front().cookie == 0x1010U);
  BOOST_TEST(!may_be_ended_listener(kernels("end_accepted").sockets.front()));
  BOOST_TEST(!may_be_ended_listener(kernels("end_accepted1").sockets.front()));
}

BOOST_AUTO_TEST_CASE(how_a_dump_ends) {
  if (std::endian::native != std::endian::little) return;
  BOOST_TEST(!kernels("dump_v6").done);
  BOOST_TEST(kernels("dump_none").done);
  BOOST_TEST(kernels("dump_none").error == 0);
  BOOST_TEST(kernels("dump_error").done);
  BOOST_TEST(kernels("dump_error").error == ENOENT);
  BOOST_TEST(kernels("bad_family").error == EINVAL);
}

BOOST_AUTO_TEST_CASE(every_field) {
  const DiagSocket expected{at("10.0.0.1:4000"), 0x1234, TCP_ESTABLISHED, 0x70000101aULL, false};
  Fields f{.remote_port = 0x1234, .state = TCP_ESTABLISHED};
  BOOST_TEST((socket_of(f) == expected));
  f.mapped = true;
  BOOST_TEST((socket_of(f) == expected));
  f = {.local = at("[2001:db8::1]:65535"), .v6_only = true};
  BOOST_TEST(
      (socket_of(f) == DiagSocket{at("[2001:db8::1]:65535"), 0, TCP_LISTEN, 0x70000101aULL, true}));
}

BOOST_AUTO_TEST_CASE(several_messages_in_one_datagram) {
  const auto parsed = parse_diag(message({}) + message({.v6_only = true}) +
                                 message({}, NLMSG_NOOP) + message({.mapped = true}));
  BOOST_REQUIRE(parsed.has_value());
  BOOST_TEST(parsed->sockets.size() == 3U);
  BOOST_TEST(!parsed->done);
  BOOST_TEST(parse_diag({})->sockets.empty());
}

BOOST_AUTO_TEST_CASE(what_is_cut_off_is_refused_whole) {
  const Buffer good = message({.v6_only = false});
  for (std::size_t n = 1; n < good.size(); ++n) {
    BOOST_TEST(!parse_diag(Bytes(good).first(n)), "the first " << n << " bytes");
    BOOST_TEST(!parse_diag(good + copy_of(Bytes(good).first(n))), "then the first " << n);
  }
  const auto with = [&](std::size_t at_byte, int value) {
    Buffer bad = good;
    bad[at_byte] = static_cast<std::uint8_t>(value);
    return parse_diag(bad);
  };
  BOOST_TEST(!with(16, AF_UNIX));
  constexpr std::size_t kAttribute = sizeof(nlmsghdr) + sizeof(inet_diag_msg);
  if (std::endian::native == std::endian::little) {
    for (const int length : {0, 15, 17, 87, 89, 97, 255}) BOOST_TEST(!with(0, length));
    for (const int length : {0, 3, 9, 255}) BOOST_TEST(!with(kAttribute, length));
  }
}

BOOST_AUTO_TEST_CASE(who_listens_where) {
  const auto listens = [](const char* local, bool v6_only, const char* endpoint) {
    return listens_on({at(local), 0, TCP_LISTEN, 1, v6_only}, at(endpoint));
  };
  BOOST_TEST(listens("10.0.0.1:4000", false, "10.0.0.1:4000"));
  BOOST_TEST(!listens("10.0.0.1:4000", false, "10.0.0.1:4001"));
  BOOST_TEST(!listens("10.0.0.1:4000", false, "10.0.0.2:4000"));
  BOOST_TEST(listens("0.0.0.0:4000", false, "10.0.0.1:4000"));
  BOOST_TEST(!listens("0.0.0.0:4000", false, "[2001:db8::1]:4000"));
  BOOST_TEST(listens("[::]:4000", false, "10.0.0.1:4000"));
  BOOST_TEST(!listens("[::]:4000", true, "10.0.0.1:4000"));
  BOOST_TEST(listens("[::]:4000", true, "[2001:db8::1]:4000"));
  BOOST_TEST(!listens("[::]:4001", false, "[2001:db8::1]:4000"));
  for (std::uint8_t state = 0; state < 16; ++state) {
    BOOST_TEST(listens_on({at("10.0.0.1:1"), 0, state, 1, false}, at("10.0.0.1:1")) ==
               (state == TCP_LISTEN));
  }
}

BOOST_AUTO_TEST_CASE(the_filter_lets_through_ends_of_watched_listeners_alone) {
  const Fields end{.state = TCP_CLOSE};
  BOOST_TEST(!passes({}, end));
  BOOST_TEST(passes({4000}, end));
  BOOST_TEST(passes({3999, 4000, 4001}, end));
  BOOST_TEST(!passes({3999, 4001}, end));
  BOOST_TEST(passes({4000}, {.state = TCP_CLOSE, .mapped = true}));
  BOOST_TEST(!passes({4000}, {.remote_port = 50000, .state = TCP_CLOSE}));
  BOOST_TEST(
      !passes({4000}, {.local = at("10.0.0.1:50000"), .remote_port = 4000, .state = TCP_CLOSE}));
  BOOST_TEST(!passes({4000}, {.state = TCP_LISTEN}));
  BOOST_TEST(run(destroy_filter(std::vector<std::uint16_t>{4000}), {}) == 0U);
}

BOOST_AUTO_TEST_CASE(as_many_ports_as_there_may_be) {
  std::vector<std::uint16_t> ports;
  for (std::size_t i = 0; i < kMaxFilterPorts; ++i)
    ports.push_back(static_cast<std::uint16_t>(1 + i * 255));
  BOOST_TEST(destroy_filter(ports).size() <= BPF_MAXINSNS);
  for (std::uint32_t port = 0; port <= 65535; port += 17) {
    const Fields f{.local = {at("10.0.0.1:1").address, static_cast<std::uint16_t>(port)},
                   .state = TCP_CLOSE};
    const bool watched = std::ranges::find(ports, f.local.port) != ports.end();
    BOOST_TEST(passes(ports, f) == watched, port);
  }
}
