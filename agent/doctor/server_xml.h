// The few attributes of a Tomcat's server.xml that decide about its cluster. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tribecast::doctor {

inline constexpr std::size_t kMaxServerXmlBytes = 1U << 20U;

struct ServerXml {
  bool cluster = false;
  // SimpleTcpCluster's default is 8 (asynchronous). nullopt: it cannot be told from the file.
  std::optional<std::uint32_t> send_options = 8;
  std::string send_options_text;  // channelSendOptions as it stands there; empty = none
  std::string membership_bind;    // <Membership bind="...">; empty = none
  std::string receiver_address;   // <Receiver address="...">; empty = none, which means auto

  bool operator==(const ServerXml&) const = default;
};

// The first <Cluster> and what is in it. No XML parser: comments and CDATA are skipped, tags and
// their attributes are read, all else is passed over; what is cut off ends it. Attributes with a
// property (`${...}`) are read as they stand. Send options are a number, or names as `sync,
// use_ack` (org.apache.catalina.tribes.Channel, parseSendOptions).
ServerXml parse_server_xml(std::string_view text);

}  // namespace tribecast::doctor
