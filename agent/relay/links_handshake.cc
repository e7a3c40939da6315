// How sessions come about: initiation, response, confirmation, and the frames that follow.
#include <algorithm>

#include "relay/links.h"

namespace tribecast::relay {
namespace {

constexpr Duration kFirstRetry = milliseconds(250);
constexpr Duration kSecondRetry = milliseconds(500);
constexpr Duration kRetry = seconds(1);
constexpr Duration kJitter = milliseconds(200);
// Our own greeting may come back because the peer is this process, or because somebody reflected
// it.
constexpr Duration kSelfRetry = seconds(30);
// Two initiations that cross are one race, which the lower instance wins; not for ever, since what
// the lower one sends may be what does not arrive.
constexpr unsigned kRaceAttempts = 3;
constexpr std::size_t kMaxOffered = 4;
// The initiator confirms as soon as it is answered; what confirms later was held back by somebody.
constexpr Duration kOfferTime = seconds(5);
constexpr std::size_t kMaxGreetings = 8;
constexpr std::size_t kMaxGranted = 3;
constexpr std::size_t kMaxReportedStrangers = 64;

Duration delay_after(unsigned attempts, const RandomSource& random) {
  if (attempts == 1) return kFirstRetry;
  if (attempts == 2) return kSecondRetry;
  const auto spread = static_cast<std::uint64_t>(2 * kJitter.count());
  return kRetry - kJitter + Duration(static_cast<std::int64_t>(random_u64(random) % spread));
}

}  // namespace

std::uint32_t Links::new_index() {
  while (true) {
    const std::uint32_t index = random_u32(random_);
    if (index != 0 && !by_index_.contains(index)) return index;
  }
}

seal::KeyPair Links::new_ephemeral() {
  seal::Key secret;
  random_(secret.bytes());
  return seal::KeyPair::of(secret);
}

void Links::schedule_attempt(Instant at, Link& link) {
  link.next_attempt = at;
  next_attempt_ = std::min(next_attempt_, at);
}

// Its answer may still come; it is then no sign of anything wrong.
void Links::give_up_initiation(Link& link) {
  if (!link.initiation) return;
  by_index_.erase(link.initiation->local_index);
  link.given_up = link.initiation->local_index;
  link.initiation.reset();
}

void Links::initiate(Instant now, Link& link, Actions& out) {
  give_up_initiation(link);
  link.next_attempt = kNever;
  if (link.address_is_local || link.key_is_own || link.settings.agentless ||
      by_key() != link.settings.public_key.has_value()) {
    return;
  }
  const auto to = next_path(link);
  if (!to) return;
  ++link.attempts;
  schedule_attempt(now + (link.answers_as_self ? kSelfRetry : delay_after(link.attempts, random_)),
                   link);

  const std::uint32_t index = new_index();
  const seal::Header header{by_key() ? seal::Type::key_init : seal::Type::init, ring_.primary_id,
                            index, 0};
  seal::Handshake handshake = new_initiator(link, header);
  const auto message =
      handshake.write(new_ephemeral(), encode(Greeting{index, instance_, stamp_of(now)}));
  if (!message) return;  // its public key is of low order: nobody holds it
  link.initiation.emplace(Initiation{std::move(handshake), index, ring_.primary_id, now});
  by_index_[index] = &link;
  ++link.sent;
  out.sends.push_back({handshake_datagram(link, header, *message), {*to}});
}

// Where it was heard last, then its endpoints in turn; nullopt when there is none yet.
std::optional<Path> Links::next_path(Link& link) {
  const std::size_t moved = link.moved_to ? 1 : 0;
  const std::size_t count = link.endpoints.size() + moved;
  if (count == 0) return std::nullopt;
  const std::size_t turn = link.next_endpoint++ % count;
  if (turn < moved) return link.moved_to;
  return Path{link.endpoints[turn - moved], {}};
}

void Links::note_move(Link& link) {
  const bool roams = link.settings.public_key || !link.settings.roaming.empty();
  if (!roams || !link.current) return;
  const Path& path = link.current->path;
  const bool own = std::ranges::find(link.endpoints, path.remote) != link.endpoints.end();
  link.moved_to = own ? std::nullopt : std::optional(path);
  if (!own) link.next_endpoint = 0;
}

bool Links::is_replay(Link& link, const Greeting& greeting) {
  const auto known = std::ranges::find(link.greetings, greeting.instance, &SeenGreeting::instance);
  if (known != link.greetings.end()) {
    if (greeting.sent <= known->sent) return true;
    known->sent = greeting.sent;
    return false;
  }
  if (link.greetings.size() >= kMaxGreetings) link.greetings.erase(link.greetings.begin());
  link.greetings.push_back({greeting.instance, greeting.sent});
  return false;
}

// Proves a key of the ring; whose it is, its address tells.
std::optional<Links::Opened> Links::open_init(Instant now, const Path& from,
                                              const seal::Envelope& envelope, Actions& out) {
  Link* link = find_by_endpoint(from.remote);
  const seal::RingKey* ring_key = ring_.find(envelope.header.ring_id);
  std::optional<Greeting> greeting;
  std::optional<seal::Handshake> handshake;
  if (ring_key != nullptr && envelope.header.counter == 0) {
    handshake.emplace(seal::Role::responder, prologue_of(envelope.header), ring_key->psk());
    const auto payload = handshake->read(envelope.body);
    if (payload) greeting = decode_greeting(*payload);
  }
  if (!greeting || greeting->index != envelope.header.index) {
    if (link != nullptr) link->key_rejected = now;
    refuse(link, Reason::forged);
    return std::nullopt;
  }
  if (link == nullptr) {
    refuse(nullptr, Reason::unconfigured_peer);
    report_stranger(from, "has a key of the ring, but is no configured peer", out);
    return std::nullopt;
  }
  return Opened{link, std::move(*handshake), *greeting};
}

void Links::report_stranger(const Path& from, std::string text, Actions& out) {
  const Address& who = from.remote.address;
  const bool known = std::ranges::find(reported_strangers_, who) != reported_strangers_.end();
  if (known || reported_strangers_.size() >= kMaxReportedStrangers) return;
  reported_strangers_.push_back(who);
  out.events.push_back({EventKind::unconfigured_peer, from.remote.to_string(), std::move(text)});
}

void Links::on_init(Instant now, const Path& from, const seal::Envelope& envelope, Actions& out) {
  auto opened =
      by_key() ? open_key_init(now, from, envelope, out) : open_init(now, from, envelope, out);
  if (!opened) return;
  Link& link = *opened->link;
  const Greeting& greeting = opened->greeting;
  if (greeting.instance == instance_) {
    if (link.current) return refuse(&link, Reason::replayed);
    link.answers_as_self = true;
    return tell_changes(now, link, out);
  }
  if (is_replay(link, greeting)) return refuse(&link, Reason::replayed);
  link.greeting_heard = now;
  if (!link.greeting_since) link.greeting_since = now;
  const bool race = link.initiation && link.attempts <= kRaceAttempts;
  if (race && instance_ < greeting.instance) return;  // they will answer ours
  respond(now, from, *opened, envelope.header, out);
}

void Links::respond(Instant now, const Path& from, Opened& opened, const seal::Header& header,
                    Actions& out) {
  Link& link = *opened.link;
  Session session;
  session.local_index = new_index();
  session.remote_index = opened.greeting.index;
  session.instance = opened.greeting.instance;
  session.ring_id = header.ring_id;
  session.established = now;
  session.path = from;
  const auto message = opened.handshake.write(
      new_ephemeral(), encode(Greeting{session.local_index, instance_, stamp_of(now)}));
  if (!message) return refuse(&link, Reason::forged);
  const auto keys = opened.handshake.split();
  session.send_key = keys.send;
  session.receive_key = keys.receive;

  give_up_initiation(link);
  // One handshake is enough; ours is begun again only if theirs comes to nothing.
  if (link.next_attempt != kNever) schedule_attempt(now + kFirstRetry, link);
  if (link.offered.size() >= kMaxOffered) {
    by_index_.erase(link.offered.front().local_index);
    link.offered.erase(link.offered.begin());
  }
  by_index_[session.local_index] = &link;
  link.offered.push_back(std::move(session));
  seal::Header response = header;
  response.type = by_key() ? seal::Type::key_response : seal::Type::response;
  ++link.sent;
  out.sends.push_back({handshake_datagram(link, response, *message), {from}});
}

void Links::on_response(Instant now, const Path& from, const seal::Envelope& envelope,
                        Actions& out) {
  const auto found = by_index_.find(envelope.header.index);
  Link* link = found == by_index_.end() ? nullptr : found->second;
  if (link == nullptr || !link->initiation ||
      link->initiation->local_index != envelope.header.index) {
    Link* sender = find_by_endpoint(from.remote);
    const bool late = sender != nullptr && sender->given_up == envelope.header.index;
    return refuse(sender, late ? Reason::duplicate : Reason::replayed);
  }
  const bool same_header =
      envelope.header.ring_id == link->initiation->ring_id && envelope.header.counter == 0;
  if (!same_header) return refuse(link, Reason::forged);
  const auto message = message_of(envelope);
  if (!message) return refuse(link, Reason::forged);
  // A forgery must not spoil the handshake that the true answer will finish.
  seal::Handshake handshake = link->initiation->handshake;
  const auto payload = handshake.read(*message);
  const auto greeting = payload ? decode_greeting(*payload) : std::nullopt;
  if (!greeting) return refuse(link, Reason::forged);
  if (greeting->instance == instance_) {
    link->answers_as_self = true;
    return tell_changes(now, *link, out);
  }
  if (!link->may_be_at(from.remote.address)) return refuse(link, Reason::unconfigured_peer);

  Session session;
  session.local_index = link->initiation->local_index;
  session.remote_index = greeting->index;
  session.instance = greeting->instance;
  session.ring_id = link->initiation->ring_id;
  session.initiator = true;
  const auto keys = handshake.split();
  session.send_key = keys.send;
  session.receive_key = keys.receive;
  session.established = now;
  session.path = from;
  const Duration round_trip = now - link->initiation->sent;
  link->initiation.reset();
  confirm(now, *link, std::move(session), out);
  note_move(*link);
  link->clock.add(now, greeting->sent, round_trip);
  link->round_trip = round_trip;
  link->peer_stamp = greeting->sent;
  link->peer_stamp_at = now;
  send_probe(now, *link, true, out);
  tell_changes(now, *link, out);
}

void Links::forget_grants(Link& link, std::size_t but_newest) {
  while (link.granted.size() > but_newest) {
    const auto [begin, end] = by_key_id_.equal_range(link.granted.front().id);
    const auto entry = std::find_if(begin, end, [&](const auto& e) { return e.second == &link; });
    if (entry != end) by_key_id_.erase(entry);
    link.granted.erase(link.granted.begin());
  }
  if (but_newest == 0) link.pieces.clear();
}

void Links::forget_sessions(Link& link) {
  for (const Session& session : link.offered) by_index_.erase(session.local_index);
  if (link.current) by_index_.erase(link.current->local_index);
  if (link.previous) by_index_.erase(link.previous->local_index);
  give_up_initiation(link);
  link.offered.clear();
  link.current.reset();
  link.previous.reset();
  link.heard_ring_id = 0;
  link.ring.clear();
}

// The session is the peer's, alive and fresh: both sides have proved it with new keys.
void Links::confirm(Instant now, Link& link, Session session, Actions& out) {
  const bool restarted = link.current && link.current->instance != session.instance;
  if (restarted || !link.current) {
    if (restarted) {
      out.events.push_back({EventKind::peer_restarted, link.settings.name, "is a new process"});
    }
    forget_sessions(link);
    forget_grants(link);
    forget_repeats(link);
    link.acknowledged.clear();
    link.holding_key = 0;
    link.clock.clear();
    link.history = {};
    link.loss_out.reset();
    link.jitter.reset();
    link.path_size = {};
    link.wall_offset.reset();
    if (link.view) link.view.emplace();
    if (by_key()) link.own_keys = {new_data_key(now), std::nullopt};
  }
  if (link.previous) by_index_.erase(link.previous->local_index);
  std::erase_if(link.offered, [&](const Session& offer) {
    if (offer.passed_over) by_index_.erase(offer.local_index);
    return offer.passed_over || offer.local_index == session.local_index;
  });
  for (Session& offer : link.offered) offer.passed_over = true;
  link.previous = std::move(link.current);
  link.current = std::move(session);
  by_index_[link.current->local_index] = &link;
  link.answers_as_self = false;
  link.attempts = 0;
  link.next_attempt = kNever;
  link.goodbye.reset();
  link.key_rejected.reset();
  link.greeting_since.reset();
  heard(now, link);
}

void Links::on_pair(Instant now, const Path& from, const seal::Envelope& envelope, Actions& out) {
  const auto found = by_index_.find(envelope.header.index);
  if (found == by_index_.end()) return refuse(find_by_endpoint(from.remote), Reason::forged);
  Link& link = *found->second;
  const auto is_it = [&](const Session& s) { return s.local_index == envelope.header.index; };
  const auto offered = std::ranges::find_if(link.offered, is_it);
  Session* session = nullptr;
  if (link.current && is_it(*link.current)) session = &*link.current;
  if (link.previous && is_it(*link.previous)) session = &*link.previous;
  if (offered != link.offered.end()) session = &*offered;
  if (session == nullptr) return refuse(&link, Reason::forged);

  const std::uint64_t counter = envelope.header.counter;
  const bool waits = offered != link.offered.end();
  const bool too_late = waits && now - session->established > kOfferTime;
  if (too_late || session->window.look(counter) != seal::ReplayWindow::Look::fresh) {
    return refuse(&link, Reason::replayed);
  }
  const auto plain = seal::open_datagram(session->receive_key, envelope);
  if (!plain) return refuse(&link, Reason::forged);
  const bool newest = counter >= session->window.next();
  const bool offer = waits && !session->passed_over;
  const std::uint8_t ring_id = session->ring_id;
  session->window.accept(counter);
  const auto frames = decode_frames(*plain);
  if (!frames) return refuse(&link, Reason::malformed);
  ++link.received;
  // The peer moved to another of its addresses or ports; never to one that is not its own. With a
  // public key it is followed anywhere, or as far as it is configured to roam.
  if (newest && link.may_be_at(from.remote.address)) session->path = from;
  if (offer) confirm(now, link, Session(*offered), out);
  note_move(link);
  link.heard_ring_id = ring_id;
  if (link.goodbye && !newest) return;  // overtaken by the goodbye
  on_frames(now, link, *frames, out);
}

void Links::on_frames(Instant now, Link& link, const Frames& frames, Actions& out) {
  if (frames.bye) {
    link.goodbye = now;
    return tell_changes(now, link, out);
  }
  link.goodbye.reset();
  heard(now, link);
  if (frames.hello) {
    link.site = frames.hello->site;
    link.version = frames.hello->version;
  }
  if (!frames.ring.empty()) note_ring(now, link, frames.ring);
  for (const std::uint64_t counter : frames.acks) on_ack(link, counter);
  for (const KeyGrant& grant : frames.grants) accept_grant(now, link, grant);
  if (frames.probe) on_probe(now, link, *frames.probe, out);
  if (frames.probe && frames.measures) on_measures(now, link, *frames.probe, *frames.measures);
  if (frames.path_answer != 0) link.path_size.on_answer(now, frames.path_answer);
  if (frames.path_test != 0 && link.current) {
    Frames answer;
    answer.path_answer = frames.path_test;
    send_frames(link, *link.current, answer, out);
  }
  on_hearsay(now, link, frames, out);
  if (frames.view_question) on_view_question(now, link, *frames.view_question, out);
  if (frames.view_part) on_view_part(now, link, *frames.view_part, out);
  const bool wants_answer = !frames.grants.empty() || (frames.probe && frames.probe->answer_now);
  if (wants_answer) send_probe(now, link, false, out);
  tell_changes(now, link, out);
}

// A peer that did not hold our primary key does now: what it refused until then is begun again.
void Links::note_ring(Instant now, Link& link, const std::vector<RingEntry>& ring) {
  const auto& own = told_ring_;
  const auto holds = [&](const std::vector<RingEntry>& keys) {
    return !own.empty() && std::ranges::find(keys, own.front()) != keys.end();
  };
  const bool late = !link.ring.empty() && !holds(link.ring) && holds(ring);
  link.ring = ring;
  const bool old_session = link.current && link.current->ring_id != ring_.primary_id;
  if (late && old_session) schedule_attempt(now, link);
}

void Links::on_probe(Instant now, Link& link, const Probe& probe, Actions& out) {
  link.history.note(probe.sequence);
  link.holding_key = probe.holding_key;
  link.they_hear_us = probe.heard_ms != kNeverHeard && milliseconds(probe.heard_ms) <= kSilentTime;
  link.peer_stamp = probe.sent;
  link.peer_stamp_at = now;
  if (probe.echo == 0 || probe.echo > stamp_of(now)) return;
  const Duration passed = microseconds(static_cast<std::int64_t>(stamp_of(now) - probe.echo));
  const Duration round_trip = passed - microseconds(probe.held_us);
  link.clock.add(now, probe.sent, round_trip);
  if (round_trip < Duration::zero()) return;
  const Duration change = link.round_trip ? abs(round_trip - *link.round_trip) : Duration::zero();
  link.jitter = link.jitter ? *link.jitter + (change - *link.jitter) / 16 : change;
  link.round_trip = round_trip;
  out.answers.push_back({link.settings.name, probe.echo, round_trip});
}

void Links::on_measures(Instant now, Link& link, const Probe& probe, const Measures& measures) {
  link.loss_out = measures.loss_permille
                      ? std::optional(static_cast<double>(*measures.loss_permille) / 1000)
                      : std::nullopt;
  constexpr auto kMost =
      static_cast<std::uint64_t>(duration_cast<microseconds>(Duration::max()).count() / 4);
  if (!wall_offset_ || !link.clock.known() || measures.wall_us > kMost) return;
  const Duration age = std::max(link.clock.age(now, probe.sent), Duration::zero());
  const Duration theirs = microseconds(static_cast<std::int64_t>(measures.wall_us)) + age;
  link.wall_offset = theirs - (now.time_since_epoch() + *wall_offset_);
}

void Links::accept_grant(Instant now, Link& link, const KeyGrant& grant) {
  const auto same_id = [&](const GrantedKey& g) { return g.id == grant.id; };
  if (grant.id == 0 || std::ranges::any_of(link.granted, same_id)) return;
  if (link.granted.size() >= kMaxGranted) forget_grants(link, kMaxGranted - 1);
  link.granted.push_back({grant.id, grant.key, seal::ReplayWindow(grant.next_counter), now});
  by_key_id_.emplace(grant.id, &link);
}

}  // namespace tribecast::relay
