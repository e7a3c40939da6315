// What the doctor reads of others' texts: rules of nft and iptables, /proc, server.xml. Whatever
// they hold, reading ends, what is read is whole, and a packet is judged.
#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "base/check.h"
#include "doctor/packet_filter.h"
#include "doctor/proc_text.h"
#include "doctor/server_xml.h"

namespace {

using namespace tribecast;
using namespace tribecast::doctor;

void judge(const PacketFilter& filter) {
  const Endpoint here{Address::v4(0x0a000001), 45565};
  const Endpoint there{Address::v4(0x0a000002), 45565};
  for (const Protocol protocol : {Protocol::udp, Protocol::tcp}) {
    const PacketVerdict verdict = judge_packet(filter, {"input", protocol, there, here, "eth0"});
    TC_CHECK((verdict.passes == Passes::yes) == verdict.rule.empty());
  }
  static_cast<void>(guards_port(filter, here));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text = text_of(Bytes(data, size));
  judge(parse_packet_filter(text));
  judge({parse_iptables(text)});
  const auto little = parse_udp_sockets(text, std::endian::little);
  TC_CHECK(little.size() == parse_udp_sockets(text, std::endian::big).size());
  TC_CHECK(parse_tcp_listeners(text).size() <= little.size());
  TC_CHECK(parse_tcp_connections(text, std::endian::little).size() ==
           parse_tcp_connections(text, std::endian::big).size());
  static_cast<void>(socket_inode(text));
  static_cast<void>(netstat_counter(text, "IPReversePathFilter"));
  const auto java = parse_java_arguments(text);
  TC_CHECK(!java || text.find("-Dcatalina.base=") != text.npos);
  static_cast<void>(environment_prefers_ipv4(text));
  const ServerXml xml = parse_server_xml(text);
  TC_CHECK(xml.cluster || xml == ServerXml{});
  return 0;
}
