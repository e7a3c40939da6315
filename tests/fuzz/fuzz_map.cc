// What a member of the cluster may send about replicated maps: any bytes as a message, as the
// object of a remote call, as a value and as a diff. What is understood can be written and is
// understood again.
#include "base/check.h"
#include "engine/map/message.h"
#include "engine/map/value.h"

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
  const auto again = parse_message(compose_message(message, parsed.shapes));
  TC_CHECK(again && again->message == message);
  const auto object = parse_object(compose_object(message, {}));
  TC_CHECK(object && object->message == message);
  if (message.value) check_values(*message.value);
  if (message.diff_value) check_values(*message.diff_value);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes bytes(data, size);
  check_values(bytes);
  if (const auto parsed = parse_message(bytes)) check_message(*parsed);
  if (const auto parsed = parse_object(bytes)) check_message(*parsed);
  return 0;
}
