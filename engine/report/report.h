// What the engine tells about itself (control/engine_status.h), taken from its parts.
//
// Names, classes, sizes and versions, never a value; of a session's id the first letters. What goes
// over all sessions is a walk in portions: between two steps the engine serves.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "control/engine_status.h"
#include "engine/channel/channel.h"
#include "engine/keeper/keeper.h"

namespace tribecast::report {

// The first letters that may be shown, a quarter at most, and what stands behind the last dot.
struct ShownId {
  std::string letters;
  std::string route;
};
ShownId shown(std::string_view id);

// Fills what follows from these two; the rest is the edge's.
void fill(control::EngineStatus& status, const keeper::Keeper& keeper,
          const channel::Channel& channel, const channel::Moment& moment);

control::SessionRow row_of(const std::string& context, const std::string& id,
                           const session::Session& session, session::Clock clock);
control::SessionDetail detail_of(const std::string& context, const std::string& id,
                                 const session::Session& session, session::Clock clock);

// What verify found, by member.
control::VerifyReport report_of(const std::vector<keeper::CompareOutcome>& outcomes, Duration took);

// Contexts and sessions in one walk, so many at each step.
class Walk {
 public:
  static constexpr std::size_t kPortion = 2000;

  // `context` empty: all.
  Walk(const session::Store& store, const std::string& context);

  using Visitor = std::function<void(const std::string& context, const std::string& id,
                                     const session::Session&)>;
  // `restart`: forget what was gathered of that context. False when it is over.
  bool step(const session::Store& store, Instant now, const Visitor& visitor,
            const std::function<void(const std::string& context)>& restart);

 private:
  std::vector<std::string> contexts_;  // the current one last
  session::Place place_;
};

// The sessions that were used last, at most `limit` of them.
class Listing {
 public:
  Listing(const session::Store& store, std::size_t limit, const std::string& context)
      : walk_(store, context), limit_(limit) {}

  // False when it is over.
  bool step(const session::Store& store, Instant now);
  [[nodiscard]] control::SessionList list(const session::Store& store, session::Clock clock) const;

 private:
  struct Found {
    std::int64_t time_ms = 0;
    std::string context;
    std::string id;
  };
  void keep_latest();

  Walk walk_;
  std::size_t limit_;
  std::vector<Found> found_;
  std::map<std::string, std::uint64_t> totals_;
};

// The session of an id, or the only one whose id begins so.
class Search {
 public:
  Search(const session::Store& store, std::string word, const std::string& context, Instant now);

  bool step(const session::Store& store, Instant now);
  // What was found, of at most two.
  [[nodiscard]] const std::vector<std::pair<std::string, std::string>>& found() const {
    return found_;
  }

 private:
  std::string word_;
  std::optional<Walk> walk_;  // none: the whole id was given
  std::vector<std::pair<std::string, std::string>> found_;
};

}  // namespace tribecast::report
