// Who the agent's peers are: configured ones and those that were found, and where they are.
#include <fmt/format.h>

#include <algorithm>

#include "daemon/agent.h"
#include "daemon/state_path.h"
#include "daemon/translate.h"
#include "io/clock.h"
#include "seal/keyring.h"

namespace tribecast::daemon {
namespace {

// Names of found peers are resolved one by one; whether two peers are one is looked at once.
constexpr Duration kMergeDelay = milliseconds(20);

}  // namespace

void Agent::open_discovery() {
  Discovery::Handlers handlers;
  handlers.on_change = [this] { use_peers(); };
  handlers.on_event = [this](Severity severity, std::string_view id, const std::string& subject,
                             const std::string& text) { note(severity, id, subject, text); };
  discovery_ = std::make_unique<Discovery>(loop_, log_, seal::system_random(), std::move(handlers),
                                           state_path(config_.control.socket, "discovered"));
}

// What is as it was keeps its session and counters.
void Agent::use_peers() {
  const Instant now = io::now();
  apply_names();
  merge_peers();
  core_.configure(now, to_settings(config_, roster_.peers),
                  keys_.credentials(config_.security.auth), actions_);
  for (const config::Peer& peer : roster_.peers) set_endpoints(peer);
  act(now);
}

void Agent::merge_peers() {
  merge_timer_.arm(kNever);
  const std::size_t left_out_before = roster_.left_out;
  roster_ =
      config::merge(config_.peers, discovery_->found(),
                    [this](const config::PeerAddress& address) { return endpoints_of(address); });
  if (roster_.left_out > 0 && roster_.left_out != left_out_before) {
    note(Severity::warning, "discovery_full", "", too_many_peers());
  }
}

std::string Agent::too_many_peers() const {
  return fmt::format("{} found peers are not used: {} is the limit; relay to fewer hosts",
                     roster_.left_out, config::kMaxPeers);
}

void Agent::apply_names() {
  std::set<std::string> wanted;
  const auto want = [&](const auto& peers) {
    for (const auto& peer : peers) {
      for (const config::PeerAddress& address : peer.addresses) {
        if (!address.literal()) wanted.insert(address.host);
      }
    }
  };
  want(config_.peers);
  for (const config::FoundSet& set : discovery_->found()) want(set.peers);
  for (const std::string& name : used_names_) {
    if (!wanted.contains(name)) names_->remove(name);
  }
  for (const std::string& name : wanted) {
    if (!used_names_.contains(name)) names_->add(name);
  }
  used_names_ = std::move(wanted);
}

std::vector<Endpoint> Agent::endpoints_of(const config::PeerAddress& address) const {
  if (const auto literal = address.literal()) return {{*literal, address.port}};
  std::vector<Endpoint> endpoints;
  if (const io::NameState* name = names_->find(address.host)) {
    for (const Address& resolved : name->addresses) endpoints.push_back({resolved, address.port});
  }
  return endpoints;
}

void Agent::set_endpoints(const config::Peer& peer) {
  std::vector<Endpoint> endpoints;
  for (const config::PeerAddress& address : peer.addresses) {
    std::ranges::move(endpoints_of(address), std::back_inserter(endpoints));
  }
  core_.set_endpoints(io::now(), peer.name, std::move(endpoints));
}

void Agent::on_resolved(const std::string& name) {
  for (const config::Peer& peer : roster_.peers) {
    if (std::ranges::find(peer.addresses, name, &config::PeerAddress::host) !=
        peer.addresses.end()) {
      set_endpoints(peer);
    }
  }
  const bool merged = !roster_.found.empty() || roster_.configured_too > 0;
  if (merged && merge_timer_.deadline() == kNever) merge_timer_.arm(io::now() + kMergeDelay);
  act(io::now());
}

void Agent::merge_again() {
  const config::Roster before = roster_;
  merge_peers();
  if (before != roster_) use_peers();
}

void Agent::show_discovery(control::Status& status) const {
  const Instant now = io::now();
  status.discoveries = discovery_->report(now);
  for (control::Peer& peer : status.peers) {
    const auto found = roster_.found.find(peer.name);
    if (found == roster_.found.end()) continue;
    peer.from = found->second.from;
    if (peer.site.empty()) peer.site = found->second.site;
  }
  std::ranges::move(discovery_->warnings(now), std::back_inserter(status.warnings));
  if (roster_.left_out > 0) status.warnings.push_back({"discovery_full", too_many_peers()});
}

}  // namespace tribecast::daemon
