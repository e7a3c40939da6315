#define BOOST_TEST_MODULE session_text
#include <boost/test/unit_test.hpp>
#include <utility>

#include "engine/session/session.h"
#include "engine/session/text.h"

using namespace tribecast;
using namespace tribecast::session;

BOOST_AUTO_TEST_CASE(a_text_is_what_it_was_made_of) {
  const std::string long_one(100'000, 'x');
  const std::string with_zero("a\0b", 3);
  for (const std::string& text : {std::string(), std::string("A"), with_zero, long_one}) {
    const Text kept(text);
    BOOST_TEST(kept.view() == text);
    BOOST_TEST(kept.str() == text);
    BOOST_TEST((kept == Text(text)));
    BOOST_TEST((kept == std::string_view(text)));
    BOOST_TEST((kept != Text(text + "x")));
  }
}

BOOST_AUTO_TEST_CASE(a_value_stands_behind_its_name) {
  const NamedValue cart("cart", bytes_of("books"));
  BOOST_TEST(cart.name() == "cart");
  BOOST_TEST(view_of(cart.value()) == "books");
  BOOST_TEST(cart.size() == 9U);
  const NamedValue unnamed({}, bytes_of("alice"));
  BOOST_TEST(unnamed.name().empty());
  BOOST_TEST(view_of(unnamed.value()) == "alice");
  const NamedValue removed("cart", {});
  BOOST_TEST(removed.name() == "cart");
  BOOST_TEST(removed.value().empty());
}

BOOST_AUTO_TEST_CASE(nothing_is_an_empty_value) {
  NamedValue none;
  BOOST_TEST(none.name().empty());
  BOOST_TEST(none.value().empty());
  none = NamedValue("cart", bytes_of("books"));
  const NamedValue moved = std::move(none);
  BOOST_TEST(moved.name() == "cart");
}

// There are very many of them: what one of these grows by, a store grows by megabytes.
BOOST_AUTO_TEST_CASE(a_session_and_its_properties_are_small) {
  BOOST_TEST(sizeof(Text) <= 8U);
  BOOST_TEST(sizeof(Entry) <= 32U);
  BOOST_TEST(sizeof(Session) <= 104U);
}
