#include "relay/link.h"

#include <algorithm>
#include <bit>

namespace tribecast::relay {
namespace {

constexpr unsigned kEnoughProbes = 20;
constexpr double kLossyRatio = 0.1;
// Who was shown as lossy is until so little is left: near the limit it would take turns.
constexpr double kStillLossyRatio = 0.05;

}  // namespace

void ProbeHistory::note(std::uint32_t sequence) {
  if (expected_ == 0) {
    highest_ = sequence;
    expected_ = 1;
    came_ = 1;
    return;
  }
  const std::uint32_t ahead = sequence - highest_;
  if (ahead == 0) return;
  if (ahead < 0x80000000U) {
    came_ = ahead >= 64 ? 0 : came_ << ahead;
    came_ |= 1;
    highest_ = sequence;
    expected_ = std::min(64U, expected_ + std::min(ahead, 64U));
  } else if (const std::uint32_t behind = highest_ - sequence; behind < 64) {
    came_ |= std::uint64_t{1} << behind;
  }
}

std::optional<double> ProbeHistory::loss() const {
  if (expected_ < 4) return std::nullopt;
  const auto came = static_cast<double>(std::popcount(came_));
  return 1.0 - std::min(1.0, came / static_cast<double>(expected_));
}

std::optional<double> ProbeHistory::settled_loss() const {
  return expected_ >= kEnoughProbes ? loss() : std::nullopt;
}

bool Link::is_lossy() const {
  const double limit = shown == PeerState::lossy ? kStillLossyRatio : kLossyRatio;
  return std::max(history.settled_loss().value_or(0), loss_out.value_or(0)) > limit;
}

bool Link::in_group(const std::string& group) const {
  return settings.groups.empty() ||
         std::ranges::find(settings.groups, group) != settings.groups.end();
}

bool Link::may_announce(const Address& member) const {
  return settings.members.empty() ||
         std::ranges::any_of(settings.members,
                             [&](const Prefix& prefix) { return prefix.contains(member); });
}

std::optional<Address> Link::seen_from_here(const Address& address) const {
  for (const Translation& rewrite : settings.rewrites) {
    if (const auto seen = rewrite.apply(address)) return seen;
  }
  return std::nullopt;
}

bool Link::has_address(const Address& address) const {
  return std::ranges::any_of(endpoints, [&](const Endpoint& e) { return e.address == address; });
}

bool Link::may_roam_to(const Address& address) const {
  if (settings.roaming.empty()) return settings.public_key.has_value();
  return std::ranges::any_of(settings.roaming,
                             [&](const Prefix& prefix) { return prefix.contains(address); });
}

bool Link::may_be_at(const Address& address) const {
  return has_address(address) || may_roam_to(address);
}

std::string_view Link::rejection() const {
  if (!settings.public_key) {
    return has_other_mode()
               ? "has auth = public-key, this node auth = keyring: set the same on both"
               : "sends what no key of our ring opens: compare the keyrings";
  }
  return has_other_mode() ? "has auth = keyring, this node auth = public-key: set the same on both"
                          : "does not hold the key that is configured for it, or not our public "
                            "key: compare both "
                            "with `tribecast keygen --public-key`, and the keyrings";
}

}  // namespace tribecast::relay
