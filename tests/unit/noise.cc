// The handshake: the published vector through the production class, and every forgery refused.
#define BOOST_TEST_MODULE noise
#include "seal/noise.h"

#include <boost/test/unit_test.hpp>
#include <map>

#include "seal/aead.h"
#include "seal_fixture.h"
#include "vectors.h"

using namespace tribecast;
using namespace tribecast::seal;
using test::filled_key;
using test::hex;

using test::SodiumReady;
BOOST_TEST_GLOBAL_FIXTURE(SodiumReady);

namespace {

constexpr std::string_view kPrologue = "tribecast test";

// Both sides of one exchange under fixed keys.
struct Exchange {
  KeyPair initiator_pair = KeyPair::of(filled_key(0x11));
  KeyPair responder_pair = KeyPair::of(filled_key(0x22));
  Handshake initiator{Role::initiator, bytes_of(kPrologue), filled_key(0x33)};
  Handshake responder{Role::responder, bytes_of(kPrologue), filled_key(0x33)};

  Buffer first() { return *initiator.write(initiator_pair, bytes_of("from initiator")); }
  Buffer second(Bytes message) {
    BOOST_TEST_REQUIRE(responder.read(message).has_value());
    return *responder.write(responder_pair, bytes_of("from responder"));
  }
};

// The points of order 1, 2, 4 and 8 and their other encodings of Curve25519: with each of them
// the shared secret is zero.
const std::vector<std::string> kLowOrder = {
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "0100000000000000000000000000000000000000000000000000000000000080",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
};

PublicKey public_key(const std::string& text) { return ByteReader(hex(text)).array<32>(); }

// The two sides of a vector file: with static keys where it has them.
std::pair<Handshake, Handshake> sides_of(const std::map<std::string, Buffer>& values) {
  const Buffer& prologue = values.at("prologue");
  const Key psk(values.at("psk"));
  if (!values.contains("initiator_static")) {
    return {Handshake(Role::initiator, prologue, psk), Handshake(Role::responder, prologue, psk)};
  }
  const KeyPair initiator = KeyPair::of(Key(values.at("initiator_static")));
  const KeyPair responder = KeyPair::of(Key(values.at("responder_static")));
  BOOST_TEST(to_hex(responder.open) == to_hex(values.at("responder_static_public")));
  return {Handshake::initiator_by_key(prologue, psk, initiator, responder.open),
          Handshake::responder_by_key(prologue, psk, responder)};
}

void check_vector(const std::map<std::string, Buffer>& values,
                  const std::vector<std::pair<Buffer, Buffer>>& messages) {
  auto [initiator, responder] = sides_of(values);
  const auto first =
      initiator.write(KeyPair::of(Key(values.at("initiator_ephemeral"))), messages[0].first);
  BOOST_TEST_REQUIRE(first.has_value());
  BOOST_TEST(to_hex(*first) == to_hex(messages[0].second));
  BOOST_TEST((responder.read(*first) == messages[0].first));
  if (values.contains("initiator_static")) {
    const KeyPair known = KeyPair::of(Key(values.at("initiator_static")));
    BOOST_TEST(to_hex(responder.remote_static()) == to_hex(known.open));
  }

  const auto second =
      responder.write(KeyPair::of(Key(values.at("responder_ephemeral"))), messages[1].first);
  BOOST_TEST_REQUIRE(second.has_value());
  BOOST_TEST(to_hex(*second) == to_hex(messages[1].second));
  BOOST_TEST((initiator.read(*second) == messages[1].first));

  BOOST_TEST(to_hex(initiator.hash()) == to_hex(values.at("handshake_hash")));
  BOOST_TEST(to_hex(responder.hash()) == to_hex(values.at("handshake_hash")));

  // Transport: the sides alternate, the initiator first; each direction counts from 0.
  const std::array sides = {initiator.split(), responder.split()};
  for (std::size_t i = 2; i < messages.size(); ++i) {
    const auto& [plain, expected] = messages[i];
    const std::uint64_t counter = (i - 2) / 2;
    Buffer sealed(plain.size() + kTagSize);
    aead_seal(sides[i % 2].send, counter, {}, plain, sealed);
    BOOST_TEST(to_hex(sealed) == to_hex(expected));
    BOOST_TEST((aead_open(sides[1 - i % 2].receive, counter, {}, sealed) == plain));
  }
}

// The same with static keys.
struct KeyExchange : Exchange {
  KeyPair initiator_static = KeyPair::of(filled_key(0x44));
  KeyPair responder_static = KeyPair::of(filled_key(0x55));

