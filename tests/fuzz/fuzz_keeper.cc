// What members do to an engine: they come, say anything, ask, take or refuse what they are given,
// go; meanwhile commits succeed and fail. Each delivery that waits is settled once, and who asked
// is told the end.
#include <set>

#include "base/check.h"
#include "engine/keeper/keeper.h"
#include "engine/session/message.h"

using namespace tribecast;
using namespace tribecast::keeper;

namespace {

struct Player {
  Player(Bytes input, AckLevel ack) : in(input), keeper(settings(ack), now().now) {
    tribes::OwnedMember self;
    self.identity = {{9, 0, 0, 1}, 4000, {}};  // lower than all others: it heals
    keeper.begin(self, now());
  }

  static Settings settings(AckLevel ack) {
    Settings made;
    made.store.memory_limit_bytes = 1U << 20U;
    made.store.tracks_changes = true;
    made.store.held_age = seconds(5);
    made.transfer.batch_sessions = 2;
    made.ack = ack;
    return made;
  }
  [[nodiscard]] channel::Moment now() const {
    return {Instant{} + std::chrono::hours(1000) + passed,
            1'700'000'000'000 + static_cast<std::uint64_t>(passed.count() / 1'000'000)};
  }
  tribes::OwnedMember member() {
    const std::uint8_t which = in.u8();
    tribes::OwnedMember made;
    made.identity = {{10, 0, 0, static_cast<std::uint8_t>(which % 4U)}, 4000, {}};
    made.alive_milliseconds = static_cast<std::uint64_t>(which) * 1000;
    if (which >= 192) made.payload = copy_of(bytes_of(kEnginePayload));
    return made;
  }
  void take(channel::Outbox& out) {
    for (channel::Outgoing& one : out.messages) {
      TC_CHECK(one.id != 0 && one.to && session::parse_message(one.body));
      sent.push_back(std::move(one));
    }
    for (const channel::Settlement& one : out.settled) TC_CHECK(waiting.erase(one.id) == 1);
  }
  void receive(Bytes body) {
    const tribes::OwnedMember from = member();
    channel::Outbox out;
    const auto receipt = keeper.receive(now(), {++last, from, in.u8(), 0, {}, body}, out);
    if (receipt == channel::Receipt::pending) waiting.insert(last);
    take(out);
  }
  void ask(std::string_view context) {
    session::Message message;
    message.event = static_cast<std::int32_t>(session::Event::get_all);
    message.context = context;
    receive(session::compose_message(message));
  }
  // Whatever engines tell each other, with any payload; and a list with the ticket that was given.
  void engine_event() {
    session::Message message;
    message.event = static_cast<std::int32_t>(EngineEvent::digests) + in.u8() % 8;
    message.context = kEveryContext;
    message.payload = copy_of(in.take(std::min<std::size_t>(in.u16be(), in.left())));
    receive(session::compose_message(message));
  }
  void verify() {
    std::vector<tribes::OwnedMember> members;
    for (std::size_t i = 0; i < 3; ++i) members.push_back(member());
    keeper.begin_verify(now(), members);
    keeper.take_verified();
  }
  void outcome() {
    if (sent.empty()) return;
    const channel::Outgoing one = std::move(sent.front());
    sent.pop_front();
    channel::Outbox out;
    keeper.on_sent(now(), one.id, one.to->identity, static_cast<channel::SendOutcome>(in.u8() % 5U),
                   out);
    take(out);
  }
  void come_or_go(channel::MemberChange change) {
    channel::Outbox out;
    keeper.on_member(now(), {change, member()}, out);
    take(out);
  }
  void wait() {
    passed += milliseconds(in.u16be());
    channel::Outbox out;
    keeper.on_timer(now(), out);
    take(out);
  }
  void commit(bool good) {
    channel::Outbox out;
    if (keeper.has_changes()) {
      keeper.begin_commit(now());
      keeper.end_commit(good, out);
    }
    take(out);
  }
  void play() {
    while (in.left() > 0) {
      switch (in.u8() % 11U) {
        case 0: {
          const std::uint16_t size = in.u16be();
          receive(in.take(size));
          break;
        }
        case 1:
          come_or_go(channel::MemberChange::came);
          break;
        case 2:
          come_or_go(channel::MemberChange::lost);
          break;
        case 3:
          outcome();
          break;
        case 4:
          wait();
          break;
        case 5:
          commit(true);
          break;
        case 6:
          commit(false);
          break;
        case 7:
          ask("localhost#/app");
          break;
        case 8:
          ask(kEveryContext);
          break;
        case 9:
          engine_event();
          break;
        case 10:
          verify();
          break;
      }
    }
  }

  ByteReader in;
  Duration passed{};
  Keeper keeper;
  channel::DeliveryId last = 0;
  std::set<channel::DeliveryId> waiting;
  std::deque<channel::Outgoing> sent;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  for (const AckLevel ack : {AckLevel::disk, AckLevel::peer}) {
    Player player(Bytes(data, size), ack);
    player.play();
    while (player.keeper.has_changes()) player.commit(true);
    while (!player.sent.empty()) player.outcome();
    TC_CHECK(player.waiting.empty());
    TC_CHECK(player.keeper.answers().running() == 0);
  }
  return 0;
}
