// Datagrams cut into pieces and put together again.
#define BOOST_TEST_MODULE relay_pieces
#include <boost/test/unit_test.hpp>

#include "relay/pieces.h"
#include "vectors.h"

using namespace tribecast;
using relay::Parcel;
using relay::Pieces;

namespace {

const Instant kStart{seconds(100)};

Parcel piece_of(std::size_t piece, std::size_t pieces, Bytes payload) {
  return {static_cast<std::uint8_t>(piece), static_cast<std::uint8_t>(pieces), 0, {}, {}, payload};
}

// The whole, when the last of these pieces completes it.
std::optional<Buffer> add_all(Pieces& pieces, std::uint64_t first, const std::vector<Bytes>& parts,
                              const std::vector<std::size_t>& order) {
  std::optional<Buffer> whole;
  for (const std::size_t i : order) {
    BOOST_TEST_REQUIRE(!whole.has_value());
    auto result = pieces.add(kStart, first + i, piece_of(i, parts.size(), parts[i]));
    BOOST_TEST_REQUIRE(static_cast<bool>(result));
    whole = *result;
  }
  return whole;
}

Reason refused(Pieces& pieces, Instant now, std::uint64_t counter, const Parcel& parcel) {
  const auto result = pieces.add(now, counter, parcel);
  BOOST_TEST_REQUIRE(!result);
  return result.error();
}

}  // namespace

BOOST_AUTO_TEST_CASE(cutting) {
  struct Case {
    std::size_t size;
    std::size_t room;
    std::vector<std::size_t> parts;
  };
  const Case cases[] = {
      {0, 10, {0}}, {1, 10, {1}}, {10, 10, {10}}, {11, 10, {10, 1}}, {30, 10, {10, 10, 10}}};
  for (const Case& c : cases) {
    const Buffer payload(c.size, 1);
    std::vector<std::size_t> sizes;
    for (const Bytes part : relay::cut(payload, c.room)) sizes.push_back(part.size());
    BOOST_TEST(sizes == c.parts, boost::test_tools::per_element());
  }
  BOOST_TEST(relay::cut(Buffer(65507), 1177).size() == 56U);
  BOOST_TEST(relay::cut(Buffer(255), 1).size() == 255U);
}

BOOST_AUTO_TEST_CASE(pieces_in_any_order) {
  const Buffer payload = test::Random().bytes(5);
  const auto parts = relay::cut(payload, 1);
  std::vector<std::size_t> order = {0, 1, 2, 3, 4};
  do {
    Pieces pieces;
    const auto whole = add_all(pieces, 77, parts, order);
    BOOST_TEST_REQUIRE(whole.has_value());
    BOOST_TEST_REQUIRE(same(*whole, payload));
  } while (std::ranges::next_permutation(order).found);
}

BOOST_AUTO_TEST_CASE(sixty_four_kibibytes_several_at_once) {
  test::Random random;
  std::vector<Buffer> payloads;
  for (int i = 0; i < 4; ++i) payloads.push_back(random.bytes(65507));
  Pieces pieces;
  std::size_t finished = 0;
  for (std::size_t i = 0; i < 56; ++i) {
    for (std::size_t d = 0; d < payloads.size(); ++d) {
      const auto parts = relay::cut(payloads[d], 1177);
      const std::size_t turn = d % 2 == 0 ? i : 55 - i;
      auto result = pieces.add(kStart, 1000 * d + turn, piece_of(turn, 56, parts[turn]));
      BOOST_TEST_REQUIRE(static_cast<bool>(result));
      if (!*result) continue;
      BOOST_TEST(same(**result, payloads[d]));
      ++finished;
    }
  }
  BOOST_TEST(finished == payloads.size());
}

BOOST_AUTO_TEST_CASE(memory_is_bounded_by_bytes_and_by_datagrams) {
  {
    Pieces pieces;
    const Buffer big(60000);
    std::uint64_t counter = 0;
    std::size_t kept = 0;
    while (pieces.add(kStart, counter, piece_of(0, 2, big))) {
      kept += big.size();
      counter += 10;
      BOOST_TEST_REQUIRE(kept <= Pieces::kMaxBytes);
    }
    BOOST_TEST((refused(pieces, kStart, counter, piece_of(0, 2, big)) == Reason::table_full));
    // Also the second piece of one that is there; it stays unfinished until its time is over.
    BOOST_TEST((refused(pieces, kStart, 1, piece_of(1, 2, big)) == Reason::table_full));
    const Instant later = kStart + Pieces::kTimeout + milliseconds(1);
    BOOST_TEST(static_cast<bool>(pieces.add(later, counter, piece_of(0, 2, big))));
  }
  Pieces pieces;
  for (std::uint64_t i = 0; i < Pieces::kMaxDatagrams; ++i) {
    BOOST_TEST(static_cast<bool>(pieces.add(kStart, i * 2, piece_of(0, 2, {}))));
  }
  BOOST_TEST((refused(pieces, kStart, 5000, piece_of(0, 2, {})) == Reason::table_full));
  // What is there can still be finished, and makes room.
  const auto whole = pieces.add(kStart, 1, piece_of(1, 2, {}));
  BOOST_TEST((whole && whole->has_value()));
  BOOST_TEST(static_cast<bool>(pieces.add(kStart, 5000, piece_of(0, 2, {}))));
  pieces.clear();
  for (std::uint64_t i = 0; i < Pieces::kMaxDatagrams; ++i) {
    BOOST_TEST(static_cast<bool>(pieces.add(kStart, i * 2, piece_of(0, 2, {}))));
  }
}

