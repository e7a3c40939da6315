// What is inside the seals: the layouts field by field, and every way to get them wrong.
#define BOOST_TEST_MODULE relay_frames
#include <boost/test/unit_test.hpp>
#include <map>

#include "relay/frames.h"
#include "seal/envelope.h"
#include "seal_fixture.h"
#include "vectors.h"

using namespace tribecast;
using namespace tribecast::relay;
using test::hex;

using test::SodiumReady;
BOOST_TEST_GLOBAL_FIXTURE(SodiumReady);

namespace {

const Endpoint kGroup{Address::v4(0xe4000004), 45564};
const Endpoint kSource{Address::v4(0x0a000102), 4000};

Frames all_frames() {
  Frames frames;
  frames.hello = Hello{"web-1", "eu", "1.2"};
  frames.grants.push_back({0x01020304, test::counting_key(), 0x1122334455667788});
  frames.grants.push_back({0x05060708, test::filled_key(9), 3});
  frames.probe = Probe{7, 0x100, 0x200, 0x300, 0x400, 0x500, true};
  frames.bye = true;
  return frames;
}

const std::string kHelloHex = "01 000d 05 7765622d31 02 6575 03 312e32";
const std::string kGrantHex =
    "02 002c 01020304 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f "
    "1122334455667788";
const std::string kProbeHex =
    "03 0021 00000007 0000000000000100 0000000000000200 00000300 00000400 00000500 01";
const std::string kByeHex = "04 0000";

bool equal(const Probe& a, const Probe& b) {
  return a.sequence == b.sequence && a.sent == b.sent && a.echo == b.echo &&
         a.held_us == b.held_us && a.heard_ms == b.heard_ms && a.holding_key == b.holding_key &&
         a.answer_now == b.answer_now;
}

}  // namespace

BOOST_AUTO_TEST_CASE(frames_field_by_field) {
  Frames frames = all_frames();
  frames.grants.pop_back();
  BOOST_TEST(to_hex(encode(frames)) == to_hex(hex(kHelloHex + kGrantHex + kProbeHex + kByeHex)));
}

BOOST_AUTO_TEST_CASE(frames_come_back) {
  const Frames frames = all_frames();
  const auto back = decode_frames(encode(frames));
  BOOST_TEST_REQUIRE(back.has_value());
  BOOST_TEST(back->hello->name == "web-1");
  BOOST_TEST(back->hello->site == "eu");
  BOOST_TEST(back->hello->version == "1.2");
  BOOST_TEST_REQUIRE(back->grants.size() == 2U);
  for (std::size_t i = 0; i < 2; ++i) {
    BOOST_TEST(back->grants[i].id == frames.grants[i].id);
    BOOST_TEST((back->grants[i].key == frames.grants[i].key));
    BOOST_TEST(back->grants[i].next_counter == frames.grants[i].next_counter);
  }
  BOOST_TEST(equal(*back->probe, *frames.probe));
  BOOST_TEST(back->bye);
}

BOOST_AUTO_TEST_CASE(the_ring_that_is_held) {
  Frames frames;
  frames.ring = {{2, 0x01020304}, {1, 0xaabbccdd}};
  BOOST_TEST(to_hex(encode(frames)) == to_hex(hex("09 000a 02 01020304 01 aabbccdd")));
  const auto back = decode_frames(encode(frames));
  BOOST_TEST_REQUIRE(back.has_value());
  BOOST_TEST((back->ring == frames.ring));
  const auto cut = decode_frames(hex("09 0007 02 01020304 01 aa"));
  BOOST_TEST_REQUIRE(cut.has_value());
  BOOST_TEST(cut->ring.size() == 1U);
  std::string many = "09 0064";
  for (int i = 0; i < 20; ++i) many += " 02 01020304";
  BOOST_TEST(decode_frames(hex(many))->ring.size() == kMaxRingTold);
}

