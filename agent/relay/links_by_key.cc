// What differs in the handshake when peers have public keys: Noise IKpsk2 instead of NNpsk0, a mac
// behind each message, and who a peer is.
#include <algorithm>

#include "relay/links.h"

namespace tribecast::relay {
namespace {

constexpr std::string_view kRingPrologue = "tribecast 1";
constexpr std::string_view kKeyPrologue = "tribecast 1 public-key";
// Who knows our public key, and the ring key where there is one, can make us multiply points, at
// most so often: from where a peer is configured or was heard, and from anywhere else. All peers of
// the largest mesh may begin at once.
constexpr unsigned kKnownPerSecond = 2000;
constexpr unsigned kUnknownPerSecond = 200;

}  // namespace

// Binds the header into the transcript, so that no bit of it can be changed.
Buffer Links::prologue_of(const seal::Header& init) {
  ByteWriter out;
  out.put(bytes_of(init.type == seal::Type::key_init ? kKeyPrologue : kRingPrologue));
  out.put(seal::encode(init));
  return out.release();
}

// Without a ring all zero, as the Noise pattern needs one.
std::optional<seal::Key> Links::psk_of(std::uint8_t ring_id) const {
  if (by_key() && ring_.keys.empty() && ring_id == 0) return seal::Key();
  const seal::RingKey* key = ring_.find(ring_id);
  if (key == nullptr) return std::nullopt;
  return key->psk();
}

seal::Handshake Links::new_initiator(const Link& link, const seal::Header& header) const {
  const Buffer prologue = prologue_of(header);
  const seal::Key psk = *psk_of(header.ring_id);
  if (!by_key()) return {seal::Role::initiator, prologue, psk};
  return seal::Handshake::initiator_by_key(prologue, psk, *own_, *link.settings.public_key);
}

Buffer Links::handshake_datagram(const Link& link, const seal::Header& header,
                                 Bytes message) const {
  const seal::HeaderBytes head = seal::encode(header);
  ByteWriter out;
  out.put(head);
  out.put(message);
  if (by_key()) {
    const seal::Key psk = *psk_of(header.ring_id);
    out.put(seal::handshake_mac(*link.settings.public_key, psk, head, message));
  }
  return out.release();
}

std::optional<Bytes> Links::message_of(const seal::Envelope& envelope) const {
  if (!by_key()) return envelope.body;
  constexpr std::size_t kMacSize = std::tuple_size_v<seal::HandshakeMac>;
  const auto psk = psk_of(envelope.header.ring_id);
  if (!psk || envelope.body.size() < kMacSize) return std::nullopt;
  const Bytes message = envelope.body.first(envelope.body.size() - kMacSize);
  const auto mac = seal::handshake_mac(own_->open, *psk, envelope.associated, message);
  if (!seal::same_mac(mac, envelope.body.last(kMacSize))) return std::nullopt;
  return message;
}

std::optional<Links::Opened> Links::refuse_init(Instant now, Link* link, Reason reason) {
  if (link != nullptr) link->key_rejected = now;
  refuse(link, reason);
  return std::nullopt;
}

Link* Links::find_by_key(const seal::PublicKey& key) {
  const auto found = std::ranges::find_if(links_, [&](const auto& link) {
    return link->settings.public_key == key && !link->settings.agentless;
  });
  return found == links_.end() ? nullptr : found->get();
}

// Its static key tells whose it is, wherever it comes from. The address tells only at whose door a
// refusal is laid.
std::optional<Links::Opened> Links::open_key_init(Instant now, const Path& from,
                                                  const seal::Envelope& envelope, Actions& out) {
  Link* claimed = find_by_endpoint(from.remote);
  const auto message = message_of(envelope);
  if (!message || envelope.header.counter != 0) {
    return refuse_init(now, claimed, Reason::forged);
  }
  const bool known = claimed != nullptr;
  if (!(known ? known_rate_.take(now, Flow::of(kKnownPerSecond))
              : unknown_rate_.take(now, Flow::of(kUnknownPerSecond)))) {
    refuse(claimed, Reason::rate_limited);
    return std::nullopt;
  }
  const seal::Key psk = *psk_of(envelope.header.ring_id);
  auto handshake = seal::Handshake::responder_by_key(prologue_of(envelope.header), psk, *own_);
  const auto payload = handshake.read(*message);
  const auto greeting = payload ? decode_greeting(*payload) : std::nullopt;
  if (!greeting || greeting->index != envelope.header.index) {
    return refuse_init(now, claimed, Reason::forged);
  }
  const seal::PublicKey& who = handshake.remote_static();
  Link* link = find_by_key(who);
  if (who == own_->open && greeting->instance != instance_) {
    report_stranger(from, "has this node's own private key: each node needs one of its own", out);
    return refuse_init(now, claimed, Reason::unconfigured_peer);
  }
  if (link == nullptr) {
    report_stranger(from, "has the public key " + seal::to_text(who) + ", which is no peer's", out);
    return refuse_init(now, claimed, Reason::unconfigured_peer);
  }
  if (!link->may_be_at(from.remote.address)) {
    report_stranger(
        from, "is peer " + link->settings.name + " by its key, where it may not roam to", out);
    refuse(link, Reason::unconfigured_peer);
    return std::nullopt;
  }
  return Opened{link, std::move(handshake), *greeting};
}

// A handshake of the other `auth`. It proves nothing, so nothing but what is shown depends on it.
void Links::on_other_mode(Instant now, const Path& from) {
  Link* link = find_by_endpoint(from.remote);
  if (link != nullptr) link->other_mode = now;
  static_cast<void>(refuse_init(now, link, Reason::forged));
}

}  // namespace tribecast::relay
