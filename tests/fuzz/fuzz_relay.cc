// A relay core with one live peer, and a sequence of what may reach it: datagrams of anybody,
// frames and parcels that are sealed with the peer's real keys, captured frames, time that passes,
// listeners that go, ports that answer or do not.
//
// Input: records of a selector byte, two bytes of length and that many bytes; the last one is cut
// where the input ends.
#include <algorithm>
#include <memory>

#include "base/check.h"
#include "relay/core.h"
#include "seal/keyring.h"

namespace {

using namespace tribecast;
using namespace tribecast::relay;

const Endpoint kPeer{Address::v4(0x0a000002), 45565};
const Endpoint kStranger{Address::v4(0x0b000001), 45565};
const Address kHere = Address::v4(0x0a000001);
const Endpoint kTomcat{Address::v4(0xe4000004), 45564};
const Endpoint kRaw{Address::v4(0xefff0001), 9000};
constexpr Instant kStart{seconds(1000)};
constexpr std::size_t kMaxDatagram = 1232;
constexpr std::uint32_t kPeerIndex = 0x01020304;
constexpr std::uint32_t kPeerKeyId = 0x05060708;
constexpr std::uint64_t kPeerInstance = 0x1122334455667788;

seal::Key filled(std::uint8_t value) { return seal::Key(Buffer(32, value)); }

seal::Keyring ring() {
  seal::Keyring ring;
  ring.keys.push_back({1, filled(0x33)});
  ring.primary_id = 1;
  return ring;
}

// Counts instead of chance: the same keys for every input.
RandomSource counted() {
  return [next = std::uint8_t{1}](MutableBytes out) mutable {
    for (std::uint8_t& byte : out) byte = next++;
  };
}

std::unique_ptr<Core> new_core() {
  Settings settings;
  settings.node_name = "here";
  settings.max_datagram_bytes = kMaxDatagram;
  settings.groups = {{"tomcat", kTomcat.address, kTomcat.port},
                     {"raw", kRaw.address, 0, Format::raw}};
  settings.peers = {{"peer", {}}};
  Actions out;
  auto core = std::make_unique<Core>(counted());
  core->set_local_addresses({kHere});
  core->configure(kStart, settings, ring(), out);
  core->set_endpoints(kStart, "peer", {kPeer});
  core->set_listeners("tomcat", {2});
  core->set_listeners("raw", {2, 3});
  return core;
}

// An initiation as the peer sends it, and its handshake waiting for the response.
struct Opening {
  seal::Handshake handshake;
  Buffer datagram;
};

Opening initiate(Bytes payload) {
  const seal::HeaderBytes header = seal::encode(seal::Header{seal::Type::init, 1, kPeerIndex, 0});
  ByteWriter prologue;
  prologue.put(bytes_of("tribecast 1"));
  prologue.put(header);
  Opening init{seal::Handshake(seal::Role::initiator, prologue.bytes(), ring().primary().psk()),
               {}};
  static const seal::KeyPair pair = seal::KeyPair::of(filled(0x11));
  const auto message = init.handshake.write(pair, payload);
  ByteWriter out;
  out.put(header);
  out.put(*message);
  init.datagram = out.release();
  return init;
}

// What the peer knows after the exchange with a new core; the same each time.
struct Exchange {
  Buffer init;
  Greeting core;
  seal::Handshake::Transport keys;
};

Exchange establish() {
  Opening init = initiate(encode(Greeting{kPeerIndex, kPeerInstance, 1}));
  Actions out;
  new_core()->on_datagram(kStart, {kPeer, {}}, init.datagram, out);
  TC_CHECK(out.sends.size() == 1);
  const Buffer response = out.sends[0].datagram;
  const auto payload = init.handshake.read(seal::decode(response)->body);
  TC_CHECK(payload.has_value());
  return {init.datagram, *decode_greeting(*payload), init.handshake.split()};
}

class Scene {
 public:
  explicit Scene(const Exchange& exchange) : exchange_(exchange), core_(new_core()) {
    receive(kPeer, exchange.init);
    Frames frames;
    frames.grants.push_back({kPeerKeyId, filled(0x44), 0});
    frames.probe = Probe{1, 1000, exchange.core.sent, 0, 0, 0, true};
    pair(pair_counter_++, encode(frames));
    TC_CHECK(core_->report(now_).peers[0].state == PeerState::up);
  }

  void record(std::uint8_t selector, Bytes body) {
    switch (selector % 12) {
      case 0:
        return receive(kPeer, body);
      case 1:
        return from_stranger(body);
      case 2:
        return pair(pair_counter_++, body);
      case 3:
        return data(data_counter_++, body);
      case 4:
        return sealed_with_own_counter(body);
      case 5:
        return parcel(selector / 12, body);
      case 6:
        return capture(body, selector >= 128);
      case 7:
        return captured_datagram(selector / 12, body);
      case 8:
        return wait(body);
      case 9:
        return receive(kPeer, initiate(body).datagram);
      case 10:
        return listener_gone(ByteReader(body).u16be());
      case 11:
        return answer_knocks(static_cast<KnockResult>(selector / 12 % 4));
    }
  }

  void finish() {
    const Report report = core_->report(now_);
    TC_CHECK(report.peers.size() == 1 && report.groups.size() == 2);
    TC_CHECK(report.members.size() <= kMaxMembers);
    for (const GroupReport& group : report.groups) {
      TC_CHECK(group.counters.relayed <= group.counters.captured);
      TC_CHECK(group.counters.injected <= 2 * (group.counters.received + goodbyes_));
    }
  }

