// `ack = peer`: who waits for an acknowledgement has it once another engine holds what the message
// changed. What is waited for goes to one other engine as a digest_message.h `records`, which it
// acknowledges when it has merged it; whatever came while one was under way is the next one, so a
// hundred senders cost one message. An engine that does not take it is followed by the next one;
// when none does, the senders are refused, though what they said is kept here.
//
// An engine never waits before it acknowledges another engine: two of them cannot wait for each
// other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "engine/channel/application.h"
#include "engine/keeper/send_ids.h"
#include "engine/session/store.h"

namespace tribecast::keeper {

struct CopyCounters {
  std::uint64_t copied = 0;   // messages of which another engine has confirmed what they changed
  std::uint64_t refused = 0;  // of which none has
};

class Copies {
 public:
  static constexpr std::size_t kBatchBytes = 1U << 20U;  // about, and one session may be larger

  // Of engines alone.
  void on_came(const tribes::OwnedMember& engine);
  void on_gone(const tribes::Identity& engine);

  // Somebody waits for what this message has changed; `pending` is settled by step() or on_sent().
  channel::Receipt add(channel::DeliveryId delivery, const session::Message& message,
                       const session::Store& store);
  // Sends what waits, unless something is under way.
  void step(const session::Store& store, session::Clock clock, channel::Outbox& out);
  void on_sent(channel::SendId id, channel::SendOutcome outcome, channel::Outbox& out);

  [[nodiscard]] bool has_engine() const { return !engines_.empty(); }
  // Who waited last was refused.
  [[nodiscard]] bool fails() const { return fails_; }
  [[nodiscard]] const CopyCounters& counters() const { return counters_; }

 private:
  struct Waiting {
    channel::DeliveryId delivery = 0;
    std::string context;
    std::vector<std::string> ids;
  };
  struct Batch {
    std::vector<channel::DeliveryId> deliveries = {};
    Buffer body = {};
    std::size_t tries = 0;  // so many engines did not take it
    channel::SendId sent = 0;
  };

  void fill(Batch& batch, const session::Store& store, session::Clock clock);
  void send(channel::Outbox& out);
  void settle(bool good, channel::Outbox& out);

  std::deque<tribes::OwnedMember> engines_;  // the first one is sent to
  std::deque<Waiting> waiting_;
  std::optional<Batch> under_way_;
  bool fails_ = false;
  channel::SendId last_send_ = first_id_of(Sender::copies);
  CopyCounters counters_;
};

}  // namespace tribecast::keeper
