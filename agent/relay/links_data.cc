// Data: sealed under this agent's data keys, opened under the peers'; and the keys.
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
  std::vector<Link*> live;
  live.reserve(links_.size());
  for (const auto& link : links_) {
    if (is_live(now, *link) && link->in_group(group)) live.push_back(link.get());
  }
  if (live.empty()) return without_agent;

  for (const Sealed& sealed : seal_for(live, outgoing)) {
    for (Link* link : sealed.to) link->sent += sealed.datagrams.size();
    schedule_copies(now, sealed);
    const std::vector<Path> paths = paths_of(sealed.to);
    for (const Buffer& datagram : sealed.datagrams) out.sends.push_back({datagram, paths, false});
  }
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

std::vector<Path> Links::paths_of(const std::vector<Link*>& links) {
  std::vector<Path> paths;
  paths.reserve(links.size());
  for (const Link* link : links) paths.push_back(link->current->path);
  return paths;
}

// Once for all of them, or for each one under a key of its own: then with the same counters, so
// that these are the order of capture for everybody.
std::vector<Links::Sealed> Links::seal_for(const std::vector<Link*>& to, const Outgoing& outgoing) {
  std::vector<Sealed> all;
  if (!by_key()) {
    all.push_back({to, seal(outgoing, shared_keys_.current, max_datagram(to))});
    return all;
  }
  const std::uint64_t first = counter_;
  std::uint64_t next = first;
  all.reserve(to.size());
  for (Link* link : to) {
    counter_ = first;
    all.push_back({{link}, seal(outgoing, link->own_keys.current, max_datagram({link}))});
    next = std::max(next, counter_);
  }
  counter_ = next;
  return all;
}

// What the narrowest path carries.
std::size_t Links::max_datagram(const std::vector<Link*>& to) const {
  if (settings_.max_datagram_bytes) return *settings_.max_datagram_bytes;
  std::size_t size = PathSize::kSizes.back();
  for (const Link* link : to) size = std::min(size, link->path_size.usable());
  return size;
}

// Under the data key and the next counters: consecutive ones when it takes several datagrams.
std::vector<Buffer> Links::seal(const Outgoing& outgoing, const DataKey& key,
                                std::size_t max_datagram) {
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
    const seal::Header header{seal::Type::data, 0, key.id, counter_++};
    datagrams.push_back(seal::seal_datagram(key.key, header, encode(parcel)));
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
    case seal::Type::key_init:
      if (by_key() != (envelope->header.type == seal::Type::key_init)) {
        on_other_mode(now, from);
      } else {
        on_init(now, from, *envelope, out);
      }
      return std::nullopt;
    case seal::Type::response:
    case seal::Type::key_response:
      if (by_key() != (envelope->header.type == seal::Type::key_response)) {
        on_other_mode(now, from);
      } else {
        on_response(now, from, *envelope, out);
      }
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

DataKey Links::new_data_key(Instant now) {
  DataKey key;
  while (key.id == 0) key.id = random_u32(random_);
  random_(key.key.bytes());
  key.made = now;
  return key;
}

const DataKeys& Links::keys_for(const Link& link) const {
  return by_key() ? link.own_keys : shared_keys_;
}

std::vector<Link*> Links::all_links() const {
  std::vector<Link*> all;
  all.reserve(links_.size());
  for (const auto& link : links_) all.push_back(link.get());
  return all;
}

// Somebody who knows the key has left: nothing more is sealed with it.
void Links::replace_data_key(Instant now, Actions& out) {
  shared_keys_ = {new_data_key(now), std::nullopt};
  for (const auto& link : links_) {
    if (is_live(now, *link)) send_probe(now, *link, false, out);
  }
}

// Handed out now, used by rotate_data_key().
void Links::prepare_data_key(Instant now, DataKeys& keys, const std::vector<Link*>& holders,
                             Actions& out) {
  if (keys.next) return;
  keys.next = new_data_key(now);
  for (Link* link : holders) {
    if (is_live(now, *link)) send_probe(now, *link, false, out);
  }
}

void Links::rotate_data_key(Instant now, DataKeys& keys, const std::vector<Link*>& holders,
                            Actions& out) {
  if (!keys.next) {
    if (now - keys.current.made >= kRekeyInterval) prepare_data_key(now, keys, holders, out);
    return;
  }
  const bool everywhere = std::ranges::all_of(holders, [&](const Link* link) {
    return !is_live(now, *link) || link->holding_key == keys.next->id;
  });
  if (!everywhere && now - keys.next->made < kHandover) return;
  keys.current = *keys.next;
  keys.next.reset();
}

void Links::rotate_data_keys(Instant now, Actions& out) {
  if (!by_key()) return rotate_data_key(now, shared_keys_, all_links(), out);
  for (const auto& link : links_) {
    if (link->current) rotate_data_key(now, link->own_keys, {link.get()}, out);
  }
}

std::vector<KeyGrant> Links::grants_for(const Link& link) const {
  std::vector<KeyGrant> grants;
  const DataKeys& keys = keys_for(link);
  const DataKey& newest = keys.newest();
  if (link.holding_key == newest.id) return grants;
  if (keys.next && link.holding_key != keys.current.id) {
    grants.push_back({keys.current.id, keys.current.key, counter_});
  }
  grants.push_back({newest.id, newest.key, counter_});
  return grants;
}

}  // namespace tribecast::relay
