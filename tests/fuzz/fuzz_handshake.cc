// A stranger's bytes as either message of the handshake. With fixed keys both messages of one
// exchange are in the corpus, so that the accepting path is walked too: it must agree on the keys.
#include "base/check.h"
#include "seal/keyring.h"
#include "seal/noise.h"

namespace {

using namespace tribecast;
using seal::Handshake;
using seal::Role;

constexpr std::string_view kPrologue = "fuzz";

seal::Key filled(std::uint8_t value) {
  seal::Key key;
  for (std::uint8_t& byte : key.bytes()) byte = value;
  return key;
}

seal::KeyPair pair_of(Role role) {
  return seal::KeyPair::of(filled(role == Role::initiator ? 0x11 : 0x22));
}

// One exchange under the fixed keys, begun once: X25519 is what costs time here.
struct Fixture {
  seal::KeyPair initiator_pair = pair_of(Role::initiator);
  seal::KeyPair responder_pair = pair_of(Role::responder);
  Handshake waiting{Role::initiator, bytes_of(kPrologue), filled(0x33)};
  Handshake responder{Role::responder, bytes_of(kPrologue), filled(0x33)};
  // The first message; `waiting` is then as the initiator stands when the second one comes.
  std::optional<Buffer> first = waiting.write(initiator_pair, bytes_of("hello"));
};

void as_responder(const Fixture& fixture, Bytes message) {
  Handshake responder = fixture.responder;
  const auto payload = responder.read(message);
  if (!payload) return;
  TC_CHECK(payload->size() + Handshake::kMessageOverhead == message.size());
  const auto second = responder.write(fixture.responder_pair, *payload);
  if (!second || !same(message, *fixture.first)) return;
  Handshake initiator = fixture.waiting;
  const auto reply = initiator.read(*second);
  TC_CHECK(reply && *reply == *payload);
  TC_CHECK(initiator.hash() == responder.hash());
  TC_CHECK(initiator.split().send == responder.split().receive);
  TC_CHECK(initiator.split().receive == responder.split().send);
}

void as_initiator(const Fixture& fixture, Bytes message) {
  Handshake initiator = fixture.waiting;
  const auto payload = initiator.read(message);
  if (!payload) return;
  TC_CHECK(payload->size() + Handshake::kMessageOverhead == message.size());
  const auto keys = initiator.split();
  TC_CHECK(keys.send != keys.receive);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const bool ready = seal::initialise();
  TC_CHECK(ready);
  static const Fixture fixture;
  const Bytes message(data, size);
  as_responder(fixture, message);
  as_initiator(fixture, message);
  return 0;
}
