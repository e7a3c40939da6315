// A stranger's bytes where peers are known by public keys: as datagrams, as Noise messages behind a
// right header and before a right mac, and as greetings that the peer itself has sealed. Whatever
// came, the peer gets its session afterwards.
//
// Input: a selector byte, then the bytes.
#include "base/check.h"
#include "relay/links.h"

namespace {

using namespace tribecast;
using namespace tribecast::relay;

const Endpoint kPeer{Address::v4(0x0a000002), 45565};
const Endpoint kStranger{Address::v4(0x0b000001), 45565};
constexpr Instant kStart{seconds(1000)};
constexpr std::uint32_t kPeerIndex = 0x01020304;

seal::KeyPair pair_of(std::uint8_t value) {
  return seal::KeyPair::of(seal::Key(Buffer(seal::Key::kSize, value)));
}

// Made once: X25519 is what costs time here.
struct Keys {
  seal::KeyPair here = pair_of(0x22);
  seal::KeyPair peer = pair_of(0x11);
  seal::KeyPair ephemeral = pair_of(0x33);
};

const Keys& keys() {
  static const Keys kKeys;
  return kKeys;
}

// Counts instead of chance: the same keys for every input.
RandomSource counted() {
  return [next = std::uint8_t{1}](MutableBytes out) mutable {
    for (std::uint8_t& byte : out) byte = next++;
  };
}

struct Opening {
  seal::Handshake handshake;
  Buffer datagram;
};

Buffer with_mac(const seal::HeaderBytes& header, Bytes message) {
  ByteWriter out;
  out.put(header);
  out.put(message);
  out.put(seal::handshake_mac(keys().here.open, seal::Key(), header, message));
  return out.release();
}

seal::HeaderBytes header_of(seal::Type type, std::uint32_t index) {
  return seal::encode(seal::Header{type, 0, index, 0});
}

Opening initiate(Bytes payload) {
  const seal::HeaderBytes header = header_of(seal::Type::key_init, kPeerIndex);
  ByteWriter prologue;
  prologue.put(bytes_of("tribecast 1 public-key"));
  prologue.put(header);
  Opening opening{seal::Handshake::initiator_by_key(prologue.bytes(), seal::Key(), keys().peer,
                                                    keys().here.open),
                  {}};
  const auto message = opening.handshake.write(keys().ephemeral, payload);
  opening.datagram = with_mac(header, *message);
  return opening;
}

class Scene {
 public:
  Scene() : links_(counted()) {
    Settings settings;
    settings.node_name = "here";
    settings.peers = {{"peer", {}}};
    settings.peers[0].public_key = keys().peer.open;
    links_.configure(kStart, settings, {{}, keys().here}, out_);
    links_.set_endpoints(kStart, "peer", {kPeer});
    links_.on_timer(kStart, out_);
    TC_CHECK(out_.sends.size() == 1);
    index_ = seal::decode(out_.sends[0].datagram)->header.index;
    out_.clear();
  }

  void record(std::uint8_t selector, Bytes body) {
    switch (selector % 5) {
      case 0:
        return unanswered(kPeer, body);
      case 1:
        return unanswered(kStranger, body);
      case 2:
        return unanswered(kStranger, with_mac(header_of(seal::Type::key_init, kPeerIndex), body));
      case 3:
        return unanswered(kPeer, with_mac(header_of(seal::Type::key_response, index_), body));
      case 4:
        return greeting(body);
    }
  }

  // The peer's own initiation is answered, and what was answered is a handshake with it.
  void finish() {
    Opening opening = initiate(encode(Greeting{kPeerIndex, 0, UINT64_MAX}));
    links_.on_datagram(kStart, {kPeer, {}}, opening.datagram, out_);
    if (out_.sends.empty()) return;  // the instance was used up by what came before
    TC_CHECK(out_.sends.size() == 1);
    TC_CHECK(out_.sends[0].datagram.size() <= opening.datagram.size());
    const auto response = seal::decode(out_.sends[0].datagram);
    TC_CHECK(response && response->header.type == seal::Type::key_response);
    const Bytes message = response->body.first(response->body.size() - 16);
    const auto payload = opening.handshake.read(message);
    TC_CHECK(payload && decode_greeting(*payload));
  }

 private:
  void unanswered(const Endpoint& from, Bytes datagram) {
    const auto received = links_.on_datagram(kStart, {from, {}}, datagram, out_);
    TC_CHECK(!received && out_.sends.empty());
    TC_CHECK(links_.report(kStart)[0].received == 0);
    out_.clear();
  }

  // Sealed by the peer: answered at most once, to where it came from.
  void greeting(Bytes payload) {
    links_.on_datagram(kStart, {kStranger, {}}, initiate(payload).datagram, out_);
    TC_CHECK(out_.sends.size() <= 1);
    for (const Send& send : out_.sends) TC_CHECK(send.to[0].remote == kStranger);
    out_.clear();
  }

  Links links_;
  Actions out_;
  std::uint32_t index_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const bool ready = seal::initialise();
  TC_CHECK(ready);
  if (size == 0) return 0;
  Scene scene;
  scene.record(data[0], Bytes(data, size).subspan(1));
  scene.finish();
  return 0;
}