BOOST_AUTO_TEST_CASE(hearsay) {
  Frames frames;
  frames.deaf = {0x1122334455667788, 2};
  frames.heard_by = {*Endpoint::parse("10.0.0.1:45565"), *Endpoint::parse("[2001:db8::1]:9")};
  const std::string deaf = "0c 0010 1122334455667788 0000000000000002";
  const std::string heard_by = "0d 001a 04 0a000001 b1fd 10 20010db8000000000000000000000001 0009";
  BOOST_TEST(to_hex(encode(frames)) == to_hex(hex(deaf + heard_by)));
  const auto back = decode_frames(encode(frames));
  BOOST_TEST_REQUIRE(back.has_value());
  BOOST_TEST((back->deaf == frames.deaf && back->heard_by == frames.heard_by));
  BOOST_TEST(!decode_frames(hex("0d 0007 05 0a00000101 b1")));     // no such address
  BOOST_TEST(!decode_frames(hex("0d 0006 04 0a000001 b1")));       // cut off
  BOOST_TEST(decode_frames(hex("0c 0003 112233"))->deaf.empty());  // half an instance
  Frames many;
  many.deaf.assign(100, 7);
  many.heard_by.assign(100, frames.heard_by.front());
  BOOST_TEST(decode_frames(encode(many))->deaf.size() == kMaxDeaf);
  BOOST_TEST(decode_frames(encode(many))->heard_by.size() == kMaxHeardBy);
}

BOOST_AUTO_TEST_CASE(a_question_for_a_view) {
  Frames frames;
  frames.view_question = ViewQuestion{};
  frames.view_question->missing.set(0).set(9).set(254);
  const std::string bits = "0102" + std::string(58, '0') + "40";
  BOOST_TEST(to_hex(encode(frames)) == "0a0020" + bits);
  const auto back = decode_frames(encode(frames));
  BOOST_TEST_REQUIRE((back && back->view_question));
  BOOST_TEST((back->view_question->missing == frames.view_question->missing));
  BOOST_TEST(!decode_frames(hex("0a001f" + bits.substr(2))));
  // A later version may ask for more.
  BOOST_TEST(decode_frames(hex("0a0021" + bits + "ff")).has_value());
}

BOOST_AUTO_TEST_CASE(parts_of_a_view) {
  Frames frames;
  frames.view_part = ViewPart{0x1122334455667788, 0x99, 1, 2, hex("aabbcc")};
  BOOST_TEST(to_hex(encode(frames)) ==
             to_hex(hex("0b 0011 1122334455667788 00000099 01 02 aabbcc")));
  const auto back = decode_frames(encode(frames));
  BOOST_TEST_REQUIRE((back && back->view_part));
  BOOST_TEST(back->view_part->made == 0x1122334455667788U);
  BOOST_TEST(back->view_part->age_ms == 0x99U);
  BOOST_TEST(back->view_part->bytes == hex("aabbcc"));
  const auto part = [](std::uint8_t number, std::uint8_t parts, std::size_t size) {
    Frames one;
    one.view_part = ViewPart{1, 0, number, parts, Buffer(size, 7)};
    return decode_frames(encode(one)).has_value();
  };
  BOOST_TEST(part(0, 0, 0));   // being made
  BOOST_TEST(!part(1, 0, 0));  // part of nothing
  BOOST_TEST(!part(0, 0, 1));  // bytes of nothing
  BOOST_TEST(part(0, 1, 1));
  BOOST_TEST(part(0, 1, kViewPartBytes));
  BOOST_TEST(!part(0, 1, kViewPartBytes + 1));
  BOOST_TEST(!part(0, 1, 0));
  BOOST_TEST(!part(1, 1, 1));
  BOOST_TEST(part(0, 255, kViewPartBytes));
  BOOST_TEST(!part(0, 255, kViewPartBytes - 1));  // only the last one is shorter
}

BOOST_AUTO_TEST_CASE(frames_of_views_are_as_they_were_frozen) {
  std::map<std::string, Buffer> frozen;
  for (const auto& words : test::vector_lines("wire/view.txt")) frozen[words[0]] = hex(words.at(1));
  Frames question;
  question.view_question = ViewQuestion{};
  question.view_question->missing.set(0).set(9).set(254);
  BOOST_TEST(encode(question) == frozen.at("question_frame"));
  Frames part;
  part.view_part = ViewPart{0x1122334455667788, 250, 0, 1, frozen.at("view")};
  BOOST_TEST(encode(part) == frozen.at("part_frame"));
  part.view_part = ViewPart{};
  BOOST_TEST(encode(part) == frozen.at("waiting_frame"));
  for (const char* name : {"question_frame", "part_frame", "waiting_frame"}) {
    BOOST_TEST(decode_frames(frozen.at(name)).has_value());
  }
}

BOOST_AUTO_TEST_CASE(nothing_is_no_frame) {
  const auto frames = decode_frames({});
  BOOST_TEST_REQUIRE(frames.has_value());
  BOOST_TEST(!frames->hello);
  BOOST_TEST(frames->grants.empty());
  BOOST_TEST(!frames->probe);
  BOOST_TEST(frames->acks.empty());
  BOOST_TEST(!frames->bye);
}

