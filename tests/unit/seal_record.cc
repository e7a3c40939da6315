// Records on a disk: what is sealed comes back, and nothing else does.
#define BOOST_TEST_MODULE seal_record
#include <boost/test/unit_test.hpp>

#include "seal/record.h"
#include "seal_fixture.h"

using namespace tribecast;
using namespace tribecast::seal;
using test::filled_key;

using test::SodiumReady;
BOOST_TEST_GLOBAL_FIXTURE(SodiumReady);

namespace {

Keyring ring_of(std::vector<std::uint8_t> ids, std::uint8_t primary) {
  Keyring ring;
  for (const std::uint8_t id : ids) ring.keys.push_back({id, filled_key(id)});
  ring.primary_id = primary;
  return ring;
}

Buffer text(const std::string& of) { return copy_of(bytes_of(of)); }

bool holds(const Buffer& bytes, const std::string& what) {
  return view_of(bytes).find(what) != std::string_view::npos;
}

}  // namespace

BOOST_AUTO_TEST_CASE(what_is_sealed_comes_back_and_shows_nothing) {
  const RecordSeal seal(ring_of({1}, 1));
  const Record sealed = seal.seal(text("localhost#/app 8A2F"), text("a book"), system_random());
  BOOST_TEST(RecordSeal::is_sealed(sealed.key));
  BOOST_TEST(!holds(sealed.key, "8A2F"));
  BOOST_TEST(!holds(sealed.value, "8A2F"));
  BOOST_TEST(!holds(sealed.value, "book"));
  const auto opened = seal.open(sealed.key, sealed.value);
  BOOST_TEST_REQUIRE(static_cast<bool>(opened));
  BOOST_TEST((*opened == Record{text("localhost#/app 8A2F"), text("a book")}));
  const Record empty = seal.seal({}, {}, system_random());
  BOOST_TEST(empty.value.size() == RecordSeal::kOverhead);
  BOOST_TEST((*seal.open(empty.key, empty.value) == Record{}));
}

BOOST_AUTO_TEST_CASE(one_key_has_one_place_and_each_value_looks_new) {
  const RecordSeal seal(ring_of({1}, 1));
  const Record first = seal.seal(text("a"), text("x"), system_random());
  const Record second = seal.seal(text("a"), text("x"), system_random());
  BOOST_TEST((first.key == second.key));
  BOOST_TEST((first.value != second.value));
  BOOST_TEST((seal.key_of(text("a")) == first.key));
  BOOST_TEST((seal.key_of(text("b")) != first.key));
}

BOOST_AUTO_TEST_CASE(any_flipped_bit_is_seen) {
  const RecordSeal seal(ring_of({1, 2}, 1));
  const Record sealed = seal.seal(text("key"), text("value"), system_random());
  for (std::size_t bit = 0; bit < 8 * sealed.value.size(); ++bit) {
    Buffer flipped = sealed.value;
    flipped[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    BOOST_TEST((seal.open(sealed.key, flipped).error() == RecordError::forged));
  }
  for (std::size_t bit = 0; bit < 8 * sealed.key.size(); ++bit) {
    Buffer flipped = sealed.key;
    flipped[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    BOOST_TEST(!seal.open(flipped, sealed.value));
  }
  // A value belongs to its key.
  const Record other = seal.seal(text("other"), text("value"), system_random());
  BOOST_TEST((seal.open(sealed.key, other.value).error() == RecordError::forged));
  for (std::size_t size = 0; size < sealed.value.size(); ++size) {
    BOOST_TEST(!seal.open(sealed.key, Bytes(sealed.value).first(size)));
  }
}

BOOST_AUTO_TEST_CASE(keys_change) {
  const Record old = RecordSeal(ring_of({1}, 1)).seal(text("a"), text("x"), system_random());
  const RecordSeal both(ring_of({1, 2}, 2));
  BOOST_TEST(static_cast<bool>(both.open(old.key, old.value)));
  BOOST_TEST(!both.is_current(old.key));
  BOOST_TEST(both.is_current(both.key_of(text("a"))));
  BOOST_TEST((both.key_of(text("a")) != old.key));
  const RecordSeal gone(ring_of({2}, 2));
  BOOST_TEST((gone.open(old.key, old.value).error() == RecordError::no_key));
}
