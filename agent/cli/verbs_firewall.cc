#include <algorithm>

#include "base/suggest.h"
#include "cli/terminal.h"
#include "cli/verbs.h"
#include "config/config.h"
#include "control/firewall.h"

namespace tribecast::cli {
namespace {

struct Configured {
  std::set<std::uint16_t> ports;
  std::set<Address> peers;
};

// Where the agent listens, and the addresses that stand in its configuration. Names are no rules:
// the addresses that they have now are in the status.
Configured configured_of(const config::Config& config) {
  Configured out;
  for (const Endpoint& listen : config.relay.listen) out.ports.insert(listen.port);
  for (const config::Peer& peer : config.peers) {
    for (const config::PeerAddress& address : peer.addresses) {
      if (const auto literal = address.literal()) out.peers.insert(*literal);
    }
  }
  return out;
}

}  // namespace

Exit run_firewall_print(const Invocation& in) {
  const std::string wanted = in.text("format", "nft");
  const auto* format = std::ranges::find(control::kFirewallFormats, wanted);
  if (format == control::kFirewallFormats.end()) {
    return complain_usage({"--format: '" + wanted + "' is none of nft, iptables, firewalld",
                           did_you_mean(wanted, control::kFirewallFormats)});
  }
  const Client client = client_of(in);
  const auto status = client.status();
  if (!status) return complain(status.error());
  const auto running = client.config();
  if (!running) return complain(running.error());
  const auto outcome = config::parse({{"", running->text}});
  if (!outcome.config) {
    return complain({Exit::critical, "the agent's configuration is not of this tool's version"});
  }
  const Configured configured = configured_of(*outcome.config);
  const auto firewall = control::firewall_of(*status, configured.ports, configured.peers);
  const auto kind =
      static_cast<control::FirewallFormat>(format - control::kFirewallFormats.begin());
  print(in.has("json") ? control::firewall_json(firewall, kind, timestamp())
                       : control::firewall_text(firewall, kind));
  return Exit::good;
}

}  // namespace tribecast::cli
