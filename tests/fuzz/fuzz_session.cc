// What a member of the cluster may send about sessions: any bytes as a message, and as each
// payload. What is understood can be written and is understood again; a store that hears it keeps
// its books.
#include "base/check.h"
#include "engine/session/change.h"
#include "engine/session/handover.h"
#include "engine/session/store.h"
#include "engine/session/transfer.h"

using namespace tribecast;
using namespace tribecast::session;

namespace {

const Clock kClock = {Instant{} + std::chrono::hours(1000), 1'700'000'000'000};

void check_payloads(Bytes bytes) {
  if (const auto delta = parse_delta(bytes)) {
    const auto again = parse_delta(compose_delta(*delta));
    TC_CHECK(static_cast<bool>(again));
    TC_CHECK(again->actions.size() == delta->actions.size());
  }
  for (const Dialect dialect : {Dialect::tomcat7, Dialect::tomcat8}) {
    if (const auto list = parse_list(bytes, dialect)) {
      const auto again = parse_list(compose_list(*list, dialect), dialect);
      TC_CHECK(static_cast<bool>(again));
      TC_CHECK(again->size() == list->size());
    }
    if (const auto object = parse_session(bytes, dialect)) {
      compose_session(object->record, object->shape, dialect);
    }
  }
  if (const auto id = parse_new_id(bytes)) TC_CHECK(*parse_new_id(compose_new_id(*id)) == *id);
}

void transfer(const Store& store, const std::string& context) {
  Store other({});
  Transfer state(store, context, Dialect::tomcat8, kClock);
  while (const auto message = state.next(store, kClock)) {
    const auto heard = parse_message(compose_message(*message));
    TC_CHECK(static_cast<bool>(heard));
    TC_CHECK(other.on_message(*heard, kClock).verdict == Verdict::done);
  }
}

void hear(Message message, Bytes bytes) {
  Store store({.memory_limit_bytes = 1U << 20U, .max_held_sessions = 2});
  store.on_message(message, kClock);
  // The same bytes as every payload, about one session.
  for (const Event event : {Event::delta, Event::all_data, Event::created, Event::change_id,
                            Event::accessed, Event::all_data, Event::expired, Event::delta}) {
    message.event = static_cast<std::int32_t>(event);
    message.payload = copy_of(bytes);
    store.on_message(message, kClock);
    TC_CHECK(store.memory_bytes() < 100U << 20U);
  }
  for (const std::string& context : store.contexts()) transfer(store, context);
  Clock later = kClock;
  later.now += std::chrono::hours(24 * 365 * 200);  // beyond every time-out
  for (int i = 0; i < 40; ++i) store.on_timer(later);
}

// What a disk or another engine gave: any bytes as a record, and as a list of them.
void restore(Bytes bytes) {
  Store store({.tracks_changes = true});
  const Buffer key = saved_key("c", "s");
  store.restore(key, bytes, kClock);
  store.restore(bytes, bytes, kClock);
  store.restored(kClock, seconds(1), true);
  store.merge(bytes, kClock);
  Store other({});
  Handover all(store, "*", Dialect::tomcat8);
  while (const auto message = all.next(store, kClock)) {
    if (message->payload) TC_CHECK(other.merge(*message->payload, kClock) == Verdict::done);
  }
  const bool is_one = store.restore(saved_key("c", "another"), bytes, kClock);
  for (const Saved& saved : store.take_changes(kClock, SIZE_MAX)) {
    if (is_one && saved.value) TC_CHECK(Store({}).restore(saved.key, *saved.value, kClock));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes bytes(data, size);
  check_payloads(bytes);
  restore(bytes);
  Message message;
  message.time_ms = kClock.wall_ms;
  message.context = "c";
  message.session_id = "s";
  if (const auto parsed = parse_message(bytes)) {
    TC_CHECK(parse_message(compose_message(*parsed))->payload == parsed->payload);
    message = *parsed;
    if (message.payload) check_payloads(*message.payload);
  }
  hear(message, message.payload.value_or(copy_of(bytes)));
  return 0;
}
