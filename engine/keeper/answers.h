// Giving back: what members that ask for the state of a context get. One list at a time to each
// member, the next after its acknowledgement, contexts one after another; members side by side.
// What it sends stands beside live traffic and holds none of it up.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <variant>

#include "engine/channel/application.h"
#include "engine/session/handover.h"
#include "engine/session/store.h"
#include "engine/session/transfer.h"

namespace tribecast::keeper {

// An engine asks another one with this in the place of a context's name. The answer is a Handover
// of this name. No Tomcat has a context of this name.
inline constexpr std::string_view kEveryContext = "*tribecast: every context";

struct AnswerCounters {
  std::uint64_t asked = 0;
  std::uint64_t completed = 0;
  std::uint64_t refused = 0;    // lists that the member could not take in (FAIL_ACK)
  std::uint64_t given_up = 0;   // the member is gone, or took nothing
  std::uint64_t not_begun = 0;  // too many were asked for at once
};

class Answers {
 public:
  // Of one member, that wait for their turn; members at once.
  static constexpr std::size_t kMaxWaiting = 10'001;
  static constexpr std::size_t kMaxMembers = 1024;

  explicit Answers(const session::TransferSettings& settings) : settings_(settings) {}

  // `to` asks. Its first list is in `out` when it returns, unless another one is on its way to it.
  void ask(const tribes::OwnedMember& to, const session::Message& question,
           const session::Store& store, session::Clock clock, channel::Outbox& out);
  // The outcome of a message with one of this object's ids.
  void on_sent(channel::SendId id, channel::SendOutcome outcome, const session::Store& store,
               session::Clock clock, channel::Outbox& out);
  // That member is gone, and nothing more is sent to it.
  void forget(const tribes::Identity& member);

  // When that member asked last, since it came.
  [[nodiscard]] std::optional<Instant> last_asked(const tribes::Identity& member) const;
  [[nodiscard]] std::size_t running() const { return lanes_.size(); }
  [[nodiscard]] const AnswerCounters& counters() const { return counters_; }

 private:
  struct Waiting {
    std::string context;
    session::Dialect dialect = session::Dialect::tomcat8;
    std::int64_t asked_ms = 0;  // by its own clock
  };
  using Answer = std::variant<session::Transfer, session::Handover>;
  struct Lane {
    tribes::OwnedMember to;
    std::deque<Waiting> waiting;
    std::optional<Answer> answer;
    channel::SendId sent = 0;  // whose acknowledgement is awaited
    unsigned failures = 0;     // in a row
  };
  using Lanes = std::map<tribes::Identity, Lane>;

  [[nodiscard]] Answer begin(const Waiting& asked, const session::Store& store,
                             session::Clock clock) const;
  void step(Lanes::iterator lane, const session::Store& store, session::Clock clock,
            channel::Outbox& out);

  session::TransferSettings settings_;
  Lanes lanes_;
  std::map<channel::SendId, tribes::Identity> sent_;
  std::map<tribes::Identity, Instant> asked_;
  channel::SendId last_id_ = 0;
  AnswerCounters counters_;
};

}  // namespace tribecast::keeper
