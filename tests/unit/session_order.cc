// A million deltas in an order of chance, from several Tomcats, with removals, changes of id,
// logouts and creations anywhere among them: the state is always that of the latest times.
#define BOOST_TEST_MODULE session_order
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <map>

#include "session_fixture.h"

using namespace tribecast;
using namespace tribecast::session;
using test::kContext;
using test::kStart;

namespace {

// What the sessions must be in the end: kept by the sender, in the order of time.
struct Truth {
  std::map<std::string, std::map<std::string, Value>> sessions;
  std::vector<Message> messages;
};

// One session's life, each message one millisecond after the one before.
void live(Truth& truth, test::Random& random, std::size_t number, std::size_t deltas) {
  const std::string base = "session" + std::to_string(number);
  std::string id = base + ".0";
  std::int64_t time = kStart + static_cast<std::int64_t>(random.below(1000));
  std::map<std::string, Value> attributes;
  truth.messages.push_back(test::event(Event::created, id, time));
  for (std::size_t i = 0; i < deltas; ++i) {
    const std::string name = "a" + std::to_string(random.below(5));
    ++time;
    if (random.below(10) == 0) {
      attributes.erase(name);
      truth.messages.push_back(test::delta(id, time, {test::removed(name)}));
    } else {
      const Value value = test::integer_value(static_cast<std::int32_t>(random.below(1U << 30U)));
      attributes[name] = value;
      truth.messages.push_back(
          test::delta(id, time, {test::set(ActionType::attribute, name, value)}));
    }
    if (random.below(40) != 0) continue;
    const std::string next = base + "." + std::to_string(random.below(3));
    if (next == id) continue;
    truth.messages.push_back(test::change(id, next, ++time));
    id = next;
  }
  if (random.below(10) == 0) {
    truth.messages.push_back(test::event(Event::expired, id, ++time));
  } else {
    truth.sessions[id] = attributes;
  }
}

void check(const Truth& truth, const Store& store) {
  const Instant now = test::at_second(10).now;
  BOOST_TEST(store.ids(kContext, now).size() == truth.sessions.size());
  std::size_t wrong = 0;
  for (const auto& [id, attributes] : truth.sessions) {
    const Session* session = store.find(kContext, id, now);
    if (session == nullptr) {
      ++wrong;
      continue;
    }
    const Record record = session->record(id);
    const std::map<std::string, Value> found(record.attributes.begin(), record.attributes.end());
    wrong += found == attributes ? 0U : 1U;
  }
  BOOST_TEST(wrong == 0U);
}

std::size_t deltas_wanted() {
  const char* text = std::getenv("TRIBECAST_SESSION_DELTAS");
  return text == nullptr ? 20'000 : std::strtoul(text, nullptr, 10);
}

}  // namespace

BOOST_AUTO_TEST_CASE(shuffled_deltas_give_the_right_state) {
  test::Random random;
  for (std::size_t left = deltas_wanted(); left > 0;) {
    const std::size_t now = std::min<std::size_t>(left, 20'000);
    left -= now;
    Truth truth;
    for (std::size_t i = 0; i < 100; ++i) live(truth, random, i, now / 100);
    random.shuffle(truth.messages);
    Store store({});
    for (const Message& message : truth.messages) store.on_message(message, test::at_second(10));
    check(truth, store);
  }
}
