// What stands above the channel: the store of sessions, and whatever else a member does with
// messages.
//
// Receive, store and forward are three steps, and nothing here ties one to another. A message is
// received by Application::receive(), which says whether it is done with it. When storing takes
// longer, it says `pending`, and settles the delivery later, from any other call: only then is a
// sender that waits for it acknowledged. Forwarding is sending: a message with any body, to one
// member or to all, under the unique id and options of another one if that is meant, from within
// any call.
//
// All calls come from one thread, with the clocks read once. The application acts only by what it
// puts into the Outbox of the call; it owns no socket, clock or thread.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/time.h"
#include "engine/channel/interceptor.h"
#include "engine/channel/membership.h"
#include "tribes/owned_member.h"

namespace tribecast::channel {

using DeliveryId = std::uint64_t;  // of a received message; never used twice
using SendId = std::uint64_t;      // the application's own; 0 = it wants to hear no more of it

// A message that came, whole and in the clear. Borrowed: valid during the call alone.
struct Delivery {
  DeliveryId id = 0;
  // As its message announces it; it need not be a member, and the network proves nothing of it.
  const tribes::OwnedMember& sender;
  std::uint32_t options = 0;  // as sent: option::kByteMessage says that the body is no Java stream
  std::uint64_t timestamp_milliseconds = 0;  // by the sender's clock
  Bytes unique_id;                           // of the message
  Bytes body;
};

enum class Receipt : std::uint8_t {
  done,     // taken in: a sender that waits is acknowledged now
  pending,  // not yet: it is settled later, once, by its id
  // Not taken in: a sender that waits for processing gets FAIL_ACK, an error in its log. Never for
  // what is only not understood.
  refused,
  // Done, and nobody here serves it: a remote call is answered so at once (NoRpcChannelReply), so
  // that its sender does not wait.
  not_served,
};

struct Outgoing {
  SendId id = 0;
  // Where to, by what it announces, a member or not; nullopt = every member that is up now.
  std::optional<tribes::OwnedMember> to;
  std::uint32_t options = 0;  // what acknowledgement to ask for: option::*
  Buffer body;
  // To forward a message as what it is. Without one a new id is made.
  std::optional<Buffer> unique_id;
};

enum class SendOutcome : std::uint8_t {
  acknowledged,  // taken in, by what the options asked for
  refused,       // FAIL_ACK, and so when repeated
  written,       // no acknowledgement was asked for; it may be lost with its connection
  failed,        // not delivered within its time and one repetition; it may have come all the same
  no_room,       // not tried: too much waits for this member
};

struct Settlement {
  DeliveryId id = 0;
  bool good = true;  // false = refused
};

// In the order of each list; messages to one member are delivered in the order in which they were
// sent.
struct Outbox {
  std::vector<Outgoing> messages;
  std::vector<Settlement> settled;
};

class Application {
 public:
  Application() = default;
  Application(const Application&) = delete;
  Application& operator=(const Application&) = delete;
  virtual ~Application() = default;

  // A message of a sender that repeats itself comes once.
  virtual Receipt receive(const Moment& moment, const Delivery& delivery, Outbox& out) = 0;

  // Somebody came or is gone. The members that are up now are those that came and are not gone.
  virtual void on_member(const Moment& moment, const MemberEvent& event, Outbox& out) = 0;

  // What became of a message with an id; once for each member that it went to. None came of one to
  // all when there was no member.
  virtual void on_sent(const Moment& moment, SendId id, const tribes::Identity& to,
                       SendOutcome outcome, Outbox& out) = 0;

  // At next_deadline() or later.
  virtual void on_timer(const Moment& moment, Outbox& out) = 0;
  // kNever when nothing is to be done.
  [[nodiscard]] virtual Instant next_deadline() const = 0;

  // Whether this member can give a starting Tomcat its state. Tomcat asks the one that is alive the
  // longest, once, and waits for a minute: until this is true the engine announces that it is
  // young.
  [[nodiscard]] virtual bool has_state() const = 0;
};

}  // namespace tribecast::channel
