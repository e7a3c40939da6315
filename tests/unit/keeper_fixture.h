// One keeper and what it wants sent, and messages of Tomcats for it.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "channel_fixture.h"
#include "engine/keeper/keeper.h"
#include "java_fixture.h"
#include "session_fixture.h"

namespace tribecast::keeper::test {

using channel::test::member;
using channel::test::moment;
using session::Event;

inline Buffer golden(const std::string& version, const std::string& name) {
  return tribecast::test::java_stream(version + "/session/" + name + ".bin");
}

struct Node {
  explicit Node(const Settings& settings = {}, Duration started = {})
      : keeper(settings, channel::test::at(started)), time(started) {}

  [[nodiscard]] channel::Moment now() const {
    channel::Moment moment = channel::test::moment(time);
    moment.wall_milliseconds += static_cast<std::uint64_t>(ahead.count());
    return moment;
  }
  channel::Receipt hear(Bytes body, const tribes::OwnedMember& from = member(1),
                        std::uint32_t options = 6) {
    channel::Outbox out;
    const channel::Receipt receipt = keeper.receive(
        now(), {++deliveries, from, options, now().wall_milliseconds, {}, body}, out);
    take(out);
    return receipt;
  }
  channel::Receipt hear(const session::Message& message,
                        const tribes::OwnedMember& from = member(1)) {
    return hear(session::compose_message(message), from);
  }
  void member_event(channel::MemberChange change, const tribes::OwnedMember& who) {
    channel::Outbox out;
    keeper.on_member(now(), {change, who}, out);
    take(out);
  }
  void came(const tribes::OwnedMember& who) { member_event(channel::MemberChange::came, who); }
  void lost(const tribes::OwnedMember& who) { member_event(channel::MemberChange::lost, who); }
  void wait(Duration so_long) {
    time += so_long;
    channel::Outbox out;
    keeper.on_timer(now(), out);
    take(out);
  }
  // What it wants sent first; it becomes of it what `outcome` says.
  session::Message sent(channel::SendOutcome outcome = channel::SendOutcome::acknowledged) {
    if (outgoing.empty()) throw std::runtime_error("nothing is sent");
    channel::Outgoing first = std::move(outgoing.front());
    outgoing.pop_front();
    last_options = first.options;
    last_to = first.to->identity;
    channel::Outbox out;
    keeper.on_sent(now(), first.id, first.to->identity, outcome, out);
    take(out);
    last_body = first.body;
    return *session::parse_message(first.body);
  }
  void take(channel::Outbox& out) {
    for (channel::Outgoing& one : out.messages) outgoing.push_back(std::move(one));
    for (const channel::Settlement& one : out.settled) settled.push_back(one);
  }
  std::size_t count_notices(NoticeKind kind) {
    for (Notice& notice : keeper.take_notices()) notices.push_back(std::move(notice));
    return static_cast<std::size_t>(std::ranges::count(notices, kind, &Notice::kind));
  }

  Keeper keeper;
  Duration time;
  milliseconds ahead{};  // its wall clock has been set
  channel::DeliveryId deliveries = 0;
  std::deque<channel::Outgoing> outgoing;
  std::vector<channel::Settlement> settled;
  std::vector<Notice> notices;
  std::uint32_t last_options = 0;
  tribes::Identity last_to;
  Buffer last_body;
};

// An attribute of a session that this message creates.
inline session::Message first_request(const std::string& id, std::int64_t time_ms,
                                      const std::string& text = "x") {
  return tribecast::test::delta(id, time_ms,
                                {tribecast::test::set(session::ActionType::is_new, "__SET__ISNEW__",
                                                      tribecast::test::boolean_value(true)),
                                 tribecast::test::set("cart", text)});
}

inline session::Message get_all(const std::string& context = tribecast::test::kContext) {
  // Its clock is ahead of the engine's.
  session::Message message =
      tribecast::test::event(Event::get_all, "GET-ALL", tribecast::test::kStart + 3'600'000);
  message.context = context;
  return message;
}

inline session::Message complete(const std::string& context = tribecast::test::kContext) {
  session::Message message = tribecast::test::event(Event::transfer_complete, "", 0);
  message.context = context;
  return message;
}

inline tribes::OwnedMember engine(std::uint8_t last, std::uint64_t alive) {
  tribes::OwnedMember made = member(last, alive);
  made.payload = copy_of(bytes_of(kEnginePayload));
  return made;
}

}  // namespace tribecast::keeper::test
