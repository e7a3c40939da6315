// What the relay is measured against: the least that a program in user space can do. It captures
// the group's datagrams with libpcap, as the agent does, and calls sendto for each destination with
// as many bytes as the agent sends; nothing is sealed, checked, counted or listed.
//
//   bare_loop INTERFACE GROUP FIRST_DESTINATION DESTINATIONS BYTES
#include <pcap/pcap.h>
#include <sys/socket.h>

#include <array>
#include <csignal>

#include "io/fd.h"
#include "io/sockaddr.h"
#include "program.h"

using namespace tribecast;
using namespace tribecast::bench;

namespace {

constexpr int kRingBytes = 1 << 20;
constexpr int kSnapshot = 1532;

struct FanOut {
  io::Fd fd;
  std::vector<io::SockAddr> destinations;
  Buffer datagram;

  static void on_packet(unsigned char* self, const pcap_pkthdr*, const unsigned char*) {
    const FanOut& out = *reinterpret_cast<const FanOut*>(self);
    for (const io::SockAddr& to : out.destinations) {
      static_cast<void>(sendto(out.fd.get(), out.datagram.data(), out.datagram.size(), MSG_DONTWAIT,
                               to.get(), to.size()));
    }
  }
};

pcap_t* open_capture(const std::string& interface, const Endpoint& group) {
  std::array<char, PCAP_ERRBUF_SIZE> reason{};
  pcap_t* pcap = pcap_create(interface.c_str(), reason.data());
  if (pcap == nullptr) die(reason.data());
  pcap_set_snaplen(pcap, kSnapshot);
  pcap_set_immediate_mode(pcap, 1);
  pcap_set_buffer_size(pcap, kRingBytes);
  if (pcap_activate(pcap) < 0) die(pcap_geterr(pcap));
  const std::string filter = fmt::format("outbound and udp and dst host {} and dst port {}",
                                         group.address.to_string(), group.port);
  bpf_program program{};
  if (pcap_compile(pcap, &program, filter.c_str(), 1, PCAP_NETMASK_UNKNOWN) != 0 ||
      pcap_setfilter(pcap, &program) != 0) {
    die(pcap_geterr(pcap));
  }
  pcap_freecode(&program);
  return pcap;
}

}  // namespace

int main(int argc, char** argv) {
  const auto args = arguments(argc, argv);
  if (args.size() != 5) {
    die("usage: bare_loop INTERFACE GROUP FIRST_DESTINATION DESTINATIONS BYTES");
  }
  FanOut out{io::Fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)), {}, Buffer(number(args[4]))};
  const Endpoint first = endpoint(args[2]);
  for (std::uint32_t i = 0; i < number(args[3]); ++i) {
    out.destinations.emplace_back(
        Endpoint{Address::v4(first.address.v4_host_order() + i), first.port});
  }
  // Begins as the agent's sealed data does, so that the sink knows both by the same rule.
  SpanWriter(out.datagram).u16be(0xb714);
  pcap_t* pcap = open_capture(args[0], endpoint(args[1]));
  std::signal(SIGTERM, SIG_DFL);
  say("ready");
  pcap_loop(pcap, -1, &FanOut::on_packet, reinterpret_cast<unsigned char*>(&out));
  pcap_close(pcap);
  return 0;
}
