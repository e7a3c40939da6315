// Who has what? Compares this engine's sessions with every other engine's and every Tomcat's, one
// member and one context at a time, and changes nothing: what comes for it goes nowhere else.
//
// An engine is asked for ids and versions (digest_message.h). A Tomcat can only be asked for all of
// a context, which it makes in one array: where there are as many sessions as fetch-limit, it is
// not asked. Its copies have no versions: attributes are compared by their bytes, hash tables by
// their length, since two JVMs write the same one in two orders. What changed within the last
// seconds may be on its way, and is counted apart.
//
// Of replicated maps everybody is asked for the keys alone: who lacks which entry is found, not
// whose value is old.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "engine/channel/application.h"
#include "engine/keeper/dialects.h"
#include "engine/keeper/digest_message.h"
#include "engine/keeper/maps.h"
#include "engine/keeper/send_ids.h"
#include "engine/session/record.h"
#include "engine/session/store.h"
#include "tribes/owned_member.h"

namespace tribecast::keeper {

struct VerifySettings {
  std::size_t limit_sessions = 10'000;  // FetchSettings'
  Duration patience = seconds(10);      // for an answer, and between two of its parts
  std::size_t portion_sessions = 2000;  // of this engine, in one go
  Duration pause = milliseconds(2);
};

enum class Difference : std::uint8_t { lacks, older, newer, differs, only_there };

struct CompareOutcome {
  enum class Kind : std::uint8_t { compared, too_large, no_answer, no_context };
  struct Example {
    std::string id;
    Difference what = Difference::lacks;
    std::vector<std::string> names;  // of attributes
  };
  static constexpr std::size_t kMaxExamples = 5;
  static constexpr std::size_t kMaxNames = 8;

  tribes::OwnedMember member;
  std::string context;
  Kind kind = Kind::compared;
  std::uint64_t here = 0;
  std::uint64_t there = 0;
  std::array<std::uint64_t, 5> counts{};  // by Difference
  std::uint64_t moving = 0;
  std::vector<Example> examples;

  void add(Difference what, const std::string& id, std::vector<std::string> names = {});
};

class Verify {
 public:
  static constexpr std::size_t kMaxTasks = 10'000;

  explicit Verify(const VerifySettings& settings = {}) : settings_(settings) {}

  // False while one is under way.
  bool begin(const std::vector<tribes::OwnedMember>& members, const session::Store& store,
             const Maps& maps, Instant now);
  [[nodiscard]] bool is_running() const { return current_ || !tasks_.empty(); }
  // A Tomcat is asked: nobody else may ask it meanwhile, or the answers could not be told apart.
  [[nodiscard]] bool is_asking() const { return current_ && !current_->is_answered; }
  // All of them, once, when it is over.
  std::optional<std::vector<CompareOutcome>> take();

  // False: it is not for this object.
  bool on_message(const tribes::Identity& from, const session::Message& message,
                  const session::Store& store, session::Clock clock);
  void on_not_sent();
  void on_gone(const tribes::Identity& member);
  // Of the map that it wanted compared.
  void on_compared(const map::Compared& compared);
  // `may_ask`: nobody else waits for a Tomcat's answer.
  void on_timer(bool may_ask, const Dialects& dialects, const session::Store& store, Maps& maps,
                const channel::Moment& moment, channel::Outbox& out);
  [[nodiscard]] Instant next_deadline() const;

 private:
  struct Task {
    tribes::OwnedMember member;
    std::string context;  // or map
    bool is_map = false;
  };
  struct Current {
    CompareOutcome outcome;
    bool is_map = false;
    bool is_engine = false;
    std::uint64_t ticket = 0;
    std::int64_t settled_ms = 0;  // what changed later is moving
    Instant deadline;
    bool is_answered = false;
    std::unordered_set<std::uint64_t> seen = {};  // digests of ids
    session::Place place = {};
  };

  void ask(const Dialects& dialects, const session::Store& store, Maps& maps,
           const channel::Moment& moment, channel::Outbox& out);
  void compare(const KnownSession& known, const session::Store& store);
  void compare(const session::Record& record, const session::Store& store, Instant now);
  void walk(const session::Store& store, Instant now);
  void end(CompareOutcome::Kind kind);

  VerifySettings settings_;
  std::deque<Task> tasks_;
  std::optional<Current> current_;
  std::vector<CompareOutcome> done_;
  bool has_result_ = false;
  Instant next_ = kNever;
  std::uint64_t last_ticket_ = std::uint64_t{1} << 63U;
};

}  // namespace tribecast::keeper
