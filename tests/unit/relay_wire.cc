// Whole exchanges against their frozen files, byte for byte: handshake, first frames, data, pieces.
// With --log_level=message every line that the file should have is printed.
#define BOOST_TEST_MODULE relay_wire
#include <boost/test/unit_test.hpp>
#include <map>

#include "relay/links.h"
#include "relay_fixture.h"
#include "vectors.h"

using namespace tribecast;
using namespace tribecast::relay;
using test::hex;

using test::SodiumReady;
BOOST_TEST_GLOBAL_FIXTURE(SodiumReady);

namespace {

using Values = std::map<std::string, std::string>;

Values frozen(const std::string& file) {
  Values values;
  for (const auto& words : test::vector_lines("wire/" + file)) values[words[0]] = words.at(1);
  return values;
}

const std::vector<std::string> kFiles = {"exchange.txt", "exchange_by_key.txt",
                                         "exchange_by_key_alone.txt"};

seal::Keyring ring_of(const Values& values) {
  seal::Keyring ring;
  if (!values.contains("ring_id")) return ring;
  ring.keys.push_back({hex(values.at("ring_id"))[0], seal::Key(hex(values.at("ring_key")))});
  ring.primary_id = ring.keys[0].id;
  return ring;
}

std::optional<seal::KeyPair> own_of(const Values& values, const std::string& side) {
  const auto found = values.find(side + "_static_secret");
  if (found == values.end()) return std::nullopt;
  return seal::KeyPair::of(seal::Key(hex(found->second)));
}

// Gives out the values of one side in the order in which they are asked for.
RandomSource script(const Values& values, const std::string& side) {
  std::vector<Buffer> draws;
  // A data key for one peer is drawn when that peer is sure.
  using Names = std::vector<const char*>;
  const Names shared = {"_instance", "_data_key_id", "_data_key", "_index", "_ephemeral_secret"};
  const Names by_key = {"_instance", "_index", "_ephemeral_secret", "_data_key_id", "_data_key"};
  for (const char* name : own_of(values, side) ? by_key : shared) {
    draws.push_back(hex(values.at(side + name)));
  }
  return [draws, next = std::size_t{0}](MutableBytes out) mutable {
    BOOST_TEST_REQUIRE((next < draws.size() && draws[next].size() == out.size()));
    std::ranges::copy(draws[next++], out.begin());
  };
}

// The two sides; the responder begins nothing, so its timer is never called.
struct Pair {
  static constexpr Duration kOneWay = microseconds(1500);
  const Endpoint at_initiator{Address::v4(0x0a000001), 45565};
  const Endpoint at_responder{Address::v4(0x0a000002), 45565};
  Instant initiator_time{seconds(1000)};
  Instant responder_time{seconds(5000)};
  Links initiator;
  Links responder;

  explicit Pair(const Values& values)
      : initiator(script(values, "initiator")), responder(script(values, "responder")) {
    const seal::Keyring ring = ring_of(values);
    const auto initiator_pair = own_of(values, "initiator");
    const auto responder_pair = own_of(values, "responder");
    Settings settings;
    settings.site = "site";
    settings.version = "0.1.0";
    Actions out;
    settings.node_name = values.at("initiator_name_text");
    settings.peers = {{values.at("responder_name_text"), {}}};
    if (responder_pair) settings.peers[0].public_key = responder_pair->open;
    initiator.configure(initiator_time, settings, {ring, initiator_pair}, out);
    initiator.set_endpoints(initiator_time, settings.peers[0].name, {at_responder});
    settings.peers = {{values.at("initiator_name_text"), {}}};
    if (initiator_pair) settings.peers[0].public_key = initiator_pair->open;
    settings.node_name = values.at("responder_name_text");
    responder.configure(responder_time, settings, {ring, responder_pair}, out);
    responder.set_endpoints(responder_time, settings.peers[0].name, {at_initiator});
  }

  Buffer only(const Actions& out) {
    BOOST_TEST_REQUIRE(out.sends.size() == 1U);
    initiator_time += kOneWay;
    responder_time += kOneWay;
    return out.sends[0].datagram;
  }
  Buffer begin() {
    Actions out;
    initiator.on_timer(initiator_time, out);
    return only(out);
  }
  Buffer to_responder(Bytes datagram) {
    Actions out;
    BOOST_TEST(!responder.on_datagram(responder_time, {at_initiator, {}}, datagram, out));
    return only(out);
  }
  Buffer to_initiator(Bytes datagram) {
    Actions out;
    BOOST_TEST(!initiator.on_datagram(initiator_time, {at_responder, {}}, datagram, out));
    return only(out);
  }
  std::vector<Buffer> data(Bytes payload) {
    Actions out;
    initiator.send(
        initiator_time, "tomcat",
        {stamp_of(initiator_time), test::kTomcatGroup, {at_initiator.address, 45564}, payload},
        out);
    std::vector<Buffer> datagrams;
    for (const Send& send : out.sends) datagrams.push_back(send.datagram);
    return datagrams;
  }
};

Buffer opened(const seal::Key& key, Bytes datagram) {
  const auto envelope = seal::decode(datagram);
  BOOST_TEST_REQUIRE(envelope.has_value());
  const auto plain = seal::open_datagram(key, *envelope);
  BOOST_TEST_REQUIRE(plain.has_value());
  return *plain;
}

// 1500 bytes that no one piece holds.
Buffer long_payload() {
  Buffer payload(1500);
  for (std::size_t i = 0; i < payload.size(); ++i) payload[i] = static_cast<std::uint8_t>(i % 251);
  return payload;
}

class Exchange {
 public:
  Values made;

  explicit Exchange(const Values& given) : given_(given), pair_(given) {}

