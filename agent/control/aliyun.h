// The files of Aliyun's multicast proxy, as they are: `server_cfg.json` (groups and who gets them),
// `client_cfg.json` (who sends which group), both of the userspace and of the kernel version, and
// the `iplist` of its generators. Read leniently, as that tool does: ports may be texts, unknown
// keys are passed over but told.
//
//   server  {"multi_group_array": [{"group_ip": "224.1.2.3", "group_port": 45564,
//                                   "server_port": 7126, "member_array": ["172.16.0.11"]}]}
//   client  {"multi_server_info_array": [{"server_ip": "172.16.0.11", "server_port": 7126,
//                                         "group_ip": "224.1.2.3", "group_port": 45564}]}
//           the kernel version has "client_port" for "group_port"; 0 means any
//   iplist  224.1.2.3 45564        then one address a line; lines with # are comments
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tribecast::control::aliyun {

inline constexpr std::size_t kMaxBytes = 1U << 20U;
inline constexpr std::size_t kMaxEntries = 4096;  // groups, servers and members of a file

struct Group {
  std::string address;
  std::optional<std::uint64_t> port;
  std::optional<std::uint64_t> server_port;
  std::vector<std::string> members;
};

struct Server {
  std::string address;
  std::string group;
  std::optional<std::uint64_t> port;  // of the group
  std::optional<std::uint64_t> server_port;
};

enum class Kind : std::uint8_t { server, client, iplist };
std::string_view name_of(Kind kind);

struct File {
  Kind kind = Kind::server;
  std::vector<Group> groups;
  std::vector<Server> servers;
  std::vector<std::string> odd;  // what was passed over, one clause each
};

// Which of the three it is shows in the text. The error is what is wrong, as one clause.
Result<File, std::string> read(std::string_view text);

}  // namespace tribecast::control::aliyun
