#include "config/init.h"

#include <algorithm>

#include "config/values.h"

namespace tribecast::config {
namespace {

constexpr std::size_t kMostInitPeers = 1024;

Unexpected<std::string> wrong_peer(std::string_view text, std::string_view why) {
  return {"peer '" + std::string(text) + "': " + std::string(why)};
}

// The host part: `10.0.0.1` of `10.0.0.1:7`, `2001:db8::1` of `[2001:db8::1]:7`.
std::string name_of_address(std::string_view text) {
  if (text.starts_with('[')) return std::string(text.substr(1, text.find(']') - 1));
  if (std::ranges::count(text, ':') == 1) text = text.substr(0, text.find(':'));
  return std::string(text);
}

Result<InitPeer, std::string> parse_init_peer(std::string_view text) {
  const std::size_t equals = text.find('=');
  const bool named = equals != text.npos;
  InitPeer peer;
  peer.address = text.substr(named ? equals + 1 : 0);
  const auto address = to_peer_address(peer.address);
  if (!address) return wrong_peer(text, address.error());
  peer.name = named ? std::string(text.substr(0, equals)) : name_of_address(peer.address);
  const auto name = to_name(peer.name);
  if (!name) return wrong_peer(text, name.error());
  return peer;
}

constexpr std::string_view kAboutPeers =
    "# The nodes, this one too, by IP address or name. The agents talk to each other on UDP port\n"
    "# 45565: let it in from all of these (security group, firewall).\n";

std::string peer_sections(const std::vector<InitPeer>& peers) {
  std::string out;
  for (const InitPeer& peer : peers) {
    out += "[peer \"" + peer.name + "\"]\naddress = " + peer.address + "\n";
  }
  return out;
}

}  // namespace

Result<std::vector<InitPeer>, std::string> parse_init_peers(std::string_view text) {
  std::string spaced(text);
  std::ranges::replace(spaced, ',', ' ');
  std::vector<InitPeer> peers;
  for (const std::string& word : to_words(spaced)) {
    auto peer = parse_init_peer(word);
    if (!peer) return Unexpected<std::string>{peer.error()};
    if (std::ranges::find(peers, peer->name, &InitPeer::name) != peers.end()) {
      return wrong_peer(word, "there is one of that name already");
    }
    peers.push_back(std::move(*peer));
  }
  if (peers.size() > kMostInitPeers) return Unexpected<std::string>{"more than 1024 peers"};
  return peers;
}

std::string init_peers_text(const std::vector<InitPeer>& peers) {
  return "# Written by tribecast config init; the same on every node.\n" +
         std::string(kAboutPeers) + peer_sections(peers);
}

std::string init_text(const Init& init) {
  std::string out =
      "# tribecast: the same on every node; each recognises its own address.\n"
      "# After a change:  tribecast config check  and  tribecast config reload\n"
      "# All keys:  man tribecast.conf\n"
      "\n"
      "[security]\n"
      "# One key for the whole cluster: copy this file from one node to all the others.\n"
      "keyring = \"" +
      init.keyring +
      "\"\n"
      "\n"
      "[group \"tomcat\"]\n"
      "# As in server.xml: <Membership address=\"228.0.0.4\" port=\"45564\">, Tomcat's default.\n"
      "address = " +
      init.group +
      "\n"
      "\n" +
      std::string(kAboutPeers);
  out += peer_sections(init.peers);
  if (init.peers.empty()) out += "#[peer \"web-1\"]\n#address = 10.0.1.11\n";
  return out;
}

}  // namespace tribecast::config