BOOST_AUTO_TEST_CASE(measures) {
  Frames frames;
  frames.measures = Measures{0x1122334455667788, 250};
  BOOST_TEST(encode(frames) == hex("06 000a 1122334455667788 00fa"));
  const auto again = decode_frames(encode(frames));
  BOOST_TEST_REQUIRE((again && again->measures));
  BOOST_TEST(again->measures->wall_us == 0x1122334455667788U);
  BOOST_TEST((again->measures->loss_permille == 250));
  frames.measures->loss_permille.reset();
  BOOST_TEST(encode(frames) == hex("06 000a 1122334455667788 ffff"));
  BOOST_TEST(!decode_frames(hex("06 000a 1122334455667788 03e9"))->measures->loss_permille);
  BOOST_TEST(!decode_frames(hex("06 0009 1122334455667788 03")));
}

BOOST_AUTO_TEST_CASE(a_path_test_fills_its_datagram) {
  Frames frames;
  frames.path_test = 576;
  const Buffer plain = encode(frames);
  BOOST_TEST(plain.size() + seal::kOverhead == 576U);
  const auto again = decode_frames(plain);
  BOOST_TEST_REQUIRE(again.has_value());
  BOOST_TEST(again->path_test == 576U);
  frames = {};
  frames.path_answer = 8972;
  BOOST_TEST(encode(frames) == hex("08 0002 230c"));
  BOOST_TEST(decode_frames(hex("08 0002 230c"))->path_answer == 8972U);
  BOOST_TEST(!decode_frames(hex("08 0001 23")));
}

BOOST_AUTO_TEST_CASE(acknowledgements) {
  Frames frames;
  frames.acks = {0x1122334455667788, 3};
  const Buffer plain = encode(frames);
  BOOST_TEST(plain == hex("05 0008 1122334455667788 05 0008 0000000000000003"));
  const auto again = decode_frames(plain);
  BOOST_TEST_REQUIRE(again.has_value());
  BOOST_TEST(again->acks == frames.acks);
  BOOST_TEST(!decode_frames(hex("05 0007 11223344556677")));
  frames.acks.assign(17, 1);
  BOOST_TEST(!decode_frames(encode(frames)));
}

BOOST_AUTO_TEST_CASE(unknown_frames_are_skipped_by_their_length) {
  for (const std::string unknown : {"00 0000", "7f 0003 010203", "ff 0001 04"}) {
    for (const std::string& text : {unknown + kProbeHex, kProbeHex + unknown}) {
      const auto frames = decode_frames(hex(text));
      BOOST_TEST_REQUIRE(frames.has_value());
      BOOST_TEST(frames->probe.has_value());
      BOOST_TEST(!frames->bye);
    }
  }
}

BOOST_AUTO_TEST_CASE(what_a_later_version_appends_to_a_body_is_not_looked_at) {
  const auto frames = decode_frames(hex("04 0002 abcd 01 0004 00 00 00 ff"));
  BOOST_TEST_REQUIRE(frames.has_value());
  BOOST_TEST(frames->bye);
  BOOST_TEST(frames->hello.has_value());
}

BOOST_AUTO_TEST_CASE(lengths_that_contradict_each_other) {
  const char* const cases[] = {
      "01",                  // no length
      "01 00",               // half a length
      "04 0001",             // a body that is not there
      "04 ffff",             //
      "01 0000",             // no name
      "01 0003 01 00 00",    // a name of one byte, of which the next text lacks one
      "01 0002 05 41",       // a name that ends behind the frame
      "01 0001 ff",          //
      "02 0000",             //
      "02 002b 00",          //
      "03 0000",             //
      "04 0000 03 0020 00",  // a good frame does not save the rest
  };
  for (const char* text : cases) BOOST_TEST(!decode_frames(hex(text)).has_value(), text);
}

BOOST_AUTO_TEST_CASE(every_truncation_is_refused_except_between_frames) {
  const Buffer whole = encode(all_frames());
  const std::vector<std::size_t> ends = {0, 16, 63, 110, 146};
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const bool between = std::ranges::find(ends, size) != ends.end();
    BOOST_TEST(decode_frames(Bytes(whole).first(size)).has_value() == between, size);
  }
}

BOOST_AUTO_TEST_CASE(at_most_four_grants) {
  Frames frames;
  for (std::uint32_t i = 1; i <= 4; ++i) frames.grants.push_back({i, test::filled_key(1), 0});
  BOOST_TEST(decode_frames(encode(frames)).has_value());
  frames.grants.push_back({5, test::filled_key(1), 0});
  BOOST_TEST(!decode_frames(encode(frames)).has_value());
}