 private:
  void receive(const Endpoint& from, Bytes datagram) {
    core_->on_datagram(now_, {from, {}}, datagram, out_);
    check_actions();
  }

  // No stranger is ever answered.
  void from_stranger(Bytes datagram) {
    core_->on_datagram(now_, {kStranger, {}}, datagram, out_);
    TC_CHECK(out_.sends.empty() && out_.injects.empty());
    check_actions();
  }

  void pair(std::uint64_t counter, Bytes plain) {
    const seal::Header header{seal::Type::pair, 0, exchange_.core.index, counter};
    receive(kPeer, seal::seal_datagram(exchange_.keys.send, header, plain));
  }

  void data(std::uint64_t counter, Bytes plain) {
    const seal::Header header{seal::Type::data, 0, kPeerKeyId, counter};
    receive(kPeer, seal::seal_datagram(filled(0x44), header, plain));
  }

  void sealed_with_own_counter(Bytes body) {
    ByteReader in(body);
    const bool is_pair = in.u8() % 2 == 0;
    const std::uint64_t counter = in.u64be();
    if (!in.ok()) return;
    if (is_pair) {
      pair(counter, in.take_rest());
    } else {
      data(counter, in.take_rest());
    }
  }

  // A datagram of an application at the peer: to either group, perhaps a piece, perhaps large.
  void parcel(std::uint8_t variant, Bytes payload) {
    Parcel parcel;
    parcel.pieces = variant % 3 == 2 ? 3 : 1;
    parcel.piece = parcel.pieces == 3 ? static_cast<std::uint8_t>(data_counter_ % 3) : 0;
    parcel.captured = stamp_of(now_) - stamp_of(kStart) + 1000;
    parcel.group = variant % 2 == 0 ? kTomcat : kRaw;
    parcel.source = {kPeer.address, 45564};
    Buffer large = copy_of(payload);
    if (variant >= 16) large.resize(40000);
    parcel.payload = large;
    data(data_counter_++, encode(parcel));
  }

  void capture(Bytes frame, bool truncated) {
    const auto link = frame.size() % 2 == 0 ? packet::LinkType::raw_ip : packet::LinkType::ethernet;
    core_->on_frame(now_, {now_, link, frame, truncated}, out_);
    check_actions();
  }

  void captured_datagram(std::uint8_t variant, Bytes payload) {
    const Endpoint group = variant % 2 == 0 ? kTomcat : kRaw;
    const auto mtu = static_cast<std::uint16_t>(variant % 4 < 2 ? 1500 : 100);
    for (const Buffer& frame : packet::compose({{kHere, 45564}, group, payload}, {mtu, 1, 9})) {
      core_->on_frame(now_, {now_, packet::LinkType::raw_ip, frame, false}, out_);
    }
    check_actions();
  }

  void listener_gone(std::uint16_t port) {
    core_->on_listener_gone(now_, {kHere, port}, out_);
    check_actions();
  }

  void answer_knocks(KnockResult result) {
    for (const Knock& knock : std::exchange(knocks_, {})) {
      core_->on_knock(now_, knock.token, result, out_);
      check_actions();
    }
  }

  // Up to 65 s; the timer is called at each deadline, which must move on. An input has so many
  // calls in all, so that it stays quick.
  void wait(Bytes body) {
    const Instant end = now_ + milliseconds(ByteReader(body).u16be());
    for (int calls = 0; core_->next_deadline() <= end; ++calls) {
      TC_CHECK(calls < 10000);
      if (timer_calls_-- <= 0) return;
      now_ = std::max(now_, core_->next_deadline());
      core_->on_timer(now_, out_);
      check_actions();
    }
    now_ = end;
  }

  void check_actions() {
    for (const Send& send : out_.sends) {
      TC_CHECK(send.datagram.size() <= kMaxDatagram);
      TC_CHECK(send.to.size() == 1 && send.to[0].remote.address == kPeer.address);
      TC_CHECK(seal::decode(send.datagram).has_value());
    }
    for (const Inject& injection : out_.injects) {
      TC_CHECK(injection.group.address.is_multicast());
      TC_CHECK(injection.interfaces.size() == (injection.group == kTomcat ? 1U : 2U));
      TC_CHECK(injection.payload.size() <= packet::kMaxUdpPayload);
    }
    for (const Event& event : out_.events) {
      const bool goodbye =
          event.kind == EventKind::member_dead || event.kind == EventKind::member_replaced;
      if (goodbye) ++goodbyes_;
    }
    knocks_.insert(knocks_.end(), out_.knocks.begin(), out_.knocks.end());
    out_.clear();
  }

  const Exchange& exchange_;
  std::unique_ptr<Core> core_;
  Instant now_ = kStart;
  Actions out_;
  std::uint64_t pair_counter_ = 0;
  std::uint64_t data_counter_ = 0;
  int timer_calls_ = 300;
  std::uint64_t goodbyes_ = 0;  // in the name of members that are gone
  std::vector<Knock> knocks_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const bool ready = seal::initialise();
  TC_CHECK(ready);
  static const Exchange exchange = establish();
  Scene scene(exchange);
  ByteReader in(Bytes(data, size));
  while (in.left() > 2) {
    const std::uint8_t selector = in.u8();
    const std::size_t length = in.u16be();
    scene.record(selector, in.take(std::min(length, in.left())));
  }
  scene.finish();
  return 0;
}