  void run() {
    const Buffer init = pair_.begin();
    const Buffer response = pair_.to_responder(init);
    const Buffer first = pair_.to_initiator(response);
    const Buffer second = pair_.to_responder(first);
    const auto keys = handshake(init, response);
    note("init_datagram", init);
    note("response_datagram", response);
    note("pair_from_initiator_datagram", first);
    note("pair_from_initiator_plain", opened(keys.send, first));
    note("pair_from_responder_datagram", second);
    note("pair_from_responder_plain", opened(keys.receive, second));
    // The responder's frames, which the initiator answers with the key that it holds now.
    const Buffer third = pair_.to_initiator(second);
    note("pair_answer_datagram", third);
    note("pair_answer_plain", opened(keys.send, third));
    data("data", pair_.data(hex(given_.at("heartbeat"))));
    data("piece", pair_.data(long_payload()));
  }

 private:
  // The transport keys, by a handshake of the test's own.
  seal::Handshake::Transport handshake(Bytes init, Bytes response) {
    const seal::Keyring ring = ring_of(given_);
    const seal::Key psk = ring.keys.empty() ? seal::Key() : ring.primary().psk();
    note("psk", psk.bytes());
    const auto initiator_pair = own_of(given_, "initiator");
    const auto responder_pair = own_of(given_, "responder");
    ByteWriter prologue;
    prologue.put(bytes_of(initiator_pair ? "tribecast 1 public-key" : "tribecast 1"));
    prologue.put(init.first(seal::kHeaderSize));
    note("prologue", prologue.bytes());
    const auto secret = [&](const char* name) {
      return seal::KeyPair::of(seal::Key(hex(given_.at(name))));
    };
    const Bytes by = prologue.bytes();
    seal::Handshake responder = responder_pair
                                    ? seal::Handshake::responder_by_key(by, psk, *responder_pair)
                                    : seal::Handshake(seal::Role::responder, by, psk);
    const auto init_payload = responder.read(message_of(init));
    BOOST_TEST_REQUIRE(init_payload.has_value());
    note("init_plain", *init_payload);
    seal::Handshake initiator = initiator_pair ? seal::Handshake::initiator_by_key(
                                                     by, psk, *initiator_pair, responder_pair->open)
                                               : seal::Handshake(seal::Role::initiator, by, psk);
    const auto again = initiator.write(secret("initiator_ephemeral_secret"), *init_payload);
    BOOST_TEST(same(*again, message_of(init)));
    const auto response_payload = initiator.read(message_of(response));
    BOOST_TEST_REQUIRE(response_payload.has_value());
    note("response_plain", *response_payload);
    note("handshake_hash", initiator.hash());
    const auto keys = initiator.split();
    note("key_to_responder", keys.send.bytes());
    note("key_to_initiator", keys.receive.bytes());
    return keys;
  }

  // Without the mac that stands behind it where there are static keys.
  Buffer message_of(Bytes datagram) const {
    const std::size_t mac = given_.contains("initiator_static_secret") ? 16 : 0;
    return copy_of(
        datagram.subspan(seal::kHeaderSize).first(datagram.size() - seal::kHeaderSize - mac));
  }

  void data(const std::string& name, const std::vector<Buffer>& datagrams) {
    const seal::Key key(hex(given_.at("initiator_data_key")));
    for (std::size_t i = 0; i < datagrams.size(); ++i) {
      const std::string number = std::to_string(i);
      note(name + number + "_datagram", datagrams[i]);
      note(name + number + "_plain", opened(key, datagrams[i]));
    }
  }

  void note(const std::string& name, Bytes value) {
    made[name] = to_hex(value);
    BOOST_TEST_MESSAGE(name << ' ' << made[name]);
  }

  const Values& given_;
  Pair pair_;
};

}  // namespace

BOOST_AUTO_TEST_CASE(the_exchanges_are_as_they_were_frozen) {
  for (const std::string& file : kFiles) {
    BOOST_TEST_MESSAGE(file);
    const Values values = frozen(file);
    Exchange exchange(values);
    exchange.run();
    for (const auto& [name, value] : exchange.made) {
      const auto found = values.find(name);
      BOOST_TEST((found != values.end()), file << ": " << name << " is not there");
      if (found != values.end()) BOOST_TEST(found->second == value, file << ": " << name);
    }
    BOOST_TEST(exchange.made.size() == 21U);
  }
}

BOOST_AUTO_TEST_CASE(the_frozen_plain_texts_mean_what_is_documented) {
  const Values values = frozen("exchange.txt");
  const Buffer first = hex(values.at("pair_from_initiator_plain"));
  const auto frames = decode_frames(first);
  BOOST_TEST_REQUIRE(frames.has_value());
  BOOST_TEST(frames->hello->name == "web-1");
  BOOST_TEST_REQUIRE(frames->grants.size() == 1U);
  BOOST_TEST(frames->grants[0].id == 0xd1d2d3d4U);
  BOOST_TEST(to_hex(frames->grants[0].key.bytes()) == values.at("initiator_data_key"));
  BOOST_TEST(frames->probe->answer_now);
  BOOST_TEST(same(encode(*frames), first));

  const Buffer beat = hex(values.at("data0_plain"));
  const auto parcel = decode_parcel(beat);
  BOOST_TEST_REQUIRE(parcel.has_value());
  BOOST_TEST(to_hex(parcel->payload) == values.at("heartbeat"));
  Buffer joined;
  for (const char* name : {"piece0_plain", "piece1_plain"}) {
    const Buffer plain = hex(values.at(name));
    const auto piece = decode_parcel(plain);
    BOOST_TEST_REQUIRE(piece.has_value());
    BOOST_TEST(piece->pieces == 2);
    joined.insert(joined.end(), piece->payload.begin(), piece->payload.end());
  }
  BOOST_TEST(same(joined, long_payload()));
}
