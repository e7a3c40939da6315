// Texts of /proc, and server.xml.
#define BOOST_TEST_MODULE doctor_texts
#include <boost/test/unit_test.hpp>

#include "doctor/proc_text.h"
#include "doctor/server_xml.h"

using namespace tribecast;
using namespace tribecast::doctor;
using namespace std::string_literals;

BOOST_AUTO_TEST_CASE(udp_sockets) {
  const auto sockets = parse_udp_sockets(
      "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout "
      "inode ref pointer "
      "drops             \n"
      "  987: 040000E4:B1FC 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 "
      "21310 2 "
      "0000000000000000 7         \n"
      "  990: 00000000000000000000000000000000:B1FD 00000000000000000000000000000000:0000 07 "
      "00000000:00000000 "
      "00:00000000 00000000  1000        0 555 2 0 0\n"
      "  991: 0000000000000000FFFF00000100007F:0016 00000000000000000000000000000000:0000 07 "
      "00000000:00000000 "
      "00:00000000 00000000  1000        0 556 2 0 0\n"
      "  992: 040000E4:B1FC\n  993: XX:1 0 07 0 0 0 0 0 1 2 0 0\n",
      std::endian::little);
  BOOST_REQUIRE(sockets.size() == 3U);
  BOOST_TEST((sockets[0] == ProcSocket{*Endpoint::parse("228.0.0.4:45564"), 21310, 7}));
  BOOST_TEST((sockets[1] == ProcSocket{*Endpoint::parse("[::]:45565"), 555, 0}));
  BOOST_TEST((sockets[2] == ProcSocket{*Endpoint::parse("127.0.0.1:22"), 556, 0}));
}

BOOST_AUTO_TEST_CASE(of_tcp_only_listeners) {
  const auto listeners = parse_tcp_listeners(
      "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout "
      "inode\n"
      "   0: 0100007F:0FA0 00000000:0000 0A 00000000:00000000 00:00000000 00000000  0 0 31 1 0000 "
      "100 0 0 10 0\n"
      "   1: 0100007F:0FA1 0100007F:0FA0 01 00000000:00000000 00:00000000 00000000  0 0 32 1 0000 "
      "20 4 30 10 -1\n",
      std::endian::little);
  BOOST_REQUIRE(listeners.size() == 1U);
  BOOST_TEST((listeners[0] == ProcSocket{*Endpoint::parse("127.0.0.1:4000"), 31, 0}));
}

BOOST_AUTO_TEST_CASE(links_and_counters) {
  BOOST_TEST((socket_inode("socket:[12345]") == 12345U));
  BOOST_TEST(!socket_inode("socket:[]"));
  BOOST_TEST(!socket_inode("pipe:[1]"));
  BOOST_TEST(!socket_inode("socket:[1"));
  const char* text = "TcpExt: A IPReversePathFilter B\nTcpExt: 1 42 3\nIpExt: C\nIpExt: 9\n";
  BOOST_TEST((netstat_counter(text, "IPReversePathFilter") == 42U));
  BOOST_TEST((netstat_counter(text, "C") == 9U));
  BOOST_TEST(!netstat_counter(text, "D"));
}

BOOST_AUTO_TEST_CASE(java) {
  const auto tomcat = parse_java_arguments(
      "java\0-Xmx1g\0-Djava.net.preferIPv4Stack=true\0-Dcatalina.base=/srv/a b\0start\0"s);
  BOOST_REQUIRE(tomcat.has_value());
  BOOST_TEST(tomcat->catalina_base == "/srv/a b");
  BOOST_TEST(tomcat->prefers_ipv4);
  BOOST_TEST(!parse_java_arguments("java\0-jar\0x\0"s));
  BOOST_TEST(!parse_java_arguments("java\0-Djava.net.preferIPv4Stack=true\0-Dcatalina.base=/b\0"
                                   "-Djava.net.preferIPv4Stack=false\0"s)
                  ->prefers_ipv4);
  BOOST_TEST(
      environment_prefers_ipv4("A=1\0JAVA_TOOL_OPTIONS=-Xmx1g -Djava.net.preferIPv4Stack=true\0"s));
  BOOST_TEST(!environment_prefers_ipv4("OTHER=-Djava.net.preferIPv4Stack=true\0"s));
}

