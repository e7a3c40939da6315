// Hearsay: an agent that hears nothing from a peer cannot know whether that one hears it. Who hears
// it in vain tells all others so, and those who reach it pass it on. It names a state for people
// and decides nothing.
#include <algorithm>

#include "relay/links.h"

namespace tribecast::relay {
namespace {

// A few reports in a row may be lost.
constexpr Duration kHearsayKept = seconds(5);

// The process that is heard in vain: the one that greets, or else the one that we have a session
// with.
std::optional<std::uint64_t> instance_of(const Link& link) {
  if (link.greeting_since && !link.greetings.empty()) return link.greetings.back().instance;
  if (!link.current) return std::nullopt;
  return link.current->instance;
}

}  // namespace

void Links::note_deaf() {
  deaf_.clear();
  for (const auto& link : links_) {
    if (deaf_.size() == kMaxDeaf) return;
    if (link->shown != PeerState::half_open_out) continue;
    if (const auto instance = instance_of(*link)) deaf_.push_back(*instance);
  }
}

void Links::add_hearsay(Instant now, Link& link, Frames& frames) const {
  frames.deaf = deaf_;
  std::erase_if(link.heard_by, [&](const Hearsay& h) { return now - h.told > kSilentTime; });
  for (const Hearsay& hearsay : link.heard_by) frames.heard_by.push_back(hearsay.teller);
}

void Links::on_hearsay(Instant now, const Link& teller, const Frames& frames, Actions& out) {
  for (const std::uint64_t instance : frames.deaf) {
    const auto deaf = std::ranges::find_if(links_, [&](const auto& link) {
      return link->current && link->current->instance == instance;
    });
    if (deaf == links_.end() || !teller.current) continue;
    if (note_hearsay(now, **deaf, teller.current->path.remote)) send_probe(now, **deaf, false, out);
  }
  for (const Endpoint& endpoint : frames.heard_by) {
    if (Link* link = find_by_endpoint(endpoint)) link->hears_us = now;
  }
}

// True when it is news, to be passed on at once.
bool Links::note_hearsay(Instant now, Link& deaf, const Endpoint& teller) {
  const auto known = std::ranges::find(deaf.heard_by, teller, &Hearsay::teller);
  if (known != deaf.heard_by.end()) {
    known->told = now;
    return false;
  }
  if (deaf.heard_by.size() == kMaxHeardBy) return false;
  deaf.heard_by.push_back({teller, now});
  return true;
}

bool Links::is_heard_by(Instant now, const Link& link) {
  return link.hears_us && now - *link.hears_us <= kHearsayKept;
}

}  // namespace tribecast::relay