BOOST_AUTO_TEST_CASE(what_is_not_finished_in_time_is_forgotten) {
  const Buffer part(10);
  for (const Duration wait : {Pieces::kTimeout, Pieces::kTimeout + milliseconds(1)}) {
    Pieces pieces;
    BOOST_TEST(static_cast<bool>(pieces.add(kStart, 10, piece_of(0, 2, part))));
    const auto result = pieces.add(kStart + wait, 11, piece_of(1, 2, part));
    BOOST_TEST_REQUIRE(static_cast<bool>(result));
    BOOST_TEST(result->has_value() == (wait == Pieces::kTimeout));
  }
}

// A datagram with a lower counter that came later does not keep older ones alive.
BOOST_AUTO_TEST_CASE(time_out_whatever_the_order_of_the_counters) {
  const Buffer part(10);
  Pieces pieces;
  BOOST_TEST(static_cast<bool>(pieces.add(kStart, 100, piece_of(0, 2, part))));
  BOOST_TEST(static_cast<bool>(pieces.add(kStart + milliseconds(900), 50, piece_of(0, 2, part))));
  const auto late = pieces.add(kStart + milliseconds(1500), 101, piece_of(1, 2, part));
  BOOST_TEST_REQUIRE(static_cast<bool>(late));
  BOOST_TEST(!late->has_value());
}

BOOST_AUTO_TEST_CASE(contradictions) {
  const Buffer part(10);
  Pieces pieces;
  // A piece whose first counter would be below zero.
  BOOST_TEST((refused(pieces, kStart, 1, piece_of(2, 3, part)) == Reason::malformed));
  // Another count of pieces: the whole datagram goes, and begins anew.
  BOOST_TEST(static_cast<bool>(pieces.add(kStart, 10, piece_of(0, 3, part))));
  BOOST_TEST((refused(pieces, kStart, 11, piece_of(1, 4, part)) == Reason::malformed));
  BOOST_TEST(static_cast<bool>(pieces.add(kStart, 11, piece_of(1, 3, part))));
  const auto still = pieces.add(kStart, 12, piece_of(2, 3, part));
  BOOST_TEST((still && !still->has_value()));
  // The same piece twice.
  BOOST_TEST((refused(pieces, kStart, 12, piece_of(2, 3, part)) == Reason::malformed));
}

BOOST_AUTO_TEST_CASE(more_than_a_datagram_can_be_is_given_up) {
  Pieces pieces;
  const Buffer most(Pieces::kMaxPayload - 10);
  BOOST_TEST(static_cast<bool>(pieces.add(kStart, 10, piece_of(0, 2, most))));
  const auto whole = pieces.add(kStart, 11, piece_of(1, 2, Buffer(10)));
  BOOST_TEST((whole && *whole && (*whole)->size() == Pieces::kMaxPayload));
  BOOST_TEST(static_cast<bool>(pieces.add(kStart, 20, piece_of(0, 2, most))));
  BOOST_TEST((refused(pieces, kStart, 21, piece_of(1, 2, Buffer(11))) == Reason::too_large));
  // Nothing of it is left.
  BOOST_TEST(static_cast<bool>(pieces.add(kStart, 20, piece_of(0, 2, {}))));
}

BOOST_AUTO_TEST_CASE(any_order_of_many) {
  test::Random random;
  for (int round = 0; round < 50; ++round) {
    struct One {
      std::size_t datagram;
      std::size_t piece;
    };
    std::vector<Buffer> payloads;
    std::vector<One> order;
    for (std::size_t d = 0; d < 20; ++d) {
      payloads.push_back(random.bytes(random.below(3000)));
      const std::size_t count = relay::cut(payloads[d], 500).size();
      for (std::size_t p = 0; p < count; ++p) order.push_back({d, p});
    }
    random.shuffle(order);
    Pieces pieces;
    std::size_t finished = 0;
    for (const One& one : order) {
      const auto parts = relay::cut(payloads[one.datagram], 500);
      const auto result = pieces.add(kStart, 100 * one.datagram + one.piece,
                                     piece_of(one.piece, parts.size(), parts[one.piece]));
      BOOST_TEST_REQUIRE(static_cast<bool>(result));
      if (!*result) continue;
      BOOST_TEST_REQUIRE(same(**result, payloads[one.datagram]));
      ++finished;
    }
    BOOST_TEST(finished == payloads.size());
  }
}
