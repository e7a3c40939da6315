// The first configuration of a cluster, as `tribecast config init` writes it: commented, and good
// as it is.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tribecast::config {

struct InitPeer {
  std::string name;
  std::string address;  // good by to_peer_address()
};

struct Init {
  std::string keyring;  // the path that is written into the file
  std::string group = "228.0.0.4:45564";
  std::vector<InitPeer> peers;
};

// `10.0.1.11, web-2=10.0.1.12, web-3.internal:45566`; separated by commas or blanks. Without a name
// the address is the peer's name. The error is text for people.
Result<std::vector<InitPeer>, std::string> parse_init_peers(std::string_view text);

std::string init_text(const Init& init);

// The peers alone, for peers.d beside a file that has the rest.
std::string init_peers_text(const std::vector<InitPeer>& peers);

}  // namespace tribecast::config
