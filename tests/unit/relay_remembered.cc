// The list of local members as text.
#define BOOST_TEST_MODULE relay_remembered
#include <boost/test/unit_test.hpp>

#include "relay/remembered.h"

using namespace tribecast;
using namespace tribecast::relay;

namespace {

std::vector<Remembered> two() {
  Remembered first;
  first.member.group = "tomcat";
  first.member.identity = {{10, 0, 0, 1}, 4000, {1, 2, 3}};
  first.member.domain = "d 1\n";
  first.member.alive = milliseconds(1500);
  first.member.source = *Endpoint::parse("10.0.0.1:45564");
  first.member.destination = *Endpoint::parse("228.0.0.4:45564");
  first.watched = true;
  Remembered second = first;
  second.member.identity.port = 4001;
  second.member.domain.clear();
  second.watched = false;
  return {first, second};
}

const std::string kTwo =
    "tribecast members 1\n"
    "tomcat 0a000001 4000 01020300000000000000000000000000 6420310a 1500 10.0.0.1:45564 "
    "228.0.0.4:45564 watched\n"
    "tomcat 0a000001 4001 01020300000000000000000000000000 - 1500 10.0.0.1:45564 "
    "228.0.0.4:45564 unwatched\n"
    "end 2\n";

}  // namespace

BOOST_AUTO_TEST_CASE(there_and_back) {
  BOOST_TEST(to_text(two()) == kTwo);
  const auto back = parse_remembered(kTwo);
  BOOST_TEST_REQUIRE(static_cast<bool>(back));
  BOOST_TEST((*back == two()));
  BOOST_TEST(parse_remembered(to_text({}))->empty());
}

BOOST_AUTO_TEST_CASE(what_is_left_of_a_longer_list_is_not_looked_at) {
  BOOST_TEST(parse_remembered(kTwo + "tomcat 0a000001 4001 0102\nend 7\n")->size() == 2U);
}

BOOST_AUTO_TEST_CASE(a_list_cut_anywhere_is_refused) {
  for (std::size_t size = 0; size + 1 < kTwo.size(); ++size) {
    BOOST_TEST(!parse_remembered(kTwo.substr(0, size)), size);
  }
}

BOOST_AUTO_TEST_CASE(errors_say_where) {
  const auto error_of = [](const std::string& text) { return parse_remembered(text).error(); };
  BOOST_TEST(error_of("x\n") == "line 1: it is no list of members");
  BOOST_TEST(error_of("tribecast members 1\nx\n") == "line 2: it is no member");
  BOOST_TEST(error_of("tribecast members 1\n") ==
             "the list has no end: it was not written completely");
}