  KeyExchange() {
    const Bytes prologue = bytes_of(kPrologue);
    initiator = Handshake::initiator_by_key(prologue, filled_key(0x33), initiator_static,
                                            responder_static.open);
    responder = Handshake::responder_by_key(prologue, filled_key(0x33), responder_static);
  }
};

bool is_refused(Handshake side, Bytes message) {
  const Buffer exact = copy_of(message);  // its own allocation: a read outside is caught
  return !side.read(exact).has_value();
}

// Every flipped bit, truncation and an extension; then the message itself opens.
void check_integrity(const Handshake& side, const Buffer& message) {
  for (std::size_t bit = 0; bit < message.size() * 8; ++bit) {
    Buffer flipped = message;
    flipped[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    // X25519 does not look at the highest bit, but the transcript holds it.
    BOOST_TEST(is_refused(side, flipped), bit);
  }
  for (std::size_t size = 0; size < message.size(); ++size) {
    BOOST_TEST(is_refused(side, Bytes(message).first(size)), size);
  }
  Buffer longer = message;
  longer.push_back(0);
  BOOST_TEST(is_refused(side, longer));
  BOOST_TEST(!is_refused(side, message));
}

}  // namespace

BOOST_AUTO_TEST_CASE(the_published_vectors) {
  for (const char* file : {"noise/nnpsk0.txt", "noise/ikpsk2.txt"}) {
    std::map<std::string, Buffer> values;
    std::vector<std::pair<Buffer, Buffer>> messages;
    for (const auto& line : test::vector_lines(file)) {
      if (line[0] == "message") {
        messages.emplace_back(hex(line.at(1)), hex(line.at(2)));
      } else {
        values[line[0]] = hex(line.at(1));
      }
    }
    BOOST_TEST_REQUIRE(messages.size() == 6U);
    check_vector(values, messages);
  }
}

// RFC 7748, section 6.1: Bob's pair.
BOOST_AUTO_TEST_CASE(a_public_key_belongs_to_its_secret) {
  const Key bob(hex("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb"));
  BOOST_TEST(to_hex(KeyPair::of(bob).open) ==
             "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f");
}

BOOST_AUTO_TEST_CASE(both_sides_agree) {
  Exchange exchange;
  const Buffer first = exchange.first();
  BOOST_TEST(first.size() == Handshake::kMessageOverhead + 14);
  const Buffer second = exchange.second(first);
  BOOST_TEST(second.size() == Handshake::kMessageOverhead + 14);
  BOOST_TEST((exchange.initiator.read(second) == copy_of(bytes_of("from responder"))));
  BOOST_TEST((exchange.initiator.hash() == exchange.responder.hash()));
  const auto a = exchange.initiator.split();
  const auto b = exchange.responder.split();
  BOOST_TEST((a.send == b.receive));
  BOOST_TEST((a.receive == b.send));
  BOOST_TEST((a.send != a.receive));
}

BOOST_AUTO_TEST_CASE(payloads_may_be_empty) {
  Exchange exchange;
  const auto first = exchange.initiator.write(exchange.initiator_pair, {});
  BOOST_TEST(first->size() == Handshake::kMessageOverhead);
  BOOST_TEST((exchange.responder.read(*first) == Buffer{}));
  const auto second = exchange.responder.write(exchange.responder_pair, {});
  BOOST_TEST((exchange.initiator.read(*second) == Buffer{}));
}

BOOST_AUTO_TEST_CASE(every_bit_flip_of_the_first_message_is_refused) {
  Exchange exchange;
  const Buffer first = exchange.first();
  for (std::size_t bit = 0; bit < first.size() * 8; ++bit) {
    Buffer flipped = first;
    flipped[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    Handshake responder = exchange.responder;
    BOOST_TEST(!responder.read(flipped).has_value(), bit);
  }
  BOOST_TEST(exchange.responder.read(first).has_value());
}

BOOST_AUTO_TEST_CASE(every_bit_flip_of_the_second_message_is_refused) {
  Exchange exchange;
  const Buffer second = exchange.second(exchange.first());
  for (std::size_t bit = 0; bit < second.size() * 8; ++bit) {
    Buffer flipped = second;
    flipped[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    Handshake initiator = exchange.initiator;
    BOOST_TEST(!initiator.read(flipped).has_value(), bit);
  }
  BOOST_TEST(exchange.initiator.read(second).has_value());
}

BOOST_AUTO_TEST_CASE(every_truncation_and_extension_is_refused) {
  Exchange exchange;
  const Buffer first = exchange.first();
  const Handshake fresh = exchange.responder;
  const Buffer second = exchange.second(first);
  const auto refused = [](Handshake side, Bytes message) {
    const Buffer exact = copy_of(message);  // its own allocation: a read outside is caught
    return !side.read(exact).has_value();
  };
  for (std::size_t size = 0; size < first.size(); ++size) {
    BOOST_TEST(refused(fresh, Bytes(first).first(size)), size);
    BOOST_TEST(refused(exchange.initiator, Bytes(second).first(size)), size);
  }
  Buffer longer = first;
  longer.push_back(0);
  BOOST_TEST(refused(fresh, longer));
  longer = second;
  longer.push_back(0);
  BOOST_TEST(refused(exchange.initiator, longer));
}

BOOST_AUTO_TEST_CASE(another_key_or_prologue_does_not_verify) {
  Exchange exchange;
  const Buffer first = exchange.first();
  Handshake other_key(Role::responder, bytes_of(kPrologue), filled_key(0x34));
  BOOST_TEST(!other_key.read(first).has_value());
  Handshake other_prologue(Role::responder, bytes_of("tribecast tesT"), filled_key(0x33));
  BOOST_TEST(!other_prologue.read(first).has_value());
}

BOOST_AUTO_TEST_CASE(a_message_sent_back_is_refused) {
  Exchange exchange;
  const Buffer first = exchange.first();
  BOOST_TEST(!exchange.initiator.read(first).has_value());
}

BOOST_AUTO_TEST_CASE(an_answer_to_another_first_message_is_refused) {
  Exchange one;
  Exchange two;
  two.initiator_pair = KeyPair::of(filled_key(0x12));
  const Buffer second = two.second(two.first());
  const Buffer first = one.first();
  BOOST_TEST(!one.initiator.read(second).has_value());
}

BOOST_AUTO_TEST_CASE(by_key_both_sides_agree_and_nothing_else_opens) {
  KeyExchange exchange;
  const Handshake responder = exchange.responder;
  const Buffer first = exchange.first();
  BOOST_TEST(first.size() == Handshake::kKeyMessageOverhead + 14);
  check_integrity(responder, first);
  const Buffer second = exchange.second(first);
  BOOST_TEST(second.size() == Handshake::kMessageOverhead + 14);
  BOOST_TEST((exchange.responder.remote_static() == exchange.initiator_static.open));
  check_integrity(exchange.initiator, second);
  BOOST_TEST(exchange.initiator.read(second).has_value());
  BOOST_TEST((exchange.initiator.split().send == exchange.responder.split().receive));
  BOOST_TEST((exchange.initiator.split().receive == exchange.responder.split().send));
}

BOOST_AUTO_TEST_CASE(by_key_another_key_on_either_side_does_not_verify) {
  const Bytes prologue = bytes_of(kPrologue);
  const KeyPair other = KeyPair::of(filled_key(0x66));
  KeyExchange exchange;
  const Buffer first = exchange.first();
  BOOST_TEST(is_refused(Handshake::responder_by_key(prologue, filled_key(0x33), other), first));
  BOOST_TEST(is_refused(
      Handshake::responder_by_key(bytes_of("x"), filled_key(0x33), exchange.responder_static),
      first));
  // The pre-shared key counts from the second message on.
  Handshake other_psk =
      Handshake::responder_by_key(prologue, filled_key(0x34), exchange.responder_static);
  BOOST_TEST_REQUIRE(other_psk.read(first).has_value());
  const auto second = other_psk.write(exchange.responder_pair, {});
  BOOST_TEST(is_refused(exchange.initiator, *second));
  // Who only claims a static key has no `ss`.
  KeyPair claimed = exchange.initiator_static;
  claimed.secret = filled_key(0x67);
  Handshake liar = Handshake::initiator_by_key(prologue, filled_key(0x33), claimed,
                                               exchange.responder_static.open);
  const auto lie = liar.write(exchange.initiator_pair, {});
  const KeyExchange fresh;
  BOOST_TEST(is_refused(fresh.responder, *lie));
}

BOOST_AUTO_TEST_CASE(by_key_low_order_points_are_refused_everywhere) {
  const Bytes prologue = bytes_of(kPrologue);
  const KeyPair own = KeyPair::of(filled_key(0x44));
  for (const std::string& point : kLowOrder) {
    Handshake initiator =
        Handshake::initiator_by_key(prologue, filled_key(0x33), own, public_key(point));
    BOOST_TEST(!initiator.write(KeyPair::of(filled_key(0x11)), {}).has_value());
    ByteWriter message;
    message.put(hex(point));
    message.put(Buffer(Handshake::kKeyMessageOverhead - kPublicKeySize));
    BOOST_TEST(
        is_refused(Handshake::responder_by_key(prologue, filled_key(0x33), own), message.bytes()));
  }
}

// A holder of the key that sends a point of low order would fix the shared secret at zero.
BOOST_AUTO_TEST_CASE(a_responder_answers_no_low_order_point) {
  for (const std::string& point : kLowOrder) {
    Exchange exchange;
    exchange.initiator_pair.open = public_key(point);
    const Buffer first = exchange.first();
    BOOST_TEST(exchange.responder.read(first).has_value());  // it does come from a key holder
    const auto second = exchange.responder.write(exchange.responder_pair, {});
    BOOST_TEST(!second.has_value(), point);
  }
}

BOOST_AUTO_TEST_CASE(an_initiator_accepts_no_low_order_point) {
  for (const std::string& point : kLowOrder) {
    Exchange exchange;
    const Buffer first = exchange.first();
    // The answer as somebody would make it who knows the key and counts on the secret zero.
    SymmetricState state("Noise_NNpsk0_25519_ChaChaPoly_SHA256");
    state.mix_hash(bytes_of(kPrologue));
    state.mix_key_and_hash(filled_key(0x33).bytes());
    const Bytes remote = Bytes(first).first(kPublicKeySize);
    state.mix_hash(remote);
    state.mix_key(remote);
    BOOST_TEST_REQUIRE(state.decrypt_and_hash(Bytes(first).subspan(kPublicKeySize)).has_value());
    const Buffer low = hex(point);
    state.mix_hash(low);
    state.mix_key(low);
    state.mix_key(filled_key(0).bytes());
    ByteWriter second;
    second.put(low);
    second.put(state.encrypt_and_hash(bytes_of("mine")));
    BOOST_TEST(!exchange.initiator.read(second.bytes()).has_value(), point);
  }
}

// The name is padded to the hash's length, or hashed when it is longer (section 5.2).
BOOST_AUTO_TEST_CASE(protocol_names) {
  BOOST_TEST(to_hex(SymmetricState("abc").hash()) ==
             "6162630000000000000000000000000000000000000000000000000000000000");
  const std::string name32(32, 'a');
  BOOST_TEST(to_hex(SymmetricState(name32).hash()) == to_hex(bytes_of(name32)));
  // SHA-256 of 33 times `a`.
  BOOST_TEST(to_hex(SymmetricState(name32 + "a").hash()) ==
             "852785c805c77e71a22340a54e9d95933ed49121e7d2bf3c2d358854bc1359ea");
}
