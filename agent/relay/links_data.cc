// Data: sealed once for all peers under this agent's data key, opened under theirs; and the keys.
#include <algorithm>

#include "relay/links.h"

namespace tribecast::relay {
namespace {

// A datagram that was accepted before is a second copy on the way for so long, then a replay.
constexpr Duration kDuplicateTime = milliseconds(250);
// A new data key is used when every live peer holds it, at the latest after this time.
constexpr Duration kHandover = seconds(2);

}  // namespace

std::size_t Links::send(Instant now, const std::string& group, const Outgoing& outgoing,
                        Actions& out) {
  const std::size_t without_agent = send_plain(group, outgoing, out);
  std::vector<Path> paths;
  std::vector<Link*> live;
  paths.reserve(links_.size());
  live.reserve(links_.size());
  for (const auto& link : links_) {
    if (!is_live(now, *link) || !link->in_group(group)) continue;
    live.push_back(link.get());
    paths.push_back(link->current->path);
  }
  if (live.empty()) return without_agent;

  const std::vector<Buffer> datagrams = seal(outgoing, max_datagram(live));
  for (Link* link : live) link->sent += datagrams.size();
  schedule_copies(now, group, datagrams);
  for (const Buffer& datagram : datagrams) out.sends.push_back({datagram, paths, false});
  return live.size() + without_agent;
}

// To the group's port at the first address: one that listens to the group on all addresses gets it.
std::size_t Links::send_plain(const std::string& group, const Outgoing& outgoing, Actions& out) {
  std::vector<Path> paths;
  for (const auto& link : links_) {
    if (!link->settings.agentless || link->is_self() || link->endpoints.empty()) continue;
    if (!link->in_group(group)) continue;
    paths.push_back({{link->endpoints.front().address, outgoing.group.port}, {}});
    ++link->sent;
  }
  if (paths.empty()) return 0;
  const std::size_t peers = paths.size();
  out.sends.push_back({copy_of(outgoing.payload), std::move(paths)});
  return peers;
}

// Sealed once for all of them: what the narrowest path carries.
std::size_t Links::max_datagram(const std::vector<Link*>& to) const {
  if (settings_.max_datagram_bytes) return *settings_.max_datagram_bytes;
  std::size_t size = PathSize::kSizes.back();
  for (const Link* link : to) size = std::min(size, link->path_size.usable());
  return size;
}

// Under the data key and the next counters: consecutive ones when it takes several datagrams.
std::vector<Buffer> Links::seal(const Outgoing& outgoing, std::size_t max_datagram) {
  const std::size_t room = max_datagram - seal::kOverhead - kParcelHeaderSize;
  const std::vector<Bytes> parts = cut(outgoing.payload, room);
  Parcel parcel{0,
                static_cast<std::uint8_t>(parts.size()),
                outgoing.captured,
                outgoing.group,
                outgoing.source,
                {}};
  std::vector<Buffer> datagrams;
  for (const Bytes part : parts) {
    parcel.payload = part;
    const seal::Header header{seal::Type::data, 0, key_.id, counter_++};
    datagrams.push_back(seal::seal_datagram(key_.key, header, encode(parcel)));
    ++parcel.piece;
  }
  return datagrams;
}

std::optional<Received> Links::on_datagram(Instant now, const Path& from, Bytes datagram,
                                           Actions& out) {
  const auto envelope = seal::decode(datagram);
  if (!envelope) {
    refuse(find_by_endpoint(from.remote), Reason::malformed);
    return std::nullopt;
  }
  switch (envelope->header.type) {
    case seal::Type::init:
      on_init(now, from, *envelope, out);
      return std::nullopt;
    case seal::Type::response:
      on_response(now, from, *envelope, out);
      return std::nullopt;
    case seal::Type::pair:
      on_pair(now, from, *envelope, out);
      return std::nullopt;
    case seal::Type::data:
      break;
  }
  auto received = on_data(now, *envelope, out);
  if (!received && !by_key_id_.contains(envelope->header.index)) {
    refuse(find_by_endpoint(from.remote), Reason::forged);
  }
  return received;
}

// Two peers may have drawn the same key id: the tag tells whose it is.
std::optional<Received> Links::on_data(Instant now, const seal::Envelope& envelope, Actions& out) {
  const auto [begin, end] = by_key_id_.equal_range(envelope.header.index);
  Link* refused = nullptr;
  Reason reason = Reason::forged;
  for (auto entry = begin; entry != end; ++entry) {
    Link& link = *entry->second;
    const auto granted = std::ranges::find(link.granted, envelope.header.index, &GrantedKey::id);
    refused = &link;
    if (granted->window.look(envelope.header.counter) == seal::ReplayWindow::Look::too_old) {
      reason = Reason::replayed;
      continue;
    }
    const auto plain = seal::open_datagram(granted->key, envelope);
    if (plain) return open_data(now, link, *granted, envelope, *plain, out);
  }
  if (refused != nullptr) refuse(refused, reason);
  return std::nullopt;
}

std::optional<Received> Links::open_data(Instant now, Link& link, GrantedKey& granted,
                                         const seal::Envelope& envelope, Bytes plain,
                                         Actions& out) {
  const std::uint64_t counter = envelope.header.counter;
  const auto parcel = decode_parcel(plain);
  if (granted.window.look(counter) == seal::ReplayWindow::Look::seen) {
    if (std::ranges::find(link.acknowledged, counter) != link.acknowledged.end()) {
      refuse(&link, Reason::duplicate);
      send_ack(link, counter, out);
      return std::nullopt;
    }
    const bool copy =
        parcel && link.clock.known() && link.clock.age(now, parcel->captured) <= kDuplicateTime;
    refuse(&link, copy ? Reason::duplicate : Reason::replayed);
    return std::nullopt;
  }
  granted.window.accept(counter);
  ++link.received;
  if (!link.goodbye) heard(now, link);
  if (!parcel) {
    refuse(&link, Reason::malformed);
    return std::nullopt;
  }
  return Received{
      &link,         counter,        parcel->piece,           parcel->pieces, parcel->captured,
      parcel->group, parcel->source, copy_of(parcel->payload)};
}

// --- data keys -----------------------------------------------------------------------------------

Links::DataKey Links::new_data_key(Instant now) {
  DataKey key;
  while (key.id == 0) key.id = random_u32(random_);
  random_(key.key.bytes());
  key.made = now;
  return key;
}

// Somebody who knows the key has left: nothing more is sealed with it.
void Links::replace_data_key(Instant now, Actions& out) {
  key_ = new_data_key(now);
  next_key_.reset();
  for (const auto& link : links_) {
    if (is_live(now, *link)) send_probe(now, *link, false, out);
  }
}

// Handed out now, used by rotate_data_key().
void Links::prepare_data_key(Instant now, Actions& out) {
  if (next_key_) return;
  next_key_ = new_data_key(now);
  for (const auto& link : links_) {
    if (is_live(now, *link)) send_probe(now, *link, false, out);
  }
}

void Links::rotate_data_key(Instant now, Actions& out) {
  if (!next_key_) {
    if (now - key_.made >= kRekeyInterval) prepare_data_key(now, out);
    return;
  }
  const bool everywhere = std::ranges::all_of(links_, [&](const auto& link) {
    return !is_live(now, *link) || link->holding_key == next_key_->id;
  });
  if (!everywhere && now - next_key_->made < kHandover) return;
  key_ = *next_key_;
  next_key_.reset();
}

std::vector<KeyGrant> Links::grants_for(const Link& link) const {
  std::vector<KeyGrant> grants;
  if (link.holding_key == newest_key().id) return grants;
  if (next_key_ && link.holding_key != key_.id) grants.push_back({key_.id, key_.key, counter_});
  grants.push_back({newest_key().id, newest_key().key, counter_});
  return grants;
}

}  // namespace tribecast::relay