BOOST_AUTO_TEST_CASE(texts_are_cut_at_255_bytes) {
  Frames frames;
  frames.hello = Hello{std::string(300, 'n'), "", std::string(255, 'v')};
  const auto back = decode_frames(encode(frames));
  BOOST_TEST_REQUIRE(back.has_value());
  BOOST_TEST(back->hello->name == std::string(255, 'n'));
  BOOST_TEST(back->hello->site.empty());
  BOOST_TEST(back->hello->version == std::string(255, 'v'));
}

BOOST_AUTO_TEST_CASE(greetings) {
  const Greeting greeting{0x01020304, 0x1112131415161718, 0x2122232425262728};
  const Buffer raw = encode(greeting);
  BOOST_TEST(to_hex(raw) == "0102030411121314151617182122232425262728");
  const auto back = decode_greeting(raw);
  BOOST_TEST_REQUIRE(back.has_value());
  BOOST_TEST(back->index == greeting.index);
  BOOST_TEST(back->instance == greeting.instance);
  BOOST_TEST(back->sent == greeting.sent);
  for (std::size_t size = 0; size < raw.size(); ++size) {
    BOOST_TEST(!decode_greeting(Bytes(raw).first(size)).has_value());
  }
  Buffer longer = raw;
  longer.push_back(1);
  BOOST_TEST(decode_greeting(longer).has_value());
}

BOOST_AUTO_TEST_CASE(parcels) {
  const Buffer payload = hex("cafe");
  const Parcel parcel{2, 3, 0x1122334455667788, kGroup, kSource, payload};
  const Buffer raw = encode(parcel);
  BOOST_TEST(to_hex(raw) == to_hex(hex("01 02 03 1122334455667788 e4000004 b1fc 0a000102 0fa0"
                                       "cafe")));
  BOOST_TEST(raw.size() == kParcelHeaderSize + 2);
  const auto back = decode_parcel(raw);
  BOOST_TEST_REQUIRE(back.has_value());
  BOOST_TEST(back->piece == 2);
  BOOST_TEST(back->pieces == 3);
  BOOST_TEST(back->captured == parcel.captured);
  BOOST_TEST((back->group == kGroup && back->source == kSource));
  BOOST_TEST(same(back->payload, payload));
}

BOOST_AUTO_TEST_CASE(parcels_that_are_none) {
  const std::string rest = "1122334455667788 e4000004 b1fc 0a000102 0fa0";
  struct Case {
    std::string text;
    bool good;
  };
  const Case cases[] = {
      {"01 00 01" + rest, true},                                         // an empty datagram
      {"00 00 01" + rest, false},                                        // unknown kinds
      {"02 00 01" + rest, false},                                        //
      {"01 00 00" + rest, false},                                        // no piece at all
      {"01 01 01" + rest, false},                                        // behind the last piece
      {"01 fe ff" + rest, true},                                         //
      {"01 ff ff" + rest, false},                                        //
      {"01 00 01 1122334455667788 0a000004 b1fc 0a000102 0fa0", false},  // to a host
      {"01 00 01 1122334455667788 ffffffff b1fc 0a000102 0fa0", false},  // to all hosts
  };
  for (const Case& c : cases) {
    const Buffer raw = hex(c.text);
    BOOST_TEST(decode_parcel(raw).has_value() == c.good, c.text);
    for (std::size_t size = 0; size < raw.size(); ++size) {
      BOOST_TEST(!decode_parcel(Bytes(raw).first(size)).has_value());
    }
  }
}

// Property: whatever decodes, encodes to something that decodes to the same.
BOOST_AUTO_TEST_CASE(any_bytes) {
  test::Random random;
  const Buffer good = encode(all_frames());
  for (int i = 0; i < 20000; ++i) {
    Buffer raw = i % 2 == 0 ? good : random.bytes(random.below(80));
    for (int n = 0; n < 3 && !raw.empty(); ++n) {
      raw[random.below(raw.size())] = static_cast<std::uint8_t>(random.below(256));
    }
    const auto frames = decode_frames(raw);
    if (!frames) continue;
    const Buffer once = encode(*frames);
    const auto again = decode_frames(once);
    BOOST_TEST_REQUIRE(again.has_value());
    BOOST_TEST_REQUIRE(same(encode(*again), once));
  }
}