BOOST_AUTO_TEST_CASE(server_xml) {
  const auto xml = parse_server_xml(R"(<?xml version="1.0"?>
    <!-- <Cluster channelSendOptions="6"/> --><Receiver address="1.1.1.1"/><![CDATA[<Cluster>]]>
    <Cluster className='a>b'
       channelSendOptions = "10">
      <Membership address="228.0.0.4" bind='10.0.0.1'/>
      <Receiver port="4000" address="auto"/>
    </Cluster><Cluster channelSendOptions="6"/>)");
  BOOST_TEST(xml.cluster);
  BOOST_TEST((xml.send_options == 10U));
  BOOST_TEST(xml.membership_bind == "10.0.0.1");
  BOOST_TEST(xml.receiver_address == "auto");
}

BOOST_AUTO_TEST_CASE(server_xml_that_says_little) {
  BOOST_TEST((parse_server_xml("") == ServerXml{}));
  BOOST_TEST((parse_server_xml("<Server><!-- <Cluster/> --></Server>") == ServerXml{}));
  BOOST_TEST((parse_server_xml("<Cluster/>").send_options == 8U));
  BOOST_TEST((parse_server_xml("<Cluster channelSendOptions=\"6") == ServerXml{}));
  BOOST_TEST((parse_server_xml("<!-- <Cluster>") == ServerXml{}));
}

// As Channel.parseSendOptions() of Tomcat 9.0.70 and 10.1 answers.
BOOST_AUTO_TEST_CASE(send_options) {
  const auto read = [](const std::string& text) {
    return parse_server_xml("<Cluster channelSendOptions=\"" + text + "\">").send_options;
  };
  const std::pair<const char*, std::uint32_t> kGood[] = {{"6", 6},
                                                         {"asynchronous", 8},
                                                         {"async", 8},
                                                         {"byte", 1},
                                                         {"byte_message", 1},
                                                         {"multicast", 64},
                                                         {"secure", 16},
                                                         {"synchronized_ack", 4},
                                                         {"sync", 4},
                                                         {"udp", 32},
                                                         {"use_ack", 2},
                                                         {"sync,use_ack", 6},
                                                         {"sync , use_ack", 6},
                                                         {"use_ack,sync,", 6}};
  for (const auto& [text, value] : kGood) BOOST_TEST((read(text) == value), text);
  for (const char* text : {"${options}", "sync,${more}", "SYNC", "sync use_ack", "sync,,use_ack",
                           "0x6", " 6", "6 ", " async", "sync,6", "-1", "4294967296"}) {
    BOOST_TEST(!read(text), text);
  }
  BOOST_TEST(parse_server_xml("<Cluster channelSendOptions=\"${o}\">").send_options_text == "${o}");
}

BOOST_AUTO_TEST_CASE(of_tcp_connections) {
  const char* text =
      "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout "
      "inode\n"
      "   0: 0100007F:0FA0 00000000:0000 0A 00000000:00000000 00:00000000 00000000  0 0 31 1 0000 "
      "100 0 0 10 0\n"
      "   1: 0100000A:9C40 0200000A:0FA0 01 00004E20:00000000 01:00000014 00000003  0 0 32 2 0000 "
      "20 4 30 10 -1\n"
      "   2: 0100000A:9C41 0200000A:0FA0 04 00000001:00000000 01:00000014 0000000A  0 0 0 2 0000 "
      "20 4 30 10 -1\n"
      "   3: 0100000A:9C41 0200000A 04 00000001:00000000 01:00000014 0000000A  0 0 0 2 0000\n";
  const auto found = parse_tcp_connections(text, std::endian::little);
  BOOST_REQUIRE(found.size() == 2U);
  BOOST_TEST((found[0] == ProcConnection{*Endpoint::parse("10.0.0.1:40000"),
                                         *Endpoint::parse("10.0.0.2:4000"), true, 20000, 3}));
  BOOST_TEST(!found[1].established);
  BOOST_TEST(found[1].repeats == 10U);
}
