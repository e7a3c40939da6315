// Interceptors: what Tomcat's own wrote is read, and written again byte for byte; bounds; the order
// of a stack.
#define BOOST_TEST_MODULE channel_interceptors
#include <boost/test/unit_test.hpp>

#include "channel_fixture.h"
#include "engine/channel/domain_filter.h"
#include "engine/channel/encrypt.h"
#include "engine/channel/fragment.h"
#include "engine/channel/frame.h"
#include "engine/channel/gzip.h"
#include "engine/channel/order.h"

using namespace tribecast;
using namespace tribecast::channel;
using channel::test::golden;
using channel::test::kVersions;
using channel::test::member;
using tribecast::test::hex;

namespace {

const Buffer kPlain = hex("aced0005740010696e746572636570746f7220626f6479");
const Buffer kKey128 = hex("000102030405060708090a0b0c0d0e0f");
const Buffer kKey256 = hex("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
const tribes::Identity kTo = member(9).identity;

// An interceptor or a stack with the clocks, random bytes and counters that it is given.
struct Bench {
  RandomSource random = channel::test::counting_random();
  Drops drops;
  Moment now = channel::test::moment();

  Context context() { return {now, random, drops}; }
  template <class Target>
  Messages send(Target& target, Message message, const tribes::Identity& to = kTo) {
    if constexpr (std::is_same_v<Target, Stack>) {
      return target.send(context(), to, std::move(message));
    } else {
      Messages out;
      target.send(context(), to, std::move(message), out);
      return out;
    }
  }
  template <class Target>
  Messages receive(Target& target, Message message) {
    if constexpr (std::is_same_v<Target, Stack>) {
      return target.receive(context(), std::move(message));
    } else {
      Messages out;
      target.receive(context(), std::move(message), out);
      return out;
    }
  }
};

Message message(Bytes body, std::uint32_t options = 6, std::uint8_t sender = 1) {
  Message made;
  made.options = options;
  made.timestamp_milliseconds = 1700000000123;
  made.unique_id = Buffer(16, 7);
  made.sender = member(sender);
  made.body = copy_of(body);
  return made;
}

Buffer counting_bytes(std::size_t size) {
  Buffer bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(i);
  return bytes;
}

// java.util.Random(seed).nextBytes().
Buffer java_random_bytes(std::uint64_t seed, std::size_t size) {
  constexpr std::uint64_t kMultiplier = 0x5deece66d;
  constexpr std::uint64_t kMask = (std::uint64_t{1} << 48U) - 1;
  std::uint64_t state = (seed ^ kMultiplier) & kMask;
  Buffer bytes;
  while (bytes.size() < size) {
    state = (state * kMultiplier + 0xb) & kMask;
    auto word = static_cast<std::uint32_t>(state >> 16U);
    for (int i = 0; i < 4 && bytes.size() < size; ++i, word >>= 8U) {
      bytes.push_back(static_cast<std::uint8_t>(word));
    }
  }
  return bytes;
}

GzipLayout layout_of(const std::string& version) {
  return version[0] == '7' || version[0] == '8' ? GzipLayout::always : GzipLayout::flagged;
}

Message with_number(Bytes body, std::uint32_t n, std::uint8_t sender = 1) {
  ByteWriter out;
  out.put(body);
  out.u32be(n);
  return message(out.bytes(), 6, sender);
}

std::string texts(const Messages& messages) {
  std::string all;
  for (const Message& one : messages) all += text_of(one.body) + ";";
  return all;
}

}  // namespace

BOOST_AUTO_TEST_CASE(gzip_is_that_of_every_tomcat) {
  for (const char* version : kVersions) {
    BOOST_TEST_CONTEXT(version) {
      Bench bench;
      Gzip interceptor(layout_of(version), 1 << 20);
      const Buffer packed = golden(version, "interceptor/gzip_body");
      const auto sent = bench.send(interceptor, message(kPlain));
      BOOST_REQUIRE(sent.size() == 1U);
      BOOST_TEST(same(sent[0].body, packed));
      const bool flagged = layout_of(version) == GzipLayout::flagged;
      BOOST_TEST(sent[0].options == (flagged ? 0x106U : 6U));
      const auto back = bench.receive(interceptor, sent[0]);
      BOOST_REQUIRE(back.size() == 1U);
      BOOST_TEST(same(back[0].body, kPlain));
      BOOST_TEST(back[0].options == 6U);
    }
  }
}

BOOST_AUTO_TEST_CASE(gzip_of_what_does_not_shrink) {
  const Buffer plain = java_random_bytes(7, 50000);
  const Buffer packed = golden("10.1.60", "interceptor/gzip_large_body");
  BOOST_TEST(same(*gunzip(packed, 50000), plain));
  BOOST_TEST(same(gzip(plain), packed));
}

BOOST_AUTO_TEST_CASE(gzip_unpacks_to_its_limit_and_no_further) {
  const Buffer zeros(1 << 20);
  const Buffer packed = gzip(zeros);
  BOOST_TEST(gunzip(packed, zeros.size())->size() == zeros.size());
  BOOST_TEST((gunzip(packed, zeros.size() - 1).error() == GunzipError::too_large));
  BOOST_TEST(gunzip(gzip({}), 0)->empty());
  Bench bench;
  Gzip interceptor(GzipLayout::always, 1000);
  BOOST_TEST(bench.receive(interceptor, message(packed)).empty());
  BOOST_TEST(bench.drops[Drop::gzip_too_large] == 1U);
}

BOOST_AUTO_TEST_CASE(gzip_that_is_cut_changed_or_followed_is_bad) {
  const Buffer packed = gzip(kPlain);
  for (std::size_t size = 0; size < packed.size(); ++size) {
    BOOST_TEST(!gunzip(Bytes(packed).first(size), 1000), size);
  }
  Buffer changed = packed;
  changed[changed.size() - 6] ^= 1U;  // the checksum
  BOOST_TEST((gunzip(changed, 1000).error() == GunzipError::bad));
  Buffer followed = packed;
  followed.push_back(0);
  BOOST_TEST((gunzip(followed, 1000).error() == GunzipError::bad));
  Bench bench;
  Gzip interceptor(GzipLayout::flagged, 1000);
  BOOST_TEST(bench.receive(interceptor, message(kPlain, 6 | option::kCompressed)).empty());
  BOOST_TEST(bench.drops[Drop::bad_gzip] == 1U);
  BOOST_TEST(bench.receive(interceptor, message(kPlain, 6)).size() == 1U);  // not flagged
}

BOOST_AUTO_TEST_CASE(small_bodies_may_stay_as_they_are) {
  Bench bench;
  Gzip interceptor(GzipLayout::flagged, 1000, kPlain.size());
  BOOST_TEST(bench.send(interceptor, message(kPlain))[0].options == 6U);
}

BOOST_AUTO_TEST_CASE(fragments_are_those_of_every_tomcat) {
  const Buffer plain = counting_bytes(250);
  for (const char* version : kVersions) {
    BOOST_TEST_CONTEXT(version) {
      Bench bench;
      Fragmentation interceptor({100});
      const auto sent = bench.send(interceptor, message(plain));
      BOOST_REQUIRE(sent.size() == 3U);
      for (std::size_t i = 0; i < 3; ++i) {
        const auto name = "interceptor/fragment_" + std::to_string(i) + "_body";
        BOOST_TEST(same(sent[i].body, golden(version, name)), name);
        BOOST_TEST(same(sent[i].unique_id, sent[0].unique_id));
      }
      const auto whole = bench.send(interceptor, message(counting_bytes(100)));
      BOOST_REQUIRE(whole.size() == 1U);
      BOOST_TEST(same(whole[0].body, golden(version, "interceptor/fragment_none_body")));
      BOOST_TEST(same(bench.receive(interceptor, whole[0])[0].body, counting_bytes(100)));

      // In any order, with a repetition.
      BOOST_TEST(bench.receive(interceptor, sent[2]).empty());
      BOOST_TEST(bench.receive(interceptor, sent[0]).empty());
      BOOST_TEST(bench.receive(interceptor, sent[0]).empty());
      const auto back = bench.receive(interceptor, sent[1]);
      BOOST_REQUIRE(back.size() == 1U);
      BOOST_TEST(same(back[0].body, plain));
      BOOST_TEST(interceptor.held_bytes() == 0U);
    }
  }
}

BOOST_AUTO_TEST_CASE(the_frames_of_fragments_and_gzip_are_read_and_written_again) {
  for (const char* version : kVersions) {
    for (const char* name : {"fragment_0_frame", "fragment_1_frame", "fragment_2_frame",
                             "gzip_frame", "twophase_message", "twophase_confirm"}) {
      const Buffer frame = golden(version, std::string("interceptor/") + name);
      FrameDecoder decoder(1 << 20);
      decoder.feed(frame);
      const auto data = decoder.next();
      BOOST_REQUIRE(data.has_value());
      const auto parsed = parse_message(*data);
      BOOST_REQUIRE(static_cast<bool>(parsed));
      BOOST_TEST(same(compose_frame(compose_message(*parsed)), frame), version << " " << name);
    }
  }
}

BOOST_AUTO_TEST_CASE(pieces_of_two_senders_do_not_mix) {
  Bench bench;
  Fragmentation interceptor({100});
  const auto pieces = bench.send(interceptor, message(counting_bytes(150)));
  Message other = pieces[1];
  other.sender = member(2);
  BOOST_TEST(bench.receive(interceptor, pieces[0]).empty());
  BOOST_TEST(bench.receive(interceptor, other).empty());
  BOOST_TEST(bench.receive(interceptor, pieces[1]).size() == 1U);
}

BOOST_AUTO_TEST_CASE(pieces_are_bounded_and_expire) {
  Bench bench;
  FragmentSettings settings;
  settings.piece_bytes = 100;
  settings.max_messages = 2;
  settings.max_bytes = 1000;
  Fragmentation interceptor(settings);
  const auto pieces = bench.send(interceptor, message(counting_bytes(250)));
  for (std::uint8_t sender = 1; sender <= 3; ++sender) {
    Message piece = pieces[0];
    piece.sender = member(sender);
    BOOST_TEST(bench.receive(interceptor, piece).empty());
  }
  BOOST_TEST(bench.drops[Drop::fragments_expired] == 1U);
  BOOST_TEST(interceptor.held_bytes() <= 1000U);
  bench.now = channel::test::moment(seconds(61));
  Messages none;
  interceptor.on_timer(bench.context(), none);
  BOOST_TEST(bench.drops[Drop::fragments_expired] == 3U);
  BOOST_TEST(interceptor.held_bytes() == 0U);
  Message piece = pieces[0];
  bench.receive(interceptor, piece);
  interceptor.forget(piece.sender.identity);
  BOOST_TEST(interceptor.held_bytes() == 0U);
}

BOOST_AUTO_TEST_CASE(odd_pieces_are_dropped) {
  Bench bench;
  Fragmentation interceptor({100});
  for (const char* body : {"", "01", "0000000000000000 01", "00000002 00000002 01",
                           "ffffffff ffffffff 01", "00000000 7fffffff 01"}) {
    BOOST_TEST(bench.receive(interceptor, message(hex(body))).empty(), body);
  }
  BOOST_TEST(bench.drops[Drop::bad_fragment] == 6U);
  const auto pieces = bench.send(interceptor, message(counting_bytes(250)));
  bench.receive(interceptor, pieces[0]);
  Message other_count = pieces[1];
  other_count.body[other_count.body.size() - 2] = 4;
  BOOST_TEST(bench.receive(interceptor, other_count).empty());
  BOOST_TEST(bench.drops[Drop::bad_fragment] == 7U);
}

BOOST_AUTO_TEST_CASE(numbers_are_those_of_every_tomcat_and_one_count_a_destination) {
  for (const char* version : kVersions) {
    Bench bench;
    Order interceptor({});
    for (int n = 1; n <= 3; ++n) {
      const auto sent = bench.send(interceptor, message(kPlain));
      const auto name = "interceptor/order_" + std::to_string(n) + "_body";
      BOOST_TEST(same(sent[0].body, golden(version, name)), version);
    }
    const auto other = bench.send(interceptor, message(kPlain), member(8).identity);
    BOOST_TEST(same(other[0].body, golden(version, "interceptor/order_1_body")));
  }
}

BOOST_AUTO_TEST_CASE(messages_come_up_in_the_order_in_which_they_were_sent) {
  Bench bench;
  Order interceptor({});
  const auto receive = [&](const char* text, std::uint32_t n, std::uint8_t sender = 1) {
    return texts(bench.receive(interceptor, with_number(bytes_of(text), n, sender)));
  };
  BOOST_TEST(receive("c", 3).empty());
  BOOST_TEST(receive("b", 2).empty());
  BOOST_TEST(receive("x", 1, 2) == "x;");  // another sender has its own count
  BOOST_TEST(receive("a", 1) == "a;b;c;");
  BOOST_TEST(receive("d", 4) == "d;");
  BOOST_TEST(receive("late", 2) == "late;");
  BOOST_TEST(receive("f", 6).empty());
  BOOST_TEST(receive("again", 6).empty());
}

BOOST_AUTO_TEST_CASE(what_is_missing_is_waited_for_three_seconds) {
  Bench bench;
  Order interceptor({});
  bench.receive(interceptor, with_number(bytes_of("c"), 3));
  bench.receive(interceptor, with_number(bytes_of("e"), 5));
  Messages out;
  bench.now = channel::test::moment(milliseconds(2999));
  interceptor.on_timer(bench.context(), out);
  BOOST_TEST(out.empty());
  bench.now = channel::test::moment(seconds(3));
  interceptor.on_timer(bench.context(), out);
  BOOST_TEST(texts(out) == "c;e;");
  BOOST_TEST(texts(bench.receive(interceptor, with_number(bytes_of("f"), 6))) == "f;");
}

BOOST_AUTO_TEST_CASE(a_member_that_is_gone_counts_anew_and_loses_nothing) {
  Bench bench;
  Order interceptor({});
  bench.receive(interceptor, with_number(bytes_of("a"), 1));
  bench.receive(interceptor, with_number(bytes_of("c"), 3));
  interceptor.forget(member(1).identity);
  Messages out;
  interceptor.on_timer(bench.context(), out);
  BOOST_TEST(texts(out) == "c;");
  BOOST_TEST(texts(bench.receive(interceptor, with_number(bytes_of("a2"), 1))) == "a2;");
}

BOOST_AUTO_TEST_CASE(held_messages_are_bounded) {
  Bench bench;
  OrderSettings settings;
  settings.max_held = 3;
  Order interceptor(settings);
  std::string up;
  for (std::uint32_t n = 2; n <= 5; ++n) {
    up += texts(bench.receive(interceptor, with_number(bytes_of(std::to_string(n)), n)));
  }
  BOOST_TEST(up == "2;");
  settings.max_held_bytes = 5;
  Order small(settings);
  BOOST_TEST(texts(bench.receive(small, with_number(bytes_of("longer"), 2))) == "longer;");
}

BOOST_AUTO_TEST_CASE(only_messages_with_the_flag_are_numbered) {
  Bench bench;
  OrderSettings settings;
  settings.option_flag = 0x200;
  Order interceptor(settings);
  BOOST_TEST(same(bench.send(interceptor, message(kPlain, 6))[0].body, kPlain));
  BOOST_TEST(bench.send(interceptor, message(kPlain, 0x206))[0].body.size() == kPlain.size() + 4);
  BOOST_TEST(same(bench.receive(interceptor, message(kPlain, 6))[0].body, kPlain));
  BOOST_TEST(bench.receive(interceptor, message(hex("0102"), 0x206)).empty());
  BOOST_TEST(bench.drops[Drop::bad_order] == 1U);
}

BOOST_AUTO_TEST_CASE(every_tomcat_s_ciphertext_is_read_and_written_again) {
  struct Case {
    const char* name;
    const Buffer& key;
    CipherMode mode;
  };
  const std::vector<Case> cases = {{"aes128_cbc_body", kKey128, CipherMode::cbc},
                                   {"aes256_cbc_body", kKey256, CipherMode::cbc},
                                   {"aes128_gcm_body", kKey128, CipherMode::gcm},
                                   {"aes256_gcm_body", kKey256, CipherMode::gcm}};
  for (const char* version : kVersions) {
    // The tips have replay protection; the packaged 9.0.70 is older.
    const bool stamped = std::string(version) == "10.1.60" || std::string(version) == "11.0.x-tip";
    for (const Case& one : cases) {
      BOOST_TEST_CONTEXT(version << " " << one.name) {
        const Buffer body = golden(version, std::string("encrypt/") + one.name);
        const auto plain = decrypt_body(one.mode, one.key, body);
        BOOST_REQUIRE(plain.has_value());
        const Bytes iv = Bytes(body).first(iv_size(one.mode));
        BOOST_TEST(same(encrypt_body(one.mode, one.key, iv, *plain), body));
        const bool is_stamped = plain->size() == kPlain.size() + 8;
        BOOST_TEST(is_stamped == stamped);
        BOOST_TEST(same(Bytes(*plain).last(kPlain.size()), kPlain));

        Bench bench;
        Encrypt interceptor({one.key, one.mode, is_stamped});
        const auto up = bench.receive(interceptor, message(body));
        BOOST_REQUIRE(up.size() == 1U);
        BOOST_TEST(same(up[0].body, kPlain));
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(a_wrong_key_a_change_and_a_cut_are_noticed) {
  Bench bench;
  Encrypt interceptor({kKey128, CipherMode::gcm, true});
  Encrypt other({kKey256, CipherMode::gcm, true});
  const auto sent = bench.send(interceptor, message(kPlain));
  BOOST_TEST(bench.receive(other, sent[0]).empty());
  for (std::size_t i = 0; i < sent[0].body.size(); ++i) {
    Message changed = sent[0];
    changed.body[i] ^= 1U;
    BOOST_TEST(bench.receive(interceptor, changed).empty(), i);
    changed = sent[0];
    changed.body.resize(i);
    BOOST_TEST(bench.receive(interceptor, changed).empty(), i);
  }
  BOOST_TEST(bench.drops[Drop::bad_cipher] == 1 + 2 * sent[0].body.size());
  BOOST_TEST(bench.receive(interceptor, sent[0]).size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_replay_and_an_old_message_go_no_further) {
  Bench bench;
  Encrypt interceptor({kKey128, CipherMode::gcm, true});
  const auto first = bench.send(interceptor, message(kPlain));
  BOOST_TEST(bench.receive(interceptor, first[0]).size() == 1U);
  BOOST_TEST(bench.receive(interceptor, first[0]).empty());
  BOOST_TEST(bench.drops[Drop::replayed] == 1U);
  const auto second = bench.send(interceptor, message(kPlain));
  bench.now = channel::test::moment(milliseconds(10001));
  BOOST_TEST(bench.receive(interceptor, second[0]).empty());
  BOOST_TEST(bench.drops[Drop::stale] == 1U);
  bench.now = channel::test::moment(seconds(10));
  BOOST_TEST(bench.receive(interceptor, second[0]).size() == 1U);

  Encrypt forgetful({kKey128, CipherMode::cbc, false});
  const auto plain = bench.send(forgetful, message(kPlain));
  BOOST_TEST(bench.receive(forgetful, plain[0]).size() == 1U);
  BOOST_TEST(bench.receive(forgetful, plain[0]).size() == 1U);
}

BOOST_AUTO_TEST_CASE(only_the_own_domain_passes) {
  Bench bench;
  DomainFilter interceptor(copy_of(bytes_of("shop")));
  BOOST_TEST(bench.receive(interceptor, message(kPlain)).empty());
  BOOST_TEST(bench.drops[Drop::foreign_domain] == 1U);
  Message own = message(kPlain);
  own.sender.domain = copy_of(bytes_of("shop"));
  BOOST_TEST(bench.receive(interceptor, own).size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_stack_is_passed_down_and_up_in_reverse) {
  const auto make = [] {
    std::vector<std::unique_ptr<Interceptor>> from_top;
    from_top.push_back(std::make_unique<Order>(OrderSettings{}));
    from_top.push_back(std::make_unique<Gzip>(GzipLayout::flagged, 1 << 20));
    from_top.push_back(std::make_unique<Encrypt>(EncryptSettings{kKey128}));
    from_top.push_back(std::make_unique<Fragmentation>(FragmentSettings{100}));
    return Stack(std::move(from_top));
  };
  Bench bench;
  Stack sender = make();
  Stack receiver = make();
  BOOST_TEST(!sender.sends_alike());
  const Buffer plain = java_random_bytes(1, 1000);
  const auto first = bench.send(sender, message(plain));
  const auto second = bench.send(sender, message(kPlain));
  BOOST_TEST(first.size() > 10U);  // fragments of what is encrypted: the last one came last
  BOOST_TEST(first[0].body.back() == 1U);
  // The second one waits for the first.
  for (const Message& piece : second) BOOST_TEST(bench.receive(receiver, piece).empty());
  Messages all;
  for (const Message& piece : first) {
    for (Message& one : bench.receive(receiver, piece)) all.push_back(std::move(one));
  }
  BOOST_REQUIRE(all.size() == 2U);
  BOOST_TEST(same(all[0].body, plain));
  BOOST_TEST(same(all[1].body, kPlain));
}

BOOST_AUTO_TEST_CASE(what_an_interceptor_held_rises_through_those_above_it) {
  std::vector<std::unique_ptr<Interceptor>> from_top;
  from_top.push_back(std::make_unique<Gzip>(GzipLayout::flagged, 1 << 20));
  from_top.push_back(std::make_unique<Order>(OrderSettings{}));
  Stack stack(std::move(from_top));
  Bench bench;
  bench.send(stack, message(kPlain));
  const auto second = bench.send(stack, message(kPlain));
  BOOST_TEST(bench.receive(stack, second[0]).empty());
  bench.now = channel::test::moment(seconds(3));
  const auto up = stack.on_timer(bench.context());
  BOOST_REQUIRE(up.size() == 1U);
  BOOST_TEST(same(up[0].body, kPlain));
}

BOOST_AUTO_TEST_CASE(an_empty_stack_changes_nothing) {
  Stack stack;
  Bench bench;
  BOOST_TEST(stack.sends_alike());
  BOOST_TEST(same(bench.send(stack, message(kPlain))[0].body, kPlain));
  BOOST_TEST(same(bench.receive(stack, message(kPlain))[0].body, kPlain));
}
