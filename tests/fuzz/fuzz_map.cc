// What a member of the cluster may send about replicated maps: any bytes as a message, as the
// object of a remote call, as a value and as a diff. What is understood can be written and is
// understood again, and an engine that hears it keeps its books.
#include "base/check.h"
#include "engine/map/replica.h"

using namespace tribecast;
using namespace tribecast::map;

namespace {

void check_values(Bytes bytes) {
  if (const auto list = parse_list(bytes)) {
    const auto again = parse_list(compose_list(*list, {}));
    TC_CHECK(again && *again == *list);
  }
  if (const auto state = parse_state(bytes))
    TC_CHECK(*parse_state(compose_state(*state)) == *state);
  Value value;
  value.add(bytes, 1'700'000'000'000);
  if (!value.fill(bytes)) return;
  value.touch(1'700'000'000'000);
  Value again;
  TC_CHECK(again.set(value.bytes()));
}

void check_message(const Parsed& parsed) {
  const Message& message = parsed.message;
  const auto again = parse_message(compose_message(message, parsed.versions));
  TC_CHECK(again && again->message == message);
  const auto object = parse_object(compose_object(message, {}));
  TC_CHECK(object && object->message == message);
  if (message.value) check_values(*message.value);
  if (message.diff_value) check_values(*message.diff_value);
}

Member member(std::uint8_t number) {
  Member member;
  member.identity = {{10, 0, 0, number}, 4000, {number}};
  return member;
}

Clock at_second(int second) {
  return {Instant{} + std::chrono::hours(1000) + seconds(second), 1'700'000'000'000 + second};
}

// The same message as every type, from two members, with answers to all that is asked.
void hear(const Parsed& parsed, Bytes bytes) {
  Replica replica(member(9), {.memory_limit_bytes = 1U << 20U, .max_open_fetches = 2});
  const Versions& versions = parsed.versions;
  Actions out;
  int second = 0;
  for (const std::int32_t type :
       {parsed.message.type, 3, 1, 13, 12, 9, 2, 11, 5, 10, 6, 4, 3, 7, 1}) {
    Parsed heard = parsed;
    heard.message.type = type;
    const Member sender = member(static_cast<std::uint8_t>(1 + second % 2));
    replica.on_message(heard, sender, at_second(++second), out);
    if (const auto answer = replica.on_request(heard, sender, at_second(second), out)) {
      TC_CHECK(same(*answer, kNullObject) || parse_object(*answer));
    }
    const Actions sent = std::exchange(out, {});
    for (const Action& action : sent) {
      if (action.call == 0)
        TC_CHECK(static_cast<bool>(parse_message(action.bytes)));
      else if (action.call % 3 == 0)
        replica.on_silence(action.call, at_second(second), out);
      else if (action.call % 3 == 1)
        replica.on_answer(action.call, bytes, at_second(second), out);
      else
        replica.on_answer(action.call, compose_object(heard.message, versions), at_second(second),
                          out);
    }
    replica.on_timer(at_second(second), out);
    TC_CHECK(replica.memory_bytes() < 100U << 20U);
  }
  replica.on_gone(member(1).identity, at_second(second), out);
  replica.on_gone(member(2).identity, at_second(second), out);
  // Beyond every time-out nothing is left but what never ends.
  Clock later = at_second(second);
  later.now += std::chrono::hours(24 * 365 * 200);
  for (int i = 0; i < 40; ++i) replica.on_timer(later, out);
  later.now += std::chrono::hours(24);  // tombstones, too
  replica.on_timer(later, out);
  if (replica.entry_count() == 0) TC_CHECK(replica.memory_bytes() == 0);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes bytes(data, size);
  check_values(bytes);
  for (const auto& parsed : {parse_message(bytes), parse_object(bytes)}) {
    if (!parsed) continue;
    check_message(*parsed);
    hear(*parsed, bytes);
  }
  return 0;
}
