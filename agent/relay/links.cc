#include "relay/links.h"

#include <algorithm>

#include "base/check.h"

namespace tribecast::relay {
namespace {

constexpr Duration kGrantRetry = milliseconds(250);
// The responder waits this much longer than the initiator before it renews a session itself.
constexpr Duration kRekeySlack = seconds(10);
// Receivers keep a replaced data key for so long, for what is still on the way.
constexpr Duration kKeyOverlap = seconds(5);
constexpr Duration kKeyLifetime = seconds(300);
constexpr Duration kKeyRejectedShown = seconds(5);
// A peer that still greets after this time does not get our answers.
constexpr Duration kGreetsInVain = milliseconds(1500);
// Sessions are renewed with a new primary key one after the other within this time.
constexpr Duration kRenewSpread = seconds(1);
constexpr Duration kClockAsked = milliseconds(100);

// Multiples of the probe interval, so that all peers are probed in one wake-up.
Instant next_grid(Instant now) {
  const auto periods = now.time_since_epoch() / kProbeInterval + 1;
  return Instant(periods * kProbeInterval);
}

// The primary key first.
std::vector<RingEntry> told(const seal::Keyring& ring) {
  std::vector<RingEntry> entries;
  for (const seal::RingKey& key : ring.keys) {
    const bool primary = key.id == ring.primary_id;
    entries.insert(primary ? entries.begin() : entries.end(), {key.id, key.fingerprint()});
  }
  if (entries.size() > kMaxRingTold) entries.resize(kMaxRingTold);
  return entries;
}

struct StateChange {
  PeerState state;
  EventKind kind;
  std::string_view text;
};

constexpr std::array kStateChanges = {
    StateChange{PeerState::up, EventKind::peer_up, "is up"},
    StateChange{PeerState::lossy, EventKind::peer_up, "is up, but loses datagrams"},
    StateChange{PeerState::half_open_in, EventKind::peer_silent,
                "hears us, but is not heard: a firewall or security group on the way here"},
    StateChange{PeerState::half_open_out, EventKind::peer_silent,
                "is heard, but does not hear us: a firewall or security group on the way there"},
    StateChange{PeerState::silent, EventKind::peer_silent, "is silent"},
    StateChange{PeerState::key_rejected, EventKind::peer_key_rejected, ""},
    StateChange{PeerState::stopped, EventKind::peer_stopped, "said goodbye"},
    StateChange{PeerState::self, EventKind::peer_is_self, "is this host itself, not used"},
};

}  // namespace

Links::Links(RandomSource random) : random_(std::move(random)), instance_(random_u64(random_)) {}

// --- peers ---------------------------------------------------------------------------------------

void Links::configure(Instant now, const Settings& settings, const seal::Credentials& credentials,
                      Actions& out) {
  const seal::Keyring& ring = credentials.ring;
  bool left = false;
  bool unused_left = false;
  for (const PeerSettings& old : settings_.peers) {
    const auto kept = std::ranges::find(settings.peers, old.name, &PeerSettings::name);
    const bool same_one = kept != settings.peers.end() && kept->public_key == old.public_key &&
                          kept->agentless == old.agentless && own_ == credentials.own;
    if (same_one) continue;
    remove_peer(old.name);
    left = true;
  }
  for (const seal::RingKey& old : ring_.keys) {
    const seal::RingKey* kept = ring.find(old.id);
    if (kept != nullptr && *kept == old) continue;
    (drop_ring_key(old.id) ? left : unused_left) = true;
  }
  if (!ring.keys.empty()) drop_ring_key(kNoRingKey);
  const bool turned = ring_.primary_id != 0 && ring.primary_id != ring_.primary_id;
  settings_ = settings;
  ring_ = ring;
  own_ = credentials.own;
  told_ring_ = told(ring);
  for (const PeerSettings& peer : settings.peers) {
    if (Link* link = find(peer.name)) {
      endpoints_indexed_ = endpoints_indexed_ && link->settings.roaming == peer.roaming;
      link->settings = peer;
    } else {
      add_peer(now, peer);
    }
  }
  if (!by_key()) {
    if (shared_keys_.current.id == 0) shared_keys_.current = new_data_key(now);
    if (left) replace_data_key(now, out);
    if (!left && unused_left) prepare_data_key(now, shared_keys_, all_links(), out);
  }
  if (turned) renew_sessions(now);
  next_tick_ = links_.empty() ? kNever : std::min(next_tick_, next_grid(now));
}

void Links::add_peer(Instant now, const PeerSettings& settings) {
  TC_CHECK(links_.size() < kMaxPeers);
  auto link = std::make_unique<Link>();
  link->settings = settings;
  link->key_is_own = own_ && settings.public_key == own_->open;
  schedule_attempt(now, *link);
  links_.push_back(std::move(link));
}

void Links::remove_peer(const std::string& name) {
  const auto found =
      std::ranges::find_if(links_, [&](const auto& link) { return link->settings.name == name; });
  forget_sessions(**found);
  forget_grants(**found);
  forget_repeats(**found);
  links_.erase(found);
  endpoints_indexed_ = false;
}

// Whoever holds only this key is no longer one of us: nothing that was begun with it is finished.
// True when a session ended.
bool Links::drop_ring_key(std::uint8_t id) {
  bool ended = false;
  for (const auto& link : links_) {
    if (link->initiation && link->initiation->ring_id == id) {
      give_up_initiation(*link);
      schedule_attempt(Instant::min(), *link);
    }
    std::erase_if(link->offered, [&](const Session& session) {
      return session.ring_id == id && by_index_.erase(session.local_index) > 0;
    });
    if (link->previous && link->previous->ring_id == id) {
      by_index_.erase(link->previous->local_index);
      link->previous.reset();
    }
    if (!link->current || link->current->ring_id != id) continue;
    ended = true;
    forget_sessions(*link);
    forget_grants(*link);
    link->last_heard.reset();
    schedule_attempt(Instant::min(), *link);
  }
  return ended;
}

// A handshake that is under way with the key before would end what begins here.
void Links::renew_sessions(Instant now) {
  for (const auto& link : links_) {
    const bool under_way = link->initiation && link->initiation->ring_id != ring_.primary_id;
    if (under_way) give_up_initiation(*link);
    const bool old_session = link->current && link->current->ring_id != ring_.primary_id;
    if (!old_session && !under_way) continue;
    const auto spread = static_cast<std::uint64_t>(kRenewSpread.count());
    schedule_attempt(now + Duration(static_cast<std::int64_t>(random_u64(random_) % spread)),
                     *link);
  }
}

void Links::set_endpoints(Instant now, const std::string& peer, std::vector<Endpoint> endpoints) {
  Link* link = find(peer);
  if (link == nullptr || endpoints.empty() || endpoints == link->endpoints) return;
  link->endpoints = std::move(endpoints);
  endpoints_indexed_ = false;
  link->answers_as_self = false;
  set_local_addresses(local_addresses_);
  if (!link->current || !link->may_be_at(link->current->path.remote.address)) {
    link->attempts = 0;
    schedule_attempt(now, *link);
  }
}

void Links::set_local_addresses(const std::vector<Address>& addresses) {
  if (&addresses != &local_addresses_) local_addresses_ = addresses;
  const auto is_local = [&](const Endpoint& e) {
    return e.address.is_loopback() ||
           std::ranges::find(local_addresses_, e.address) != local_addresses_.end();
  };
  for (const auto& link : links_) {
    const bool was_self = link->address_is_local;
    link->address_is_local = std::ranges::any_of(link->endpoints, is_local);
    if (was_self && !link->address_is_local) schedule_attempt(Instant::min(), *link);
  }
}

Link* Links::find(const std::string& name) {
  const auto found =
      std::ranges::find_if(links_, [&](const auto& link) { return link->settings.name == name; });
  return found == links_.end() ? nullptr : found->get();
}

void Links::index_endpoints() {
  by_endpoint_.clear();
  by_address_.clear();
  roamers_.clear();
  for (const auto& link : links_) {
    if (link->settings.agentless) continue;  // nothing is expected from there
    const bool roams = !link->settings.roaming.empty() && !link->settings.public_key;
    if (roams) roamers_.push_back(link.get());
    for (const Endpoint& endpoint : link->endpoints) {
      by_endpoint_.try_emplace(endpoint, link.get());
      const auto [entry, first] = by_address_.try_emplace(endpoint.address, link.get());
      if (!first && entry->second != link.get()) entry->second = nullptr;
    }
  }
  endpoints_indexed_ = true;
}

// By address and port; behind an address translator the port may be another, then by address alone
// where that is unambiguous; then by where it may roam to.
Link* Links::find_by_endpoint(const Endpoint& endpoint) {
  if (!endpoints_indexed_) index_endpoints();
  const auto exact = by_endpoint_.find(endpoint);
  if (exact != by_endpoint_.end()) return exact->second;
  const auto address = by_address_.find(endpoint.address);
  if (address != by_address_.end()) return address->second;
  const auto roams = [&](const Link* link) { return link->may_roam_to(endpoint.address); };
  const auto roamer = std::ranges::find_if(roamers_, roams);
  return roamer == roamers_.end() ? nullptr : *roamer;
}

// --- state ---------------------------------------------------------------------------------------

void Links::refuse(Link* link, Reason reason) {
  (link == nullptr ? strangers_ : link->rejected).add(reason);
}

void Links::heard(Instant now, Link& link) {
  if (!link.last_heard || now - *link.last_heard > kSilentTime) {
    link.heard_since = now;
    link.history = {};
    link.loss_out.reset();
  }
  link.last_heard = now;
}

bool Links::is_live(Instant now, const Link& link) const {
  if (!link.current || link.is_self()) return false;
  if (link.goodbye) return now - *link.goodbye < kGoodbyeGrace;
  // A process that stood still heard nothing because it did not listen: judged as of its last tick.
  const Instant awake = std::min(now, next_tick_);
  return link.last_heard && awake - *link.last_heard <= kSilentTime;
}

PeerState Links::state_of(Instant now, const Link& link) const {
  const auto within = [&](const std::optional<Instant>& then, Duration time) {
    return then && now - *then <= time;
  };
  if (link.is_self()) return PeerState::self;
  // Whether it hears anything nobody tells us.
  if (link.settings.agentless) return link.endpoints.empty() ? PeerState::silent : PeerState::up;
  // What came after the goodbye, and was not its own, tells more than the goodbye.
  const bool rejected = within(link.key_rejected, kKeyRejectedShown);
  if (link.goodbye) {
    return rejected && *link.key_rejected > *link.goodbye ? PeerState::key_rejected
                                                          : PeerState::stopped;
  }
  if (link.current && within(link.last_heard, kSilentTime)) {
    // Who is heard again tells first that it has heard nothing for as long as we.
    const bool answered = link.they_hear_us || within(link.current->established, kSilentTime) ||
                          within(link.heard_since, kSilentTime);
    if (!answered) return PeerState::half_open_out;
    return link.is_lossy() ? PeerState::lossy : PeerState::up;
  }
  if (rejected) return PeerState::key_rejected;
  const bool greets_in_vain =
      link.greeting_heard && link.greeting_since && now - *link.greeting_since >= kGreetsInVain;
  if (greets_in_vain && within(link.greeting_heard, kSilentTime)) return PeerState::half_open_out;
  return is_heard_by(now, link) ? PeerState::half_open_in : PeerState::silent;
}

void Links::tell_changes(Instant now, Link& link, Actions& out) {
  const PeerState state = state_of(now, link);
  const bool rejected = state == PeerState::key_rejected;
  const bool other_reason = rejected && link.has_other_mode() && !link.told_other_mode;
  if (state == link.shown && !other_reason) return;
  link.shown = state;
  link.told_other_mode = rejected && link.has_other_mode();
  const auto change = std::ranges::find(kStateChanges, state, &StateChange::state);
  if (change == kStateChanges.end()) return;
  const std::string_view text = rejected ? link.rejection() : change->text;
  out.events.push_back({change->kind, link.settings.name, std::string(text)});
}

// --- probes and timers ---------------------------------------------------------------------------

Probe Links::make_probe(Instant now, Link& link, bool answer_now) {
  Probe probe;
  probe.sequence = ++link.probe_sequence;
  probe.sent = stamp_of(now);
  probe.echo = link.peer_stamp;
  if (link.peer_stamp != 0) {
    probe.held_us = static_cast<std::uint32_t>(std::min<std::int64_t>(
        duration_cast<microseconds>(now - link.peer_stamp_at).count(), kNeverHeard));
  }
  probe.heard_ms = kNeverHeard;
  if (link.last_heard) {
    probe.heard_ms = static_cast<std::uint32_t>(std::min<std::int64_t>(
        duration_cast<milliseconds>(now - *link.last_heard).count(), kNeverHeard - 1));
  }
  probe.holding_key = link.granted.empty() ? 0 : link.granted.back().id;
  probe.answer_now = answer_now;
  return probe;
}

Measures Links::make_measures(Instant now, const Link& link) const {
  Measures measures;
  measures.wall_us = static_cast<std::uint64_t>(
      duration_cast<microseconds>(now.time_since_epoch() + *wall_offset_).count());
  if (const auto loss = link.history.settled_loss()) {
    measures.loss_permille = static_cast<std::uint16_t>((*loss * 2000 + 1) / 2);
  }
  return measures;
}

void Links::send_frames(Link& link, Session& session, const Frames& frames, Actions& out) {
  const seal::Header header{seal::Type::pair, 0, session.remote_index, session.send_counter++};
  Buffer plain = encode(frames);
  out.sends.push_back({seal::seal_datagram(session.send_key, header, plain), {session.path}});
  seal::wipe(plain);
  ++link.sent;
}

void Links::send_probe(Instant now, Link& link, bool answer_now, Actions& out) {
  if (!link.current) return;
  Frames frames;
  if (link.holding_key == 0) {
    frames.hello = Hello{settings_.node_name, settings_.site, settings_.version};
  }
  frames.grants = grants_for(link);
  if (!frames.grants.empty()) grant_retry_ = std::min(grant_retry_, now + kGrantRetry);
  frames.probe = make_probe(now, link, answer_now);
  if (wall_offset_) frames.measures = make_measures(now, link);
  frames.ring = told_ring_;
  add_hearsay(now, link, frames);
  send_frames(link, *link.current, frames, out);
}

void Links::test_path(Instant now, Link& link, Actions& out) {
  const auto size = link.path_size.next_test(now);
  if (!size) return;
  Frames frames;
  frames.path_test = static_cast<std::uint16_t>(*size);
  send_frames(link, *link.current, frames, out);
  out.sends.back().may_be_too_large = true;
}

std::optional<Stamp> Links::ping(Instant now, const std::string& peer, Actions& out) {
  Link* link = find(peer);
  if (link == nullptr || !link->current || link->is_self()) return std::nullopt;
  send_probe(now, *link, true, out);
  return stamp_of(now);
}

void Links::ask_clock(Instant now, Link& link, Actions& out) {
  if (link.asked_clock && now - *link.asked_clock < kClockAsked) return;
  link.asked_clock = now;
  send_probe(now, link, true, out);
}

void Links::say_goodbye(Instant now, Actions& out) {
  Frames frames;
  frames.bye = true;
  for (const auto& link : links_) {
    if (is_live(now, *link)) send_frames(*link, *link->current, frames, out);
  }
}

void Links::tick(Instant now, Link& link, Actions& out) {
  if (link.current && now - link.current->established > kSessionLifetime) forget_sessions(link);
  const bool silent = !link.last_heard || now - *link.last_heard > kSilentTime;
  // Whoever has that address now must not be told what this peer has not said.
  const bool moved =
      !by_key() && link.current && !link.has_address(link.current->path.remote.address);
  if (moved && silent) forget_sessions(link);
  if (link.previous && now - link.previous->established > kSessionLifetime) {
    by_index_.erase(link.previous->local_index);
    link.previous.reset();
  }
  if (!link.granted.empty()) {
    const Duration held = now - link.granted.back().granted;
    if (held > kKeyOverlap) forget_grants(link, 1);
    if (held > kKeyLifetime) forget_grants(link);
  }
  if (link.is_self()) return tell_changes(now, link, out);
  if (link.settings.agentless) return;

  if (link.current) send_probe(now, link, false, out);
  if (is_doubtful(now, link)) next_doubt_ = std::min(next_doubt_, now + kDoubtInterval);
  if (!settings_.max_datagram_bytes && is_live(now, link)) test_path(now, link, out);
  const Duration age = link.current ? now - link.current->established : Duration::zero();
  const bool renew =
      link.current && age > kRekeyInterval + (link.current->initiator ? Duration{} : kRekeySlack);
  if ((renew || silent || !link.current) && link.next_attempt == kNever) {
    schedule_attempt(now, link);
  }
  tell_changes(now, link, out);
}

bool Links::is_doubtful(Instant now, const Link& link) const {
  return is_live(now, link) && !link.goodbye && now - *link.last_heard >= kDoubtTime;
}

// As many peers as became doubtful at the last tick; who is silent by now is told of, and told so,
// in case it hears us.
void Links::ask_doubtful(Instant now, Actions& out) {
  next_doubt_ = kNever;
  for (const auto& link : links_) {
    if (is_doubtful(now, *link)) {
      send_probe(now, *link, true, out);
      next_doubt_ = now + kDoubtInterval;
    } else if (link->current) {
      const PeerState before = link->shown;
      tell_changes(now, *link, out);
      const bool news = link->shown == PeerState::silent && before != PeerState::silent;
      if (news) send_probe(now, *link, false, out);
    }
  }
}

void Links::on_timer(Instant now, Actions& out) {
  if (now >= next_attempt_) {
    next_attempt_ = kNever;
    for (const auto& link : links_) {
      if (now >= link->next_attempt) initiate(now, *link, out);
      next_attempt_ = std::min(next_attempt_, link->next_attempt);
    }
  }
  repeat(now, out);
  if (now >= next_question_) ask_views(now, out);
  if (now >= next_doubt_) ask_doubtful(now, out);
  if (now >= grant_retry_) {
    grant_retry_ = kNever;
    for (const auto& link : links_) {
      const bool owed = link->holding_key != keys_for(*link).newest().id;
      if (owed && is_live(now, *link) && !link->goodbye) send_probe(now, *link, false, out);
    }
  }
  if (now >= next_tick_) {
    next_tick_ = next_grid(now);
    note_deaf();
    for (const auto& link : links_) tick(now, *link, out);
    rotate_data_keys(now, out);
  }
}

Instant Links::next_deadline() const {
  const Instant next_copy = copies_.empty() ? kNever : copies_.front().at;
  return std::min({next_tick_, next_attempt_, grant_retry_, next_doubt_, next_copy, next_notice_,
                   next_question_});
}

}  // namespace tribecast::relay
